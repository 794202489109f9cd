"""What a dataset is worth: finding bad records and doing something about them.

Owns: routes, the way from a look at the records to what is done to those that were found. Does not
own: finding (`service/cleaning.py`), doing it (`service/records.py`, `service/checking.py`), what a
form means (`web/looking.py`), reports and evaluations (pages of their own).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast, get_args

from fastapi import Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from corpusmith.api.access import Principal, needs
from corpusmith.api.asking import MOST_NUMBER
from corpusmith.api.jobs import ENDED, Job, JobsOf, Run
from corpusmith.api.limits import costly
from corpusmith.api.paths import url_of
from corpusmith.api.routes.cleanings import SignalsBody
from corpusmith.api.routes.reviews import Reviewer
from corpusmith.errors import Conflict, NotFound, UsageError
from corpusmith.messages import catalog, say_page
from corpusmith.service.cleaning import Looked
from corpusmith.service.cleaning_acts import ByChecks, ByHand, Cleaned, by_checks, by_hand
from corpusmith.service.studio import Studio
from corpusmith.values import Json, Language
from corpusmith.web.charts import check_name
from corpusmith.web.form import Filled, Form, FormOf
from corpusmith.web.looking import (
    CLEANING,
    TICKED,
    Offer,
    beside,
    checks_in,
    offers,
)
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/datasets")

WAIT_S = 2.0
KIND = "clean"
"""A job that looks."""
ACTS = {"bulk": "cleaned", "checks": "noted"}
"""Those that do something about what was found. The second is whole or not at all: it may be
stopped."""
LIMIT = 50
FORMS = ("clean", "checks")
BULK: tuple[ByHand, ...] = get_args(ByHand)
APPLY: tuple[ByChecks, ...] = get_args(ByChecks)
Place = Annotated[int, Query(ge=0, le=MOST_NUMBER)]


@router.get("/{name:noun}/quality", dependencies=[needs("read")])
def quality_page(view: ViewOf, name: str) -> Response:
    """What can be done for it, and what was done last."""
    numbers = view.studio.datasets.numbers(name)
    reports = view.studio.kept_reports.list(name)
    return view.page("quality/quality.html", name=name, numbers=numbers, reports=reports)


# ---------------------------------------------------------------- looking


@router.get("/{name:noun}/quality/{kind}", dependencies=[needs("edit")])
def look_page(view: ViewOf, name: str, kind: str) -> Response:
    """What to look for."""
    _known(kind)
    ticked = TICKED if kind == "clean" else [one.name for one in _offers(view, kind)][:3]
    return _form(view, name, kind, Filled(values={"checks": list(ticked)}))


@router.post("/{name:noun}/quality/{kind}", dependencies=[needs("edit"), costly()])
def start_look_by_page(view: ViewOf, jobs: JobsOf, name: str, kind: str, form: FormOf) -> Response:
    """Look; nothing is changed."""
    _known(kind)
    view.studio.datasets.get(name)
    offered = _offers(view, kind)
    try:
        signals = form.checked(SignalsBody).signals()
        checks = checks_in(form, offered)
        if checks == ["none"] and not any(True for _ in signals.selections(name)):
            raise UsageError("clean_nothing_asked")
        if checks != ["none"]:
            language = view.studio.datasets.get(name).language
            view.studio.checking.refuse_wrong(checks, language)
    except (UsageError, NotFound) as error:
        place = beside(error, offered)
        filled = form.refused(error, view.language, beside={error.reason: place})
        return _form(view, name, kind, filled, status=422)

    def work(studio: Studio, run: Run) -> Looked:
        return studio.cleaning.look(
            name, folder=run.folder(), signals=signals, checks=checks, show=run.show
        )

    who = cast(Principal, view.who)
    number = jobs.start(KIND, work, studio=view.studio, by=who)
    jobs.get(number, who, view.language, WAIT_S)
    return view.go(url_of("datasets", name, "quality", kind, number))


def _known(kind: str) -> None:
    if kind not in FORMS:
        raise HTTPException(404)


def _offers(view: View, kind: str) -> list[Offer]:
    found = offers(view.studio.catalogue.checks())
    if kind == "checks":
        return found
    by_name = {one.name: one for one in found}
    return [by_name[name] for name in CLEANING if name in by_name]


def _form(view: View, name: str, kind: str, form: Filled, status: int = 200) -> Response:
    facets = view.studio.records.facets(name)
    return view.page(
        f"quality/{kind}.html",
        status=status,
        name=name,
        kind=kind,
        form=form,
        offered=_offers(view, kind),
        total=facets.total,
        tags=[one for one in facets.tags.values if one],
        uploads=view.studio.uploads.list(),
    )


# ---------------------------------------------------------------- what was found


@router.get("/{name:noun}/quality/{kind}/{job}", dependencies=[needs("edit")])
def look_result_page(view: ViewOf, jobs: JobsOf, name: str, kind: str, job: str) -> Response:
    """How far it is; then what was found, and what can be done about it."""
    _known(kind)
    found = _look(view, jobs, job, name)
    if found is None:
        return _forgotten(view, name, kind)
    groups = _told(found.result["groups"], view) if found.status == "done" else []
    return view.page(
        "quality/found.html",
        name=name,
        kind=kind,
        job=found,
        over=found.status in ENDED,
        groups=groups,
        tags=[one for one in view.studio.records.facets(name).tags.values if one],
    )


@router.get("/{name:noun}/quality/{kind}/{job}/group/{group:int}", dependencies=[needs("edit")])
def look_group_page(
    view: ViewOf, jobs: JobsOf, name: str, kind: str, job: str, group: int, after: Place = 0
) -> Response:
    """All records of which one thing is wrong."""
    _known(kind)
    found = _look(view, jobs, job, name)
    if found is None or found.status != "done":
        return _forgotten(view, name, kind)
    own = [one for one in _told(found.result["groups"], view) if one["number"] == group]
    if not own:
        raise HTTPException(404)
    folder, _ = jobs.files(job, cast(Principal, view.who))
    rows, following = view.studio.cleaning.findings(folder, group, limit=LIMIT, after=after)
    return view.page(
        "quality/group.html",
        name=name,
        kind=kind,
        job=found,
        group=own[0],
        rows=rows,
        following=following,
    )


@router.post("/{name:noun}/quality/{kind}/{job}/stop", dependencies=[needs("edit")])
def stop_look_by_page(view: ViewOf, jobs: JobsOf, name: str, kind: str, job: str) -> Response:
    """Stop looking; nothing was changed."""
    _known(kind)
    jobs.cancel(job, cast(Principal, view.who))
    return view.go(url_of("datasets", name, "quality", kind, job))


def _look(view: View, jobs: JobsOf, job: str, name: str) -> Job | None:
    """None: it is not known any more. Raises Conflict for a look at another dataset."""
    found = _job(view, jobs, job)
    if found is not None and found.status == "done" and found.result["dataset"] != name:
        raise Conflict("clean_elsewhere", dataset=found.result["dataset"], name=name)
    return found


def _job(view: View, jobs: JobsOf, job: str, kinds: Sequence[str] = (KIND,)) -> Job | None:
    """None: it is not known any more, or is another one."""
    try:
        found = jobs.get(job, cast(Principal, view.who), view.language)
    except NotFound:
        return None
    return found if found.kind in kinds else None


def _forgotten(view: View, name: str, kind: str) -> Response:
    return view.go(url_of("datasets", name, "quality", kind), "web.quality.forgotten", tone="warn")


def _told(groups: Sequence[Mapping[str, Any]], view: View) -> list[dict[str, Any]]:
    """The groups with what is wrong, in words."""
    return [
        {
            **one,
            "title": view.say(f"web.quality.signal.{one['check']}")
            if one["signal"]
            else check_name(one["check"], view.say),
            "text": _text(one, view.language),
        }
        for one in groups
    ]


def _text(group: Mapping[str, Any], language: Language) -> str:
    if group["signal"]:
        return say_page(f"web.quality.told.{group['check']}", language, **group["asked"])
    key = f"reason.{group['reason']}"
    if key not in catalog(language):
        return str(group["reason"])
    detail: Mapping[str, Json] = group["samples"][0]["detail"] if group["samples"] else {}
    return say_page(key, language, **detail)


# ---------------------------------------------------------------- doing something about it


@router.post("/{name:noun}/quality/{kind}/{job}/apply", dependencies=[needs("edit"), costly()])
def apply_look_by_page(
    view: ViewOf,
    jobs: JobsOf,
    name: str,
    kind: str,
    job: str,
    form: FormOf,
    reviewer: Reviewer,
) -> Response:
    """Reject, tag or take out those of the ticked groups; flag or mask by all checks."""
    _known(kind)
    back = url_of("datasets", name, "quality", kind, job)
    found = _look(view, jobs, job, name)
    if found is None or found.status != "done":
        return _forgotten(view, name, kind)
    action = form.text("action")
    tags = [
        one for part in form.text("tags").replace("，", ",").split(",") if (one := part.strip())
    ]
    if action not in (*BULK, *APPLY) or (action == "tag" and not tags):
        return view.go(back, "web.records.no_tags", tone="warn")
    chosen = _chosen(form, found)
    if action in BULK and not chosen:
        return view.go(back, "web.quality.none_ticked", tone="warn")
    who = cast(Principal, view.who)
    folder, _ = jobs.files(job, who)
    checks = found.result["checks"]

    def work(studio: Studio, run: Run) -> dict[str, Json]:
        said: Any = {"reviewer": reviewer, "show": run.show}
        if action in APPLY:
            return _done(by_checks(studio, action, name, checks, **said))
        ids = studio.cleaning.found(folder, chosen)
        return _done(by_hand(studio, cast(ByHand, action), ids, tags=tags, **said))

    act = ACTS["bulk" if action in BULK else "checks"]
    number = jobs.start(act, work, studio=view.studio, by=who)
    jobs.get(number, who, view.language, WAIT_S)
    return view.go(url_of("datasets", name, "quality", kind, job, "done", number))


def _chosen(form: Form, job: Job) -> list[int]:
    known = {str(one["number"]): one["number"] for one in job.result["groups"]}
    return [known[one] for one in form.texts("groups") if one in known]


def _done(done: Cleaned) -> dict[str, Json]:
    """What the page tells, with what it takes to undo it."""
    undo = [f"r{one}" for one in done.removals]
    undo += [f"a{done.action_id}"] if done.action_id else []
    return {
        "action": done.action,
        "count": done.count,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "gone": done.gone,
        "undo": ".".join(undo),
    }


@router.get("/{name:noun}/quality/{kind}/{job}/done/{act}", dependencies=[needs("edit")])
def done_page(view: ViewOf, jobs: JobsOf, name: str, kind: str, job: str, act: str) -> Response:
    """How far it is; then what was done, and the way back."""
    _known(kind)
    found = _job(view, jobs, act, tuple(ACTS.values()))
    if found is None:
        return _forgotten(view, name, kind)
    return view.page(
        "quality/done.html",
        name=name,
        kind=kind,
        look=job,
        job=found,
        over=found.status in ENDED,
        stops=found.kind == ACTS["checks"],
    )


@router.post("/{name:noun}/quality/{kind}/{job}/done/{act}/stop", dependencies=[needs("edit")])
def stop_done_by_page(
    view: ViewOf, jobs: JobsOf, name: str, kind: str, job: str, act: str
) -> Response:
    """Stop; nothing has been changed then."""
    _known(kind)
    jobs.cancel(act, cast(Principal, view.who))
    return view.go(url_of("datasets", name, "quality", kind, job, "done", act))
