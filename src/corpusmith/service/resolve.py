"""What the names in a task stand for: files, stored things, shipped things, endpoints.

Owns: turning a TaskFile into a self-contained task (copies, so that a later edit of a card or a
connection changes no task). Does not own: checking fields (`task_file.py`), running.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpusmith import registry
from corpusmith.cards.read import read_card
from corpusmith.errors import CardError, NotFound, UsageError
from corpusmith.messages import language_of
from corpusmith.nouns import Character
from corpusmith.presets import load as presets
from corpusmith.providers.connect import connection_of
from corpusmith.service.task_file import EndpointPart, PricePart, ScenarioPart, TaskFile
from corpusmith.store.store import SqlStore
from corpusmith.values import Connection, Json, Language, Price

CARD_SUFFIXES = {".json", ".png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A task that needs nothing but keys to run."""

    language: Language
    recipe_spec: dict[str, Json]
    endpoints: dict[str, Connection]
    """By role; `model` may still be None: the endpoint is asked for its only one."""
    dataset: str | None


def resolve(file: TaskFile, store: SqlStore, language: Language | None = None) -> Resolved:
    """Raises UsageError and its kinds: whatever is missing, before any money is spent."""
    characters = _characters(file, store)
    scenarios = _scenarios(file, store, characters[0].language)
    spoken = file.language or language or _language(characters)
    recipe_spec: dict[str, Json] = {
        "characters": [_part(character) for character in characters],
        "scenarios": [part.model_dump() for part in scenarios],
        "mode": file.mode,
        "turns": file.turns,
        "dialogues_per_request": file.dialogues_per_request,
        "share": file.share,
        "language": spoken,
        "variation": {name: list(values) for name, values in file.variation.items()},
    }
    for name in file.checks:
        registry.load("check", name)
    registry.load("exporter", file.format)
    return Resolved(
        language=spoken,
        recipe_spec=recipe_spec,
        endpoints=_endpoints(file, store),
        dataset=file.dataset,
    )


# ---------------------------------------------------------------- characters and scenarios


def _characters(file: TaskFile, store: SqlStore) -> list[Character]:
    if file.characters:
        found = [find_character(wish, store) for wish in file.characters]
    elif file.dataset and has(store.datasets, file.dataset):
        found = store.datasets.bindings(file.dataset)[0]
        if not found:
            raise UsageError("dataset_no_character", dataset=file.dataset)
    else:
        raise UsageError("no_character")
    names = [character.name for character in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError("character_twice", name=twice)
    return found


def find_character(wish: str, store: SqlStore) -> Character:
    """A card file, a stored character, or a shipped one, in this order. Raises NotFound."""
    path = Path(wish)
    if path.suffix.lower() in CARD_SUFFIXES or path.is_file():
        return read_card(read_bytes(path), path.name)
    try:
        return store.characters.get(wish)
    except NotFound:
        shipped = presets.characters("zh") + presets.characters("en")
        for character in shipped:
            if character.name == wish:
                return character
        raise


def has(rows: Any, name: str) -> bool:
    """Whether a table of the store has a row of that name."""
    try:
        rows.get(name)
    except NotFound:
        return False
    return True


def read_bytes(path: Path) -> bytes:
    """The file. Raises CardError with the system's reason."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CardError("card_unreadable", file=str(path), problem=error.strerror) from None


def _scenarios(file: TaskFile, store: SqlStore, language: Language) -> list[ScenarioPart]:
    if file.scenarios:
        found = [_described(part, store) for part in file.scenarios]
    elif file.dataset and has(store.datasets, file.dataset):
        bound = store.datasets.bindings(file.dataset)[1]
        found = [
            ScenarioPart(name=one.name, description=one.description, weight=weight)
            for one, weight in bound
        ]
        if not found:
            raise UsageError("dataset_no_scenario", dataset=file.dataset)
    else:
        found = [
            ScenarioPart(name=one.name, description=one.description, weight=one.weight)
            for one in presets.scenarios(language)
        ]
    names = [part.name for part in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError("scenario_twice", name=twice)
    if not any(part.weight for part in found):
        raise UsageError("scenario_weights_zero")
    return found


def _described(part: ScenarioPart, store: SqlStore) -> ScenarioPart:
    """A scenario given by name alone takes its description from the store or the shipped ones.

    A name that nobody knows is a label of the user's own: it stands for itself.
    """
    if part.description:
        return part
    for known in [*store.scenarios.list(), *presets.scenarios("zh"), *presets.scenarios("en")]:
        if known.name == part.name:
            return part.model_copy(update={"description": known.description})
    return part


def _language(characters: Sequence[Character]) -> Language:
    languages = {character.language for character in characters}
    return languages.pop() if len(languages) == 1 else language_of()


def _part(character: Character) -> dict[str, Json]:
    fields = (
        "name",
        "description",
        "personality",
        "background",
        "speaking_style",
        "example_dialogues",
        "greeting",
        "system_prompt",
    )
    return {field: getattr(character, field) for field in fields}


# ---------------------------------------------------------------- endpoints


def _endpoints(file: TaskFile, store: SqlStore) -> dict[str, Connection]:
    roles = ("writer",) if file.mode == "single" else ("user", "character")
    unknown = sorted(set(file.roles) - set(roles))
    if unknown:
        raise UsageError("role_unknown", role=unknown[0], roles=", ".join(roles))
    return {role: _endpoint(role, file, store) for role in roles}


def _endpoint(role: str, file: TaskFile, store: SqlStore) -> Connection:
    wish = file.roles.get(role, file.connection)
    if wish is None:
        raise UsageError("no_connection")
    connection = (
        store.connections.get(wish) if isinstance(wish, str) else connection_on_the_spot(wish)
    )
    if role not in file.roles and file.model:
        connection = replace(connection, model=file.model)
    # The task's own limits are laid over the connection's at each start: `resume` may change them.
    return connection


def connection_on_the_spot(part: EndpointPart, name: str | None = None) -> Connection:
    """The connection that `part` describes. Raises NotFound for an unknown provider, SpecError."""
    return connection_of(
        name=name or part.provider,
        provider=part.provider,
        base_url=part.base_url,
        model=part.model,
        key_env=part.api_key_env,
        connect_s=part.connect_timeout_s,
        total_s=part.timeout_s,
        proxy=part.proxy,
        ca_file=part.ca_file,
        price=_price(part.price),
        headers=part.headers,
        extra=part.extra,
    )


def _price(part: PricePart | None) -> Price | None:
    if part is None:
        return None
    return Price(input_usd=part.input, output_usd=part.output, cached_usd=part.cached)


def endpoint_from_environment() -> EndpointPart | None:
    """The endpoint that the environment names, or None: what `demo` runs on.

    The model is CORPUSMITH_MODEL, else the provider's own variable, else None (ask the endpoint).
    """
    wish = os.environ.get("CORPUSMITH_MODEL")
    if os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_KEY"):
        return EndpointPart(
            provider="openai",
            base_url=os.environ.get("OPENAI_BASE_URL") or None,
            model=wish or os.environ.get("OPENAI_MODEL"),
            api_key_env="OPENAI_API_KEY" if os.environ.get("OPENAI_API_KEY") else None,
        )
    for provider in ("gemini", "anthropic"):
        variable = f"{provider.upper()}_API_KEY"
        if os.environ.get(variable):
            model = wish or os.environ.get(f"{provider.upper()}_MODEL")
            return EndpointPart(provider=provider, model=model, api_key_env=variable)
    return None
