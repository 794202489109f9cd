"""Templates and their versions.

Owns: the tables `templates` and `template_versions`. Does not own: which template makes sense
(service).
A version's body holds every field but the name and the version, so that a new name or a copy makes
no new version; `templates` repeats of the newest one what lists show and search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, or_, select, update

from corpusmith.errors import Conflict, NotFound
from corpusmith.nouns import Template, TemplateType
from corpusmith.store.codec import from_json, iso, plain, to_json
from corpusmith.store.database import Database
from corpusmith.store.named import NamedRows
from corpusmith.store.schema import template_versions, templates
from corpusmith.values import Json

_BODY = tuple(one.name for one in fields(Template) if one.name not in ("name", "version"))


class Templates:
    """The `templates` table and its versions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = NamedRows(database, templates, "template")

    def add(self, template: Template) -> Template:
        """A new one, as version 1. Raises Conflict when the name is taken."""
        made = replace(template, name=plain(template.name), version=1)
        now = self._database.now()
        new = self._database.insert(templates).values(
            **_row(made), name=made.name, created_at=now, updated_at=now
        )
        new = new.on_conflict_do_nothing(index_elements=["name"])
        with self._database.write() as connection:
            row_id = connection.scalar(new.returning(templates.c.id))
            if row_id is None:
                raise Conflict("template_exists", kind="template", name=template.name)
            self._add_version(connection, row_id, made, now)
        return made

    def save(self, template: Template) -> Template:
        """Version 1 of a new template, or the next version of the one of this name.

        The newest version comes back as it is when nothing in it would change.
        """
        try:
            return self.add(template)
        except Conflict:
            return self._change(template)

    def _change(self, template: Template) -> Template:
        with self._database.write() as connection:
            # The writer's lock, or on Postgres the row's, keeps two editors from one number.
            row = connection.execute(
                select(templates).where(templates.c.name == plain(template.name)).with_for_update()
            )
            old = row.mappings().first()
            if old is None:
                raise NotFound("unknown_template", kind="template", name=template.name)
            newest = _template(self._version(connection, old, old["version"]))
            made = replace(template, name=newest.name, version=newest.version + 1)
            if _body(made) == _body(newest):
                return newest
            now = self._database.now()
            connection.execute(
                update(templates)
                .where(templates.c.id == old["id"])
                .values(**_row(made), updated_at=now)
            )
            self._add_version(connection, old["id"], made, now)
        return made

    def get(self, name: str, version: int | None = None) -> Template:
        """The newest version, or that one. Raises NotFound."""
        with self._database.read() as connection:
            row = self._rows.row(connection, name)
            wanted = row["version"] if version is None else version
            return _template(self._version(connection, row, wanted))

    def list(
        self,
        search: str | None = None,
        *,
        type: TemplateType | None = None,
        limit: int | None = 50,
        after: str | None = None,
    ) -> Sequence[Template]:
        """The newest versions by name; `search`: text in the name or description, ASCII case
        ignored; `after`: the last name of the page before; `limit` None: all."""
        query = _newest().order_by(templates.c.name).limit(limit)
        if after is not None:
            query = query.where(templates.c.name > plain(after))
        if type is not None:
            query = query.where(templates.c.type == type)
        if search:
            texts = (templates.c.name, templates.c.description)
            query = query.where(
                or_(*(text.icontains(plain(search), autoescape=True) for text in texts))
            )
        with self._database.read() as connection:
            return [_template(row) for row in connection.execute(query).mappings()]

    def versions(self, name: str) -> Sequence[tuple[int, str]]:
        """(version, when it was made, ISO 8601 UTC), oldest first. Raises NotFound."""
        with self._database.read() as connection:
            row = self._rows.row(connection, name)
            query = (
                select(template_versions.c.version, template_versions.c.created_at)
                .where(template_versions.c.template_id == row["id"])
                .order_by(template_versions.c.version)
            )
            return [(version, iso(made)) for version, made in connection.execute(query)]

    def rename(self, name: str, new_name: str) -> None:
        """With all its versions. Raises NotFound, Conflict."""
        self._rows.update(name, {"name": plain(new_name)})

    def delete(self, name: str) -> None:
        """With all its versions; a task keeps its own copy of the one it ran. Raises NotFound."""
        with self._database.write() as connection:
            self._rows.remove(connection, self._rows.row(connection, name)["id"])

    def _version(self, connection: Connection, row: RowMapping, version: int) -> Mapping[str, Any]:
        query = select(template_versions.c.body).where(
            template_versions.c.template_id == row["id"], template_versions.c.version == version
        )
        body = connection.scalar(query)
        if body is None:
            raise NotFound(
                "unknown_template_version",
                kind="template",
                name=row["name"],
                version=version,
                newest=row["version"],
            )
        return {"name": row["name"], "version": version, "body": body}

    def _add_version(
        self, connection: Connection, row_id: int, template: Template, now: float
    ) -> None:
        connection.execute(
            insert(template_versions).values(
                template_id=row_id, version=template.version, body=_body(template), created_at=now
            )
        )


def _newest() -> Select[Any]:
    return select(templates.c.name, templates.c.version, template_versions.c.body).join(
        template_versions,
        (template_versions.c.template_id == templates.c.id)
        & (template_versions.c.version == templates.c.version),
    )


def _template(row: Mapping[Any, Any]) -> Template:
    body: dict[str, Json] = from_json(row["body"])
    kept = {name: body[name] for name in _BODY if name in body}
    if "keep" in kept:
        kept["keep"] = tuple(kept["keep"])
    return Template(**kept, name=row["name"], version=row["version"])


def _body(template: Template) -> str:
    return to_json({name: getattr(template, name) for name in _BODY})


def _row(template: Template) -> dict[str, Any]:
    return {
        "description": plain(template.description),
        "type": template.type,
        "language": template.language,
        "version": template.version,
    }
