"""What every command knows: the options that may stand anywhere on the line.

Owns: `--db`, `--lang`, `--log-level`, `--json`, `--debug`, `--version`, and opening the Studio
with them.
Does not own: any command's own options.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpusmith.errors import UsageError
from corpusmith.messages import LANGUAGES, language_of, say
from corpusmith.values import Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

FLAGS = ("--json", "--debug", "--version")
WITH_VALUE = ("--db", "--lang", "--log-level")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One call of the program."""

    language: Language
    db: str | None = None
    json: bool = False
    debug: bool = False
    version: bool = False
    log_level: str | None = None
    """One of LOG_LEVELS: what a running task tells of its calls; None: nothing."""

    def say(self, key: str, /, **data: Any) -> str:
        """A text of the catalog in the user's language."""
        from corpusmith.cli.widths import harmless

        return say(key, self.language, **{name: harmless(str(one)) for name, one in data.items()})

    @contextmanager
    def studio(self) -> Iterator[Studio]:
        """The Studio on the chosen database. Raises StoreError."""
        from corpusmith.service.studio import Studio

        with Studio(db=self.db, language=self.language) as studio:
            yield studio


def take_session(arguments: Sequence[str]) -> tuple[Session, list[str]]:
    """The session, and the arguments without the options that belong to it.

    Raises UsageError for one without its value, or a language that we do not speak.
    """
    values: dict[str, str] = {}
    flags: set[str] = set()
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        name = name.replace("_", "-")
        if argument == "--":
            rest += [argument, *waiting]
        elif argument in FLAGS:
            flags.add(argument)
        elif name in WITH_VALUE:
            given = value if equals else next(waiting, None)
            if not given:
                raise UsageError("cli_needs_value", option=name)
            values[name] = given
        else:
            rest.append(argument)
    return _session(values, flags), rest


def _session(values: dict[str, str], flags: set[str]) -> Session:
    wish = values.get("--lang")
    if wish is not None and wish.lower().partition("_")[0].partition("-")[0] not in LANGUAGES:
        raise UsageError("cli_language", value=wish, known=", ".join(LANGUAGES))
    level = values.get("--log-level")
    if level is not None and level.upper() not in LOG_LEVELS:
        known = ", ".join(LOG_LEVELS)
        raise UsageError("cli_choice", option="--log-level", value=level[:60], known=known)
    return Session(
        language=language_of(wish),
        db=values.get("--db"),
        json="--json" in flags,
        debug="--debug" in flags,
        version="--version" in flags,
        log_level=level and level.upper(),
    )


def language_wished(arguments: Sequence[str]) -> Language:
    """The language to complain in, when the arguments could not be read."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--lang":
            return language_of(value if equals else "".join(arguments[place + 1 : place + 2]))
    return language_of()
