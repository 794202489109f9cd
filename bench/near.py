"""Near duplicates among made-up Chinese texts, in a process of its own; prints one JSON line.
Called by `bench`.

python -m bench.near make|ours|bulk|datasketch|score --file FILE [--count N] [--verdicts FILE …]

A text has about 200 characters; every fifth is an earlier one with up to 14% of its characters
changed, so that many pairs lie close to Jaccard 0.7 on 3-grams. `ours` and `datasketch` take the
texts one by one as a running task does: look for a near duplicate, then add. Both write a line a
text, 1 for a duplicate. `score` compares with the truth, worked out with sets of Python.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench.rig import now_s, usage

THRESHOLD = 0.7
NGRAM = 3
MARKS = "，。！？；"
SAMPLE = 200
Figures = dict[str, Any]
Grams = frozenset[str]


def make(path: Path, count: int) -> None:
    """A line a text: the number of the one that it was made from (-1: none), a tab, the text."""
    rng = random.Random(7)
    signs = [chr(0x4E00 + place) for place in rng.sample(range(20_000), 2_500)]
    words = [
        "".join(rng.choices(signs, k=rng.choice((1, 2, 2, 2, 2, 3, 4)))) for _ in range(20_000)
    ]
    weights = list(accumulate(1 / (rank + 20) for rank in range(len(words))))
    texts: list[str] = []
    with path.open("w", encoding="utf-8") as out:
        for number in range(count):
            origin = rng.randrange(number) if number and rng.random() < 0.2 else -1
            if origin >= 0:
                text = _changed(texts[origin], rng, signs)
            else:
                size = max(20, int(rng.gauss(90, 18)))
                drawn = rng.choices(words, cum_weights=weights, k=size)
                for place in range(rng.randrange(5, 12), size, rng.randrange(5, 12)):
                    drawn[place] += rng.choice(MARKS)
                text = "".join(drawn)
            texts.append(text)
            out.write(f"{origin}\t{text}\n")


def _changed(text: str, rng: random.Random, signs: list[str]) -> str:
    rate = rng.uniform(0, 0.14)
    return "".join(rng.choice(signs) if rng.random() < rate else sign for sign in text)


def read(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            origin, text = line.rstrip("\n").split("\t")
            yield int(origin), text


def ours(path: Path) -> Callable[[str], bool]:
    from corpusmith.quality.near_index import NearIndex

    index = NearIndex(threshold=THRESHOLD)

    def seen(text: str) -> bool:
        prepared = index.prepare(text)
        match = index.nearest(prepared)
        index.add(prepared)
        return match is not None

    index.nearest("。")  # what is made on first use is not the index's own memory
    return seen


def datasketch(path: Path) -> Callable[[str], bool]:
    """As its documentation does it."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    keys = iter(range(1 << 60))

    def seen(text: str) -> bool:
        sketch = MinHash(num_perm=128)
        sketch.update_batch([gram.encode() for gram in grams(text)])
        found = bool(index.query(sketch))
        index.insert(next(keys), sketch)
        return found

    return seen


def one_by_one(path: Path, index: Callable[[Path], Callable[[str], bool]], out: Path) -> Figures:
    """Texts a second and memory, with a verdict a text in `out`."""
    seen = index(path)
    before, began_s, count = usage(), now_s(), 0
    with out.open("w") as verdicts:
        for _, text in read(path):
            verdicts.write("1\n" if seen(text) else "0\n")
            count += 1
    return _figures(count, before, began_s)


def bulk(path: Path) -> Figures:
    """All at once, as when a dataset is opened."""
    from corpusmith.quality.near_index import NearIndex

    index = NearIndex(threshold=THRESHOLD)
    index.nearest("。")
    before, began_s = usage(), now_s()
    index.add_many(text for _, text in read(path))
    index.nearest("。")
    return _figures(len(index), before, began_s)


def _figures(count: int, before: dict[str, float], began_s: float) -> Figures:
    took_s, after = now_s() - began_s, usage()
    return {
        "docs_per_s": count / took_s,
        "cpu_us_per_doc": 1e6 * (after["cpu_s"] - before["cpu_s"]) / count,
        "peak_mb": after["peak_mb"],
        "bytes_per_doc": (after["peak_mb"] - before["peak_mb"]) * 2**20 / count,
    }


# ---------------------------------------------------------------- the truth


def grams(text: str) -> Grams:
    plain = "".join(sign for sign in text if sign not in MARKS)
    return frozenset(plain[place : place + NGRAM] for place in range(len(plain) - NGRAM + 1))


def jaccard(one: Grams, other: Grams) -> float:
    return len(one & other) / len(one | other)


def score(path: Path, verdicts: list[Path]) -> Figures:
    """Recall and precision of each file of verdicts: is there an earlier text at the threshold?"""
    rows = list(read(path))
    truth = planted(rows)
    found, known = brute_force(rows, truth)
    return {
        "duplicates": sum(truth),
        "brute_force_sample": {"texts": SAMPLE, "duplicates": found, "planted": known},
        **{file.stem: _scored(truth, file) for file in verdicts},
    }


def planted(rows: list[tuple[int, str]]) -> list[bool]:
    """Whether an earlier text of the same family is at the threshold."""
    root: list[int] = []
    families: dict[int, list[str]] = {}
    parents = {origin for origin, _ in rows}
    truth = []
    for number, (origin, text) in enumerate(rows):
        root.append(root[origin] if origin >= 0 else number)
        if origin < 0 and number not in parents:
            truth.append(False)  # alone
            continue
        own, family = grams(text), families.setdefault(root[number], [])
        truth.append(any(jaccard(own, grams(other)) >= THRESHOLD for other in family))
        family.append(text)
    return truth


def brute_force(rows: list[tuple[int, str]], truth: list[bool]) -> tuple[int, int]:
    """Of `SAMPLE` texts, half of them planted ones, compared with all earlier ones: how many are
    duplicates, and how many of those are known by their families."""
    rng = random.Random(3)
    made = [number for number, (origin, _) in enumerate(rows) if origin >= 0]
    sample = {*rng.sample(made, SAMPLE // 2), *rng.sample(range(len(rows)), SAMPLE // 2)}
    own = {number: grams(rows[number][1]) for number in sample}
    holders: dict[str, list[int]] = {}
    for number, its in own.items():
        for gram in its:
            holders.setdefault(gram, []).append(number)
    found = set()
    for number, (_, text) in enumerate(rows):
        its = grams(text)
        shared = Counter(one for gram in its & holders.keys() for one in holders[gram])
        for one, both in shared.items():
            if number < one and both / (len(its) + len(own[one]) - both) >= THRESHOLD:
                found.add(one)
    return len(found), sum(truth[number] for number in found)


def _scored(truth: list[bool], file: Path) -> Figures:
    """The first texts only, where there are fewer verdicts."""
    flagged = [line == "1" for line in file.read_text().splitlines()]
    both = sum(map(min, truth, flagged))
    return {"recall": both / sum(truth[: len(flagged)]), "precision": both / sum(flagged)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["make", "ours", "bulk", "datasketch", "score"])
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--verdicts", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    if given.what == "make":
        make(given.file, given.count)
        figures: Figures = {"bytes": given.file.stat().st_size}
    elif given.what == "score":
        figures = score(given.file, given.verdicts)
    elif given.what == "bulk":
        figures = bulk(given.file)
    else:
        index = ours if given.what == "ours" else datasketch
        figures = one_by_one(given.file, index, given.verdicts[0])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
