"""Use-cases of the settings that a server keeps in its database.

Owns: which value counts and where it comes from, what may be stored. Does not own: the table of
settings (`config.py`).
The environment wins: whoever starts the program decides. What is stored counts until then.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from corpusmith import config
from corpusmith.config import STORABLE, Setting
from corpusmith.errors import NotFound, SpecError
from corpusmith.messages import LANGUAGES, say
from corpusmith.store.store import SqlStore

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

Value = bool | int | str | None
Source = Literal["environment", "stored", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSetting:
    """One setting as it counts now."""

    name: str
    value: Value
    source: Source
    """Where the value comes from; one from the environment cannot be changed here."""
    default: Value
    variable: str
    """The environment variable that would win."""
    kind: Literal["switch", "days", "language"]
    least: int | None
    most: int | None
    """The range of a number of days."""
    help: str
    """What it does, in the asked language."""


class ServerSettings:
    """`studio.settings`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(self) -> Sequence[ServerSetting]:
        """All that may be stored."""
        stored = read(self._studio.store)
        return [self._shown(one, stored) for one in STORABLE]

    def change(self, values: Mapping[str, Value]) -> Sequence[ServerSetting]:
        """Stores these; None: back to the default. All or none.

        Raises NotFound for a name that there is not, SpecError `setting_value` for a value that
        does not fit, `setting_fixed` for one that the environment sets.
        """
        texts = {name: _fitting(_named(name), value) for name, value in values.items()}
        for name in texts:
            variable = config.named(name).variable
            if os.environ.get(variable):
                raise SpecError("setting_fixed", name=name, variable=variable)
        for name, value in texts.items():
            self._studio.store.settings.set(name, value)
        config.adopt(read(self._studio.store))
        return self.list()

    def _shown(self, one: Setting, stored: Mapping[str, str]) -> ServerSetting:
        assert one.kind is not None  # noqa: S101  as STORABLE has it
        given = os.environ.get(one.variable)
        source: Source = "environment" if given else "stored" if one.name in stored else "default"
        return ServerSetting(
            name=one.name,
            value=_value(one, given or stored.get(one.name) or one.default),
            source=source,
            default=_value(one, one.default),
            variable=one.variable,
            kind=one.kind,
            least=one.least if one.kind == "days" else None,
            most=one.most if one.kind == "days" else None,
            help=say(f"setting.{one.name}", self._studio.language),
        )


def read(store: SqlStore) -> dict[str, str]:
    """What this database holds, as `config.adopt` takes it."""
    found = {one.name: store.settings.get(one.name) for one in STORABLE}
    return {
        name: str(int(value)) if isinstance(value, bool) else str(value)
        for name, value in found.items()
        if value is not None
    }


def adopt(store: SqlStore) -> None:
    """From now on, what this database says counts in this process."""
    config.adopt(read(store))


def _named(name: str) -> Setting:
    found = next((one for one in STORABLE if one.name == name), None)
    if found is None:
        raise NotFound("unknown_setting", kind="setting", name=name[:60])
    return found


def _fitting(one: Setting, value: Value) -> Value:
    if value is None:
        return None
    fits = {
        "switch": isinstance(value, bool),
        "days": isinstance(value, int)
        and not isinstance(value, bool)
        and one.least <= value <= one.most,
        "language": value in LANGUAGES,
    }
    if not fits[str(one.kind)]:
        raise SpecError(f"setting_value_{one.kind}", name=one.name, least=one.least, most=one.most)
    return value


def _value(one: Setting, text: str | None) -> Value:
    if text is None:
        return None
    if one.kind == "switch":
        return text not in config.OFF
    if one.kind == "days":
        return int(text) if text.isdecimal() else int(one.default or 0)
    return text
