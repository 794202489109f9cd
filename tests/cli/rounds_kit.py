"""What the tests of rounds have in common: triples, files, and an endpoint that says what they
tell it to."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

from answering import Answer, answering, as_json, chat

Row = dict[str, Any]
SHARED = Path(__file__).parents[3] / "shared" / "data" / "triples_zh.jsonl"
COUNT = 236


def triples(folder: Path) -> Path:
    """The real triples; where they are not at hand, as many made-up ones as hard to carry."""
    path = folder / "triples.jsonl"
    if SHARED.is_file():
        path.write_bytes(SHARED.read_bytes())
    else:
        write(path, [_made_up(number) for number in range(COUNT)])
    return path


def _made_up(number: int) -> Row:
    rng = random.Random(number)
    code = f"```python\nprint({{'n': {number}}})  # {{name}} {{{{char}}}}\n```"
    said = "这件事要分几步来看，先看条件，再看做法。" * rng.randint(1, 40)
    return {
        "question": f"第{number}个问题：\n{code}",
        "answer": f"尊敬的[插入姓名]，{said}",
        "correction": f"{said}\n\n{code}",
    }


def write(path: Path, rows: Sequence[Row], end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + end for row in rows)
    path.write_bytes(text.encode())
    return path


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def history(folder: Path, number: int) -> list[Row]:
    name = "round1_history_seed" if number == 1 else f"round{number}_history"
    return read(folder / f"round{number}" / f"{name}.jsonl")


def single_turn(folder: Path, number: int) -> list[Row]:
    return read(folder / f"round{number}" / f"round{number}_single_turn.jsonl")


def files(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by its path there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def names(rounds: Sequence[int], *more: str) -> set[str]:
    """The files of these rounds."""
    found = set(more)
    for number in rounds:
        history_name = "round1_history_seed" if number == 1 else f"round{number}_history"
        found |= {
            f"round{number}/{history_name}.jsonl",
            f"round{number}/round{number}_single_turn.jsonl",
        }
    return found


Say = Callable[[list[dict[str, str]], int], str | None]
"""From the messages and the call's number: the reply, or None to refuse the request with 400."""


class Endpoint:
    """An OpenAI endpoint of the test's own. `say` may be changed while it runs."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.requests: list[list[dict[str, str]]] = []
        self.lock = threading.Lock()
        self.url = ""


@contextmanager
def endpoint(say: Say) -> Iterator[Endpoint]:
    """An endpoint that answers with what `say` says."""
    found = Endpoint(say)

    def answer(headers: Message, body: bytes) -> Answer:
        messages = json.loads(body)["messages"]
        with found.lock:
            found.requests.append(messages)
            number = len(found.requests)
        text = found.say(messages, number)
        if text is None:
            return as_json({"error": {"message": "refused", "type": "invalid_request_error"}}, 400)
        return chat(text)

    with answering(answer) as url:
        found.url = f"{url}/v1"
        yield found
