"""Sensitive words: MB/s of Chinese text with 50,000 words. Called by `bench`.

python -m bench.words [--texts N] [--words N]

`ours` is the check's own matcher with every spelling on: folding, inserted signs, borders. `bare`
is the library on the unfolded text, `naive` looks for one word after another, on a smaller slice.
Words are drawn evenly from the 6,763 characters of GB 2312. Texts are drawn from the same or, one
in five, from the 5,401 most used of Big5, with a fixed seed: as in real Chinese a few characters
are most of the text (the first 1,000 are 91 %). One text in ten has Latin words, one in fifty a
word with dots between its characters; one in fourteen has a hit, more than real data has.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

Figures = dict[str, Any]
ROUNDS = 5
NAIVE_TEXTS = 10
WEIGHTS = list(accumulate((rank + 20) ** -1.5 for rank in range(10_000)))
"""Zipf's law, cumulative: how often the rank-th most used character comes."""


def material(count: int, texts: int) -> tuple[list[str], list[str]]:
    """Words of two to five characters, and texts of about 900 bytes."""
    rng = random.Random(1)
    simplified, traditional = _signs("gb2312", 0xB0, 0xF7), _signs("big5", 0xA4, 0xC6)
    words: set[str] = set()
    while len(words) < count:
        words.add("".join(rng.choices(simplified, k=rng.choice((2, 3, 3, 4, 4, 5)))))
    ordered = sorted(words)
    made = []
    for number in range(texts):
        signs = traditional if number % 5 == 0 else simplified
        text = "".join(_sentence(rng, signs) for _ in range(rng.randrange(8, 30)))
        text += "The model's 3.5 answer" if number % 10 == 0 else ""
        text += ".".join(rng.choice(ordered)) if number % 50 == 0 else ""
        made.append(text)
    return ordered, made


def _sentence(rng: random.Random, signs: list[str]) -> str:
    weights = WEIGHTS[: len(signs)]
    return "".join(rng.choices(signs, cum_weights=weights, k=rng.randrange(5, 25))) + rng.choice(
        "，，，。！？；\n"
    )


def _signs(encoding: str, first: int, last: int) -> list[str]:
    """Its characters, shuffled: the order is not that of use."""
    pairs = (bytes((high, low)) for high in range(first, last + 1) for low in range(0x40, 0xFF))
    found = (pair.decode(encoding, "ignore") for pair in pairs)
    signs = [sign for sign in found if len(sign) == 1 and "\u4e00" <= sign <= "\u9fff"]
    random.Random(2).shuffle(signs)
    return signs


def figures(count: int, texts: int) -> Figures:
    """MB/s of each way, over the same texts in turn; ratios are of the medians."""
    from corpusmith.quality.personal import KINDS, find
    from corpusmith.quality.words import Matcher, Word

    words, made = material(count, texts)
    before_mb, began_s = _peak_mb(), time.perf_counter()
    matcher = Matcher(Word(text=word, category="bench") for word in words)
    build_s, built_mb = time.perf_counter() - began_s, _peak_mb() - before_mb
    bare = _library(words)
    ways: dict[str, Callable[[str], Sequence[Any]]] = {
        "ours": matcher.find,
        "bare": bare,
        "personal": lambda text: find(text, tuple(KINDS)),
    }
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    hits: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            speed, hits[name] = _mb_per_s(way, made)
            speeds[name].append(speed)
    naive, _ = _mb_per_s(lambda text: [word for word in words if word in text], made[:NAIVE_TEXTS])
    ours, library = statistics.median(speeds["ours"]), statistics.median(speeds["bare"])
    return {
        "words": len(words),
        "text_mb": sum(len(text.encode()) for text in made) / 1e6,
        "ours_mb_per_s": ours,
        "bare_library_mb_per_s": library,
        "naive_loop_mb_per_s": naive,
        "ratio_to_bare": ours / library,
        "ratio_to_naive": ours / naive,
        "hits": hits["ours"],
        "hits_bare": hits["bare"],
        "build_s": build_s,
        "build_mb": built_mb,
        "personal_data_mb_per_s": statistics.median(speeds["personal"]),
    }


def _library(words: list[str]) -> Callable[[str], Sequence[Any]]:
    from ahocorasick_rs import AhoCorasick

    automaton = AhoCorasick(words)
    return lambda text: automaton.find_matches_as_indexes(text, overlapping=True)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _mb_per_s(way: Callable[[str], Sequence[Any]], texts: Sequence[str]) -> tuple[float, int]:
    began_s = time.perf_counter()
    hits = sum(len(way(text)) for text in texts)
    return sum(len(text.encode()) for text in texts) / 1e6 / (time.perf_counter() - began_s), hits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--words", type=int, default=50_000)
    parser.add_argument("--texts", type=int, default=8_000)
    given = parser.parse_args()
    print(json.dumps(figures(given.words, given.texts)))


if __name__ == "__main__":
    main()
