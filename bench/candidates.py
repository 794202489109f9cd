"""What was chosen beside what was not: libraries on the same 200,000 Chinese texts.

python -m bench.candidates words|language|near [--count N] [--only NAME …]

Each candidate runs in a process of its own and prints a line of JSON: texts for a second of CPU
time, precision, recall, memory. Candidates that are not installed say so; the project needs none
of them but the one that it uses. `words`: 50,000 words in texts of `bench.near`, truth by looking
for one word after another in 200 of them. `language`: pieces of 20 to 200 characters of the texts
in ../shared/data, one in five English. `near`: `bench.near`'s texts, truth by its `score`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bench import near
from bench.rig import usage

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
COUNT, WORDS, SAMPLE = 200_000, 50_000, 200
Find = Callable[[str], set[str]]
Tell = Callable[[str], str | None]


# ---------------------------------------------------------------- words


def words_of(texts: Iterable[str]) -> list[str]:
    """Three to five characters each, one in 250 cut from a text, so that there are hits."""
    rng = random.Random(3)
    pool = [text for text in texts if len(text) > 20]
    found: set[str] = set()
    while len(found) < WORDS:
        size = rng.choice((3, 3, 4, 4, 5))
        text = rng.choice(pool)
        at = rng.randrange(len(text) - size)
        word = text[at : at + size]
        if len(found) % 250:
            word = "".join(rng.choice(text) for _ in range(size))
        if not set(word) & set(near.MARKS):
            found.add(word)
    return sorted(found)


def ours_words(words: list[str]) -> Find:
    from corpusmith.quality.words import Matcher, Word

    matcher = Matcher(Word(text=word, category="") for word in words)
    return lambda text: {hit.word.text for hit in matcher.find(text)}


def ahocorasick_rs(words: list[str]) -> Find:
    automaton = importlib.import_module("ahocorasick_rs").BytesAhoCorasick(
        [word.encode() for word in words]
    )
    return lambda text: {
        words[one]
        for one, _, _ in automaton.find_matches_as_indexes(text.encode(), overlapping=True)
    }


def pyahocorasick(words: list[str]) -> Find:
    automaton = importlib.import_module("ahocorasick").Automaton()
    for word in words:
        automaton.add_word(word, word)
    automaton.make_automaton()
    return lambda text: {word for _, word in automaton.iter(text)}


def flashtext(words: list[str]) -> Find:
    found = importlib.import_module("flashtext").KeywordProcessor(case_sensitive=True)
    found.add_keywords_from_list(words)
    return lambda text: set(found.extract_keywords(text))


def words(path: Path, make: Callable[[list[str]], Find]) -> dict[str, Any]:
    texts = [text for _, text in near.read(path)]
    wanted = words_of(texts[:20_000])
    before = usage()
    find = make(wanted)
    find(texts[0])
    built = usage()
    for text in texts:
        find(text)
    after = usage()
    right = wrong = missed = 0
    for text in texts[:: max(1, len(texts) // SAMPLE)]:
        told, there = find(text), {word for word in wanted if word in text}
        right, wrong, missed = (
            right + len(told & there),
            wrong + len(told - there),
            missed + len(there - told),
        )
    return {
        "build_cpu_s": built["cpu_s"] - before["cpu_s"],
        "mb": built["peak_mb"] - before["peak_mb"],
        "docs_per_cpu_s": len(texts) / (after["cpu_s"] - built["cpu_s"]),
        "precision": right / max(1, right + wrong),
        "recall": right / max(1, right + missed),
    }


# ---------------------------------------------------------------- language


def pieces(count: int) -> Iterator[tuple[str, str]]:
    """(language, text): windows of what people wrote."""
    rng = random.Random(5)
    chinese = [
        text
        for row in [
            *json.loads((DATA / "alpaca_zh.json").read_text("utf-8")),
            *map(json.loads, (DATA / "triples_zh.jsonl").read_text("utf-8").splitlines()),
        ]
        for text in row.values()
        if len(text) > 200
    ]
    english = [
        row["model_response"]
        for row in map(json.loads, (DATA / "thumbs_en.jsonl").read_text("utf-8").splitlines())
        if len(row["model_response"]) > 200
    ]
    made = 0
    while made < count:
        language, pool = ("en", english) if rng.random() < 0.2 else ("zh", chinese)
        text = rng.choice(pool)
        size = rng.randrange(20, 200)
        at = rng.randrange(max(1, len(text) - size))
        piece = text[at : at + size]
        han = sum("\u4e00" <= sign <= "\u9fff" for sign in piece)
        if (han > 0.5 * size) if language == "zh" else (han == 0 and piece.isascii()):
            made += 1
            yield language, piece


def ours_language(count: int) -> Tell:
    from corpusmith.quality.languages import language_of

    return language_of


def lingua(count: int) -> Tell:
    module = importlib.import_module("lingua")
    detector = module.LanguageDetectorBuilder.from_all_languages().build()

    def tell(text: str) -> str | None:
        found = detector.detect_language_of(text)
        return None if found is None else str(found.iso_code_639_1.name).lower()

    return tell


def py3langid(count: int) -> Tell:
    classify = importlib.import_module("py3langid").classify
    return lambda text: str(classify(text)[0])


def language(count: int, make: Callable[[int], Tell]) -> dict[str, Any]:
    texts = list(pieces(count))
    before = usage()
    tell = make(count)
    for _, text in texts[:100]:
        tell(text)
    built = usage()
    told = [tell(text) for _, text in texts]
    after = usage()
    rights = sum(is_ == one == "zh" for is_, (one, _) in zip(told, texts, strict=True))
    chinese = sum(one == "zh" for one, _ in texts)
    english = sum(is_ == one == "en" for is_, (one, _) in zip(told, texts, strict=True))
    return {
        "mb": after["peak_mb"] - before["peak_mb"],
        "docs_per_cpu_s": len(texts) / (after["cpu_s"] - built["cpu_s"]),
        "precision": rights / max(1, told.count("zh")),
        "recall": rights / chinese,
        "recall_en": english / (len(texts) - chinese),
    }


# ---------------------------------------------------------------- near duplicates


def rensa(path: Path) -> Callable[[str], bool]:
    """Its sketches and index, 24 bands of 5; what is found is compared exactly."""
    module = importlib.import_module("rensa")
    index = module.RMinHashLSH(threshold=near.THRESHOLD, num_perm=120, num_bands=24)
    known: list[near.Grams] = []

    def seen(text: str) -> bool:
        grams = near.grams(text)
        sketch = module.RMinHash(num_perm=120, seed=42)
        sketch.update(sorted(grams))
        found = any(
            near.jaccard(grams, known[number]) >= near.THRESHOLD for number in index.query(sketch)
        )
        index.insert(len(known), sketch)
        known.append(grams)
        return found

    return seen


CANDIDATES: dict[str, dict[str, Any]] = {
    "words": {
        "ours": ours_words,
        "ahocorasick_rs": ahocorasick_rs,
        "pyahocorasick": pyahocorasick,
        "flashtext": flashtext,
    },
    "language": {"ours": ours_language, "py3langid": py3langid, "lingua": lingua},
    "near": {"ours": near.ours, "rensa": rensa, "datasketch": near.datasketch},
}


def measured(part: str, name: str, path: Path, count: int) -> dict[str, Any]:
    make = CANDIDATES[part][name]
    if part == "words":
        return words(path, make)
    if part == "language":
        return language(count, make)
    verdicts = path.with_suffix(f".{name}")
    figures = near.one_by_one(path, make, verdicts)
    return {**figures, **near.score(path, [verdicts])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("part", choices=CANDIDATES)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--file", type=Path, help="the texts; for the processes that it starts")
    given = parser.parse_args()
    names = given.only or list(CANDIDATES[given.part])
    if given.file is not None:
        try:
            figures = measured(given.part, names[0], given.file, given.count)
        except ModuleNotFoundError as error:
            figures = {"missing": error.name}
        print(json.dumps({"candidate": names[0], **figures}), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.tsv"
        if given.part != "language":
            near.make(path, given.count)
        for name in names:
            options = ["--count", str(given.count), "--file", str(path), "--only", name]
            subprocess.run(
                [sys.executable, "-m", "bench.candidates", given.part, *options], check=True
            )


if __name__ == "__main__":
    main()
