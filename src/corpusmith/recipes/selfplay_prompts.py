"""What self-play says to its models, from the domain's prompts.

Owns: filling their places, once. Does not own: the words (the domain), or when who is asked
(`selfplay.py`). Pure.

What a model said is data. It stands between tags that occur nowhere in it, so it can neither end
its frame nor speak from outside; braces in it are never places.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from corpusmith.presets import load as presets
from corpusmith.recipes.selfplay_domain import Domain, PromptPair
from corpusmith.template_text import fill
from corpusmith.values import Language, Message, Schema


def learner(domain: Domain, pick: Mapping[str, str]) -> list[Message]:
    """Asks the learner for its question."""
    return _messages(domain.prompts.learner, pick, {})


def expert(domain: Domain, pick: Mapping[str, str], question: str) -> list[Message]:
    """Asks the expert for its first answer."""
    return _messages(domain.prompts.expert, pick, {"question": question})


def judge(
    domain: Domain, pick: Mapping[str, str], question: str, answer: str, *, verdict: bool
) -> list[Message]:
    """Asks the judge for its critique of `answer`; with `verdict`, whether it is satisfied too."""
    said = {"question": question, "answer": answer}
    messages = _messages(domain.prompts.judge, pick, said)
    if not verdict:
        return messages
    words = domain.prompts.judge.verdict or _shipped_verdict(domain.language)
    added = fill(words, {**pick, **_framed(said)})
    return [*messages[:-1], Message("user", f"{messages[-1].content}\n\n{added}")]


def refine(
    domain: Domain, pick: Mapping[str, str], question: str, answer: str, critique: str
) -> list[Message]:
    """Asks the expert for a better answer. Without a system text of its own: the expert's."""
    pair = domain.prompts.refine
    if not pair.system:
        pair = pair.model_copy(update={"system": domain.prompts.expert.system})
    return _messages(pair, pick, {"question": question, "answer": answer, "critique": critique})


@cache
def verdict_schema() -> Schema:
    """The judge's reply when it may end the refinement: reasons first, then the mark."""
    properties = {
        "critique": {"type": "string", "minLength": 1},
        "score": {"type": "integer", "minimum": 1, "maximum": 10},
        "satisfied": {"type": "boolean"},
    }
    body = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return Schema(name="verdict", body=body)


def _messages(pair: PromptPair, pick: Mapping[str, str], said: Mapping[str, str]) -> list[Message]:
    values = {**pick, **_framed(said)}
    user = Message("user", fill(pair.user, values))
    return [Message("system", fill(pair.system, values)), user] if pair.system else [user]


def _framed(said: Mapping[str, str]) -> dict[str, str]:
    return {name: _between(name, text) for name, text in said.items()}


def _between(tag: str, text: str) -> str:
    """`text` between tags of a name that it does not hold."""
    lowered, name, number = text.lower(), tag, 1
    while f"<{name}" in lowered or f"</{name}" in lowered:
        number += 1
        name = f"{tag}{number}"
    return f"<{name}>\n{text}\n</{name}>"


def _shipped_verdict(language: Language) -> str:
    return presets.prompts("selfplay", language)["verdict"]
