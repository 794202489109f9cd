"""Users: people who may log in. As soon as there is one, everybody has to."""

from __future__ import annotations

from fastapi import Request
from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Body, Limit, Page, Search, StudioOf, page_of, place_in
from corpusmith.api.audit_trail import name_target
from corpusmith.api.door import door_of
from corpusmith.api.router import rest
from corpusmith.api.routes.login import Password
from corpusmith.store.access_values import Role, User

router = rest("/users", tags=["users"])


class NewUser(Body):
    """A user to be."""

    name: str = Field(min_length=1, max_length=100, examples=["林晓"])
    password: Password = Field(repr=False)
    role: Role | None = Field(
        default=None, description="Without: admin for the first user, else reviewer."
    )


class UserChange(Body):
    """What is given changes; the rest stays."""

    role: Role | None = None
    active: bool | None = Field(default=None, description="false: they cannot log in.")
    password: Password | None = Field(default=None, repr=False)


@router.get("", dependencies=[needs("admin")])
def list_users(
    studio: StudioOf, search: Search = None, limit: Limit = 50, after: After = None
) -> Page[User]:
    """Users, by name."""
    found = studio.users.list(search, limit=limit + 1, after=place_in(after, str))
    return page_of(found, limit, lambda one: one.name)


@router.post("", status_code=201, dependencies=[needs("admin")])
def add_user(request: Request, studio: StudioOf, body: NewUser) -> User:
    """Add one. The first is an admin; from then on everybody logs in or sends a token. 409 when the
    name is taken."""
    made = studio.users.add(body.name, body.password, body.role)
    name_target(request, made.name)
    door_of(request).look()
    return made


@router.get("/{name:noun}", dependencies=[needs("admin")])
def get_user(studio: StudioOf, name: str) -> User:
    """One user."""
    return studio.users.get(name)


@router.patch("/{name:noun}", dependencies=[needs("admin")])
def change_user(studio: StudioOf, name: str, body: UserChange) -> User:
    """Change the role or password, or switch the user off or on. Their sessions end. 409 for the
    last active admin."""
    return studio.users.change(name, role=body.role, active=body.active, password=body.password)


@router.post("/{name:noun}/logout", status_code=204, dependencies=[needs("admin")])
def log_user_out(studio: StudioOf, name: str) -> None:
    """End all sessions of a user. Tokens stay."""
    studio.users.log_out(name)


@router.delete("/{name:noun}", status_code=204, dependencies=[needs("admin")])
def delete_user(studio: StudioOf, name: str) -> None:
    """Delete a user with their sessions and tokens. What they did stays. 409 for the last active
    admin."""
    studio.users.delete(name)
