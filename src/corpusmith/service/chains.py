"""Use-cases of chains: check the whole file, make each step's task, go on in the middle.

Owns: which steps are done, which go on, which are made anew; the chain's budget. Does not own: the
file (`chain_file.py`), running a task (`tasks.py`), rows (store).

A step is kept when what it asks for (the chain's defaults, its inputs and the files that it names
included) is what it asked for when its task was made. Budget, limits and output may change: they
are laid over the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpusmith.errors import BudgetReached, CorpusmithError, NotFound, UsageError
from corpusmith.places import given_path
from corpusmith.service import loop
from corpusmith.service.bulk import RECIPES, sweep
from corpusmith.service.chain_file import (
    Plan,
    Step,
    StepError,
    checked_fields,
    plan_of,
    read_chain,
)
from corpusmith.service.chain_inputs import Fields
from corpusmith.service.endpoints import named_endpoints
from corpusmith.service.estimate import Preview, refuse_unknown_price
from corpusmith.service.import_rows import Rows
from corpusmith.service.keys import key_of
from corpusmith.service.task_file import TaskFile, form_of
from corpusmith.service.tasks import CHANGEABLE, Result, Show
from corpusmith.store.chains import Chain, ChainStep
from corpusmith.store.values import Task
from corpusmith.values import Counts, Json

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

State = Literal["done", "begun", "new"]
"""Of a step: nothing to do; its task goes on, or delivers again; its task is made first."""

File = str | Path | Mapping[str, Json] | Plan


@dataclass(slots=True, kw_only=True)
class Opened:
    """A checked chain, and how far it is."""

    plan: Plan
    states: list[State]
    tasks: list[int | None]
    """Each step's task."""
    chain: Chain | None
    """None: only looked at, nothing is stored."""
    changed: bool
    """True when an earlier run of this file asked for something else."""
    replaced: dict[str, int] = field(default_factory=dict)
    """Tasks of an earlier run whose step is made anew."""

    def number(self, name: str) -> int:
        """The task of an earlier step."""
        place = [step.name for step in self.plan.steps].index(name)
        found = self.tasks[place]
        if found is None:
            raise NotFound("chain_step_not_made", kind="step", name=name)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What became of a step."""

    name: str
    recipe: str
    task_id: int
    status: str
    counts: Counts
    kept: bool
    """True when it was done before this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """What became of a chain, as far as it came."""

    name: str
    finished: bool
    """False: the last one of `steps` stopped it; the same call goes on."""
    steps: tuple[StepResult, ...]

    @property
    def shortfall(self) -> int:
        """Records that were asked for and that there are not."""
        return sum(step.counts.shortfall for step in self.steps)


class Chains:
    """`studio.chains`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def run(self, file: File, *, again: bool = False, show: Show | None = None) -> ChainResult:
        """Run a chain, or go on with it. `again`: from the beginning, with new tasks; an import or
        a sample takes the place of the one before it.

        `file`: a YAML file, its fields, or what `read_chain` made of it.
        Raises UsageError and its kinds before anything runs, when any step does not fit;
        BudgetReached; StepError when a step cannot be made from what came before it.
        """
        return loop.run(self.run_async(file, again=again, show=show))

    async def run_async(
        self, file: File, *, again: bool = False, show: Show | None = None
    ) -> ChainResult:
        """`run`, awaited."""
        opened = self.open(file, again=again)
        done: list[StepResult] = []
        for place, state in enumerate(opened.states):
            task = await self.ready_async(opened, place)
            if state != "done" and task.recipe not in RECIPES:
                result: Result = await self._studio.tasks.run_async(task, show=show)
                task = self._studio.tasks.get(result.task_id)
            done.append(step_result(opened, place, task))
            if task.status != "finished":
                return ChainResult(name=opened.plan.name, finished=False, steps=tuple(done))
        return ChainResult(name=opened.plan.name, finished=True, steps=tuple(done))

    def look(self, file: File, *, again: bool = False) -> Opened:
        """The chain checked, and which of its steps are done. Nothing is stored."""
        plan = _plan(file)
        opened = self._compared(plan, again)
        self._check(opened)
        return opened

    def open(self, file: File, *, again: bool = False) -> Opened:
        """`look`, and the chain is stored: from now on its steps find their tasks."""
        sweep(self._studio.store)
        opened = self.look(file, again=again)
        if opened.chain is None:
            plan = opened.plan
            opened.chain = self._studio.store.chains.add(
                plan.name,
                plan.source,
                [
                    ChainStep(name=step.name, digest=step.digest, task_id=task_id)
                    for step, task_id in zip(plan.steps, opened.tasks, strict=True)
                ],
            )
        return opened

    def preview(self, opened: Opened, place: int) -> Preview | None:
        """What a step that is about to be made will send and cost; None: it asks no model."""
        step = opened.plan.steps[place]
        if step.recipe in RECIPES:
            return None
        return self._studio.tasks.preview(step.bound(opened.number))

    def ready(self, opened: Opened, place: int) -> Task:
        """The task of a step, made if need be; an import or a sample is then done too.

        Raises StepError when it cannot be made, BudgetReached, LeaseHeld.
        """
        return loop.run(self.ready_async(opened, place))

    async def ready_async(self, opened: Opened, place: int) -> Task:
        """`ready`, awaited."""
        step = opened.plan.steps[place]
        known = opened.tasks[place]
        if opened.states[place] == "done" and known is not None:
            return self._studio.tasks.get(known)
        ceiling = self._ceiling(opened, place)
        if known is not None:
            return self._studio.tasks.change(known, **_changes(step, ceiling))
        name = f"{opened.plan.name}/{step.name}"
        try:
            task_id = self._stray(opened, name) or await self._make(opened, step, name, ceiling)
        except (BudgetReached, StepError):
            raise
        except CorpusmithError as error:
            raise StepError(step=step.name, error=error) from error
        assert opened.chain is not None  # noqa: S101  `open` stored it
        self._studio.store.chains.link(opened.chain.id, place, task_id)
        opened.tasks[place] = task_id
        return self._studio.tasks.get(task_id)

    # ------------------------------------------------------------ what is there

    def _compared(self, plan: Plan, again: bool) -> Opened:
        """The plan beside what earlier runs of its file made."""
        last = None if again else self._studio.store.chains.last(plan.name, plan.source)
        old = {one.name: one for one in last.steps} if last else {}
        tasks: list[int | None] = []
        states: list[State] = []
        fresh: set[str] = set()
        for step in plan.steps:
            task = self._same(step, old.get(step.name), fresh)
            tasks.append(None if task is None else task.id)
            states.append("new" if task is None else _state(task, step))
            if task is None:
                fresh.add(step.name)
        same = last is not None and [(one.name, one.digest) for one in last.steps] == [
            (one.name, one.digest) for one in plan.steps
        ]
        return Opened(
            plan=plan,
            states=states,
            tasks=tasks,
            chain=last if same else None,
            changed=last is not None and not same,
            replaced={
                name: task_id
                for name, task_id in self._studio.store.chains.made(plan.name, plan.source).items()
                if name in fresh
            },
        )

    def _same(self, step: Step, before: ChainStep | None, fresh: set[str]) -> Task | None:
        """The task that did this very step, with the same inputs; None: it is to be made."""
        if before is None or before.digest != step.digest or before.task_id is None:
            return None
        if not fresh.isdisjoint((*step.needs, *step.after)):
            return None
        try:
            return self._studio.tasks.get(before.task_id)
        except NotFound:
            return None

    def _stray(self, opened: Opened, name: str) -> int | None:
        """The step's task, if a kill came between making and linking it."""
        assert opened.chain is not None  # noqa: S101  `open` stored it
        return self._studio.store.chains.stray(name, opened.chain.created_at)

    # ------------------------------------------------------------ before anything runs

    def _check(self, opened: Opened) -> None:
        """Whatever can be known of the steps that are to be made. Raises StepError."""
        for step, state in zip(opened.plan.steps, opened.states, strict=True):
            if state != "new":
                continue
            try:
                self._check_step(step, opened)
            except CorpusmithError as error:
                raise StepError(step=step.name, error=error) from error

    def _check_step(self, step: Step, opened: Opened) -> None:
        waits = bool(step.needs or step.after)
        if step.recipe == "import":
            how = _how(step)
            Rows(
                given_path(step.fields["file"]), how["format"], how["map"], step.fields.get("limit")
            )
        elif step.recipe == "sample":
            # Its former self, which fills the dataset, will be taken back first.
            free: dict[str, Any] = {"dataset": None} if step.name in opened.replaced else {}
            if not waits:
                self._studio.sampling.preview(step.fields, **free)
        elif (file := checked_fields(step)) is not None:
            self._check_endpoints(file, waits, opened.plan.max_cost)

    def _check_endpoints(self, file: TaskFile, waits: bool, max_cost: float | None) -> None:
        store = self._studio.store
        if waits:
            endpoints = named_endpoints(file, store)
        else:
            language = file.language or self._studio.language
            endpoints = form_of(file.recipe).resolve(file, store, language).endpoints
        for connection in endpoints.values():
            key_of(connection, store)
        # Which model an endpoint has is asked when the task is made.
        named = {role: one for role, one in endpoints.items() if one.model}
        refuse_unknown_price(max_cost if file.max_cost is None else file.max_cost, named)

    # ------------------------------------------------------------ making

    async def _make(self, opened: Opened, step: Step, name: str, ceiling: float | None) -> int:
        fields: Fields = {**step.bound(opened.number), "name": name}
        if step.recipe in RECIPES:
            self._forget(opened.replaced.get(step.name))
            return self._made_here(step, fields)
        if ceiling is not None:
            fields["max_cost"] = ceiling
        task = await self._studio.tasks.create_async(fields)
        return task.id

    def _made_here(self, step: Step, fields: Fields) -> int:
        if step.recipe == "sample":
            sampled = self._studio.sampling.run(fields).task_id
            assert sampled is not None  # noqa: S101  only a preview has none
            return sampled
        return self._studio.imports.run(
            fields["file"],
            fields["dataset"],
            **_how(step),
            limit=fields.get("limit"),
            skip_duplicates=fields.get("skip_duplicates", False),
            name=fields["name"],
        ).task_id

    def _forget(self, task_id: int | None) -> None:
        """An import or a sample that is done anew does not stand beside its former self: its
        records are copies, and cost nothing."""
        if task_id is None:
            return
        try:
            self._studio.imports.undo(task_id)
        except (NotFound, UsageError):
            return  # it was deleted, or the step asked a model then: what was paid stays

    def _ceiling(self, opened: Opened, place: int) -> float | None:
        """US dollars that this step's task may have spent at its end. Raises BudgetReached."""
        own = opened.plan.steps[place].fields.get("max_cost")
        whole = opened.plan.max_cost
        if whole is None:
            return None if own is None else float(own)
        others = [task_id for at, task_id in enumerate(opened.tasks) if at != place]
        spent = sum(self._spent(task_id) for task_id in others if task_id is not None)
        left = whole - spent
        if left <= 0 and opened.plan.steps[place].recipe not in RECIPES:
            raise BudgetReached("chain_budget", limit=f"{whole:g}", spent=f"{spent:.4f}")
        return left if own is None else min(left, float(own))

    def _spent(self, task_id: int) -> float:
        return self._studio.tasks.get(task_id).spend.cost_usd or 0.0


# ---------------------------------------------------------------- pure parts


def step_result(opened: Opened, place: int, task: Task) -> StepResult:
    """What became of a step."""
    step = opened.plan.steps[place]
    return StepResult(
        name=step.name,
        recipe=step.recipe,
        task_id=task.id,
        status=task.status,
        counts=task.counts,
        kept=opened.states[place] == "done",
    )


def _plan(file: File) -> Plan:
    if isinstance(file, Plan):
        return file
    if isinstance(file, Mapping):
        return plan_of(file, folder=Path.cwd())
    return read_chain(file)


def _state(task: Task, step: Step) -> State:
    if task.status != "finished":
        return "begun"
    if task.recipe in RECIPES:
        return "done"
    return "begun" if _deliver_again(task, step) else "done"


def _deliver_again(task: Task, step: Step) -> bool:
    """Whether a finished task's file is another one now, or is not there."""
    wanted = step.fields.get("output", task.spec.get("output"))
    form = step.fields.get("format", task.spec.get("format"))
    if wanted is None or wanted == "-":
        return False
    same = wanted == task.spec.get("output") and form == task.spec.get("format")
    return not same or not Path(str(wanted)).exists()


def _changes(step: Step, ceiling: float | None) -> dict[str, Any]:
    """What the file says now of a task that is there."""
    changes = {name: value for name, value in step.fields.items() if name in CHANGEABLE}
    return changes | ({} if ceiling is None else {"max_cost": ceiling})


def _how(step: Step) -> dict[str, Any]:
    """How an import step reads its file."""
    return {"format": step.fields.get("format", "auto"), "map": step.fields.get("map", {})}
