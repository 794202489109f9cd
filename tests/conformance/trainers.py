"""The trainers, each a process in its own environment, and what they train on as plain values.

Owns: the processes, and reading ChatML back into turns. Does not own: how a trainer is called
(`workers/`); which files there are (the tests).

A turn is `(role, text, trained)`: `trained` says whether the loss counts it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
WORKERS = Path(__file__).parent / "workers"
NAMES = ("trl", "llamafactory", "axolotl")

Turn = tuple[str, str, bool]
Pieces = list[list[Any]]
_TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(<\|im_end\|>)\n?", re.DOTALL)
# A platform whose encoding is not UTF-8, as Windows in China: what is read without naming an
# encoding must be ASCII there. (Python would put UTF-8 in its place unless told not to.)
LOCALE_C = {"LC_ALL": "C", "PYTHONIOENCODING": "utf-8"}
_OWN = {"llamafactory": {**LOCALE_C, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}}
_KINDS = {".csv": "csv", ".parquet": "parquet", "": "folder"}


class Refused(Exception):
    """The trainer raised an error; its type and text are the message."""


class Worker:
    """One trainer's process. Made at once, it gets ready while others work."""

    def __init__(
        self, trainer: str, model: Path, folder: Path, own: Mapping[str, str] | None = None
    ) -> None:
        """`own`: variables of the environment, in place of the usual ones of this trainer."""
        own = _OWN.get(trainer, {}) if own is None else own
        self.trainer = trainer
        self._log = folder / f"{trainer}.log"
        set_here = {
            "HF_HOME": str(folder / f"{trainer}-cache"),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",  # three processes on two cores, and next to nothing to compute
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [python_of(trainer), WORKERS / f"{trainer}_worker.py", model],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env={**os.environ, **set_here, **own},
            )
        self._ready = False

    def rows(self, call: str, **given: Any) -> list[Any]:
        """The rows that came of it. Raises Refused with what the trainer said."""
        if not self._ready:
            assert self._read() == {"trainer": self.trainer}
            self._ready = True
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"call": call, **given}).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._read()
        if "error" in answer:
            raise Refused(answer["error"])
        return list(answer["rows"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text("utf-8", errors="replace")[-4000:]
        return dict(json.loads(line))

    def end(self) -> None:
        """At once: a trainer's own end takes seconds, and has nothing to save."""
        self._process.kill()
        self._process.communicate()


def python_of(trainer: str) -> Path:
    """The interpreter of the trainer's environment."""
    return ROOT / ".venv-conformance" / trainer / "bin" / "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainers:
    """Every way from a file to what is trained on. Rows come in the order of the file."""

    trl: Worker
    llamafactory: Worker
    axolotl: Worker

    def load_with_datasets(self, path: Path, split: str = "train") -> list[dict[str, Any]]:
        """The rows as Hugging Face `datasets` reads a file, or a folder in the hub's layout."""
        return self.trl.rows("rows", path=str(path), kind=kind_of(path), split=split)

    def load_with_trl_sft(self, path: Path, **options: Any) -> list[list[Turn]]:
        """With `assistant_only_loss` unless the options say otherwise."""
        return [turns(row["text"]) for row in self._trl("sft", path, **options)]

    def load_with_trl_dpo(self, path: Path) -> list[dict[str, list[Turn]]]:
        return [_pair(row) for row in self._trl("dpo", path)]

    def load_with_trl_kto(self, path: Path) -> list[dict[str, Any]]:
        return [_labelled(row) for row in self._trl("kto", path)]

    def train_with_trl(self, path: Path, way: str) -> float:
        """The loss of one real step of training, `sft`, `dpo` or `kto`."""
        (row,) = self._trl("step", path, way=way)
        return float(row["loss"])

    def load_with_llamafactory(self, folder: Path, name: str, stage: str = "sft") -> list[Any]:
        """Turns for stage `sft`, pairs of turns for `rm`, turns and a label for `kto`."""
        rows = self.llamafactory.rows("load", folder=str(folder), name=name, stage=stage)
        return [_OF_STAGE[stage](row) for row in rows]

    def load_with_axolotl(
        self, path: Path, config: dict[str, Any], rl: str | None = None
    ) -> list[dict[str, Any]]:
        """The rows with their texts as `[piece, trained]`; `config` is an entry of `datasets`."""
        kind = kind_of(path)
        where = {"path": str(path)} | ({} if kind == "folder" else {"ds_type": kind})
        return self.axolotl.rows("load", dataset={"split": "train", **where, **config}, rl=rl)

    def load_with_axolotl_chat(self, path: Path, config: dict[str, Any]) -> list[list[Turn]]:
        """What a config of `type: chat_template` trains on."""
        rows = self.load_with_axolotl(path, {"type": "chat_template", **config})
        return [turns(row["text"]) for row in rows]

    def load_with_axolotl_dpo(self, path: Path) -> list[dict[str, list[Turn]]]:
        """What `type: chat_template.default` trains on with `rl: dpo`."""
        rows = self.load_with_axolotl(path, {"type": "chat_template.default"}, rl="dpo")
        return [_pair(row) for row in rows]

    def _trl(self, call: str, path: Path, **options: Any) -> list[Any]:
        return self.trl.rows(call, path=str(path), kind=kind_of(path), **options)


def kind_of(path: Path) -> str:
    """The name that `datasets` has for a file like this; `folder` for a folder."""
    return _KINDS.get(path.suffix, "json")


def turns(pieces: Pieces) -> list[Turn]:
    """The turns of a ChatML text.

    Raises ValueError for text outside a turn, and for a turn that is trained on in part.
    """
    text = "".join(piece for piece, _ in pieces)
    marks = [trained for piece, trained in pieces for _ in piece]
    made, end = [], 0
    for found in _TURN.finditer(text):
        if found.start() != end:
            break
        end = found.end()
        made.append((found[1], found[2], _all_or_none(marks[found.start(2) : found.end(3)])))
    if end != len(text):
        raise ValueError(f"text that is no turn: {text[end:]!r} in {text!r}")
    return made


def _all_or_none(marks: Sequence[bool]) -> bool:
    if len(set(marks)) != 1:
        raise ValueError("a turn is trained on in part")
    return marks[0]


def _pair(row: dict[str, Pieces]) -> dict[str, list[Turn]]:
    return {one: turns(row[one]) for one in ("chosen", "rejected")}


def _labelled(row: dict[str, Any]) -> dict[str, Any]:
    return {"said": turns(row["text"]), "label": row["label"]}


_OF_STAGE = {"sft": lambda row: turns(row["text"]), "rm": _pair, "kto": _labelled}
