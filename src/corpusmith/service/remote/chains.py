"""Chains over REST: the server keeps them, makes their steps and has its workers run them.

Owns: waiting for one, and what became of its steps. Does not own: keeping one
(`tasks.StoredChains`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from corpusmith.exports.files import refuse_output
from corpusmith.service import chains
from corpusmith.service.bulk import RECIPES
from corpusmith.service.chains import ChainResult, File, StepResult
from corpusmith.service.remote.call import Over, later
from corpusmith.service.remote.faults import fault
from corpusmith.service.remote.following import categories_of, snapshot_of, until_rest
from corpusmith.service.remote.tasks import Places, Tasks, parted
from corpusmith.service.stored_chains import ChainView, StepView
from corpusmith.service.tasks import Show
from corpusmith.values import Json

_LOOK_S = 0.25
"""Between two looks at a chain whose next step is being made."""


class Chains(Over, chains.Chains):
    """`studio.chains`, of a server: it goes on there, also when nobody waits for it."""

    ready_async = later("ready")

    def run(self, file: File, *, again: bool = False, show: Show | None = None) -> ChainResult:
        """See the local one. Files of a step are written on this machine, when the chain rests."""
        wish, places = _parted(_fields(file))
        for place in places.values():
            if place.output is not None:
                refuse_output(place.output)
        made = self._studio.stored_chains.add(wish, again=again)
        known = frozenset(one.name for one in made.steps if one.status == "finished")
        self._studio.stored_chains.run(made.id)
        rested = self._until_rest(made.id, known, show)
        for one in rested.steps:
            if one.task is not None and one.name in places:
                tasks = cast(Tasks, self._studio.tasks)
                tasks.deliver(one.task, places[one.name], again=one.name in known)
        if rested.cause is not None:
            said = {"code": rested.cause.code, "message": rested.cause.text}
            raise fault(said, self._wire.language, kind="StepError")
        return _result(rested, known)

    async def run_async(
        self, file: File, *, again: bool = False, show: Show | None = None
    ) -> ChainResult:
        return await asyncio.to_thread(self.run, file, again=again, show=show)

    def _until_rest(self, chain_id: int, known: frozenset[str], show: Show | None) -> ChainView:
        told = set(known)
        while True:
            view = self._studio.stored_chains.get(chain_id)
            for one in view.steps:
                new = one.name not in told and one.recipe not in RECIPES
                if new and one.task is not None and self._watched(one.task, show):
                    told.add(one.name)
            if view.state in ("finished", "stopped"):
                return view
            time.sleep(_LOOK_S)

    def _watched(self, task: int, show: Show | None) -> bool:
        """Whether it is finished, once it rests; `show` is told of it once at least."""
        for view in until_rest(self._wire, task):
            if show is not None:
                show(snapshot_of(view, categories_of(self._studio.tasks.quotas(task))))
            finished = view.state == "finished"
        return finished


def _fields(file: File) -> Mapping[str, Json]:
    """The chain with its defaults in its steps, and its paths those of this machine."""
    plan = chains._plan(file)
    steps: list[dict[str, Any]] = [{"name": one.name, **one.fields} for one in plan.steps]
    budget = {} if plan.max_cost is None else {"max_cost": plan.max_cost}
    return {"name": plan.name, **budget, "steps": steps}


def _parted(chain: Mapping[str, Json]) -> tuple[Mapping[str, Json], Mapping[str, Places]]:
    """What the server is told, and where files of its tasks go on this machine, by step."""
    places: dict[str, Places] = {}
    steps: list[Json] = []
    for step in cast(Sequence[dict[str, Json]], chain["steps"]):
        told = step
        if step["recipe"] != "import":
            places[str(step["name"])], told = parted(step)
        steps.append(told)
    return {**chain, "steps": steps}, places


def _result(view: ChainView, known: frozenset[str]) -> ChainResult:
    steps: list[StepResult] = []
    for one in view.steps:
        if one.task is None or (steps and steps[-1].status != "finished"):
            break
        steps.append(_step(one, known))
    finished = view.state == "finished"
    return ChainResult(name=view.name, finished=finished, steps=tuple(steps))


def _step(one: StepView, known: frozenset[str]) -> StepResult:
    assert one.task is not None and one.counts is not None  # noqa: S101  it has a task
    return StepResult(
        name=one.name,
        recipe=one.recipe,
        task_id=one.task,
        status=str(one.status),
        counts=one.counts,
        kept=one.name in known,
    )
