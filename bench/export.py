"""Exports in a process of its own; prints one JSON line. Called by `bench`.

    python -m bench.export format --form FORM --file FILE --count N
    python -m bench.export store --form FORM --file FILE --count N --db DATABASE

`format`: records that are made as they are taken, through exporter and container into a file.
`store`: records that were imported into a database, through `studio.exports`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.feedback import WORDS
from bench.rig import now_s, usage
from corpusmith.exports.files import write_file
from corpusmith.exports.formats import format_of
from corpusmith.values import Json, Record

Figures = dict[str, Any]
TEXTS = 2000


def dialogue(said: Callable[[], str], number: int) -> Json:
    """Three turns, about 1 kB."""
    turns = [{"role": role, "content": said()} for _ in range(3) for role in ("user", "assistant")]
    return {
        "scenario_labels": ["日常对话"],
        "dialogues": turns,
        "turn_count": 3,
        "batch_id": "batch_20241201_143022",
        "generation_time": f"2024-12-01T14:30:{number % 60:02}",
    }


def rounds(said: Callable[[], str], number: int) -> Json:
    """Two rounds: two pairs."""
    names = ("question", "answer", "correction")
    told = [{name: f"{place}{said()}" for place, name in enumerate(names)} for _ in range(2)]
    return {"id": f"r1-{number:06}", "rounds": told}


def question(said: Callable[[], str], number: int) -> Json:
    """One question and its answer."""
    return {"question": said(), "answer": said()}


KINDS: dict[str, Callable[[Callable[[], str], int], Json]] = {
    **dict.fromkeys(("dpo", "dpo_trl", "dpo_alpaca"), rounds),
    "kto_axolotl": question,
}


def records(kind: Callable[[Callable[[], str], int], Json], count: int) -> Iterator[Record]:
    """So many, one after the other; every one is rated, so that each makes a row of KTO."""
    rng = random.Random(1)
    texts = ["".join(rng.choices(WORDS, k=rng.randrange(20, 60))) for _ in range(TEXTS)]

    def said() -> str:
        return rng.choice(texts)

    for number in range(count):
        yield Record(
            id=number + 1,
            task_id=1,
            dataset_id=None,
            category="c",
            ordinal=number,
            sample=0,
            content=kind(said, number),
            provenance={},
            labels={},
            state="pending",
            committed=True,
            created_at="2024-12-01T14:30:22",
            rating=number % 2 * 4 + 1,
        )


def through_format(form: str, file: Path, count: int) -> Figures:
    """Records into rows into bytes, without a database."""
    chosen = format_of(form, str(file), {})
    flat = not chosen.container.nested and chosen.exporter.columns is not None
    kind = question if flat else KINDS.get(form, dialogue)
    rows = chosen.exporter.rows

    def made() -> int:
        given = (row for record in records(kind, count) for row in rows(record))
        return write_file(file, chosen.container, given).rows

    return measured(made, file)


def making(count: int) -> float:
    """Seconds that it takes to make the records alone, which no format can beat."""
    began_s = now_s()
    for _ in records(dialogue, count):
        pass
    return now_s() - began_s


def fill(file: Path, db: Path, count: int) -> None:
    """A database with so many dialogues, imported from a file."""
    from corpusmith import Studio

    with file.open("wb") as out:
        for record in records(dialogue, count):
            out.write(orjson.dumps(record.content, option=orjson.OPT_APPEND_NEWLINE))
    with Studio(db=f"sqlite:///{db}", language="en") as studio:
        studio.imports.run(str(file), "bench")


def through_store(form: str, file: Path, db: Path) -> Figures:
    """What the command does, from the database into the file."""
    from corpusmith import Studio

    with Studio(db=f"sqlite:///{db}", language="en") as studio:
        return measured(lambda: studio.exports.write(file, dataset="bench", form=form).rows, file)


def measured(work: Callable[[], int], file: Path) -> Figures:
    """Rows, seconds and memory of `work`, which returns how many rows it wrote."""
    before, began_s = usage(), now_s()
    rows = work()
    took_s, after = now_s() - began_s, usage()
    return {
        "rows": rows,
        "wall_s": took_s,
        "cpu_s": after["cpu_s"] - before["cpu_s"],
        "peak_mb": after["peak_mb"],
        "mb": file.stat().st_size / 1e6,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["format", "fill", "store", "making"])
    parser.add_argument("--form", default="messages")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--db", type=Path)
    given = parser.parse_args()
    if given.what == "making":
        print(json.dumps({"wall_s": making(given.count)}))
    elif given.what == "fill":
        fill(given.file, given.db, given.count)
        print(json.dumps({}))
    elif given.what == "store":
        print(json.dumps(through_store(given.form, given.file, given.db)))
    else:
        print(json.dumps(through_format(given.form, given.file, given.count)))


if __name__ == "__main__":
    main()
