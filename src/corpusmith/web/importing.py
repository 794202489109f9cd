"""What a page of import asks for, read from its address or its form: which file, taken for what,
which field is which.

Owns: the fields of ours that each shape has, and what is taken for given. Does not own: shapes
(`readers/shapes.py`), the work (`service/imports.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpusmith.api.errors import fault_of
from corpusmith.errors import CorpusmithError
from corpusmith.messages import catalog, say
from corpusmith.places import PREFIX
from corpusmith.readers.shapes import SHAPES
from corpusmith.service.import_ratings import OURS as RATING
from corpusmith.service.imports import ImportPreview
from corpusmith.service.studio import Studio
from corpusmith.service.uploads import Upload
from corpusmith.values import Language, Selection
from corpusmith.web.form import Filled, Form

AUTO = "auto"
MAP = "map."
FIELDS: Mapping[str, tuple[str, ...]] = {
    "alpaca": ("instruction", "input", "output", "system", "history", RATING),
    "messages": ("messages", RATING),
    "sharegpt": ("conversations", "system", RATING),
    "pairs": ("prompt", "chosen", "rejected", "system"),
    "kto": ("prompt", "completion", "label", "system"),
    "dialogue": ("dialogues", "scenario_labels", "turn_count", RATING),
    "rounds": ("question", "answer", "correction", RATING),
    "refinement": ("refinement_process", RATING),
    "rows": (RATING,),
}
"""Shape → the fields of ours that a file may call otherwise."""
FORMATS = (AUTO, *FIELDS, *(one for one in SHAPES if one not in FIELDS))
LOOKED_AT = 2_000
SHOWN = 3
SHOWN_MOST = 4_000
"""Characters of one."""
COMPARED_MOST = 20_000
"""Records of a dataset that the file's rows are compared with before it is imported."""
CHOICES = ("skip", "keep")
"""What becomes of a row that says what is there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the file holds, as far as it was looked at."""

    upload: Upload
    found: ImportPreview | None
    """None: it cannot be read so; the form says why."""
    columns: tuple[str, ...]
    fields: tuple[str, ...]
    """Those of ours that can be told by what the file calls them."""

    @property
    def whole(self) -> bool:
        return self.found is not None and self.found.rows < LOOKED_AT


def filled(form: Form, name: str) -> Filled:
    """The fields with what is taken for given. `name`: what a new dataset would be called."""
    values = {one: form.text(one) for one in form.data}
    usual = {"format": AUTO, "duplicates": CHOICES[0], "dataset": name}
    values |= {one: text for one, text in usual.items() if not values.get(one)}
    if values["format"] not in FORMATS:
        values["format"] = AUTO
    if values["duplicates"] not in CHOICES:
        values["duplicates"] = CHOICES[0]
    return Filled(values=values)


def mapping_of(form: Form) -> dict[str, str]:
    """Our field → the file's, of the shape that is chosen."""
    chosen = form.text("format") or AUTO
    known = FIELDS.get(chosen) or tuple(
        dict.fromkeys(one for all_ in FIELDS.values() for one in all_)
    )
    found = {one: form.text(MAP + one) for one in known}
    return {ours: theirs for ours, theirs in found.items() if theirs and theirs != ours}


def look(studio: Studio, upload: Upload, form: Form, values: Filled) -> tuple[Look, Filled]:
    """Reads the beginning of the file. What is wrong stands in the form that comes back."""
    asked, mapping = str(values.value("format")), mapping_of(form)
    dataset = _comparable(studio, str(values.value("dataset")))
    tries: Sequence[tuple[str, dict[str, str]]] = ((asked, mapping), (AUTO, {}))
    problems: dict[str, str] = {}
    for number, (shape, names) in enumerate(tries):
        try:
            found = studio.imports.preview(
                PREFIX + upload.id, dataset, format=shape, map=names, limit=LOOKED_AT, first=SHOWN
            )
        except CorpusmithError as error:
            problems = problems or {"": fault_of(error, studio.language).message}
            continue
        fields = FIELDS.get(asked if asked != AUTO else found.detected.shape, ())
        told = None if number else found
        made = Look(upload=upload, found=told, columns=found.columns, fields=fields)
        return made, Filled(values=values.values, problems=problems)
    none = Look(upload=upload, found=None, columns=(), fields=())
    return none, Filled(values=values.values, problems=problems)


def refusals(found: ImportPreview, language: Language) -> list[tuple[int, str]]:
    """(line, why) of the first rows that cannot be imported."""
    texts = catalog(language)
    return [
        (one.line, say(f"reason.{one.reason}", language, **one.detail))
        for one in found.refusals
        if f"reason.{one.reason}" in texts
    ]


def contents(found: ImportPreview) -> list[str]:
    """The first ones as they will be stored."""
    return [json.dumps(one, ensure_ascii=False, indent=2)[:SHOWN_MOST] for one in found.first]


def _comparable(studio: Studio, name: str) -> str | None:
    """The dataset, if comparing with it takes no longer than a look may."""
    if not any(one.name == name for one in studio.datasets.list(name)):
        return None
    count = studio.records.count(Selection(dataset=name))
    return None if count.more or count.count > COMPARED_MOST else name
