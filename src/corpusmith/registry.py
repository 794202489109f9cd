"""Name → object, by tables and entry points, loaded on use.

Owns: the list of everything that can be plugged in. A new provider, recipe, check or exporter is
one new file and one line here; one in another package is an entry point in the group
`corpusmith.<kind>`, and nothing here.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Literal

from corpusmith.errors import NotFound

Kind = Literal["provider", "recipe", "form", "check", "exporter", "container"]

TABLES: dict[Kind, dict[str, str]] = {
    "provider": {
        "openai": "corpusmith.providers.openai:OpenAI",
        "gemini": "corpusmith.providers.gemini:Gemini",
        "anthropic": "corpusmith.providers.anthropic:Anthropic",
    },
    "recipe": {
        "dialogue": "corpusmith.recipes.dialogue:Dialogue",
        "template": "corpusmith.recipes.template:TemplateRecipe",
        "rounds": "corpusmith.recipes.rounds:Rounds",
        "selfplay": "corpusmith.recipes.selfplay:SelfPlay",
        "evaluate": "corpusmith.recipes.evaluate:Evaluate",
    },
    # What people fill in to have a recipe run; of the same name as the recipe.
    "form": {
        "dialogue": "corpusmith.service.forms.dialogue:DialogueForm",
        "template": "corpusmith.service.forms.template:TemplateForm",
        "rounds": "corpusmith.service.forms.rounds:RoundsForm",
        "selfplay": "corpusmith.service.forms.selfplay:SelfPlayForm",
        "evaluate": "corpusmith.service.forms.evaluate:EvaluateForm",
    },
    "check": {
        # From cheap to dear: the first check that fails is the one that is named.
        "format": "corpusmith.quality.format:Format",
        "placeholders": "corpusmith.quality.placeholders:Placeholders",
        "refusal": "corpusmith.quality.refusal:Refusal",
        "length": "corpusmith.quality.length:Length",
        "repetition": "corpusmith.quality.repetition:Repetition",
        "language": "corpusmith.quality.language:Language",
        "sensitive": "corpusmith.quality.sensitive:Sensitive",
        "personal_data": "corpusmith.quality.personal_data:PersonalData",
        "grounding": "corpusmith.quality.grounding:Grounding",
        "contamination": "corpusmith.quality.contamination:Contamination",
        "judge": "corpusmith.quality.judge:Judge",
        "duplicates": "corpusmith.quality.duplicates:Duplicates",
        "near_duplicates": "corpusmith.quality.near_duplicates:NearDuplicates",
        "semantic_duplicates": "corpusmith.quality.semantic:SemanticDuplicates",
    },
    "exporter": {
        "json": "corpusmith.exports.native:NativeJson",
        "jsonl": "corpusmith.exports.native:NativeJsonLines",
        "csv": "corpusmith.exports.native:NativeCsv",
        "parquet": "corpusmith.exports.native:NativeParquet",
        "messages": "corpusmith.exports.chats:Messages",
        "alpaca": "corpusmith.exports.alpaca:Alpaca",
        "sharegpt": "corpusmith.exports.chats:ShareGpt",
        "prompt_completion": "corpusmith.exports.chats:PromptCompletion",
        "dpo": "corpusmith.exports.preferences:Dpo",
        "dpo_trl": "corpusmith.exports.preferences:DpoTrl",
        "dpo_alpaca": "corpusmith.exports.alpaca:DpoAlpaca",
        "kto": "corpusmith.exports.preferences:Kto",
        "kto_trl": "corpusmith.exports.preferences:KtoTrl",
        "kto_axolotl": "corpusmith.exports.preferences:KtoAxolotl",
    },
    # How an exporter's rows stand in a file.
    "container": {
        "json": "corpusmith.exports.lines:JsonArray",
        "jsonl": "corpusmith.exports.lines:JsonLines",
        "csv": "corpusmith.exports.table:Csv",
        "parquet": "corpusmith.exports.parquet:Parquet",
    },
}


@lru_cache
def load(kind: Kind, name: str) -> Any:
    """The object registered as `name`. Raises NotFound, naming what there is."""
    target = TABLES[kind].get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return getattr(import_module(module), attribute)
    for point in entry_points(group=f"corpusmith.{kind}", name=name):
        return point.load()
    raise NotFound("unknown_plugin", kind=kind, name=name, known=", ".join(names(kind)))


def names(kind: Kind) -> list[str]:
    """All names of a kind: the built-in ones in the table's order, then entry points."""
    return [*TABLES[kind], *sorted(_foreign(kind) - set(TABLES[kind]))]


@lru_cache
def _foreign(kind: Kind) -> frozenset[str]:
    """The names that other packages give: to find them, every package's metadata is read."""
    return frozenset(point.name for point in entry_points(group=f"corpusmith.{kind}"))
