"""A ChatML model without weights, for trainers to prepare data for: tokenizer, template, shape.

One token a byte, so that every text can be read back exactly. Written as files, so that nothing
needs torch to make it; TRL fills the shape with random weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SPECIAL = ["<|pad|>", "<|im_end|>", "<|im_start|>"]
PAD, END, START = range(3)
LONGEST = 65_536
# `generation` marks what an assistant says: TRL trains on that alone when asked to.
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def write_model(folder: Path) -> Path:
    """Write the model's folder; returns it."""
    folder.mkdir()
    files = {
        "config.json": _shape(),
        "tokenizer.json": _tokenizer(),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "pad_token": SPECIAL[PAD],
            "eos_token": SPECIAL[END],
            "additional_special_tokens": [SPECIAL[START]],
            "model_max_length": LONGEST,
            "clean_up_tokenization_spaces": False,
            "chat_template": TEMPLATE,
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), "utf-8")
    return folder


def _shape() -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(SPECIAL) + 256,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": LONGEST,
        "pad_token_id": PAD,
        "bos_token_id": END,
        "eos_token_id": END,
    }


def _tokenizer() -> dict[str, Any]:
    bytelevel = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": place, "content": token, "special": True, **flags}
            for place, token in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": {**bytelevel, "use_regex": True},
        "post_processor": None,
        "decoder": {**bytelevel, "use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {token: place for place, token in enumerate([*SPECIAL, *_letters()])},
            "merges": [],
        },
    }


def _letters() -> list[str]:
    """The letter that a byte-level tokenizer has for each byte: itself where it can be seen."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    unseen = (chr(256 + place) for place in range(256 - len(seen)))
    return [chr(byte) if byte in seen else next(unseen) for byte in range(256)]
