"""The content of a record as people edit it: its texts, and whether an edit is fit to be saved.

Owns: which texts a content has and where they stand, and that an edited content keeps its shape.
Does not own: saving (`store/versions.py`), the format check (quality). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpusmith import registry
from corpusmith.errors import UsageError
from corpusmith.messages import say
from corpusmith.values import Draft, Json, Language, Record

Path = tuple[str | int, ...]
_BLOCKS = (str, list, dict)
_TALKS = {"dialogues": "content", "messages": "content", "conversations": "value"}
"""The key of a conversation → where a turn's words are: nothing else of it is edited as text."""


class BadContent(UsageError):
    """An edited content that does not keep its record's shape. Data: `record`, `place`, and the
    check's `reason` where it is the format check that says so."""

    code = "review_content"

    def message(self, language: Language) -> str:
        reason = self.data.get("reason")
        why = (
            say(f"reason.{reason}", language)
            if reason
            else say(f"review.misfit.{self.data['misfit']}", language)
        )
        return say("error.review_content", language, **{**self.data, "why": why})


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableText:
    """One text of a content."""

    label: str
    """Such as `dialogues.2.content`; counted from 1, as people do."""
    path: Path
    text: str


def texts_of(content: Json) -> list[EditableText]:
    """The texts of a content in order: of a conversation its turns, else everything written."""
    if isinstance(content, Mapping):
        for key, words in _TALKS.items():
            if isinstance(content.get(key), list):
                return [one for one in _texts(content[key], (key,)) if one.path[-1] == words]
    return list(_texts(content, ()))


def written_in(content: Json) -> Iterator[str]:
    """The texts of `texts_of`, one by one and without their places: a list of records shows how
    each of them begins."""
    if isinstance(content, dict):
        for key, words in _TALKS.items():
            if isinstance(content.get(key), list):
                return _turns(content[key], words)
    return (text for _, text in _named(content, ""))


def _turns(turns: Sequence[Json], words: str) -> Iterator[str]:
    for turn in turns:
        if isinstance(turn, dict) and all(isinstance(one, str) for one in turn.values()):
            if words in turn:
                yield turn[words]
        else:
            yield from (text for name, text in _named(turn, "") if name == words)


def _named(value: Json, name: str) -> Iterator[tuple[str, str]]:
    """(name of its field, text); of what stands in a list the name is empty."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _named(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, "")


def _texts(value: Json, path: Path) -> Iterator[EditableText]:
    if isinstance(value, str):
        label = ".".join(str(step + 1 if isinstance(step, int) else step) for step in path)
        yield EditableText(label=label, path=path, text=value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, (*path, place))


def with_text(content: Json, path: Path, text: str) -> Json:
    """A copy of `content` with `text` at `path`."""
    if not path:
        return text
    copy: Any = list(content) if isinstance(content, list) else dict(content)
    copy[path[0]] = with_text(copy[path[0]], path[1:], text)
    return copy


def refuse_misfit(record: Record, content: Json) -> None:
    """Raises BadContent for a content that is not of the record's shape.

    No field goes, and a text stays a text; then the format check has its say.
    """
    found = _misfit(record.content, content, "$")
    if found is not None:
        misfit, place = found
        raise BadContent(record=record.id, misfit=misfit, place=place)
    draft = Draft(content=content, provenance=record.provenance, labels=record.labels)
    verdict = registry.load("check", "format")()(draft)
    if not verdict.passed:
        place = str(verdict.detail.get("path", "$"))
        raise BadContent(record=record.id, reason=verdict.reason, place=place)


def _misfit(old: Json, new: Json, path: str) -> tuple[str, str] | None:
    """(what is wrong, where); None: it fits."""
    if isinstance(old, _BLOCKS) and type(new) is not type(old):
        return "type", path
    if isinstance(old, dict):
        for key, value in old.items():
            if key not in new:
                return "missing", f"{path}.{key}"
            if found := _misfit(value, new[key], f"{path}.{key}"):
                return found
    if isinstance(old, list) and old:
        return _misfit_list(old, new, path)
    return None


def _misfit_list(old: Sequence[Json], new: Sequence[Json], path: str) -> tuple[str, str] | None:
    """Whatever all of the old have in common, each of the new has; there may be more or fewer."""
    kinds = {type(one) for one in old}
    common = set.intersection(*map(set, old)) if kinds == {dict} else set()
    for place, one in enumerate(new):
        where = f"{path}[{place}]"
        if type(one) not in kinds and kinds & set(_BLOCKS):
            return "type", where
        for key in sorted(common):
            if key not in one:
                return "missing", f"{where}.{key}"
            types = {type(other[key]) for other in old}
            if type(one[key]) not in types and types <= set(_BLOCKS):
                return "type", f"{where}.{key}"
    return None
