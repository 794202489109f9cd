"""Logging in and out, and one's own account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field, StringConstraints

from corpusmith.api.access import Asker, Principal, needs
from corpusmith.api.asking import Body, Page, StudioOf
from corpusmith.api.audit_trail import name_tried
from corpusmith.api.cookies import SESSION, end_session, own_path, start_session
from corpusmith.api.door import address_of, door_of
from corpusmith.api.router import rest
from corpusmith.api.speaking import LanguageOf
from corpusmith.errors import LoginNeeded, NotFound
from corpusmith.service.access import ROLE_SCOPE, Access
from corpusmith.service.studio import Studio
from corpusmith.store.access_values import Scope, User, Via
from corpusmith.values import Language

router = rest(tags=["login"])

Password = Annotated[
    str,
    StringConstraints(strip_whitespace=False, min_length=1, max_length=1000),
    Field(json_schema_extra={"format": "password"}),
]


class Login(Body):
    """Who somebody says they are."""

    name: str = Field(min_length=1, max_length=100, examples=["林晓"])
    password: Password = Field(repr=False)
    next: str = Field(default="/", max_length=2000, description="Where to go afterwards.")


class PasswordChange(Body):
    """One's own password."""

    old: Password = Field(repr=False)
    new: Password = Field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who asks."""

    name: str
    """`local`: the one person of a server without users."""
    scope: Scope
    """What they may do: all that stands before it, too (read, review, edit, admin)."""
    via: Via
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A new session, which the cookie holds."""

    name: str
    scope: Scope
    next: str
    """Where to go: `next` if it is a path of this server, else `/`."""


@router.post("/login")
async def login(request: Request, response: Response, studio: StudioOf, body: Login) -> LoggedIn:
    """Start a session: the answer sets its cookie. 401 for a wrong name or password; 429 after too
    many wrong ones."""
    user = await enter(request, response, studio, body.name, body.password)
    return LoggedIn(name=user.name, scope=ROLE_SCOPE[user.role], next=own_path(body.next))


@router.post("/logout", status_code=204, dependencies=[needs("read")])
def logout(
    request: Request,
    response: Response,
    studio: StudioOf,
    asker: Asker,
    everywhere: Annotated[bool, Query(description="All sessions of yours.")] = False,
) -> None:
    """End this session, or all of yours. Tokens stay."""
    studio.logins.log_out(asker, everywhere=everywhere)
    end_session(request, response)


@router.get("/me", dependencies=[needs("read")])
def me(asker: Asker, language: LanguageOf) -> Me:
    """Who you are here, and what you may do."""
    return Me(name=asker.name, scope=asker.scope, via=asker.via, language=language)


@router.post("/me/password", status_code=204, dependencies=[needs("read")])
async def change_my_password(
    request: Request, studio: StudioOf, asker: Asker, body: PasswordChange
) -> None:
    """Change your own password: your other sessions end. 403 when the old one is wrong."""

    def confirm() -> None:
        studio.logins.confirm(asker, body.old)

    studio.logins.refuse_programs(asker)
    door = door_of(request)
    await door.guess(address_of(request), asker.name, confirm)
    await door.hashing(lambda: studio.logins.change_password(asker, body.new))


@dataclass(frozen=True, slots=True, kw_only=True)
class MySession:
    """One of your own sessions. Times are ISO 8601, UTC."""

    key: str
    """Names it here; it opens nothing."""
    created_at: str
    used_at: str
    """The last time, to the minute."""
    this: bool
    """Whether it is the one that asks."""


@router.get("/me/sessions", dependencies=[needs("read")])
def my_sessions(studio: StudioOf, asker: Asker) -> Page[MySession]:
    """Your own sessions that have not ended, the one used last first. A token has none."""
    found = [
        MySession(
            key=one.key,
            created_at=one.created_at,
            used_at=one.used_at,
            this=one.digest == asker.session,
        )
        for one in studio.logins.sessions(asker)
    ]
    return Page(items=found, total=len(found))


@router.delete("/me/sessions/{key}", status_code=204, dependencies=[needs("read")])
def end_my_session(
    request: Request, response: Response, studio: StudioOf, asker: Asker, key: str
) -> None:
    """End one of your own sessions, also this one. 404 when it has ended already."""
    own = {one.key: one.digest for one in studio.logins.sessions(asker)}
    if key not in own:
        raise NotFound("unknown_session", kind="session", name=key[:60])
    studio.logins.end_session(asker, key)
    if own[key] == asker.session:
        end_session(request, response)


async def enter(
    request: Request, response: Response, studio: Studio, name: str, password: str
) -> User:
    """Log in, for this route and for the page of it: a new session, never one that was there.

    Raises LoginNeeded, TooOften.
    """
    name_tried(request, name)
    user, secret = await door_of(request).guess(
        address_of(request), name, lambda: _log_in(request, studio, name, password)
    )
    start_session(request, response, secret)
    return user


def _log_in(request: Request, studio: Studio, name: str, password: str) -> tuple[User, str]:
    user, secret = studio.logins.log_in(name, password)
    access = Access(studio.store)
    request.state.principal = access.by_session(secret)
    if before := request.cookies.get(SESSION):
        _end(studio, access, before)
    return user, secret


def _end(studio: Studio, access: Access, secret: str) -> None:
    """End the session that the browser had before, if it was one."""
    try:
        principal: Principal = access.by_session(secret)
    except LoginNeeded:
        return
    studio.logins.log_out(principal)
