"""The `personal_data` check: no phone or ID number, e-mail address, bank card or key.

Owns: its options, and what it tells of a find: never the whole of it. Does not own: finding
(`personal.py`), flags and masks (`actions.py`). Reason: personal_data.

By default a find is a flag. Most numbers in made-up dialogues are made up too, which no rule can
see: to turn those drafts down would cost money and leave a dataset without customer services. A
flagged record is marked until a person has looked, and `mask` or `reject` is one word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from corpusmith.errors import SpecError
from corpusmith.quality.actions import (
    Act,
    acts_for,
    mask_sign,
    masked_content,
    strongest,
    texts_option,
    verdict_of,
)
from corpusmith.quality.personal import KINDS, Find, covered, find, shown
from corpusmith.quality.shapes import strings, written
from corpusmith.values import PASS, Draft, Json, Verdict

_AROUND_CHARS = 10
_CONTEXT_CHARS = 80
_PATH_CHARS = 120


class PersonalData:
    """Finds personal data in every text of a draft.

    `kinds`: which (all); `action`: flag, mask or reject, one for all or by kind (flag where it says
    nothing); `mask`: the sign for a masked character. Raises SpecError.
    """

    name: ClassVar[str] = "personal_data"

    def __init__(
        self,
        *,
        kinds: Sequence[str] = tuple(KINDS),
        action: str | Mapping[str, str] = "flag",
        mask: str = "*",
    ) -> None:
        self._kinds = _known_kinds(self.name, kinds)
        self._acts = acts_for(self.name, action, self._kinds, "flag")
        self._mask = mask_sign(self.name, mask)

    def __call__(self, draft: Draft) -> Verdict:
        found = [
            (path, text, finds)
            for path, text in strings(written(draft))
            if (finds := find(text, self._kinds))
        ]
        if not found:
            return PASS
        act = strongest(self._acts[one.kind] for _, _, finds in found for one in finds)
        return verdict_of(
            act,
            "personal_data",
            self._detail(act, found),
            lambda: masked_content(draft, self._masked),
        )

    def _detail(self, act: Act, found: Sequence[tuple[str, str, list[Find]]]) -> dict[str, Json]:
        """The first find of what decided, and how many there are of each kind."""
        path, text, one = next(
            (path, text, one)
            for path, text, finds in found
            for one in finds
            if self._acts[one.kind] == act
        )
        counts = Counter(one.kind for _, _, finds in found for one in finds)
        return {
            "kind": one.kind,
            **_excerpt(text, one),
            "path": covered(path)[:_PATH_CHARS],
            "hits": counts.total(),
            "kinds": dict(counts),
        }

    def masked(self, draft: Draft) -> Json:
        """A copy of the draft's content with all masked that is to be masked, whatever else it
        holds."""
        return masked_content(draft, self._masked)

    def _masked(self, text: str) -> str:
        kinds = [kind for kind in self._kinds if self._acts[kind] == "mask"]
        return covered(text, kinds, self._mask)


def _excerpt(text: str, one: Find) -> dict[str, Json]:
    """A find and what stands around it. Of a key nothing: its first signs say whose it is, and its
    length and signs what to look for."""
    if one.kind == "key":
        return {}
    # Around one find may stand another: none is told, in whole or in part.
    around = covered(text)[max(0, one.start - _AROUND_CHARS) : one.end + _AROUND_CHARS]
    return {
        "found": shown(one.kind, text[one.start : one.end]),
        "context": around[:_CONTEXT_CHARS],
    }


def _known_kinds(check: str, kinds: object) -> tuple[str, ...]:
    given = texts_option(check, "kinds", kinds)
    for kind in given:
        if kind not in KINDS:
            known = ", ".join(KINDS)
            raise SpecError("check_kind", name=check, kind=kind[:60], known=known)
    if not given:
        raise SpecError("check_texts", name=check, option="kinds")
    return tuple(dict.fromkeys(given))
