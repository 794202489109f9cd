"""Characters, scenarios, templates, datasets and domains over REST."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from corpusmith.cards.read import read_card
from corpusmith.cards.write import Form as CardForm
from corpusmith.cards.write import write_card
from corpusmith.errors import CorpusmithError, NotFound
from corpusmith.nouns import Character, Dataset, Scenario, Template
from corpusmith.places import given_output, given_path, means_file
from corpusmith.recipes.selfplay_domain import Domain
from corpusmith.service import characters, domains, library, templates
from corpusmith.service.cards import CARD_SUFFIXES, read_bytes
from corpusmith.service.characters import ImportedCard, OnConflict
from corpusmith.service.remote.call import Over, call, later, pages, plain
from corpusmith.service.remote.faults import fault
from corpusmith.service.remote.wire import adapter
from corpusmith.service.remote.works import save, work
from corpusmith.service.template_check import About
from corpusmith.service.template_file import (
    TEMPLATE_SUFFIXES,
    dump_template,
    read_template,
    template_fields,
    template_of,
)
from corpusmith.service.template_trial import Trial
from corpusmith.service.yaml_file import fields_in
from corpusmith.store.values import DatasetNumbers, Removal, Statistics
from corpusmith.values import Json, Language, Record, Verdict


class Scenarios(Over, library.Scenarios):
    """`studio.scenarios`, of a server."""

    add = call("POST scenarios", Scenario, whole="scenario")
    get = call("GET scenarios/{name}", Scenario)
    list = call("GET scenarios", Scenario, listed=True)
    shipped = call("GET shipped/scenarios", Scenario, listed=True)
    update = call("PATCH scenarios/{name}", Scenario)
    delete = call("DELETE scenarios/{name}")


class Characters(Over, characters.Characters):
    """`studio.characters`, of a server. A list asks for each one's picture and card: `listed` does
    not."""

    delete = call("DELETE characters/{name}")

    def add(self, character: Character) -> Character:
        if character.card is not None:
            return self._add_card(character)
        texts = {name: getattr(character, name) for name in _TEXTS}
        made = self._wire.ask("POST", "characters", body=texts)
        if character.image is not None:
            return self.set_picture(character.name, character.image)
        return _character(made)

    def get(self, name: str) -> Character:
        return self._whole(self._wire.ask("GET", "characters", name))

    def find(self, wish: str) -> Character:
        if means_file(wish, CARD_SUFFIXES):
            path = given_path(wish)
            return read_card(read_bytes(path), path.name)
        try:
            return self.get(wish)
        except NotFound:
            for one in pages(self._wire, "shipped", "characters"):
                if one["name"] == wish:
                    return self._whole(one)
            raise

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Character]:
        return [self._whole(one) for one in self._views(search, limit, after)]

    def listed(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[tuple[Character, bool]]:
        return [(_character(one), one["picture"]) for one in self._views(search, limit, after)]

    def shipped(self, language: Language | None = None) -> Sequence[Character]:
        query = {"language": language}
        return [self._whole(one) for one in pages(self._wire, "shipped", "characters", query=query)]

    def update(self, name: str, **fields: Any) -> Character:
        if "image" in fields:
            self.set_picture(name, fields.pop("image"))
        if fields:
            self._wire.ask("PATCH", "characters", name, body=plain(fields))
        return self.get(name)

    def copy(self, wish: str, new_name: str | None = None) -> Character:
        body = {"name": new_name}
        return self._whole(self._wire.ask("POST", "characters", wish, "copy", body=body))

    def card(self, name: str, *, form: CardForm = "v2", kind: Literal["json", "png"]) -> bytes:
        query = {"form": form, "as": kind}
        return self._wire.whole("GET", "characters", name, "card", query=query)

    def import_bytes(
        self, data: bytes, file: str, *, on_conflict: OnConflict = "refuse"
    ) -> Sequence[ImportedCard]:
        query = {"on_conflict": on_conflict}
        found = self._wire.send(
            *("POST", "characters", "import"),
            name=file,
            file=io.BytesIO(data),
            field="files",
            query=query,
        )
        return [self._imported_card(one) for one in found["results"]]

    def import_file(self, path: str | Path, *, replace_existing: bool = False) -> Character:
        place = given_path(path)
        on_conflict: OnConflict = "replace" if replace_existing else "refuse"
        (found,) = self.import_bytes(read_bytes(place), place.name, on_conflict=on_conflict)
        if found.error is not None:
            raise found.error
        return self.get(str(found.name))

    def export_file(
        self, name: str, path: str | Path, *, form: Literal["v1", "v2", "v3"] = "v2"
    ) -> Path:
        target = given_output(path)
        kind: Literal["json", "png"] = "png" if target.suffix.lower() == ".png" else "json"
        save([self.card(name, form=form, kind=kind)], target)
        return target

    def set_picture(self, name: str, picture: bytes | None) -> Character:
        place = ("characters", name, "picture")
        if picture is None:
            self._wire.ask("DELETE", *place)
        else:
            self._wire.send("PUT", *place, name=f"{name}.png", file=io.BytesIO(picture))
        return self.get(name)

    def _add_card(self, character: Character) -> Character:
        """With all that its card says that we do not know."""
        kind = "json" if character.image is None else "png"
        data = write_card(character, "v2", png=character.image)
        (found,) = self.import_bytes(data, f"card.{kind}")
        if found.error is not None:
            raise found.error
        return self.get(str(found.name))

    def _views(self, search: str | None, limit: int | None, after: str | None) -> Any:
        found = pages(self._wire, "characters", query={"search": search}, after=after)
        return [*islice(found, limit)]

    def _whole(self, view: Mapping[str, Json]) -> Character:
        place = ("characters", view["name"])
        image = self._wire.whole("GET", *place, "picture") if view["picture"] else None
        card = self._wire.ask("GET", *place, "original")["card"]
        return _character(view, image=image, card=card)

    def _imported_card(self, one: Mapping[str, Json]) -> ImportedCard:
        error = one["error"] and fault(one["error"], self._wire.language)
        return ImportedCard(file=one["file"], outcome=one["outcome"], name=one["name"], error=error)


_TEXTS = tuple(one.name for one in fields(Character) if one.name not in ("card", "image"))


def _character(view: Mapping[str, Json], **more: Any) -> Character:
    given = {name: one for name, one in view.items() if name != "picture"}
    return Character(**{**given, "tags": tuple(view["tags"]), **more})


class Templates(Over, templates.Templates):
    """`studio.templates`, of a server."""

    list = call("GET templates", Template, listed=True)
    shipped = call("GET shipped/templates", Template, listed=True)
    get = call("GET templates/{name}", Template)
    edit = call("PATCH templates/{name}", Template)
    delete = call("DELETE templates/{name}")
    copy = call("POST templates/{wish}/copy", Template, named={"new_name": "name"})
    rename = call("POST templates/{name}/rename", named={"new_name": "name"})
    restore = call("POST templates/{name}/restore", Template)
    schema_like = call("POST templates/schema", dict)
    diff = call("GET templates/{name}/diff", of="diff", gives=str)
    versions = call(
        "GET templates/{name}/versions",
        of="items",
        then=lambda found: [(one["version"], one["created_at"]) for one in found],
    )
    test_async = later("test")

    def add(self, template: Template | Mapping[str, Json]) -> Template:
        found: Template = self._wire.value(Template, "POST", "templates", body=_given(template))
        return found

    def save(self, template: Template | Mapping[str, Json]) -> Template:
        given = _given(template)
        try:
            old = template_fields(self.get(str(given.get("name"))))
        except NotFound:
            return self.add(template)
        name = given.pop("name")
        gone = {field: _USUAL[field] for field in old if field not in given and field != "name"}
        return self.edit(name, **gone, **given)  # type: ignore[no-any-return]

    def find(self, wish: str) -> Template:
        if means_file(wish, TEMPLATE_SUFFIXES):
            return read_template(given_path(wish).expanduser())
        name, _, version = wish.rpartition("@")
        for stored, at in ((wish, None), (name, version)):
            if at is None or at.isdecimal():
                with suppress(NotFound):
                    found: Template = self.get(stored, at and int(at))
                    return found
        text = self._wire.whole("GET", "templates", wish, "file")
        return template_of(fields_in(text.decode()), source=wish)

    def about(self, template: Template | str) -> About:
        if isinstance(template, str) and not means_file(template, TEMPLATE_SUFFIXES):
            found = self._wire.ask("GET", "templates", template, "about")
        else:
            given = self.find(template) if isinstance(template, str) else template
            found = self._wire.ask("POST", "templates", "check", body=_given(given))
            if found["shape"] is None:
                raise fault(found["problem"], self._wire.language)
        return _about(found)

    def look(self, fields: Mapping[str, Json]) -> tuple[About | None, CorpusmithError | None]:
        found = self._wire.ask("POST", "templates", "check", body=plain(fields))
        problem = found["problem"] and fault(found["problem"], self._wire.language)
        return None if found["shape"] is None else _about(found), problem

    def test(
        self, template: Template | str, *, vars: Mapping[str, Json] | None = None, **fields: Any
    ) -> Trial:
        body = {"vars": plain(vars or {}), **plain(fields)}
        if isinstance(body.get("input"), str) and means_file(body["input"], ()):
            body["input"] = self._wire.upload(body["input"])
        if isinstance(template, str) and not means_file(template, TEMPLATE_SUFFIXES):
            found = self._wire.ask("POST", "templates", template, "test", body=body)
        else:
            given = self.find(template) if isinstance(template, str) else template
            body = {**body, "template": _given(given)}
            found = self._wire.ask("POST", "templates", "test", body=body)
        found.pop("message")
        made: Trial = adapter(Trial).validate_python({"detail": {}, **found})
        return made

    def export_file(self, wish: str, path: str | Path) -> Path:
        target = given_output(path)
        if means_file(wish, TEMPLATE_SUFFIXES):
            save([dump_template(self.find(wish)).encode()], target)
        else:
            save(self._wire.read("GET", "templates", wish, "file"), target)
        return target


_USUAL: Mapping[str, Json] = {
    **plain(Template(name="", prompt="")),
    "language": None,
}
"""What a template's field is when nothing is said; of its language the server finds out."""


def _given(template: Template | Mapping[str, Json]) -> dict[str, Json]:
    fields = template_fields(template) if isinstance(template, Template) else dict(template)
    found: dict[str, Json] = plain(fields)
    return found


def _about(found: Mapping[str, Json]) -> About:
    return About(
        variables=found["variables"],
        schema=found["sample"],
        shape=found["shape"],
        several=found["several"],
    )


class Datasets(Over, library.Datasets):
    """`studio.datasets`, of a server."""

    bind_more = call("POST datasets/{name}/bind")
    unbind = call("POST datasets/{name}/unbind")
    numbers = call("GET datasets/{name}/statistics", DatasetNumbers)
    statistics = call("GET datasets/{name}/counts", Statistics)
    delete = call("DELETE datasets/{name}")
    restore = call("POST removals/{number}/restore", Removal)
    removals = call("GET removals", Removal, listed=True, named={"name": "dataset"})
    bind = call("PUT datasets/{name}/bindings")

    def add(
        self,
        name: str,
        *,
        description: str = "",
        language: Language | None = None,
        characters: Sequence[str] = (),
        scenarios: Mapping[str, float] | None = None,
    ) -> Dataset:
        body = {
            "name": name,
            "description": description,
            "language": language,
            "characters": [*characters],
            "scenarios": dict(scenarios or {}),
        }
        return _dataset(self._wire.ask("POST", "datasets", body=body))

    def get(self, name: str) -> Dataset:
        return _dataset(self._wire.ask("GET", "datasets", name))

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Dataset]:
        found = pages(self._wire, "datasets", query={"search": search}, after=after)
        return [_dataset(one) for one in islice(found, limit)]

    def update(
        self,
        name: str,
        *,
        new_name: str | None = None,
        description: str | None = None,
        language: Language | None = None,
    ) -> Dataset:
        body = {"name": new_name, "description": description, "language": language}
        return _dataset(self._wire.ask("PATCH", "datasets", name, body=body))

    def counts(self, names: Sequence[str]) -> Mapping[str, int]:
        found = {one: self._wire.ask("GET", "datasets", one)["records"] for one in names}
        return {name: count for name, count in found.items() if count}

    def bindings(self, name: str) -> tuple[Sequence[Character], Sequence[tuple[Scenario, float]]]:
        found = self._wire.ask("GET", "datasets", name)
        studio = self._studio
        scenes = [(studio.scenarios.get(one["name"]), one["weight"]) for one in found["scenarios"]]
        return [studio.characters.get(one) for one in found["characters"]], scenes

    def ensure(self, name: str, language: Language) -> None:
        try:
            self.get(name)
        except NotFound:
            self.add(name, language=language)

    def first(self, name: str, n: int = 10) -> Sequence[Record]:
        rows = pages(self._wire, "records", query={"dataset": name})
        return [self._studio.reviews.get(row["id"]) for row in islice(rows, n)]

    def broken(self, name: str) -> Sequence[tuple[Record, Verdict]]:
        found = pages(self._wire, "datasets", name, "broken")
        return [
            (
                self._studio.reviews.get(one["record"]),
                Verdict(passed=False, reason=one["reason"], detail=one["detail"]),
            )
            for one in found
        ]

    def clean(self, name: str) -> Removal | None:
        return self._studio.records.clean(name, apply=True).removal

    def delete_records(self, name: str, *, scenario: str) -> int:
        self.get(name)
        body = {"action": "delete", "where": {"dataset": name, "scenario": scenario}}
        done = work(self._wire, "records", "bulk", body=body)["result"]
        changed: int = done["changed"]
        return changed


def _dataset(view: Mapping[str, Json]) -> Dataset:
    return Dataset(name=view["name"], description=view["description"], language=view["language"])


class Domains(Over, domains.Domains):
    """`studio.domains`, of a server. A domain's file is read here."""

    list = call("GET domains", Domain, listed=True)

    def find(self, wish: str | None = None, *, language: Language | None = None) -> Domain:
        if wish is not None and domains.is_file(wish):
            return domains.find_domain(wish, language)
        name = wish or domains.DEFAULT
        query = {"language": language}
        found: Domain = self._wire.value(Domain, "GET", "domains", name, query=query)
        return found
