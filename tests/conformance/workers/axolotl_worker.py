"""axolotl's own way from a config to what it trains on.

    python axolotl_worker.py MODEL

Config, tokenizer, loaders and prompt strategies are all its own, called as `axolotl preprocess`
calls them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

import wire

wire.shut_off()
os.environ["AXOLOTL_DO_NOT_TRACK"] = "1"
# No process of its own for a few rows: each would import all of this anew.
os.environ["AXOLOTL_DATASET_NUM_PROC"] = "0"

from axolotl.cli.config import load_cfg  # noqa: E402
from axolotl.common.datasets import load_datasets, load_preference_datasets  # noqa: E402
from axolotl.loaders import load_tokenizer  # noqa: E402
from axolotl.utils.dict import DictDefault  # noqa: E402

MODEL = sys.argv[1]


def load(dataset: dict[str, Any], rl: str | None = None) -> list[dict[str, Any]]:
    """What it trains on, from one entry of a config's `datasets`; `rl` is None, `dpo` or `kto`."""
    with tempfile.TemporaryDirectory() as out:
        given = {
            "base_model": MODEL,
            "chat_template": "tokenizer_default",
            "datasets": [dataset],
            "sequence_len": 16_384,
            "micro_batch_size": 1,
            "gradient_accumulation_steps": 1,
            "num_epochs": 1,
            "learning_rate": 1e-4,
            "val_set_size": 0,
            "shuffle_merged_datasets": False,
            "dataset_prepared_path": f"{out}/prepared",
            "output_dir": f"{out}/trained",
        }
        cfg = load_cfg(
            DictDefault(given | ({"rl": rl, "remove_unused_columns": False} if rl else {}))
        )
        ways = load_preference_datasets if rl else load_datasets
        tokenizer = load_tokenizer(cfg)
        return [_READ[rl](tokenizer, row) for row in ways(cfg=cfg).train_dataset]


def _pair(_: Any, row: dict[str, Any]) -> dict[str, Any]:
    return {one: [[row["prompt"], False], [row[one], True]] for one in ("chosen", "rejected")}


_READ = {
    None: lambda tokenizer, row: {"text": wire.pieces(tokenizer, row["input_ids"], row["labels"])},
    "dpo": _pair,
    "kto": lambda _, row: {
        "text": [[row["prompt"], False], [row["completion"], True]],
        "label": row["label"],
    },
}


if __name__ == "__main__":
    wire.serve("axolotl", {"load": load})
