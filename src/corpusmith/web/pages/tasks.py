"""Tasks: the list, and one task as it runs: its figures, failures, results and parameters.

Owns: routes and what their forms are taken for. Does not own: what a task is shown as
(`service/task_views.py`), the stream that tells of changes (REST's own, `static/tasks.js`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast, get_args

from fastapi import Query
from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Search, page_of, place_in
from corpusmith.api.cookies import own_path
from corpusmith.api.paths import url_of
from corpusmith.api.routes import tasks as rest
from corpusmith.api.routes.task_results import task_misses
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.service.task_lists import BulkAction, TaskFilter
from corpusmith.service.task_prompts import prompts_of
from corpusmith.service.task_views import State, TaskView
from corpusmith.values import Json, Record
from corpusmith.web.charts import of_runs, of_task
from corpusmith.web.form import Filled, Form, FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/tasks")

LIMIT = 50
FIRST, MORE = 10, 50
"""Results that are shown at first, and those that each further look adds."""
MOST_SHOWN = 500
FILTERS = ("status", "recipe", "dataset", "search")
STATES = tuple(one for one in get_args(State) if one != "interrupted")
BULK: tuple[BulkAction, ...] = get_args(BulkAction)
MOST_CALLS = 20

Number = rest.Number
Word = Annotated[str, Query(max_length=200)]


@router.get("", dependencies=[needs("read")])
def tasks_page(
    view: ViewOf,
    status: Word = "",
    recipe: Word = "",
    dataset: Word = "",
    search: Search = None,
    after: After = None,
) -> Response:
    """All tasks, newest first."""
    which = _filter({"status": status, "recipe": recipe, "dataset": dataset, "search": search})
    found = view.studio.task_views.list(which, limit=LIMIT + 1, after=place_in(after, int))
    page = page_of(found, LIMIT, lambda one: one.id)
    recipes = view.studio.catalogue.recipes()
    return view.page("tasks/list.html", page=page, states=STATES, recipes=recipes)


@router.post("/-/bulk", dependencies=[needs("edit")])
def bulk_tasks_by_page(view: ViewOf, form: FormOf) -> Response:
    """Run, pause or delete the chosen ones, or all that fit the filters."""
    back = own_path(form.text("back") or "/tasks")
    action = cast(BulkAction, form.text("action"))
    chosen = [int(one) for one in form.texts("ids") if one.isdecimal() and len(one) < 16]
    everything = bool(form.text("all_matching"))
    if action not in BULK or not (chosen or everything):
        return view.go(back, "web.tasks.bulk_none", tone="warn")
    which = _filter({name: form.text(name) for name in FILTERS}) if everything else None
    done = view.studio.task_views.bulk(action, ids=chosen, which=which)
    count = len(done.done)
    if not done.refused:
        return view.go(back, f"web.tasks.bulk.{action}", n=count)
    why, refused = done.refused[0].message, len(done.refused)
    return view.go(back, "web.tasks.bulk_refused", tone="warn", n=count, refused=refused, why=why)


# ---------------------------------------------------------------- one task


@router.get("/{number:int}", dependencies=[needs("read")])
def task_page(view: ViewOf, number: Number) -> Response:
    """How it stands, and what came of it first."""
    detail = view.studio.task_views.detail(number)
    return _page(view, "overview", detail, **_came_of(view, detail.task))


@router.get("/{number:int}/live", dependencies=[needs("read")])
def task_live(view: ViewOf, number: Number) -> Response:
    """Its figures."""
    detail = view.studio.task_views.detail(number)
    workers = view.studio.workers.alive().workers
    return view.part("tasks/live.html", detail=detail, task=detail.task, workers=workers)


@router.get("/{number:int}/results", dependencies=[needs("read")])
def task_results_page(
    view: ViewOf, number: Number, count: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = FIRST
) -> Response:
    """The first records, more on demand."""
    detail = view.studio.task_views.detail(number)
    records = _shown(view, number, count)
    more = min(MOST_SHOWN, count + MORE) if len(records) == count < MOST_SHOWN else 0
    return _page(view, "results", detail, records=records, count=count, more=more)


@router.get("/{number:int}/failures", dependencies=[needs("read")])
def task_failures_page(
    view: ViewOf, number: Number, kind: Word = "", reason: Word = "", after: After = None
) -> Response:
    """Samples that did not become records, by cause, each with the model's own words."""
    detail = view.studio.task_views.detail(number)
    one: Any = kind if kind in ("failed", "rejected") else None
    page = task_misses(view.studio, number, one, reason or None, 20, after)
    return _page(view, "failures", detail, page=page)


@router.get("/{number:int}/item", dependencies=[needs("read")])
def task_item_part(
    view: ViewOf, number: Number, name: Annotated[str, Query(max_length=500)]
) -> Response:
    """What one item asked, and what was answered."""
    rows = view.studio.calls.list(number, item=name, limit=MOST_CALLS)
    calls = [view.studio.calls.get(number, one.id) for one in rows]
    prompts = () if calls else prompts_of(view.studio, number, name)
    return view.part("tasks/item.html", calls=calls, prompts=prompts)


@router.get("/{number:int}/executions", dependencies=[needs("read")])
def task_executions_page(view: ViewOf, number: Number) -> Response:
    """Every start of it."""
    detail = view.studio.task_views.detail(number)
    runs = view.studio.task_views.executions(number)
    return _page(view, "executions", detail, runs=runs, charts=of_runs(runs, view.say))


@router.get("/{number:int}/parameters", dependencies=[needs("read")])
def task_parameters_page(view: ViewOf, number: Number) -> Response:
    """What it was made with."""
    detail = view.studio.task_views.detail(number)
    spec = json.dumps(detail.spec, ensure_ascii=False, indent=2)
    return _page(view, "parameters", detail, spec=spec)


def _page(view: View, tab: str, detail: Any, *, status: int = 200, **data: Any) -> Response:
    task: TaskView = detail.task
    form = data.pop("form", None) or Filled(values=_changeable(detail.spec))
    return view.page(
        f"tasks/{tab}.html",
        status=status,
        tab=tab,
        detail=detail,
        task=task,
        form=form,
        datasets=[one.name for one in view.studio.datasets.list()],
        workers=view.studio.workers.alive().workers,
        may=view.may("edit"),
        committed=not view.studio.tasks.uncommitted(task.id),
        **({"charts": of_task(detail, view.say)} if tab == "overview" else {}),
        **data,
    )


_CHANGEABLE = (
    *("max_cost", "max_total_tokens", "max_calls", "concurrency", "rpm", "tpm"),
    *("max_attempts_multiplier", "commit"),
)


def _changeable(spec: Mapping[str, Json]) -> dict[str, Any]:
    found = {name: spec.get(name) for name in _CHANGEABLE}
    return found | {"concurrency": None if found["concurrency"] == "auto" else found["concurrency"]}


# ---------------------------------------------------------------- actions


@router.post("/{number:int}/run", dependencies=[needs("edit")])
def run_task_by_page(view: ViewOf, number: Number) -> Response:
    """Run it, or go on."""
    view.studio.tasks.queue(number)
    return _back(view, number, "web.tasks.done.run")


@router.post("/{number:int}/pause", dependencies=[needs("edit")])
def pause_task_by_page(view: ViewOf, number: Number) -> Response:
    """Pause it."""
    view.studio.tasks.ask(number, "pause")
    return _back(view, number, "web.tasks.done.pause")


@router.post("/{number:int}/cancel", dependencies=[needs("edit")])
def cancel_task_by_page(view: ViewOf, number: Number) -> Response:
    """End it for good."""
    view.studio.tasks.ask(number, "cancel")
    return _back(view, number, "web.tasks.done.cancel")


@router.post("/{number:int}/change", dependencies=[needs("edit")])
def change_task_by_page(view: ViewOf, number: Number, form: FormOf) -> Response:
    """Its budget and its pace, also while it runs; an empty field takes a limit away."""
    given: dict[str, Any] = {name: form.text(name) or None for name in _CHANGEABLE}
    given["concurrency"] = given["concurrency"] or "auto"
    given["commit"] = bool(given["commit"])
    if given["max_attempts_multiplier"] is None:
        del given["max_attempts_multiplier"]
    try:
        view.studio.tasks.change(number, **given)
    except UsageError as error:
        return _refused(view, number, form, error)
    return _back(view, number, "web.tasks.done.change")


@router.post("/{number:int}/retry", dependencies=[needs("edit")])
def retry_task_by_page(view: ViewOf, number: Number, form: FormOf) -> Response:
    """Try missed samples again."""
    kinds: list[Literal["failed", "rejected"]] = ["failed"]
    if form.text("rejected"):
        kinds.append("rejected")
    count = view.studio.tasks.retry(number, kinds)
    if not count:
        return _back(view, number, "web.tasks.done.retry_none", tone="info")
    view.studio.tasks.queue(number)
    return _back(view, number, "web.tasks.done.retry", n=count)


@router.post("/{number:int}/extend", dependencies=[needs("edit")])
def extend_task_by_page(view: ViewOf, number: Number, form: FormOf) -> Response:
    """Ask for more records."""
    text = form.text("count")
    count = int(text) if text.isdecimal() and len(text) < 10 else 0
    view.studio.tasks.extend(number, count)
    view.studio.tasks.queue(number)
    return _back(view, number, "web.tasks.done.extend", n=count)


@router.post("/{number:int}/commit", dependencies=[needs("edit")])
def commit_task_by_page(view: ViewOf, number: Number, form: FormOf) -> Response:
    """确认入库: put its records into a dataset."""
    dataset = form.text("dataset") or None
    count = view.studio.tasks.commit(number, dataset)
    name = dataset or view.studio.tasks.get(number).dataset or ""
    return _back(view, number, "web.tasks.done.commit", n=count, name=name)


@router.post("/{number:int}/discard", dependencies=[needs("edit")])
def discard_task_by_page(view: ViewOf, number: Number) -> Response:
    """Throw away what is in no dataset."""
    count = view.studio.tasks.discard(number)
    return _back(view, number, "web.tasks.done.discard", n=count)


@router.post("/{number:int}/delete", dependencies=[needs("edit")])
def delete_task_by_page(view: ViewOf, number: Number) -> Response:
    """Forget it."""
    name = view.studio.tasks.get(number).name
    view.studio.tasks.delete(number)
    return view.go("/tasks", "web.deleted", name=name)


def _back(view: View, number: int, key: str, /, *, tone: Any = "good", **data: Any) -> Response:
    return view.go(url_of("tasks", number), key, tone=tone, **data)


def _refused(view: View, number: int, form: Form, error: CorpusmithError) -> Response:
    """The page again, its dialog open with what was typed."""
    detail = view.studio.task_views.detail(number)
    filled = form.refused(error, view.language, beside={"price_unknown": "max_cost"})
    more = _came_of(view, detail.task)
    return _page(view, "overview", detail, status=422, form=filled, **more)


def _came_of(view: View, task: TaskView) -> dict[str, Any]:
    """What the overview shows below the figures: first records, or what the judges found."""
    if not task.counts.accepted:
        return {"records": [], "scores": None}
    if task.recipe == "evaluate":
        return {"records": [], "scores": view.studio.evaluations.of(task.id)}
    return {"records": _shown(view, task.id, FIRST), "scores": None}


# ---------------------------------------------------------------- values


def _filter(given: Mapping[str, str | None]) -> TaskFilter:
    """What stands in the address; a word that means nothing counts as not given."""
    status = given["status"] if given["status"] in STATES else None
    rest = {name: given[name] or None for name in FILTERS[1:]}
    return TaskFilter(status=cast(Any, status), **rest)


def _shown(view: View, number: int, count: int) -> list[dict[str, Any]]:
    return [shown_record(one) for one in view.studio.tasks.first(number, count)]


def shown_record(record: Record) -> dict[str, Any]:
    """A record as a page shows it: a conversation, or its fields as texts."""
    content = record.content
    talk = _talk(content)
    return {
        "record": record,
        "talk": talk,
        "fields": [] if talk else _texts(content),
        "labels": [*record.labels.values()] or [record.category],
    }


def _talk(content: Json) -> list[dict[str, str]]:
    """Its messages; empty: it is no conversation."""
    if not isinstance(content, Mapping):
        return []
    said = content.get("dialogues") or content.get("messages")
    if isinstance(said, list) and all(_is_message(one) for one in said):
        return [{"role": one["role"], "content": one["content"]} for one in said]
    return []


def _is_message(one: Json) -> bool:
    return (
        isinstance(one, Mapping)
        and isinstance(one.get("role"), str)
        and isinstance(one.get("content"), str)
    )


def _texts(content: Json) -> list[tuple[str, str]]:
    """Field → its value as text."""
    if not isinstance(content, Mapping):
        return [("", _text(content))]
    return [(str(name), _text(value)) for name, value in content.items()]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
