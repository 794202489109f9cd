"""Rounds as a user runs them, in a process of its own; prints one JSON line. Called by `bench`.

python -m bench.rounds --url URL --db FILE --output-dir DIR --count N --rounds N

A conversation's round is 3 calls, one after the other; all conversations run side by side. So at a
latency of one second and without a limit the ideal is 3 × rounds seconds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.rig import PROMPT, now_s, usage
from corpusmith import Studio


def main() -> None:
    """Measure and print: from the triples' file to the files of all rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--db", required=True)
    parser.add_argument("--output-dir", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    given = parser.parse_args()
    folder = Path(given.output_dir)
    with Studio(db=f"sqlite:///{given.db}", language="en") as studio:
        began_s, before = now_s(), usage()
        result = studio.generate(
            recipe="rounds",
            input=triples(folder / "triples.jsonl", given.count),
            rounds=given.rounds,
            output_dir=folder / "data",
            seed=1,
            concurrency=given.count,
            connection={"base_url": given.url, "model": "sim-chat"},
        )
        took_s, after = now_s() - began_s, usage()
    last = 1 + given.rounds
    history = folder / "data" / f"round{last}" / f"round{last}_history.jsonl"
    figures = {
        "wall_s": took_s,
        "cpu_s": after["cpu_s"] - before["cpu_s"],
        "peak_mb": after["peak_mb"],
        "conversations": len(history.read_bytes().splitlines()),
        "calls": result.spend.calls,
    }
    print(json.dumps(figures))


def triples(path: Path, count: int) -> Path:
    """A file of so many made-up triples, about as long as real ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = (
        {"question": f"{number}：{PROMPT[:80]}", "answer": PROMPT[:250], "correction": PROMPT[:450]}
        for number in range(count)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


if __name__ == "__main__":
    main()
