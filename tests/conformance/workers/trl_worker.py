"""TRL's own way from a file to what it trains on.

    python trl_worker.py MODEL

The file is read by `datasets`; the trainers of TRL, made with a tiny model, prepare it.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import wire

wire.shut_off()

from datasets import Dataset, load_dataset  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer  # noqa: E402
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer  # noqa: E402

MODEL = sys.argv[1]
LONGEST = 16_384


def sft(path: str, kind: str, assistant_only_loss: bool = True) -> list[dict[str, Any]]:
    """Rows for supervised training, on what the assistant says alone."""
    trainer = _made(SFTTrainer, SFTConfig, path, kind, assistant_only_loss=assistant_only_loss)
    words = trainer.processing_class
    return [
        {"text": wire.pieces(words, row["input_ids"], row["labels"])}
        for row in trainer.train_dataset
    ]


def dpo(path: str, kind: str) -> list[dict[str, Any]]:
    """Pairs: the prompt with the chosen and with the rejected answer."""
    trainer = _made(DPOTrainer, DPOConfig, path, kind)
    words = trainer.processing_class
    return [
        {
            one: wire.answer(words, row["prompt_ids"], row[f"{one}_ids"])
            for one in ("chosen", "rejected")
        }
        for row in trainer.train_dataset
    ]


def kto(path: str, kind: str) -> list[dict[str, Any]]:
    """Answers with the label of each."""
    trainer = _made(KTOTrainer, KTOConfig, path, kind)
    words = trainer.processing_class
    return [
        {
            "text": wire.answer(words, row["prompt_ids"], row["completion_ids"]),
            "label": row["label"],
        }
        for row in trainer.train_dataset
    ]


def step(path: str, kind: str, way: str) -> list[dict[str, Any]]:
    """The loss of one real step of training, `sft`, `dpo` or `kto`."""
    trainer = _made(*_TRAINERS[way], path, kind, max_steps=1, save_strategy="no")
    return [{"loss": trainer.train().training_loss}]


def rows(path: str, kind: str, split: str = "train") -> list[dict[str, Any]]:
    """The rows as `datasets` reads them, of a file or of a folder in the hub's layout."""
    return _dataset(path, kind, split).to_list()


def _dataset(path: str, kind: str, split: str = "train") -> Dataset:
    if kind == "folder":
        return load_dataset(path, split=split)
    return load_dataset(kind, data_files=path, split=split)


def _made(trainer: type, config: type, path: str, kind: str, **options: Any) -> Any:
    references = {} if trainer is SFTTrainer else {"ref_model": _model()}
    with tempfile.TemporaryDirectory() as out:
        return trainer(
            model=_model(),
            args=config(
                output_dir=out,
                use_cpu=True,
                bf16=False,
                report_to="none",
                max_length=LONGEST,
                per_device_train_batch_size=2,
                **options,
            ),
            train_dataset=_dataset(path, kind),
            processing_class=AutoTokenizer.from_pretrained(MODEL),
            **references,
        )


_TRAINERS = {
    "sft": (SFTTrainer, SFTConfig),
    "dpo": (DPOTrainer, DPOConfig),
    "kto": (KTOTrainer, KTOConfig),
}


def _model() -> Any:
    return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(MODEL))


if __name__ == "__main__":
    wire.serve("trl", {"sft": sft, "dpo": dpo, "kto": kto, "rows": rows, "step": step})
