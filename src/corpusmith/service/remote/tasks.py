"""Tasks over REST: made, run there, watched from here."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import orjson

from corpusmith.contracts import Quota
from corpusmith.errors import NotFound
from corpusmith.exports.files import refuse_output
from corpusmith.service import calls, overview, stored_chains, task_lists, task_previews, tasks
from corpusmith.service.estimate import Preview
from corpusmith.service.forms.form import Remark
from corpusmith.service.overview import Look
from corpusmith.service.remote.call import Over, call, later, number, pages, plain
from corpusmith.service.remote.faults import fault
from corpusmith.service.remote.following import (
    categories_of,
    snapshot_of,
    status_of,
    until_rest,
)
from corpusmith.service.remote.given_files import sendable
from corpusmith.service.remote.wire import REQUEST_KEY, adapter
from corpusmith.service.stored_chains import ChainView
from corpusmith.service.suffixes import format_of
from corpusmith.service.task_file import TaskFile
from corpusmith.service.task_lists import BulkTasks, TaskFilter
from corpusmith.service.task_previews import PreviewView
from corpusmith.service.task_views import MissView, RunView, TaskDetail, TaskView
from corpusmith.service.tasks import CHANGEABLE, Result, Show
from corpusmith.store.values import CallRow, Execution, MissRow, Task, WholeCall
from corpusmith.values import Json, Record

_HERE = ("output", "output_file", "output_dir")
"""Fields that name a place of this machine: the server is not told of them."""


def task_of(detail: TaskDetail) -> Task:
    """The task as its row is told here; who runs it stays the server's."""
    view = detail.task
    queued = view.queued_at and datetime.fromisoformat(view.queued_at).timestamp()
    return Task(
        id=view.id,
        name=view.name,
        recipe=view.recipe,
        spec=detail.spec,
        connections=detail.connections,
        dataset=view.dataset,
        status=detail.status,
        cause=view.cause,
        request=view.request,
        requested=view.counts.requested,
        seed=detail.seed,
        counts=view.counts,
        spend=view.spend,
        lease_owner=None,
        lease_until=None,
        queued_at=queued or None,
        revision=detail.revision,
        interrupted=view.state == "interrupted",
        created_at=view.created_at,
        updated_at=view.updated_at,
    )


@dataclass(frozen=True, slots=True)
class Places:
    """Where a task's files go on this machine."""

    output: str | None = None
    folder: str | None = None
    format: str | None = None


class Tasks(Over, tasks.Tasks):
    """`studio.tasks`, of a server: its workers run them. Who stops waiting for one does not stop
    it; `stop` and `ask` do."""

    create_async = later("create")
    get = call("GET tasks/{task_id}", TaskDetail, then=task_of)
    delete = call("DELETE tasks/{task}")
    discard = call("POST tasks/{task}/discard", of="discarded")
    uncommitted = call("GET tasks/{task}/items", of="uncommitted")
    commit = call("POST tasks/{task}/commit", of="committed")
    quotas = call("GET tasks/{task}/quotas", Quota, listed=True)
    misses = call(
        "GET tasks/{task}/misses",
        MissView,
        listed=True,
        then=lambda some: [
            MissRow(
                item=one.item,
                kind=one.kind,
                reason=one.reason,
                detail=one.detail,
                raw=one.raw,
                saved_at=one.saved_at,
                place=one.place,
            )
            for one in some
        ],
    )

    def __init__(self, studio: Any, wire: Any) -> None:
        super().__init__(studio, wire)
        self._places: dict[int, Places] = {}

    # ------------------------------------------------------------ before

    def create(self, file: TaskFile | Mapping[str, Json] | None = None, **fields: Any) -> Task:
        return self.submit(_fields(file, fields), start=False)[0]

    def submit(
        self, fields: Mapping[str, Json], *, start: bool = True, key: str | None = None
    ) -> tuple[Task, bool]:
        """See the local one. Without `key` it gets one of its own: an answer that is lost on its
        way and asked for again makes no second task."""
        places, told = parted(fields)
        if places.output is not None:
            refuse_output(places.output)
        body = {**sendable(self._wire, told), "start": start}
        headers = {
            "Content-Type": "application/json",
            REQUEST_KEY: key or f"python-{secrets.token_hex(16)}",
        }
        text = orjson.dumps(plain(body))
        with self._wire.answer("POST", ("tasks",), None, text, headers) as answer:
            replayed = answer.headers.get("Idempotent-Replay") == "true"
            view = orjson.loads(b"".join(self._wire.chunks(answer)))
        self._places[view["id"]] = places
        return self.get(view["id"]), replayed and key is not None

    def preview(
        self, file: TaskFile | Mapping[str, Json] | None = None, *, items: int = 1, **fields: Any
    ) -> Preview:
        found = self._studio.task_previews.of(_fields(file, fields), items=items)
        if found.estimate is None:
            first = found.problems[0]
            body = {"code": first.code, "message": first.message}
            raise fault(body, self._wire.language)
        return Preview(
            calls=[(one.item, one.role, one.messages) for one in found.prompts],
            quotas=found.shares,
            estimate=found.estimate,
            remarks=[Remark(key="remote.said", data={"text": one}) for one in found.remarks],
        )

    # ------------------------------------------------------------ running

    def run(self, task: Task | int, *, show: Show | None = None) -> Result:
        """Have the server run it, or go on with it, and wait until it rests; one that runs
        already is waited for. `show` is told of it as it changes."""
        self.queue(task)
        return self._waited(number(task), show)

    async def run_async(
        self, task: Task | int, *, show: Show | None = None, asked: bool = False
    ) -> Result:
        return await asyncio.to_thread(self.run, task, show=show)

    def stop(self, task: Task | int, *, again: bool = False) -> bool:
        """Pause it, wherever the server runs it: calls in flight end. `again` says nothing here."""
        running = self._studio.task_views.get(number(task)).state in ("running", "queued")
        if running:
            self.ask(task, "pause")
        return running

    def queue(self, task: Task | int) -> Task:
        self._wire.ask("POST", "tasks", number(task), "run")
        return self.get(number(task))  # type: ignore[no-any-return]

    def ask(self, task: Task | int, wish: Literal["pause", "cancel"]) -> Task:
        self._wire.ask("POST", "tasks", number(task), wish)
        return self.get(number(task))  # type: ignore[no-any-return]

    def extend(self, task: Task | int, count: int) -> Task:
        body = {"count": count, "start": False}
        self._wire.ask("POST", "tasks", number(task), "extend", body=body)
        return self.get(number(task))  # type: ignore[no-any-return]

    def change(self, task: Task | int, **fields: Any) -> Task:
        places, told = parted(fields)
        known = told if set(told) - CHANGEABLE else {k: v for k, v in told.items() if k != "format"}
        if known:
            self._wire.ask("PATCH", "tasks", number(task), body=plain(known))
        if set(fields) & {"output", "format"}:
            self._places[number(task)] = places
        return self.get(number(task))  # type: ignore[no-any-return]

    def retry(
        self, task: Task | int, kinds: Sequence[Literal["failed", "rejected"]] = ("failed",)
    ) -> int:
        body = {"kinds": [*kinds], "start": False}
        found = self._wire.ask("POST", "tasks", number(task), "retry", body=body)
        count: int = found["put_back"]
        return count

    def _waited(self, task_id: int, show: Show | None) -> Result:
        view = self._studio.task_views.get(task_id)
        for view in until_rest(self._wire, task_id):
            if show is not None:
                show(snapshot_of(view, categories_of(self.quotas(task_id))))
        return Result(
            task_id=task_id,
            status=status_of(view),
            cause=view.cause,
            counts=view.counts,
            spend=view.spend,
            misses={reason: n for (_, reason), n in self.miss_counts(task_id).items()},
            output=self._delivered(view, self._places.get(task_id, Places())),
        )

    def deliver(self, task: int, places: Places, *, again: bool) -> None:
        """Write what was asked for of a task that came to its end; `again`: only what is not there
        any more."""
        wanted = [one for one in (places.output, places.folder) if one not in (None, "-")]
        if not again or not all(Path(str(one)).expanduser().exists() for one in wanted):
            self._delivered(self._studio.task_views.get(task), places)

    def _delivered(self, view: TaskView, places: Places) -> Path | None:
        """The files that were asked for, on this machine; None: it has not come to its end."""
        task_id, code = view.id, str((view.cause or {}).get("code", ""))
        if view.state != "finished" and not code.startswith("budget_"):
            return None
        if places.output is not None and view.counts.accepted:
            form = places.format or format_of(places.output) or "json"
            self._studio.exports.write(Path(places.output), task=task_id, form=form)
        if places.folder is not None:
            folder = Path(places.folder).expanduser()
            self._studio.rounds.write(task_id, folder)
            return folder
        return None if places.output is None else Path(places.output)

    # ------------------------------------------------------------ looking

    def last(self) -> Task:
        found = self._studio.task_views.list(limit=1)
        if not found:
            raise NotFound("no_task")
        return self.get(found[0].id)  # type: ignore[no-any-return]

    def list(self, *, status: Any = None, limit: int = 50) -> Sequence[Task]:
        """A request for each of them: `studio.task_views.list` needs one for all."""
        found = self._studio.task_views.list(TaskFilter(status=status), limit=limit)
        some = []
        for one in found:
            with suppress(NotFound):  # deleted a moment ago
                some.append(self.get(one.id))
        return some

    def executions(self, task: Task | int) -> Sequence[Execution]:
        """`id` is its number within the task, and `owner` is the server's own."""
        return [
            Execution(
                id=one.number,
                task_id=number(task),
                owner="",
                started_at=one.started_at,
                ended_at=one.ended_at,
                status=one.status,  # type: ignore[arg-type]
                cause=one.cause,
                counts=one.counts,
                spend=one.spend,
            )
            for one in self._studio.task_views.executions(number(task))
        ]

    def miss_counts(self, task: Task | int) -> Mapping[tuple[str, str], int]:
        found = self._studio.task_views.detail(number(task)).missing
        return {(one.kind, one.reason): one.count for one in found}

    def first(self, task: Task | int, n: int = 10) -> Sequence[Record]:
        found = self._wire.ask("GET", "tasks", number(task), "records", query={"count": n})
        return [adapter(Record).validate_python(one) for one in found["items"]]


def _fields(file: TaskFile | Mapping[str, Json] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    given = file.model_dump(exclude_unset=True) if isinstance(file, TaskFile) else dict(file or {})
    return {**given, **more}


def parted(fields: Mapping[str, Json]) -> tuple[Places, dict[str, Json]]:
    """What is for this machine, and what is for the server."""
    output = fields.get("output") or fields.get("output_file")
    folder, form = fields.get("output_dir"), fields.get("format")
    told = {name: one for name, one in fields.items() if name not in _HERE}
    places = Places(
        None if output is None else str(output), None if folder is None else str(folder), form
    )
    return places, told


class TaskViews(Over, task_lists.TaskViews):
    """`studio.task_views`, of a server."""

    get = call("GET tasks/{task_id}", TaskView, of="task")
    detail = call("GET tasks/{task_id}", TaskDetail)
    executions = call("GET tasks/{task_id}/executions", RunView, listed=True)
    misses = call("GET tasks/{task_id}/misses", MissView, listed=True)
    bulk = call("POST tasks/bulk", BulkTasks, named={"which": "filter"})

    def list(
        self, which: TaskFilter | None = None, *, limit: int = 50, after: int | None = None
    ) -> Sequence[TaskView]:
        query = {} if which is None else plain(which)
        found = pages(self._wire, "tasks", query=query, after=after)
        read = adapter(TaskView).validate_python
        return [*map(read, islice(found, limit))]


class TaskPreviews(Over, task_previews.TaskPreviews):
    """`studio.task_previews`, of a server."""

    def of(self, fields: Mapping[str, Json], *, items: int = 1) -> PreviewView:
        _, told = parted(fields)
        body = {**sendable(self._wire, told), "items": items}
        found: PreviewView = self._wire.value(
            PreviewView, "POST", "tasks", "preview", body=plain(body)
        )
        return found


class Calls(Over, calls.Calls):
    """`studio.calls`, of a server."""

    get = call("GET tasks/{task_id}/calls/{number}", WholeCall)
    list = call("GET tasks/{task_id}/calls", CallRow, listed=True)
    of_record = call("GET records/{number}/calls", WholeCall, listed=True)


class StoredChains(Over, stored_chains.StoredChains):
    """`studio.stored_chains`, of a server."""

    get = call("GET chains/{chain_id}", ChainView)
    run = call("POST chains/{chain_id}/run", ChainView, named={"wish": "steps"})
    stop = call("POST chains/{chain_id}/stop", ChainView)

    def add(self, fields: Mapping[str, Json], *, again: bool = False) -> ChainView:
        body = {"chain": sendable(self._wire, fields), **({"again": True} if again else {})}
        found: ChainView = self._wire.value(ChainView, "POST", "chains", body=plain(body))
        return found

    def list(self, *, limit: int, before: int | None = None) -> Sequence[ChainView]:
        found = pages(self._wire, "chains", after=before)
        read = adapter(ChainView).validate_python
        return [*map(read, islice(found, limit))]


class Overview(Over, overview.Overview):
    """`studio.overview`, of a server."""

    def look(self, *, most: int = 5) -> Look:
        found: Look = self._wire.value(Look, "GET", "overview", query={"most": most})
        return found
