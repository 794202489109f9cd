"""Characters: cards with pictures, import by drop, and a form with a live preview."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Search
from corpusmith.api.errors import message_of
from corpusmith.api.etags import mark_of
from corpusmith.api.limits import costly
from corpusmith.api.paths import url_of
from corpusmith.api.routes import characters as rest
from corpusmith.api.routes.shipped import shipped_characters
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.web.form import SEEN, Filled, Form, FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/characters")

LIMIT = 48
DRAFT = "character"
BESIDE = {"character_exists": "name", "bad_name": "name"}


@router.get("", dependencies=[needs("read")])
def characters_page(view: ViewOf, search: Search = None, after: After = None) -> Response:
    """Stored characters."""
    page = rest.list_characters(view.studio, search, LIMIT, after)
    return view.page("characters/list.html", page=page)


@router.get("/-/shipped", dependencies=[needs("read")])
def shipped_characters_page(view: ViewOf) -> Response:
    """Those that come with Corpusmith."""
    stored = {one.name: pictured for one, pictured in view.studio.characters.listed()}
    shipped = shipped_characters(view.studio, view.language)
    return view.page("characters/shipped.html", shipped=shipped.items, stored=stored)


@router.post("/-/shipped", dependencies=[needs("edit")])
def store_shipped_character(view: ViewOf, form: FormOf) -> Response:
    """Store one of them, to change it."""
    made = view.studio.characters.copy(form.text("name"))
    return view.go(url_of("characters", made.name), "web.characters.added", name=made.name)


@router.post(
    "/-/import",
    dependencies=[needs("edit"), costly()],
    max_body_size=rest.MOST_IMPORT_BYTES,
)
def import_characters_by_page(view: ViewOf, form: FormOf) -> Response:
    """Store cards, and say of each what became of it."""
    conflict: Any = form.text("on_conflict")
    if conflict not in ("refuse", "replace", "rename"):
        conflict = "refuse"
    done = rest.import_characters(view.studio, form.files("files"), conflict)
    return view.page("characters/imported.html", done=done)


@router.post("/-/preview", dependencies=[needs("read")])
def preview_character_form(view: ViewOf, form: FormOf) -> Response:
    """The prompt that the form's fields would make."""
    try:
        name = form.text("name") or "…"
        fields = form.checked(rest.NewCharacter, **_given(form), name=name)
        asked = rest.preview_character(view.studio, rest.PreviewBody(character=fields))
    except CorpusmithError as error:
        text = message_of(error, view.language)
        return view.part("characters/preview.html", asked=(), problem=text)
    return view.part("characters/preview.html", asked=asked, problem="")


@router.get("/-/new", dependencies=[needs("edit")])
def new_character_page(view: ViewOf) -> Response:
    """The form of a new one."""
    form = Filled(values={"language": view.language})
    return view.page("characters/edit.html", form=form, name=None, picture=False)


@router.post("/-/new", dependencies=[needs("edit")])
def add_character_by_page(view: ViewOf, form: FormOf) -> Response:
    """Store a new one."""
    try:
        made = rest.add_character(view.studio, form.checked(rest.NewCharacter, **_given(form)))
    except UsageError as error:
        return _refused(view, form, error, None, picture=False)
    path = url_of("characters", made.name)
    return view.go(path, "web.characters.added", draft=DRAFT, name=made.name)


@router.get("/{name:noun}", dependencies=[needs("read")])
def character_page(view: ViewOf, name: str) -> Response:
    """One character, to read or change."""
    one = rest.view_of(view.studio.characters.get(name))
    values = {**one.model_dump(), "tags": ", ".join(one.tags), SEEN: mark_of(one)}
    form = Filled(values=values, readonly=not view.may("edit"))
    return view.page("characters/edit.html", form=form, name=name, picture=one.picture)


@router.post("/{name:noun}", dependencies=[needs("edit")])
def change_character_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Change it."""
    one = rest.view_of(view.studio.characters.get(name))
    try:
        fields = form.checked(rest.NewCharacter, **{**_given(form), "name": name})
        form.refuse_changed(mark_of(one))
        view.studio.characters.update(name, **_changes(fields))
    except UsageError as error:
        return _refused(view, form, error, name, picture=one.picture, now=mark_of(one))
    return view.go(url_of("characters", name), "web.saved", name=name)


@router.post("/{name:noun}/picture", dependencies=[needs("edit")])
def change_character_picture_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Another picture, or none."""
    files = form.files("file")
    if files:
        rest.set_character_picture(view.studio, name, files[0])
    else:
        view.studio.characters.set_picture(name, None)
    return view.go(url_of("characters", name), "web.saved", name=name)


@router.post("/{name:noun}/delete", dependencies=[needs("edit")])
def delete_character_by_page(view: ViewOf, name: str) -> Response:
    """Delete it; one that is bound says by what."""
    view.studio.characters.delete(name)
    return view.go("/characters", "web.deleted", name=name)


def _refused(
    view: View,
    form: Form,
    error: CorpusmithError,
    name: str | None,
    *,
    picture: bool,
    now: str = "",
) -> Response:
    filled = form.refused(error, view.language, beside=BESIDE, now=now)
    data = {"form": filled, "name": name, "picture": picture}
    return view.page("characters/edit.html", status=422, **data)


def _given(form: Form) -> dict[str, Any]:
    text = form.text("tags").replace("，", ",").replace("、", ",")
    return {"tags": [one.strip() for one in text.split(",") if one.strip()]}


def _changes(fields: rest.NewCharacter) -> dict[str, Any]:
    return {**fields.model_dump(exclude={"name"}), "tags": tuple(fields.tags)}
