"""A feedback run in a process of its own; prints one JSON line. Called by `bench`.

python -m bench.feedback make|ours|plain --file FILE [--rows N] [--out FOLDER]

`plain` is the script that one would write without Corpusmith: the whole file by `json`, a list of
the good rows, three files. It checks nothing and reports nothing.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from bench.rig import now_s, usage

WORDS = (
    *("今天", "天气", "模型", "训练", "数据", "答案", "。", "，", "我们", "可以", "先把问题拆开"),
    *("the ", "quick ", "fox ", "because ", "\n", '"', ": "),
)
Figures = dict[str, Any]

MODELS = ("huanhuan-qwen", "qwen2-7b", "llama-3")
FIELDS = ("user_input", "model_response", "rating", "model_name", "id", "timestamp")
FILES = ("high_quality_samples.json", "high_quality_samples.jsonl", "alpaca_format_samples.json")


def make(path: Path, rows: int) -> None:
    """Feedback of about 600 bytes a row, as JSONL or (`.json`) as one indented array."""
    rng = random.Random(1)
    texts = ["".join(rng.choices(WORDS, k=rng.randrange(20, 60))) for _ in range(2000)]
    array = path.suffix == ".json"
    with path.open("wb") as out:
        for number in range(rows):
            row = {
                "id": f"fb-{number:07d}",
                "user_input": f"{number}：{rng.choice(texts)}",
                "model_response": rng.choice(texts) + rng.choice(texts),
                "rating": rng.randint(1, 5),
                "model_name": rng.choice(MODELS),
                "timestamp": "2026-01-02T03:04:05",
            }
            if array:
                text = orjson.dumps(row, option=orjson.OPT_INDENT_2).replace(b"\n", b"\n  ")
                out.write((b",\n  " if number else b"[\n  ") + text)
            else:
                out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        out.write(b"\n]\n" if array else b"")


def ours(path: Path, out: Path) -> Figures:
    """What the command does, without making the database."""
    from corpusmith import Studio

    with Studio(db=f"sqlite:///{out / 'store.db'}", language="en") as studio:
        return measured(
            lambda: studio.feedback.run(feedback_file=str(path), output_dir=str(out)).kept
        )


def plain(path: Path, out: Path) -> int:
    """What a script of twenty lines does."""
    with path.open(encoding="utf-8") as file:
        rows = json.load(file) if path.suffix == ".json" else [json.loads(line) for line in file]
    good = [_sample(row) for row in rows if row["rating"] >= 4]
    with (out / FILES[0]).open("w", encoding="utf-8") as file:
        json.dump(good, file, ensure_ascii=False, indent=2)
    with (out / FILES[1]).open("w", encoding="utf-8") as file:
        for row in good:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    alpaca = [{key: row[key] for key in ("instruction", "input", "output")} for row in good]
    with (out / FILES[2]).open("w", encoding="utf-8") as file:
        json.dump(alpaca, file, ensure_ascii=False, indent=2)
    return len(good)


def measured(work: Callable[[], int]) -> Figures:
    """Seconds and memory of `work`, which returns the number of rows kept."""
    before, began_s = usage(), now_s()
    kept = work()
    took_s, after = now_s() - began_s, usage()
    return {
        "kept": kept,
        "wall_s": took_s,
        "cpu_s": after["cpu_s"] - before["cpu_s"],
        "peak_mb": after["peak_mb"],
    }


def _sample(row: dict[str, Any]) -> dict[str, Any]:
    prompt, answer, rating, model, name, when = (row[field] for field in FIELDS)
    return {
        "instruction": prompt,
        "input": "",
        "output": answer,
        "rating": rating,
        "model_name": model,
        "feedback_id": name,
        "timestamp": when,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["make", "ours", "plain"])
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.what == "make":
        make(given.file, given.rows)
        print(json.dumps({"bytes": given.file.stat().st_size}))
        return
    given.out.mkdir(parents=True, exist_ok=True)
    if given.what == "ours":
        figures = ours(given.file, given.out)
    else:
        figures = measured(lambda: plain(given.file, given.out))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
