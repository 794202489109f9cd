"""The `sensitive` check: no word of the lists of sensitive words.

Owns: its options, and what it tells of a find. Does not own: lists (`word_lists.py`), finding
(`words.py`), flags and masks (`actions.py`). Reason: sensitive_word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from corpusmith.errors import SpecError
from corpusmith.places import from_folder
from corpusmith.quality.actions import (
    Act,
    acts_for,
    mask_sign,
    masked_content,
    masked_text,
    strongest,
    texts_option,
    verdict_of,
)
from corpusmith.quality.personal import covered
from corpusmith.quality.shapes import strings, written
from corpusmith.quality.word_lists import by_category, is_shipped, of_categories, words_of
from corpusmith.quality.words import Hit, Matcher, Word, apart
from corpusmith.values import PASS, Draft, Json, Verdict

DEFAULT_LISTS = ("zh", "en")
OWN_CATEGORY = "words"
"""Of words that are given without one."""
_AROUND_CHARS = 10
_FOUND_CHARS = 60
_PATH_CHARS = 120
_CATEGORIES = 20


class Sensitive:
    """Finds the words of lists, in all spellings, in every text of a draft.

    `lists`: files, or names of shipped lists; `words`: further ones, in a list or by category;
    `action`: reject, mask or flag, one for all or by category (reject where it says nothing);
    `allow`: phrases in which a word is fine; `mask`: the sign for a masked character.
    Raises SpecError.
    """

    name: ClassVar[str] = "sensitive"

    def __init__(
        self,
        *,
        lists: Sequence[str] = DEFAULT_LISTS,
        words: Sequence[str] | Mapping[str, Sequence[str]] = (),
        action: str | Mapping[str, str] = "reject",
        allow: Sequence[str] = (),
        mask: str = "*",
    ) -> None:
        found = [*_of_lists(lists), *_of_words(words)]
        if not found:
            raise SpecError("words_none", name=self.name)
        self._acts = acts_for(self.name, action, {word.category for word in found}, "reject")
        self._matcher = Matcher(found, texts_option(self.name, "allow", allow))
        self._mask = mask_sign(self.name, mask)

    @staticmethod
    def copied(options: Mapping[str, Any]) -> dict[str, Any]:
        """`options` with the words of the lists in place of the lists."""
        if "lists" not in options:
            return dict(options)
        found = [*_of_lists(options["lists"]), *_of_words(options.get("words", ()))]
        return {**options, "lists": [], "words": by_category(found)}

    @staticmethod
    def from_folder(options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        """`options` with the files of its lists made to start from `folder`."""
        lists = options.get("lists")
        if not isinstance(lists, list):
            return dict(options)
        moved = [
            from_folder(one, folder) if isinstance(one, str) and not is_shipped(one) else one
            for one in lists
        ]
        return {**options, "lists": moved}

    def __call__(self, draft: Draft) -> Verdict:
        texts = list(strings(written(draft)))
        # One search for all: a line's end is a border that no word reaches over.
        if not self._matcher.find("\n".join(text for _, text in texts)):
            return PASS
        found = [(path, text, hits) for path, text in texts if (hits := self._matcher.find(text))]
        act = strongest(self._acts[hit.word.category] for _, _, hits in found for hit in hits)
        return verdict_of(
            act,
            "sensitive_word",
            self._detail(act, found),
            lambda: masked_content(draft, self._masked),
        )

    def _detail(self, act: Act, found: Sequence[tuple[str, str, list[Hit]]]) -> dict[str, Json]:
        """The first find of what decided, and how many there are of each category."""
        path, text, hit = next(
            (path, text, hit)
            for path, text, hits in found
            for hit in hits
            if self._acts[hit.word.category] == act
        )
        counts = Counter(one.word.category for _, _, hits in found for one in apart(hits))
        # Beside a word may stand a number or a key, which no verdict tells.
        around = covered(text)[max(0, hit.start - _AROUND_CHARS) : hit.end + _AROUND_CHARS]
        return {
            "category": hit.word.category,
            "word": hit.word.text,
            "found": text[hit.start : hit.end][:_FOUND_CHARS],
            "context": around[: 2 * _AROUND_CHARS + _FOUND_CHARS],
            "path": path[:_PATH_CHARS],
            "hits": counts.total(),
            "categories": dict(counts.most_common(_CATEGORIES)),
        }

    def masked(self, draft: Draft) -> Json:
        """A copy of the draft's content with all masked that is to be masked, whatever else it
        holds."""
        return masked_content(draft, self._masked)

    def _masked(self, text: str) -> str:
        return masked_text(text, self._to_mask, lambda sign: self._mask)

    def _to_mask(self, text: str) -> list[tuple[int, int]]:
        return [
            (hit.start, hit.end)
            for hit in self._matcher.find(text)
            if self._acts[hit.word.category] == "mask"
        ]


def _of_lists(lists: Any) -> list[Word]:
    names = texts_option(Sensitive.name, "lists", lists)
    return [word for one in dict.fromkeys(names) for word in words_of(one)]


def _of_words(words: Any) -> list[Word]:
    by_name = words if isinstance(words, Mapping) else {OWN_CATEGORY: words}
    given = {str(name): texts_option(Sensitive.name, "words", own) for name, own in by_name.items()}
    return of_categories(given)
