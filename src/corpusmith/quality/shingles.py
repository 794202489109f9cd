"""What of a text counts when texts are compared: its folded characters, and its shingles.

Owns: folding (case, width and punctuation make no difference), character n-grams as numbers,
leaving out what a template puts into every text. Does not own: comparing (`near_index.py`).
Needs numpy: whoever imports this module does so on use.

Folding is NFKC, casefold, NFKC again, and then only letters, marks, digits and symbols are kept:
no blanks, punctuation or control signs. A text of nothing but punctuation keeps it.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
"""Code points."""
Keys = NDArray[np.uint64]
"""Shingles as numbers. Up to three characters stand in 63 bits as they are; longer ones are
hashed, and two of them are taken for one at odds of 1 to 2^64."""

_KEPT = frozenset("LMNS")
_DENSE, _SPARSE = 3, 5
_DENSE_FROM = 0x2E80  # radicals, kana, ideographs, Hangul, and emoji
_EXACT = 3
_BITS = np.uint64(21)  # of a code point
_WHOLE = 1 << 63
"""Set in the key of a text that is shorter than a shingle: it resembles only its equals."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

_UNKNOWN = 0xFFFFFFFF
_COMPLEX = 0xFFFFFFFE
_folded = np.full(0x110000, _UNKNOWN, np.uint32)
"""What each character folds to if that depends on no other; 0: it is left out. Filled on use:
unicodedata and re take 42 µs for 200 Chinese characters (full-width punctuation makes NFKC slow),
this table 6."""


def fold(text: str) -> Codes:
    """The characters that count, none for a text of blanks."""
    codes = codes_of(text)
    folded = _folded[codes]
    if folded.size and folded.max() >= _COMPLEX:
        for code in np.unique(codes[folded == _UNKNOWN]).tolist():
            _folded[code] = _fold_one(chr(code))
        folded = _folded[codes]
        if _COMPLEX in folded:
            return codes_of(_fold_as_text(text))
    kept = folded[folded != 0]
    return kept if kept.size or not text else codes_of(_fold_as_text(text))


def _fold_as_text(text: str) -> str:
    """The definition."""
    composed = _compose(text)
    kept = "".join(char for char in composed if unicodedata.category(char)[0] in _KEPT)
    return kept or "".join(composed.split())


def _compose(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)


def _fold_one(char: str) -> int:
    """What a character folds to in any company, 0 for nothing; `_COMPLEX` if that depends."""
    composed = _compose(char)
    if any(map(_joins, char + composed)):
        return _COMPLEX
    kept = [one for one in composed if unicodedata.category(one)[0] in _KEPT]
    return _COMPLEX if len(kept) > 1 else ord(kept[0]) if kept else 0


def _joins(char: str) -> bool:
    """It may become one with the character before it."""
    return unicodedata.category(char)[0] == "M" or "\u1100" <= char <= "\u11ff"


def codes_of(text: str) -> Codes:
    """Its code points."""
    # A reply may hold half a surrogate pair; it is a character like any other here.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def text_of(codes: Codes) -> str:
    """The text of these code points."""
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


class Shingler:
    """Makes the shingles of folded texts: `ngram` characters each, or by their script.

    A Chinese, Japanese or Korean sign says as much as a few letters: a shingle that begins with one
    has 3 characters, any other 5. With 3 letters all long English texts are a little alike; with 5
    signs one of them changed in a short Chinese sentence makes another sentence of it.

    What `boilerplate` texts consist of is left out: the fixed parts of a template, which would make
    all that was made with it alike. If nothing else is there, the text is compared as a whole.
    """

    def __init__(self, ngram: int | None = None, boilerplate: Sequence[str] = ()) -> None:
        self._dense, self._sparse = (ngram, ngram) if ngram else (_DENSE, _SPARSE)
        parts = [self._grams(fold(text)) for text in boilerplate]
        self._boilerplate = np.unique(np.concatenate([np.empty(0, np.uint64), *parts]))

    def shingles(self, codes: Codes) -> Keys:
        """As they come, also several times, at least one."""
        keys = self._grams(codes)
        if self._boilerplate.size:
            rest = keys[~self._is_boilerplate(keys)]
            keys = rest if rest.size else keys
        return keys if keys.size else _whole(codes)

    def _grams(self, codes: Codes) -> Keys:
        wide = codes.astype(np.uint64)
        dense = _grams(wide, self._dense)
        if self._sparse == self._dense:
            return dense
        letters = codes < _DENSE_FROM
        if not letters.any():
            return dense
        sparse = _grams(wide, self._sparse)
        return np.concatenate((dense[~letters[: dense.size]], sparse[letters[: sparse.size]]))

    def _is_boilerplate(self, keys: Keys) -> NDArray[np.bool_]:
        places = np.searchsorted(self._boilerplate, keys)
        found: NDArray[np.bool_] = self._boilerplate.take(places, mode="clip") == keys
        return found


def distinct(keys: Keys) -> Keys:
    """Ascending, each once."""
    keys = np.sort(keys)
    first = np.empty(keys.size, np.bool_)
    first[:1] = True
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return keys[first]


def _grams(codes: Keys, length: int) -> Keys:
    """The keys of all n-grams of this length."""
    count = max(0, codes.size - length + 1)
    keys = codes[:count].copy()
    for offset in range(1, length):
        if offset < _EXACT:
            keys <<= _BITS
        else:
            keys *= _MULTIPLIER
        keys += codes[offset : offset + count]
    return keys


def _whole(codes: Codes) -> Keys:
    digest = hashlib.blake2b(codes.tobytes(), digest_size=8).digest()
    return np.array([int.from_bytes(digest, "little") | _WHOLE], np.uint64)
