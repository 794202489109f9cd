"""Settings, storage: what is kept for how long, how large the database is, and pruning the journal.

Owns: the pages. Does not own: what may go (`service/retention.py`), the settings (`config.py`).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field, ValidationError
from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.asking import Body
from corpusmith.api.errors import status_of
from corpusmith.api.etags import mark_of
from corpusmith.api.jobs import Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.routes.settings import SettingsChange
from corpusmith.errors import CorpusmithError
from corpusmith.service.fields import FieldsError
from corpusmith.service.retention import DAY_S
from corpusmith.service.server_settings import ServerSetting
from corpusmith.service.studio import Studio
from corpusmith.web.form import SEEN, Filled, Form, FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/settings/storage")

DAYS = 90
Days = Annotated[int, Query(ge=0, le=36_500)]
Deleted = Annotated[bool, Query(description="Also calls of deleted tasks.")]


class PruneWish(Body):
    """Which calls are to go."""

    days: int = Field(ge=0, le=36_500)
    deleted: bool
    compact: bool


@router.get("", dependencies=[needs("admin")])
def storage_page(view: ViewOf) -> Response:
    """Sizes and settings."""
    settings = view.studio.settings.list()
    values = {one.name: _typed(one) for one in settings}
    return _page(view, settings, Filled(values={**values, SEEN: _mark(settings)}))


@router.post("", dependencies=[needs("admin")])
def change_settings_by_page(view: ViewOf, form: FormOf) -> Response:
    """Store those that the environment does not set."""
    settings = view.studio.settings.list()
    now = _mark(settings)
    try:
        given = _given(form, settings)
        form.refuse_changed(now)
        view.studio.settings.change(given)
    except CorpusmithError as error:
        filled = form.refused(error, view.language, now=now)
        return _page(view, settings, filled, status_of(error))
    return view.go("/settings/storage", "web.storage.saved")


@router.get("/prune", dependencies=[needs("admin"), costly()])
def prune_page(view: ViewOf, days: Days = DAYS, deleted: Deleted = False) -> Response:
    """What would go, before anything does."""
    found = view.studio.retention.prune_journal(days * DAY_S, ended_only=not deleted, dry_run=True)
    data: dict[str, Any] = {
        "days": days,
        "deleted": deleted,
        "found": found.found,
        "size": found.size_before,
    }
    return view.page("settings/prune.html", **data)


@router.post("/prune", dependencies=[needs("admin"), costly()])
def prune_by_page(view: ViewOf, start: StartJob, form: FormOf) -> Response:
    """Let them go, as a job."""
    wish = form.checked(PruneWish)

    def work(studio: Studio, run: Run) -> Any:
        done = studio.retention.prune_journal(
            wish.days * DAY_S,
            ended_only=not wish.deleted,
            compact=wish.compact,
            told=lambda count: run.show(count, counted="calls"),
        )
        return {"calls": done.deleted, "before": done.size_before, "after": done.size_after}

    return view.go(f"/settings/jobs/{start('prune', work).id}")


def _page(view: View, settings: Any, form: Filled, status: int = 200) -> Response:
    watched = view.studio.store.watching.figures()
    return view.page(
        "settings/storage.html",
        status=status,
        form=form,
        settings=settings,
        size=view.studio.store.pruning.size(),
        rows=watched.rows,
        tasks=sum(watched.statuses.values()),
        uploads=view.studio.uploads.list(),
        days=DAYS,
    )


def _mark(settings: Any) -> str:
    return mark_of([(one.name, one.value) for one in settings])


def _typed(one: ServerSetting) -> Any:
    """A value as its field has it."""
    if one.kind == "switch":
        return "on" if one.value else "off"
    return one.value or "" if one.kind == "language" else one.value


def _given(form: Form, settings: Any) -> dict[str, Any]:
    """What the form says of those that may be changed. Raises FieldsError."""
    given: dict[str, Any] = {}
    for one in settings:
        if one.source == "environment" or one.name not in form.data:
            continue
        text = form.text(one.name)
        given[one.name] = text == "on" if one.kind == "switch" else text or None
    try:
        body = SettingsChange.model_validate(given, strict=False)
    except ValidationError as error:
        raise FieldsError.of(error, SettingsChange, "") from None
    return body.model_dump(exclude_unset=True)
