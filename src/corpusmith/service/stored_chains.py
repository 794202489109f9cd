"""Chains that a server keeps and drives: step after step, each a task that a worker runs.

Owns: a kept chain's fields, whether it is to go on, who drives it. Does not own: what its steps are
and which are done (`chains.py`), running tasks (workers).

A chain is driven by looking again and again: what it looks at is all in the database, so that a
server that was stopped goes on where it was. Whoever drives it holds a lease on it, taken by a
statement that only one can win: two servers never make a step twice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpusmith.errors import Conflict, CorpusmithError, NotFound
from corpusmith.messages import LANGUAGES, for_pages
from corpusmith.service.bulk import RECIPES
from corpusmith.service.chain_file import held_uploads, plan_of
from corpusmith.service.sealing import opened_fields, sealed_fields, shown_fields
from corpusmith.store.chains import Chain
from corpusmith.store.values import Task
from corpusmith.values import Counts, Json, Status

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

SOURCE = "server"
"""Of all chains that were sent to a server."""
LEASE_S = 60.0
Wish = Literal["all", "next"]
ChainState = Literal["waiting", "running", "stopped", "finished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A step, and how far it is. `task` None: it is not made yet."""

    name: str
    recipe: str
    task: int | None
    status: Status | None
    counts: Counts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a step could not be made."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainView:
    """A kept chain. `stopped`: it waits for a person, and `cause` says why, if there is a cause."""

    id: int
    name: str
    state: ChainState
    cause: Cause | None
    created_at: float
    steps: Sequence[StepView]


class StoredChains:
    """`studio.stored_chains`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, fields: Mapping[str, Json], *, again: bool = False) -> ChainView:
        """Keep a chain; one of the same name and steps is gone on with, or with `again` begun anew:
        the one that was there is stopped. Nothing runs yet.

        Raises UsageError and its kinds when any step does not fit.
        """
        held = held_uploads(fields)
        plan = plan_of(fields, folder=Path(), source=SOURCE, held=held)
        former = self._studio.store.chains.last(plan.name, SOURCE) if again else None
        opened = self._studio.chains.open(plan, again=again)
        assert opened.chain is not None  # noqa: S101  `open` stored it
        if former is not None:
            # What both ask would be paid twice.
            self.stop(former.id)
        name = _key(opened.chain.id)
        before = self._studio.store.settings.get(name)
        # One that rests takes the files that came now: those it had may be swept already.
        if before is None or not before.get("wish"):
            told = {"fields": sealed_fields(fields), "held": held}
            self._studio.store.settings.set(name, {**(before or {}), **told})
        return self.get(opened.chain.id)

    def list(self, *, limit: int, before: int | None = None) -> Sequence[ChainView]:
        """The newest first; `before`: the number of the last one of the page before."""
        found = self._studio.store.chains.list(SOURCE, limit=limit, before=before)
        return [self._view(one) for one in found]

    def get(self, chain_id: int) -> ChainView:
        """Raises NotFound."""
        return self._view(self._chain(chain_id))

    def run(self, chain_id: int, wish: Wish = "all") -> ChainView:
        """Have it go on, to its end or by one step; also after this process has ended.

        Raises NotFound, Conflict.
        """
        self._newest(chain_id)
        kept = self._kept(chain_id)
        self._studio.store.settings.set(_key(chain_id), {**_told(kept), "wish": wish})
        return self.get(chain_id)

    def stop(self, chain_id: int) -> ChainView:
        """Make no further step; the task of the present one is paused, if a worker has it."""
        chain = self._chain(chain_id)
        kept = self._kept(chain_id)
        self._studio.store.settings.set(_key(chain_id), _told(kept))
        for task in self._tasks(chain).values():
            if task.status == "running" or task.queued_at is not None:
                self._studio.tasks.ask(task, "pause")
        return self.get(chain_id)

    # ------------------------------------------------------------ driving

    def wanted(self) -> Sequence[int]:
        """Those that are to go on."""
        known = self._studio.store.settings.all(_PREFIX)
        return [int(name.removeprefix(_PREFIX)) for name, one in known.items() if one.get("wish")]

    def advance(self, chain_id: int, driver: str) -> None:
        """One look at a chain that is to go on: its step that is next is made and queued, once the
        one before has finished. Does nothing while another one drives it."""
        kept = self._kept(chain_id)
        if not kept.get("wish") or not self._leased(chain_id, kept, driver):
            return
        try:
            on = self._step(chain_id, kept)
        except CorpusmithError as error:
            self._rest(chain_id, kept, cause={"code": error.reason, "text": _texts(error)})
        else:
            if not on:
                self._rest(chain_id, kept)

    def _step(self, chain_id: int, kept: Mapping[str, Any]) -> bool:
        """Whether there is more to do."""
        chain = self._chain(chain_id)
        tasks = self._tasks(chain)
        for task in tasks.values():
            if task.queued_at is not None or (task.status == "running" and not task.interrupted):
                return True
        before = kept.get("place")
        at = _next(chain, tasks)
        if at is None:
            return False
        if before is not None and at == before:
            return False  # its task has ended, but not well: a person is to look at it
        if kept["wish"] == "next" and before is not None:
            return False
        self._newest(chain_id)
        fields = opened_fields(kept["fields"], chain.name)
        plan = plan_of(fields, folder=Path(), source=SOURCE, held=kept.get("held", {}))
        opened = self._studio.chains.open(plan)
        if opened.chain is None or opened.chain.id != chain_id:
            # Begun again between the two looks: that one's steps are its own.
            self._newest(chain_id)
            return False
        task = self._studio.chains.ready(opened, at)
        if task.recipe not in RECIPES and task.status != "finished":
            self._studio.tasks.queue(task)
        self._remember(chain_id, place=at)
        return True

    def _leased(self, chain_id: int, kept: Mapping[str, Any], driver: str) -> bool:
        now = time.time()
        other = kept.get("driver") not in (None, driver)
        if other and float(kept.get("until", 0)) > now:
            return False
        fresh = {**kept, "driver": driver, "until": now + LEASE_S}
        return self._studio.store.settings.swap(_key(chain_id), kept, fresh)

    def _remember(self, chain_id: int, **more: Json) -> None:
        kept = self._kept(chain_id)
        self._studio.store.settings.swap(_key(chain_id), kept, {**kept, **more})

    def _rest(self, chain_id: int, kept: Mapping[str, Any], **more: Json) -> None:
        self._studio.store.settings.set(_key(chain_id), {**_told(kept), **more})

    # ------------------------------------------------------------ looking

    def _chain(self, chain_id: int) -> Chain:
        chain = self._studio.store.chains.get(chain_id)
        if chain is None or chain.source != SOURCE:
            raise NotFound("unknown_chain", kind="chain", name=chain_id)
        return chain

    def _newest(self, chain_id: int) -> None:
        """Raises NotFound; Conflict when another chain has this one's name by now: its steps would
        be taken for that one's."""
        chain = self._chain(chain_id)
        last = self._studio.store.chains.last(chain.name, SOURCE)
        if last is not None and last.id != chain_id:
            raise Conflict("chain_replaced", kind="chain", name=chain.name, chain=last.id)

    def _kept(self, chain_id: int) -> dict[str, Any]:
        return self._studio.store.settings.get(_key(chain_id)) or {"fields": {}}

    def _tasks(self, chain: Chain) -> dict[str, Task]:
        """Step → its task, of those that have one that is there."""
        found = {}
        for step in chain.steps:
            if step.task_id is not None:
                try:
                    found[step.name] = self._studio.tasks.get(step.task_id)
                except NotFound:
                    continue
        return found

    def _view(self, chain: Chain) -> ChainView:
        tasks, kept = self._tasks(chain), self._kept(chain.id)
        recipes = _recipes(kept["fields"])
        done = _next(chain, tasks) is None
        busy = any(one.status == "running" or one.queued_at is not None for one in tasks.values())
        return ChainView(
            id=chain.id,
            name=chain.name,
            state=_state(done=done, on=busy or bool(kept.get("wish")), begun=bool(tasks)),
            cause=self._cause(kept.get("cause")),
            created_at=chain.created_at,
            steps=[
                StepView(
                    name=step.name,
                    recipe=recipes.get(step.name, ""),
                    task=tasks[step.name].id if step.name in tasks else None,
                    status=tasks[step.name].status if step.name in tasks else None,
                    counts=tasks[step.name].counts if step.name in tasks else None,
                )
                for step in chain.steps
            ],
        )

    def _cause(self, kept: Mapping[str, Any] | None) -> Cause | None:
        if kept is None:
            return None
        return Cause(code=kept["code"], text=kept["text"][self._studio.language])


_PREFIX = "chain:"


def _key(chain_id: int) -> str:
    return f"{_PREFIX}{chain_id}"


def _told(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is kept of a chain, what it was told when it came."""
    return {"fields": kept["fields"], "held": kept.get("held", {})}


def _next(chain: Chain, tasks: Mapping[str, Task]) -> int | None:
    """The place of the first step that is not done; None: all are."""
    for place, step in enumerate(chain.steps):
        if step.name not in tasks or tasks[step.name].status != "finished":
            return place
    return None


def _state(*, done: bool, on: bool, begun: bool) -> ChainState:
    if done:
        return "finished"
    return "running" if on else "stopped" if begun else "waiting"


def _texts(error: CorpusmithError) -> dict[str, str]:
    with for_pages():
        return {language: error.message(language) for language in LANGUAGES}


def _recipes(fields: Mapping[str, Json]) -> dict[str, str]:
    """Step → recipe."""
    if not fields:
        return {}
    plan = plan_of(shown_fields(fields), folder=Path(), source=SOURCE)
    return {step.name: step.recipe for step in plan.steps}
