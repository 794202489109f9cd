"""Words: what of a text is searched for, and what a query asks. Pure.

Owns: the one way in which texts and queries become words, so that both databases find the same.
Does not own: the index (`record_text.py`).

A word is a run of letters and digits; of Chinese and Japanese each character is one. Width, case
and punctuation make no difference. A query's parts between blanks are phrases, all of which must
be there, in any order and any text of the record; a phrase's words stand one after the other in
one text. A last word that is no Chinese matches as a beginning (`train` finds `training`), unless
the phrase is in quotes.

The index holds each word and each pair of neighbours. So a phrase of one or two words, `的` or
`我们` too, is answered by one entry; of a longer one all pairs must be there, and the text has the
last word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from corpusmith.values import Json

LONGEST = 40
"""Characters of a word that the index knows."""
MOST_TERMS = 60
"""Asked of the index at once; of a longer query the texts have the last word."""
JOIN = "_"
"""Between the words of a pair; no word holds it."""
_SINGLE = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U000323af"
)
_WORD = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]+")
_ALONE = re.compile(f"[{_SINGLE}]")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂", '"'))


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def texts_in(content: Json) -> Iterator[str]:
    """All texts of a content, not the names of its fields."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from texts_in(value)
    elif isinstance(content, list):
        for value in content:
            yield from texts_in(value)


def length_of(content: Json) -> int:
    """Characters of all texts of a content together."""
    # In the write path of the engine: no generator.
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        content = content.values()
    elif not isinstance(content, (list, tuple)):
        return 0
    length = 0
    for value in content:
        length += len(value) if isinstance(value, str) else length_of(value)
    return length


def terms_of(content: Json) -> set[str]:
    """What the index is to hold of a content: its words, and pairs of neighbours."""
    found: set[str] = set()
    for text in texts_in(content):
        words = [word[:LONGEST] for word in words_of(text)]
        found.update(words)
        found.update(first + JOIN + second for first, second in pairwise(words))
    return found


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand one after the other."""

    words: tuple[str, ...]
    open: bool
    """Whether the last word may go on."""

    def terms(self) -> list[str]:
        """What the index must hold for it; the last one may go on where the phrase is open."""
        short = [word[:LONGEST] for word in self.words]
        if len(short) == 1:
            return short
        return [first + JOIN + second for first, second in pairwise(short)]

    def stands_in(self, words: Sequence[str]) -> bool:
        """Whether a text of these words holds it."""
        own, size = self.words, len(self.words)
        first, last = own[0], own[-1]
        for at in range(len(words) - size + 1):
            if size > 1 and words[at] != first:
                continue
            end = words[at + size - 1]
            if not (end.startswith(last) if self.open else end == last):
                continue
            if tuple(words[at : at + size - 1]) == own[:-1]:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: all of the phrases. Without any, nothing is found."""

    phrases: tuple[Phrase, ...]

    def terms(self) -> list[tuple[str, bool]]:
        """Entries that the index must hold of a record that fits, each with whether it may be only
        the beginning of one."""
        found: dict[tuple[str, bool], None] = {}
        for phrase in self.phrases:
            terms = phrase.terms()
            found |= dict.fromkeys((term, False) for term in terms[:-1])
            found[terms[-1], phrase.open and len(phrase.words[-1]) <= LONGEST] = None
        # The longest say most.
        return sorted(found, key=lambda one: -len(one[0]))[:MOST_TERMS]

    @property
    def loose(self) -> bool:
        """Whether a record may hold all `terms` and yet not fit."""
        terms = sum(len(phrase.terms()) for phrase in self.phrases)
        return terms > MOST_TERMS or any(
            len(phrase.words) > 2 or any(len(word) > LONGEST for word in phrase.words)
            for phrase in self.phrases
        )

    def fits(self, content: Json) -> bool:
        """Whether the content is one that is looked for."""
        texts = [words_of(text) for text in texts_in(content)]
        return bool(self.phrases) and all(
            any(phrase.stands_in(words) for words in texts) for phrase in self.phrases
        )


def query_of(text: str) -> Query:
    """What a person typed. Signs that are no words ask for nothing; no text is wrong."""
    phrases: dict[Phrase, None] = {}
    for place, part in enumerate(text.translate(_QUOTES).split('"')):
        quoted = place % 2 == 1
        for piece in [part] if quoted else part.split():
            if words := tuple(words_of(piece)):
                phrases[Phrase(words, not quoted and not _ALONE.match(words[-1]))] = None
    return Query(tuple(phrases))
