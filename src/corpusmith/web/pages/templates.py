"""Templates: lists, an editor that knows the variables as they are typed, versions, a test.

Owns: routes. Does not own: the way from the form to a template (`web/template_form.py`), what is
said of a form as it stands (`web/template_look.py`), what fits (`service/template_check.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Search
from corpusmith.api.errors import message_of
from corpusmith.api.limits import costly
from corpusmith.api.paths import url_of
from corpusmith.api.routes import templates as rest
from corpusmith.errors import Conflict, CorpusmithError, NotFound, UsageError
from corpusmith.nouns import Template, TemplateType
from corpusmith.service.forms.template_writers import PRESETS
from corpusmith.service.template_check import About
from corpusmith.values import Language
from corpusmith.web import template_form as editor
from corpusmith.web.form import Filled, Form, FormOf
from corpusmith.web.router import pages
from corpusmith.web.template_look import look_at, looked_at, pretty, slot_of, told, trying
from corpusmith.web.view import View, ViewOf

router = pages("/templates")

LIMIT = 50
DRAFT = "template"
TYPES = ("qa", "dialogue", "summary", "classification", "custom")
SLOTS = ("name", "prompt", "usual", "keep", "schema_text", "sample")
"""Fields beside which something is said as one types."""
Version = Annotated[int | None, Query(ge=1, le=10**9)]


# ---------------------------------------------------------------- lists


@router.get("", dependencies=[needs("read")])
def templates_page(
    view: ViewOf, search: Search = None, type: str = "", after: After = None
) -> Response:
    """Stored templates."""
    kind: TemplateType | None = type if type in TYPES else None  # type: ignore[assignment]
    page = rest.list_templates(view.studio, search, kind, LIMIT, after)
    return view.page("templates/list.html", page=page, types=TYPES, may=view.may("edit"))


@router.get("/-/shipped", dependencies=[needs("read")])
def shipped_templates_page(view: ViewOf, language: Language | None = None) -> Response:
    """Those that come with Corpusmith."""
    spoken = language or view.language
    shipped = view.studio.templates.shipped(spoken)
    may = view.may("edit")
    return view.page("templates/shipped.html", shipped=shipped, spoken=spoken, may=may)


@router.get("/-/shipped/{name:noun}", dependencies=[needs("read")])
def shipped_template_page(view: ViewOf, name: str, language: Language | None = None) -> Response:
    """One of them, to look at and to test."""
    spoken = language or view.language
    shipped = {one.name: one for one in view.studio.templates.shipped(spoken)}
    if name not in shipped:
        raise NotFound("unknown_template", kind="template", name=name[:200])
    one = shipped[name]
    wish = f"{name}.{spoken}"
    about = view.studio.templates.about(one)
    return view.page(
        "templates/look.html",
        one=one,
        wish=name if spoken == view.language else wish,
        spoken=wish,
        looked=looked_at(about),
        schema=pretty(about.schema),
        **trying(view, about, Filled(), one),
    )


@router.post("/-/copy", dependencies=[needs("edit")])
def copy_shipped_template(view: ViewOf, form: FormOf) -> Response:
    """Store a shipped one under a name that is free, to change it."""
    wish = form.text("wish")
    base = view.say("web.templates.my_own", name=wish.rpartition(".")[0] or wish)[:150]
    made = _copied(view, wish, base)
    return view.go(url_of("templates", made.name), "web.templates.added", name=made.name)


def _copied(view: View, wish: str, base: str) -> Template:
    """Raises NotFound, and Conflict when a hundred names are taken."""
    for number in range(1, 100):
        try:
            name = base if number == 1 else f"{base} {number}"
            return view.studio.templates.copy(wish, name)
        except Conflict:
            continue
    return view.studio.templates.copy(wish, base)


# ---------------------------------------------------------------- the editor


@router.get("/-/new", dependencies=[needs("edit")])
def new_template_page(view: ViewOf) -> Response:
    """The form of a new one."""
    values = {"language": view.language, "type": "custom", "shape": "auto"}
    return _edit(view, Filled(values=values), None)


@router.post("/-/new", dependencies=[needs("edit")])
def add_template_by_page(view: ViewOf, form: FormOf) -> Response:
    """Store a new one."""
    try:
        made = view.studio.templates.add(editor.read(form).fields())
    except UsageError as error:
        return _edit(view, _refused(view, form, error), None, form=form, status=422)
    path = url_of("templates", made.name)
    return view.go(path, "web.templates.added", draft=DRAFT, name=made.name)


@router.post("/-/check", dependencies=[needs("read")])
def check_template_form(view: ViewOf, form: FormOf) -> Response:
    """What the form asks for as it stands, and what does not fit, beside its field."""
    stored = _stored(view, form.text("stored"))
    look = look_at(view, form, stored)
    return view.part(
        "templates/check.html",
        look=look,
        slots=SLOTS,
        changed=_variables_shown(form) != {one.name for one in look.usual},
        **trying(view, look.about, _as_sent(form), stored),
    )


@router.get("/{name:noun}", dependencies=[needs("read")])
def template_page(view: ViewOf, name: str) -> Response:
    """One template, to read or change."""
    one = view.studio.templates.get(name)
    filled = replace(editor.filled(one), readonly=not view.may("edit"))
    return _edit(view, filled, one)


@router.post("/{name:noun}", dependencies=[needs("edit")])
def change_template_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Change it: as its next version."""
    now = view.studio.templates.get(name)
    began = form.text("version")
    try:
        fields = editor.read(form, _version(view, name, began) or now).fields()
        if began != str(now.version):
            raise Conflict("template_changed_meanwhile", version=now.version)
        made = view.studio.templates.save({**fields, "name": name})
    except UsageError as error:
        return _edit(view, _refused(view, form, error), now, form=form, status=422)
    key = "web.templates.unchanged" if made.version == now.version else "web.templates.changed"
    return view.go(url_of("templates", name), key, name=name, version=made.version)


@router.post("/{name:noun}/copy", dependencies=[needs("edit")])
def copy_template_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Store it again under another name."""
    try:
        made = view.studio.templates.copy(name, form.text("new_name"))
    except UsageError as error:
        return _named_wrongly(view, name, "copy", form, error)
    return view.go(url_of("templates", made.name), "web.templates.added", name=made.name)


@router.post("/{name:noun}/rename", dependencies=[needs("edit")])
def rename_template_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Give it another name."""
    new_name = form.text("new_name")
    try:
        view.studio.templates.rename(name, new_name)
    except UsageError as error:
        return _named_wrongly(view, name, "rename", form, error)
    return view.go(url_of("templates", new_name), "web.templates.renamed", name=new_name)


@router.post("/{name:noun}/delete", dependencies=[needs("edit")])
def delete_template_by_page(view: ViewOf, name: str) -> Response:
    """Delete it with all its versions."""
    view.studio.templates.delete(name)
    return view.go("/templates", "web.deleted", name=name)


# ---------------------------------------------------------------- versions


@router.get("/{name:noun}/versions", dependencies=[needs("read")])
def template_versions_page(
    view: ViewOf, name: str, old: Version = None, new: Version = None
) -> Response:
    """All versions, and what changed between two of them."""
    versions = list(view.studio.templates.versions(name))
    newest = versions[-1][0]
    later = new or newest
    earlier = old or max(1, later - 1)
    lines = view.studio.templates.compared(name, earlier, later) if newest > 1 else []
    shown = view.studio.templates.get(name, later)
    return view.page(
        "templates/versions.html",
        name=name,
        versions=versions[::-1],
        newest=newest,
        old=earlier,
        new=later,
        lines=lines,
        shown=shown,
        may=view.may("edit"),
    )


@router.post("/{name:noun}/restore", dependencies=[needs("edit")])
def restore_template_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Store an old version as the newest."""
    wish = form.checked(rest.VersionBody)
    made = view.studio.templates.restore(name, wish.version)
    path = url_of("templates", name, "versions")
    return view.go(path, "web.templates.restored", old=wish.version, version=made.version)


# ---------------------------------------------------------------- a test


@router.post("/-/test", dependencies=[needs("edit"), costly()])
def test_template_form(view: ViewOf, form: FormOf) -> Response:
    """One sample of what stands in the form, or of a shipped template."""
    stored = _stored(view, form.text("stored") or form.text("wish"))
    look = look_at(view, form, stored, whole=bool(form.text("wish")))
    missing = _missing(view, form, look.about)
    if missing:
        return view.part("templates/result.html", status=422, beside=missing, look=look, made=None)
    try:
        made = _tested(view, form, stored)
    except CorpusmithError as error:
        beside = {slot_of(error): message_of(error, view.language)}
        return view.part("templates/result.html", status=422, beside=beside, look=look, made=None)
    sample = "" if made.sample is None else pretty(made.sample)
    return view.part("templates/result.html", beside={}, look=look, made=made, sample=sample)


def _tested(view: View, form: Form, stored: Template | None) -> rest.TrialView:
    wanted: dict[str, Any] = {
        "connection": form.text("connection"),
        "model": form.text("try_model") or None,
        "vars": editor.tried(form),
    }
    if wish := form.text("wish"):
        return rest.test_template(view.studio, wish, rest.TestBody(**wanted))
    body = editor.read(_with_name(view, form), stored)
    return rest.test_unsaved_template(view.studio, rest.UnsavedTestBody(template=body, **wanted))


def _missing(view: View, form: Form, about: About | None) -> dict[str, str]:
    """Field of the test → what to do there."""
    found = {}
    if not form.text("connection"):
        found["connection"] = view.say("web.templates.need_connection")
    given = editor.tried(form)
    for name, source in ({} if about is None else about.variables).items():
        if source == "given" and name not in given:
            found[editor.TRIED + name] = view.say("web.templates.need_value")
    return found


def _with_name(view: View, form: Form) -> Form:
    """A template that is tested needs no name yet."""
    if form.text("name"):
        return form
    items = [(name, one) for name, one in form.data.multi_items() if name != "name"]
    return Form(data=type(form.data)([*items, ("name", view.say("web.templates.unnamed"))]))


# ---------------------------------------------------------------- what pages are made of


def _stored(view: View, name: str) -> Template | None:
    """The template that the form is about; None: it is a new one, or gone."""
    if not name:
        return None
    try:
        return view.studio.templates.find(name)
    except CorpusmithError:
        return None


def _version(view: View, name: str, version: str) -> Template | None:
    """The version that the form began with."""
    try:
        return view.studio.templates.get(name, int(version[:9]))
    except (CorpusmithError, ValueError):
        return None


def _variables_shown(form: Form) -> set[str]:
    return set(editor.texts_in(form, editor.USUAL))


def _edit(
    view: View,
    filled: Filled,
    one: Template | None,
    *,
    form: Form | None = None,
    status: int = 200,
    asks: str = "",
) -> Response:
    about = None if one is None else view.studio.templates.about(one)
    texts = {
        name.removeprefix(editor.USUAL): str(text)
        for name, text in filled.values.items()
        if name.startswith(editor.USUAL)
    }
    if form is not None:
        about = look_at(view, form, one).about
    return view.page(
        "templates/edit.html",
        status=status,
        form=filled,
        one=one,
        types=TYPES,
        presets=PRESETS,
        looked=looked_at(about),
        usual=editor.slots(about, texts, {}),
        asks=asks,
        **trying(view, about, filled, one),
    )


def _as_sent(form: Form) -> Filled:
    return Filled(values={name: form.text(name) for name in form.data})


def _refused(view: View, form: Form, error: CorpusmithError) -> Filled:
    problems = told(error, view.language, form)
    return Filled(values=_as_sent(form).values, problems=problems)


def _named_wrongly(
    view: View, name: str, asks: str, form: Form, error: CorpusmithError
) -> Response:
    """The page again, with the dialog open and what is wrong with the new name."""
    one = view.studio.templates.get(name)
    filled = editor.filled(one)
    values = {**filled.values, "new_name": form.text("new_name")}
    problems = {"new_name": message_of(error, view.language)}
    return _edit(view, Filled(values=values, problems=problems), one, status=422, asks=asks)
