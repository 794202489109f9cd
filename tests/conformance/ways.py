"""Who reads an export and how, and what should arrive there.

Owns: one call for each reader; what a kind of records should teach by each way of training. Does
not own: the records (`stocked.py`), the trainers' processes (`trainers.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stocked import Kind
from trainers import Trainers, Turn
from written import AXOLOTL_KTO, AXOLOTL_SHAREGPT, context

from corpusmith.values import Json

Load = Callable[[Trainers, Path], Any]
Expect = Callable[[Kind, Sequence[Json]], list[Any]]

# ---------------------------------------------------------------- what should arrive


def chats(kind: Kind, contents: Sequence[Json]) -> list[list[Turn]]:
    """Every chat but those whose label says that nobody should learn it."""
    return [kind.chat(one) for one in contents if kind.label is None or kind.label(one)]


def last_answers(kind: Kind, contents: Sequence[Json]) -> list[list[Turn]]:
    """The same, trained on the last answer alone."""
    return [[*context(chat), chat[-1]] for chat in chats(kind, contents)]


def pairs(kind: Kind, contents: Sequence[Json]) -> list[dict[str, list[Turn]]]:
    assert kind.pairs is not None
    return [made for one in contents for made in kind.pairs(one)]


def judged(kind: Kind, contents: Sequence[Json]) -> list[dict[str, Any]]:
    """Answers with their labels; a pair gives one of each."""
    if kind.label is None:
        return [
            {"said": made[one], "label": one == "chosen"}
            for made in pairs(kind, contents)
            for one in ("chosen", "rejected")
        ]
    told = [(kind.chat(one), kind.label(one)) for one in contents]
    return [{"said": [*context(chat), chat[-1]], "label": label} for chat, label in told]


def questions(kind: Kind, contents: Sequence[Json]) -> list[tuple[str, str]]:
    return [(chat[0][1], chat[1][1]) for chat in chats(kind, contents)]


def judged_questions(kind: Kind, contents: Sequence[Json]) -> list[tuple[str, str, bool]]:
    told = [(one["said"], one["label"]) for one in judged(kind, contents)]
    return [(said[0][1], said[1][1], label) for said, label in told]


# ---------------------------------------------------------------- who reads it


def llamafactory(stage: str) -> Load:
    def load(trainers: Trainers, path: Path) -> Any:
        return trainers.load_with_llamafactory(path.parent, path.stem, stage)

    return load


def axolotl_chat(**config: Any) -> Load:
    return lambda trainers, path: trainers.load_with_axolotl_chat(path, config)


def axolotl_alpaca(trainers: Trainers, path: Path) -> list[tuple[str, str]]:
    """Question and answer, out of the frame that it puts around them."""
    rows = trainers.load_with_axolotl(path, {"type": "alpaca"})
    return [
        (
            prompt.partition("### Instruction:\n")[2].removesuffix("\n\n### Response:\n"),
            answer.removesuffix("<|im_end|>"),
        )
        for (prompt, _), (answer, _) in (row["text"] for row in rows)
    ]


def axolotl_kto(trainers: Trainers, path: Path) -> list[tuple[str, str, bool]]:
    rows = trainers.load_with_axolotl(path, AXOLOTL_KTO, rl="kto")
    return [(row["text"][0][0], row["text"][1][0], row["label"]) for row in rows]


def trl_completions(trainers: Trainers, path: Path) -> list[list[Turn]]:
    return trainers.load_with_trl_sft(path, assistant_only_loss=False)


CHATS: Mapping[str, tuple[str, Load]] = {
    "trl": ("messages", Trainers.load_with_trl_sft),
    "axolotl": ("messages", axolotl_chat()),
    "llamafactory": ("messages", llamafactory("sft")),
    "llamafactory-alpaca": ("alpaca", llamafactory("sft")),
    "llamafactory-sharegpt": ("sharegpt", llamafactory("sft")),
    "axolotl-sharegpt": ("sharegpt", axolotl_chat(**AXOLOTL_SHAREGPT)),
}
"""Reader → the format that it gets, and how it reads it."""
PAIRS: Mapping[str, tuple[str, Load]] = {
    "llamafactory": ("dpo", llamafactory("rm")),
    "llamafactory-alpaca": ("dpo_alpaca", llamafactory("rm")),
    "axolotl": ("dpo", Trainers.load_with_axolotl_dpo),
    "trl": ("dpo_trl", Trainers.load_with_trl_dpo),
}
LABELS: Mapping[str, tuple[str, Load]] = {
    "llamafactory": ("kto", llamafactory("kto")),
    "trl": ("kto_trl", Trainers.load_with_trl_kto),
}
