"""What a person filled in: read, checked by the same models as REST, and shown again with what is
wrong beside each field.

Owns: the way from a form's texts to a model's fields and back. Does not own: the models.
"""

from __future__ import annotations

import types
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from fastapi import Depends, Request, UploadFile
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Received

from corpusmith.api.errors import message_of
from corpusmith.api.etags import mark_of
from corpusmith.errors import Conflict, CorpusmithError, UsageError
from corpusmith.service.fields import FieldsError, Problem
from corpusmith.values import Language

M = TypeVar("M", bound=BaseModel)

SEEN, CHANGED = "seen", "changed_meanwhile"
NUL = "\0"
"""Databases hold none in a text. No browser lets anybody type one: the sender is a program."""
MOST_FIELDS = 2000
MOST_FILES = 200
MOST_PART_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form's fields with what stands in them and what is wrong with them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    """By field; under the empty name: what is wrong with all of it."""
    readonly: bool = False
    """Whoever looks at it may change nothing: fields can be read, and the page has no button."""

    def value(self, name: str, otherwise: Any = "") -> Any:
        """What stands in a field, as text; of a list, its parts."""
        found = self.values.get(name)
        if found is None:
            return otherwise
        return f"{found:g}" if isinstance(found, float) else found

    def problem(self, name: str) -> str:
        """What is wrong with a field; empty: nothing."""
        return self.problems.get(name, "")

    @property
    def elsewhere(self) -> str:
        """What is wrong, but with no field."""
        return self.problems.get("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What came in. `FormOf` reads it."""

    data: FormData

    def text(self, name: str, otherwise: str = "") -> str:
        """A field's text without blanks around it."""
        found = self.data.get(name)
        return found.strip() if isinstance(found, str) else otherwise

    def texts(self, name: str) -> list[str]:
        """All texts of a field that may stand there several times, the empty ones left out."""
        found = (one.strip() for one in self.data.getlist(name) if isinstance(one, str))
        return [one for one in found if one]

    def files(self, name: str) -> list[UploadFile]:
        """The files of a field; read one by `.file`."""
        found = (one for one in self.data.getlist(name) if isinstance(one, Received))
        return [cast(UploadFile, one) for one in found if one.filename]

    def refuse_changed(self, now: str) -> None:
        """Raises Conflict where the form was made of something else than what is stored now."""
        if self.text(SEEN) not in ("", now):
            raise Conflict(CHANGED)

    def checked(self, model: type[M], /, **more: Any) -> M:
        """The fields as `model` has them, and `more`. Raises FieldsError.

        An empty field counts as not given, unless the model's is a text; a box that is not ticked
        is False.
        """
        given = {**_given(self, model), **more}
        try:
            return model.model_validate(given, strict=False)
        except ValidationError as error:
            raise FieldsError.of(error, model, "") from None

    def refused(
        self,
        error: CorpusmithError,
        language: Language,
        *,
        beside: Mapping[str, str] | None = None,
        secret: Sequence[str] = (),
        now: str = "",
    ) -> Filled:
        """The form as it was filled in, with what is wrong.

        `beside`: error code → the field it speaks of. `secret`: fields that never go back.
        `now`: the mark of what is stored, so that sending once more covers it.
        """
        values: dict[str, Any] = {}
        for name in self.data:
            texts = self.texts(name)
            values[name] = texts if len(texts) > 1 else self.text(name)
        for name in secret:
            values.pop(name, None)
        if error.reason == CHANGED:
            values[SEEN] = now
        filled = Filled(values=values)
        if isinstance(error, FieldsError):
            return replace(filled, problems=_problems(error.data["problems"], language))
        place = (beside or {}).get(error.reason, "")
        return replace(filled, problems={place: message_of(error, language)})


def filled_with(noun: Any, *, readonly: bool = False) -> Filled:
    """A form over a thing's own fields."""
    names = noun.__dataclass_fields__ if hasattr(noun, "__dataclass_fields__") else dict(noun)
    read = getattr if hasattr(noun, "__dataclass_fields__") else dict.get
    values = {name: read(noun, name) for name in names}
    return Filled(values={**values, SEEN: mark_of(noun)}, readonly=readonly)


def _problems(problems: Sequence[Problem], language: Language) -> dict[str, str]:
    return {one.place: one.text(language) for one in problems}


def _given(form: Form, model: type[BaseModel]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        kinds = _kinds(info.annotation)
        if bool in kinds:
            given[name] = form.text(name) not in ("", "false", "off")
        elif kinds & {list, tuple, Sequence}:
            given[name] = form.texts(name)
        elif name in form.data:
            text = form.text(name)
            if text or (str in kinds and type(None) not in kinds):
                given[name] = text
    return given


def _kinds(annotation: Any) -> set[Any]:
    """The types that an annotation names, without what is in their brackets."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return {kind for part in get_args(annotation) for kind in _kinds(part)}
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    return {origin or annotation}


async def read_form(request: Request) -> AsyncIterator[Form]:
    """What came in, for as long as the page is made. Raises UsageError `form_nul`."""
    limits: Any = {"max_fields": MOST_FIELDS, "max_part_size": MOST_PART_BYTES}
    # Closed when the page is made: files that came lie in temporary ones.
    async with request.form(max_files=MOST_FILES, **limits) as data:
        if any(isinstance(one, str) and NUL in one for _, one in data.multi_items()):
            raise UsageError("form_nul")
        yield Form(data=data)


FormOf = Annotated[Form, Depends(read_form)]
