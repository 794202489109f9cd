"""How varied a sample of texts is. Pure; the same sample gives the same figures.

Owns: tokens of a text, distinct-n, the compression ratio, self-similarity, the tree of first words.
Does not own: drawing the sample (`tally.py`), what is said about it (`sections.py`).

A token is a Chinese or Japanese character, or a word of any other script, in lower case; blanks and
punctuation are none.
"""

from __future__ import annotations

import lzma
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

DISTINCT_TOKENS = 100_000
"""Distinct-n falls with the size of a text: only samples of one size compare."""
COMPRESSED_BYTES = 500_000
PAIRS = 5_000
SIMILARITY_GRAM = 4
SIMILARITY_TEXTS = 1_000
SIMILARITY_TOKENS = 1_000
"""Of each text."""
SIMILARITY_BINS = 10
_TOKEN_BITS = 20  # a thousand texts of a thousand tokens have fewer different ones
TREE_DEPTH = 3
TREE_WIDTH = (10, 5, 4)
"""Branches shown at each depth; the rest is one branch without a name."""
LONGEST_WORD = 40

_TOKEN = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|[^\W_]+")
_STEP = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{1,2}|[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """Of the first `DISTINCT_TOKENS` tokens: how many n-grams there are, and how many differ."""

    n: int
    grams: int
    different: int

    @property
    def share(self) -> float:
        return self.different / self.grams


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Jaccard indices of the 4-gram sets of pairs of texts."""

    pairs: int
    mean: float
    p99: float
    most: float
    bins: tuple[int, ...]
    """Pairs by index: below 0.1, below 0.2, … up to 1."""


@dataclass(slots=True, kw_only=True)
class Branch:
    """Texts that begin alike; `word` empty: all others of this depth."""

    word: str
    count: int = 0
    branches: list[Branch] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """Figures of one sample. None: there was too little text."""

    texts: int
    tokens: int
    """That distinct-n was worked out from."""
    distinct: tuple[Distinct, ...]
    compressed_bytes: int
    compression: float | None
    """Bytes before over bytes after; the higher, the more repeats itself."""
    similarity: Similarity | None
    openings: Branch | None
    """Its `count` is of all openings looked at."""


def diversity(texts: Sequence[str], openings: Sequence[str], rng: random.Random) -> Diversity:
    """All figures of a sample whose order says nothing."""
    tokens = list(islice((one for text in texts for one in tokens_of(text)), DISTINCT_TOKENS))
    body = _head(texts, COMPRESSED_BYTES)
    return Diversity(
        texts=len(texts),
        tokens=len(tokens),
        distinct=tuple(distinct(tokens, n) for n in (1, 2, 3) if len(tokens) >= n),
        compressed_bytes=len(body),
        compression=compression(body) if body else None,
        similarity=similarity(texts, rng),
        openings=tree(openings),
    )


def tokens_of(text: str) -> Iterable[str]:
    """See above."""
    return (match[0] for match in _TOKEN.finditer(text.lower()))


def distinct(tokens: Sequence[str], n: int) -> Distinct:
    """Distinct-n; `tokens` has at least `n`.

    Source: J. Li et al., "A Diversity-Promoting Objective Function for Neural Conversation Models"
    (2016).
    """
    grams = len(tokens) - n + 1
    different = len(set(zip(*(tokens[start:] for start in range(n)), strict=False)))
    return Distinct(n=n, grams=grams, different=different)


def compression(body: bytes) -> float:
    """How many times xz makes `body` smaller. Its window spans the whole sample, gzip's 32 kB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
    return len(body) / len(lzma.compress(body, format=lzma.FORMAT_RAW, filters=filters))


def similarity(texts: Sequence[str], rng: random.Random) -> Similarity | None:
    """Of pairs drawn at random, of two different texts each; None of fewer than two."""
    known: dict[str, int] = {}
    some = (_grams(text, known) for text in texts[:SIMILARITY_TEXTS])
    grams = [one for one in some if one]
    if len(grams) < 2:
        return None
    found = sorted(_jaccard(*rng.sample(grams, 2)) for _ in range(PAIRS))
    bins = Counter(min(int(one * SIMILARITY_BINS), SIMILARITY_BINS - 1) for one in found)
    return Similarity(
        pairs=len(found),
        mean=sum(found) / len(found),
        p99=found[int(len(found) * 0.99)],
        most=found[-1],
        bins=tuple(bins[place] for place in range(SIMILARITY_BINS)),
    )


def tree(openings: Iterable[str]) -> Branch | None:
    """How texts begin: a step is a word, or two Chinese characters. None of none."""
    root = _Node()
    for opening in openings:
        node = root
        node.count += 1
        for match in islice(_STEP.finditer(opening), TREE_DEPTH):
            node = node.children.setdefault(match[0].lower()[:LONGEST_WORD], _Node())
            node.count += 1
    return root.branch("", 0) if root.count else None


@dataclass(slots=True)
class _Node:
    count: int = 0
    children: dict[str, _Node] = field(default_factory=dict)

    def branch(self, word: str, depth: int) -> Branch:
        """With its widest branches, and one for the rest."""
        branch = Branch(word=word, count=self.count)
        if depth == TREE_DEPTH:
            return branch
        ordered = sorted(self.children.items(), key=lambda one: (-one[1].count, one[0]))
        shown = ordered[: TREE_WIDTH[depth]]
        branch.branches = [node.branch(name, depth + 1) for name, node in shown]
        rest = sum(node.count for _, node in ordered[len(shown) :])
        if rest:
            branch.branches.append(Branch(word="", count=rest))
        return branch


def _grams(text: str, known: dict[str, int]) -> frozenset[int]:
    """Its 4-grams as numbers: four tokens' numbers in one, which takes a third of the memory."""
    some = islice(tokens_of(text), SIMILARITY_TOKENS)
    tokens = [known.setdefault(one, len(known)) for one in some]
    starts = (tokens[start:] for start in range(SIMILARITY_GRAM))
    return frozenset(
        ((a << _TOKEN_BITS | b) << _TOKEN_BITS | c) << _TOKEN_BITS | d
        for a, b, c, d in zip(*starts, strict=False)
    )


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _head(texts: Iterable[str], size: int) -> bytes:
    """The first `size` bytes of all texts."""
    parts: list[bytes] = []
    left = size
    for text in texts:
        part = f"{text}\n".encode("utf-8", "replace")[:left]
        parts.append(part)
        left -= len(part)
        if not left:
            break
    return b"".join(parts)
