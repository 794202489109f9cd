"""Makes a chat model with tiny random weights: something for a real inference server to run.

    python make_tiny_model.py FOLDER

Needs torch and transformers; run it in their own environment (`make inference` does).
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
END = 1
SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte: every text can be read and written."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate([*SPECIAL, *letters])}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        additional_special_tokens=SPECIAL[2:],
        model_max_length=16_384,
    )
    made.chat_template = TEMPLATE
    return made


def model(vocabulary: int) -> LlamaForCausalLM:
    """Two layers of random weights, always the same ones."""
    torch.manual_seed(0)
    made = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=16_384,
            pad_token_id=0,
            bos_token_id=END,
            eos_token_id=END,
        )
    )
    return made


def speak_plainly(made: LlamaForCausalLM, words: PreTrainedTokenizerFast) -> None:
    """Letters only, at least one, and an end after some tens of them."""
    readable = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,!?")
    mute = [place for token, place in words.get_vocab().items() if token not in readable]
    made.generation_config.suppress_tokens = [place for place in mute if place != END]
    made.generation_config.begin_suppress_tokens = [END]
    made.generation_config.exponential_decay_length_penalty = (20, 1.2)


def main() -> None:
    """Write the model and its tokenizer to the folder."""
    folder = Path(sys.argv[1])
    words = tokenizer()
    words.save_pretrained(folder)
    made = model(len(words))
    speak_plainly(made, words)
    made.save_pretrained(folder)
    print(folder)


if __name__ == "__main__":
    main()
