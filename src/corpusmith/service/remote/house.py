"""The rest of the house over REST: what there is to choose from, people, settings, workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpusmith.errors import StoreError
from corpusmith.service import (
    about,
    audit,
    figures,
    server_settings,
    tokens,
    uploads,
    users,
    workers,
)
from corpusmith.service.about import CheckAbout, FormatAbout, RecipeAbout, RecipeFields
from corpusmith.service.access import LOCAL
from corpusmith.service.remote.call import Over, call
from corpusmith.service.server_settings import ServerSetting
from corpusmith.service.tokens import NewToken
from corpusmith.service.uploads import Upload
from corpusmith.service.workers import WorkersView
from corpusmith.store.access_values import AuditEntry, Token, User


class Catalogue(Over, about.Catalogue):
    """`studio.catalogue`, of a server."""

    recipes = call("GET recipes", RecipeAbout, listed=True)
    recipe = call("GET recipes/{name}/fields", RecipeFields)
    checks = call("GET checks", CheckAbout, listed=True)
    formats = call("GET formats", FormatAbout, listed=True)


class Users(Over, users.Users):
    """`studio.users`, of a server."""

    add = call("POST users", User)
    get = call("GET users/{name}", User)
    list = call("GET users", User, listed=True)
    change = call("PATCH users/{name}", User)
    delete = call("DELETE users/{name}")

    def any(self) -> bool:
        return bool(self.list(limit=1))


class Tokens(Over, tokens.Tokens):
    """`studio.tokens`, of a server: those that whoever asks may see."""

    add = call("POST tokens", NewToken)
    get = call("GET tokens/{number}", Token)
    list = call("GET tokens", Token, listed=True)
    revoke = call("DELETE tokens/{number}", Token)

    def _told(self, name: str, value: Any) -> None:
        super()._told(name, None if value is LOCAL else value)


class Audit(Over, audit.Audit):
    """`studio.audit`, of a server."""

    list = call("GET audit", AuditEntry, listed=True, named={"since": "from", "until": "to"})


class ServerSettings(Over, server_settings.ServerSettings):
    """`studio.settings`, of a server."""

    list = call("GET settings", ServerSetting, listed=True)
    change = call("PATCH settings", Sequence[ServerSetting], whole="values", of="items")


class Uploads(Over, uploads.Uploads):
    """`studio.uploads`, of a server."""

    get = call("GET uploads/{upload}", Upload)
    list = call("GET uploads", Upload, listed=True)
    delete = call("DELETE uploads/{upload}")


class Workers(Over, workers.Workers):
    """`studio.workers`, of a server."""

    alive = call("GET tasks/workers", WorkersView)


class Watch(Over, figures.Watch):
    """`studio.watch`, of a server."""

    def problems(self) -> Any:
        try:
            self._wire.ask("GET", "health")
        except StoreError as error:
            if error.reason != "unwell":
                raise
            return list(error.data["problems"])
        return []
