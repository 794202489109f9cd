"""A short talk with a character, or with a model, to try it out.

Owns: the page and what it keeps of a talk (in the form, and so in the browser's draft). Does not
own: asking (`service/character_talk.py`). Nothing is stored on the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.errors import message_of
from corpusmith.api.limits import costly
from corpusmith.api.paths import url_of
from corpusmith.errors import CorpusmithError
from corpusmith.nouns import Character
from corpusmith.service.character_talk import Said, talk
from corpusmith.values import Message
from corpusmith.web.form import Filled, Form, FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages()

MOST_SENT = 39
"""Messages that the model is told, the newest; more are shown only."""
MOST_CHARS = 8000


class Line(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["user", "assistant"]
    content: str = Field(max_length=200_000)


class Talk(BaseModel):
    """What stands in the browser: a talk so far, and what it cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: Sequence[Line] = Field(default=(), max_length=400)
    tokens: int = Field(default=0, ge=0, le=10**12)
    cost_usd: float = Field(default=0, ge=0, le=10**9, allow_inf_nan=False)
    unknown: int = Field(default=0, ge=0, le=10**6)
    """Replies of unknown price."""
    simulated: bool = False

    def and_reply(self, said: Said) -> Talk:
        """With a reply more."""
        usage = said.usage
        sum_ = 0 if usage is None else usage.prompt_tokens + usage.completion_tokens
        lines = [*self.messages, Line(role="assistant", content=said.text)]
        return self.model_copy(
            update={
                "messages": lines,
                "tokens": self.tokens + sum_,
                "cost_usd": self.cost_usd + (said.cost_usd or 0),
                "unknown": self.unknown + (said.cost_usd is None),
                "simulated": self.simulated or said.simulated,
            }
        )


@router.get("/characters/{name:noun}/chat", dependencies=[needs("edit")])
def character_chat_page(view: ViewOf, name: str) -> Response:
    """Talk with a stored or shipped character."""
    return _page(view, view.studio.characters.find(name), "characters", name)


@router.post("/characters/{name:noun}/chat", dependencies=[needs("edit"), costly()])
def say_to_character(view: ViewOf, name: str, form: FormOf) -> Response:
    """Its reply to what was said; or the last one again."""
    return _said(view, form, view.studio.characters.find(name), form.text("connection"))


@router.post("/characters/{name:noun}/chat/part", dependencies=[needs("edit")])
def character_talk_part(view: ViewOf, name: str, form: FormOf) -> Response:
    """The talk that the browser kept, or none. Nothing is sent."""
    return _kept(view, form, view.studio.characters.find(name))


@router.get("/connections/{name:noun}/chat", dependencies=[needs("edit")])
def connection_chat_page(view: ViewOf, name: str) -> Response:
    """Talk with a connection's model."""
    view.studio.connections.get(name)
    return _page(view, None, "connections", name)


@router.post("/connections/{name:noun}/chat", dependencies=[needs("edit"), costly()])
def say_to_connection(view: ViewOf, name: str, form: FormOf) -> Response:
    """The model's reply to what was said; or the last one again."""
    return _said(view, form, None, name)


@router.post("/connections/{name:noun}/chat/part", dependencies=[needs("edit")])
def connection_talk_part(view: ViewOf, name: str, form: FormOf) -> Response:
    """The talk that the browser kept, or none. Nothing is sent."""
    return _kept(view, form, None)


# ---------------------------------------------------------------- what becomes of it


def _page(view: View, character: Character | None, kind: str, name: str) -> Response:
    stored = view.studio.connections.list()
    only = stored[0].name if len(stored) == 1 else ""
    chosen = next((one.model for one in stored if one.name == name), None)
    return view.page(
        "chat/chat.html",
        kind=kind,
        name=name,
        address=url_of(kind, name, "chat"),
        own=kind == "connections" or _is_stored(view, name),
        model=chosen if kind == "connections" else "",
        connections=[
            (one.name, f"{one.name} · {one.model}" if one.model else one.name) for one in stored
        ],
        form=Filled(values={"connection": only}),
        **_shown(character, Talk()),
    )


def _said(view: View, form: Form, character: Character | None, connection: str) -> Response:
    before = _talk_in(form)
    if form.text("do") == "clear":
        return view.part("chat/talk.html", **_shown(character, Talk()))
    again = form.text("do") == "again"
    say = "" if again else form.text("say")
    asked = _asked(before, say, again=again)
    problems = _missing(view, asked, say, connection, again=again)
    if not problems:
        try:
            said = _reply(view, form, character, asked, connection)
        except CorpusmithError as error:
            problems = {"": message_of(error, view.language)}
        else:
            if said.text.strip():
                return view.part("chat/talk.html", **_shown(character, asked.and_reply(said)))
            problems = {"": view.say("web.chat.nothing")}
    data = _shown(character, before, say=say, problems=problems)
    return view.part("chat/talk.html", status=422, **data)


def _asked(before: Talk, say: str, *, again: bool) -> Talk:
    """The talk up to what is to be answered."""
    lines = list(before.messages)
    if again:
        while lines and lines[-1].role == "assistant":
            lines.pop()
        return before.model_copy(update={"messages": lines})
    said = Line(role="user", content=say[:MOST_CHARS])
    return before.model_copy(update={"messages": [*lines, said]})


def _missing(view: View, asked: Talk, say: str, connection: str, *, again: bool) -> dict[str, str]:
    if not connection:
        return {"connection": view.say("web.templates.need_connection")}
    if (again and not asked.messages) or (not again and not say):
        return {"say": view.say("web.chat.say_something")}
    if len(say) > MOST_CHARS:
        return {"say": view.say("web.chat.too_long", most=f"{MOST_CHARS:,}")}
    return {}


def _reply(
    view: View, form: Form, character: Character | None, asked: Talk, connection: str
) -> Said:
    recent = list(asked.messages[-MOST_SENT:])
    while recent and recent[0].role != "user":
        recent.pop(0)
    messages = [Message(one.role, one.content) for one in recent]
    model = form.text("model") or None
    return talk(view.studio, character, messages, connection=connection, model=model)


def _kept(view: View, form: Form, character: Character | None) -> Response:
    data = _shown(character, _talk_in(form), say=form.text("say"))
    return view.part("chat/talk.html", **data)


def _shown(
    character: Character | None,
    so_far: Talk,
    *,
    say: str = "",
    problems: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "talk": so_far,
        "kept": so_far.model_dump_json(),
        "greeting": "" if character is None else character.greeting,
        "speaker": "" if character is None else character.name,
        "say": Filled(values={"say": say}, problems=problems or {}),
        "most": MOST_CHARS,
    }


def _talk_in(form: Form) -> Talk:
    """What the browser kept; what cannot be read is no talk."""
    found = form.data.get("talk")
    try:
        return Talk.model_validate_json(found if isinstance(found, str) and found else "{}")
    except ValidationError:
        return Talk()


def _is_stored(view: View, name: str) -> bool:
    try:
        view.studio.characters.get(name)
    except CorpusmithError:
        return False
    return True
