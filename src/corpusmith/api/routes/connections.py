"""Connections: model endpoints, their keys, and what works there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr

from corpusmith import hidden
from corpusmith.api.access import Asker, Principal, needs
from corpusmith.api.asking import After, Body, Limit, Page, Search, StudioOf, page_of, place_in
from corpusmith.api.errors import Fault, fault_of
from corpusmith.api.etags import TAGGED, GuardOf, TagOf
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.api.routes.characters import TalkLine
from corpusmith.messages import say
from corpusmith.places import shown
from corpusmith.service.character_talk import Said, talk
from corpusmith.service.connection_trial import StepName, Trial, TrialStep, steps_of
from corpusmith.service.studio import Studio
from corpusmith.values import HIDDEN, Connection, Language, Limits, Message, Price, Timeouts

router = rest("/connections", tags=["connections"])

Name = Annotated[str, Field(min_length=1, max_length=200, examples=["深度求索"])]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Key = Annotated[SecretStr, Field(min_length=1, max_length=10_000, examples=["sk-…"])]
HeaderName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-9;-~]+$")]
HeaderValue = Annotated[str, Field(max_length=4000, pattern=rf"^([ -~]*|{HIDDEN})$")]


class PriceBody(Body):
    """US dollars per million tokens."""

    input: float = Field(ge=0, allow_inf_nan=False, examples=[0.27])
    output: float = Field(ge=0, allow_inf_nan=False, examples=[1.1])
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Endpoint(Body):
    """Where a model is, and how it is spoken to."""

    provider: str = Field(
        default="openai", max_length=60, description="See `GET /shipped/endpoints`."
    )
    base_url: Text | None = Field(
        default=None,
        description="null: the provider's own.",
        examples=["https://api.deepseek.com/v1"],
    )
    model: Text | None = Field(default=None, examples=["deepseek-chat"])
    api_key_env: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="The server's environment variable that holds the key. Other than the "
        "provider's usual one, or for another address: administrators only.",
        examples=["DEEPSEEK_API_KEY"],
    )
    proxy: Text | None = Field(default=None, examples=["http://127.0.0.1:7890"])
    connect_timeout_s: float | None = Field(default=None, gt=0, le=600)
    timeout_s: float | None = Field(default=None, gt=0, le=86_400)
    price: PriceBody | None = Field(default=None, description="null: the price table's, if known.")
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict,
        max_length=50,
        description=f"Are stored encrypted, and never shown again. `{HIDDEN}` for a value that is "
        "stored leaves it as it is.",
    )
    extra: dict[str, Any] = Field(
        default_factory=dict,
        max_length=50,
        description="More fields of every request's body. What looks like a secret (`…_key`, "
        f"`…_token`, `password`) is stored encrypted and shown as `{HIDDEN}`, which leaves it as "
        "it is.",
        examples=[{"enable_thinking": False}],
    )
    rpm: int | None = Field(default=None, ge=1, description="Most requests a minute.")
    tpm: int | None = Field(default=None, ge=1, description="Most tokens a minute.")
    concurrency: int | None = Field(default=None, ge=1, description="Most calls at a time.")

    def fields(self) -> dict[str, Any]:
        """What was said of the endpoint, and nothing that was not."""
        return self.model_dump(exclude_unset=True, exclude={"name", "key"})


class NewConnection(Endpoint):
    """A connection to be."""

    name: Name
    key: Key | None = Field(default=None, description="Is stored encrypted, and never shown again.")


class ConnectionChange(Endpoint):
    """What is given changes, and null takes it away; the rest stays. With another base URL,
    provider or proxy a key and headers must be given again: they were for the old one."""

    key: Key | None = None


class Unsaved(Endpoint):
    """A connection that is not stored (yet)."""

    key: Key | None = None


class KeyBody(Body):
    """A key."""

    key: Key


class ModelTalk(Body):
    """A talk so far; the last message is the user's."""

    model: Text | None = Field(default=None, description="null: the connection's own.")
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    messages: Sequence[TalkLine] = Field(min_length=1, max_length=40)


class ConnectionView(BaseModel):
    """A connection as it may be seen: where its key is, never the key."""

    name: str
    provider: str
    protocol: str
    base_url: str
    model: str | None
    key: Literal["none", "environment", "stored"]
    key_env: str | None
    key_present: bool = Field(description="Whether a call would have a key.")
    limits: Limits
    timeouts: Timeouts
    price: Price | None
    proxy: str | None
    headers: list[str] = Field(description="Names only: a value may be a secret.")
    extra: dict[str, Any] = Field(description="What looks like a secret is only said to be there.")
    own_authorities: bool = Field(description="It trusts a certificate file of the server.")


class StepView(BaseModel):
    """One thing that works, or does not."""

    name: StepName
    title: str
    status: Literal["ok", "failed", "skipped"]
    message: str
    value: str | int | float | None = None
    error: Fault | None = None


class TrialView(BaseModel):
    """What a trial showed."""

    ok: bool = Field(description="A task could run there.")
    steps: list[StepView]
    models: list[str] | None = Field(description="null: there is no list.")


class Models(BaseModel):
    """The endpoint's models."""

    items: list[str]


@router.get("", dependencies=[needs("read")])
def list_connections(
    studio: StudioOf, search: Search = None, limit: Limit = 50, after: After = None
) -> Page[ConnectionView]:
    """Stored connections, by name."""
    found = studio.connections.list(search, limit=limit + 1, after=place_in(after, str))
    return page_of([view_of(one) for one in found], limit, lambda one: one.name)


@router.post("/test", dependencies=[needs("edit"), costly()])
def test_unsaved_connection(studio: StudioOf, body: Unsaved, asker: Asker) -> TrialView:
    """Try one that is not stored: two short calls and the model list. Costs a few tokens."""
    made = studio.connections.unsaved("new", body.fields(), any_variable=asker.may("admin"))
    trial = studio.connections.trial_with(made, _plain(body.key))
    return _trial(trial, studio.language)


@router.post("/models", dependencies=[needs("edit"), costly()])
def models_of_unsaved_connection(studio: StudioOf, body: Unsaved, asker: Asker) -> Models:
    """The models of an endpoint that is not stored (获取可用模型)."""
    return models_like(studio, body, asker)


def models_like(
    studio: Studio, body: Unsaved, asker: Principal, stored: str | None = None
) -> Models:
    """The same; `stored`: the connection that is being changed so."""
    fields, any_variable = body.fields(), asker.may("admin")
    made = studio.connections.unsaved("new", fields, any_variable=any_variable, like=stored)
    return Models(items=list(studio.connections.models_with(made, _plain(body.key))))


@router.post("", status_code=201, dependencies=[needs("edit")])
def add_connection(studio: StudioOf, body: NewConnection, asker: Asker) -> ConnectionView:
    """Store a new one, with its key if one is given. 409 when the name is taken."""
    studio.connections.add(body.name, any_variable=asker.may("admin"), **body.fields())
    if body.key is not None:
        studio.connections.set_key(body.name, body.key.get_secret_value(), instead=True)
    return view_of(studio.connections.get(body.name))


@router.get("/{name:noun}", responses=TAGGED, dependencies=[needs("read")])
def get_connection(studio: StudioOf, name: str, tag: TagOf) -> ConnectionView:
    """One stored connection."""
    return tag.shown(view_of(studio.connections.get(name)))


@router.patch("/{name:noun}", dependencies=[needs("edit")])
def change_connection(
    studio: StudioOf, name: str, body: ConnectionChange, asker: Asker, guard: GuardOf
) -> ConnectionView:
    """Change some of its fields. 409 when its key or headers would go elsewhere unasked."""
    guard.refuse_changed(lambda: view_of(studio.connections.get(name)))
    return guard.shown(changed(studio, name, body, asker))


def changed(studio: Studio, name: str, body: ConnectionChange, asker: Principal) -> ConnectionView:
    """The same, whatever it was before."""
    made = studio.connections.change(
        name, body.fields(), key=_plain(body.key), any_variable=asker.may("admin")
    )
    return view_of(made)


@router.delete("/{name:noun}", status_code=204, dependencies=[needs("edit")])
def delete_connection(studio: StudioOf, name: str, guard: GuardOf) -> None:
    """Delete it and its key. Tasks keep their own copy of what it was, without the key."""
    guard.refuse_changed(lambda: view_of(studio.connections.get(name)))
    studio.connections.delete(name)


@router.put("/{name:noun}/key", status_code=204, dependencies=[needs("edit")])
def set_connection_key(studio: StudioOf, name: str, body: KeyBody) -> None:
    """Store its key, encrypted; a variable that it named is not looked at any more."""
    studio.connections.set_key(name, body.key.get_secret_value(), instead=True)


@router.delete("/{name:noun}/key", status_code=204, dependencies=[needs("edit")])
def delete_connection_key(studio: StudioOf, name: str) -> None:
    """Forget its stored key."""
    studio.connections.delete_key(name)


@router.post("/{name:noun}/test", dependencies=[needs("edit"), costly()])
def test_connection(studio: StudioOf, name: str) -> TrialView:
    """Try it: reachable, key, models, structured output, speed. Costs a few tokens."""
    connection = studio.connections.get(name)
    return _trial(studio.connections.trial_with(connection, None), studio.language)


@router.post("/{name:noun}/chat", dependencies=[needs("edit"), costly()])
def chat_with_model(studio: StudioOf, name: str, body: ModelTalk) -> Said:
    """Say something to a model. One call; nothing is stored, and what it cost is in the answer."""
    messages = [Message(one.role, one.content) for one in body.messages]
    return talk(
        studio,
        None,
        messages,
        connection=name,
        model=body.model,
        temperature=body.temperature,
    )


@router.get("/{name:noun}/models", dependencies=[needs("edit"), costly()])
def connection_models(studio: StudioOf, name: str) -> Models:
    """The models that its endpoint lists (获取可用模型)."""
    return Models(items=list(studio.connections.models(name)))


# ---------------------------------------------------------------- views


def _plain(key: SecretStr | None) -> str | None:
    return None if key is None else key.get_secret_value()


def view_of(one: Connection) -> ConnectionView:
    """As it may be seen."""
    has_variable = bool(one.key_env and os.environ.get(one.key_env, "").strip())
    where: Literal["none", "environment", "stored"] = "none"
    if one.key_stored and not has_variable:
        where = "stored"
    elif one.key_env:
        where = "environment"
    same: Mapping[str, Any] = {
        name: getattr(one, name)
        for name in ("name", "provider", "protocol", "base_url", "model", "key_env", "limits")
    }
    return ConnectionView(
        **same,
        key=where,
        key_present=has_variable or one.key_stored,
        timeouts=one.timeouts,
        price=one.price,
        proxy=one.proxy,
        headers=sorted(one.headers),
        extra=hidden.shown(one.extra),
        own_authorities=one.ca_file is not None,
    )


def _trial(trial: Trial, language: Language) -> TrialView:
    steps = [_step(one, language) for one in steps_of(trial)]
    models = None if trial.models is None else list(trial.models)
    return TrialView(ok=trial.answered, steps=steps, models=models)


def _step(one: TrialStep, language: Language) -> StepView:
    error = None if one.error is None else fault_of(one.error, language)
    return StepView(
        name=one.name,
        title=say(f"trial.{one.name}", language),
        status=one.status,
        message=shown(error.message if error else _said(one, language)),
        value=one.value,
        error=error,
    )


def _said(one: TrialStep, language: Language) -> str:
    if one.status == "skipped":
        return say("trial.skipped", language)
    if one.status == "failed":
        return say(f"trial.failed.{one.name}", language)
    plain = one.value is None
    return say("trial.ok" if plain else f"trial.ok.{one.name}", language, value=one.value)
