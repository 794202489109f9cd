"""LLaMA-Factory's own way from `dataset_info.json` to what it trains on.

    python llamafactory_worker.py MODEL

Arguments, tokenizer, template, loader, converter and processor are all its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import wire

wire.shut_off()
# It imports torchaudio at the top of the file for pictures and sound; no text ever reaches that.
sys.path.append(str(Path(__file__).parent / "stand_ins"))

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer  # noqa: E402
from llamafactory.hparams import get_train_args  # noqa: E402
from llamafactory.model import load_tokenizer  # noqa: E402

MODEL = sys.argv[1]


def load(
    folder: str, name: str, stage: str, template: str = "chatml", max_samples: int | None = None
) -> list[dict[str, Any]]:
    """What stage `sft`, `rm` or `kto` trains on, from the data set `name` of the folder, which it
    reads whole; `max_samples` rows of it."""
    with tempfile.TemporaryDirectory() as out:
        given = {
            "model_name_or_path": MODEL,
            "stage": stage,
            "do_train": True,
            "finetuning_type": "full",
            "dataset": name,
            "dataset_dir": folder,
            "template": template,
            "cutoff_len": 16_384,
            "max_samples": max_samples,
            "overwrite_cache": True,
            "output_dir": out,
            "report_to": "none",
            "use_cpu": True,
        }
        model_args, data_args, training_args, _, _ = get_train_args(given)
        loaded = load_tokenizer(model_args)
        tokenizer = loaded["tokenizer"]
        made = get_dataset(
            get_template_and_fix_tokenizer(tokenizer, data_args),
            model_args,
            data_args,
            training_args,
            stage=stage,
            **loaded,
        )
        return [_READ[stage](tokenizer, row) for row in made["train_dataset"]]


def _text(tokenizer: Any, row: dict[str, Any], part: str = "") -> list[wire.Piece]:
    return wire.pieces(tokenizer, row[f"{part}input_ids"], row[f"{part}labels"])


_READ = {
    "sft": lambda tokenizer, row: {"text": _text(tokenizer, row)},
    "rm": lambda tokenizer, row: {
        "chosen": _text(tokenizer, row, "chosen_"),
        "rejected": _text(tokenizer, row, "rejected_"),
    },
    "kto": lambda tokenizer, row: {"text": _text(tokenizer, row), "label": row["kto_tags"]},
}


if __name__ == "__main__":
    wire.serve("llamafactory", {"load": load})
