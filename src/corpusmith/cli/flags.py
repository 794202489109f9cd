"""The options of generating commands, and from them the fields of a task.

Owns: names and kinds of options. Does not own: whether a value fits: every value goes as text to
`TaskFile`, so that flags and YAML are checked in one place and complain alike.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from corpusmith.errors import UsageError
from corpusmith.service.suffixes import format_of
from corpusmith.values import Json, Language


def option(names: str, help: str, metavar: str = "TEXT", panel: str | None = None) -> Any:
    """An option; `help` is the end of its catalog key, `names` may hold several."""
    return typer.Option(
        *names.split(), help=help, metavar=metavar, rich_help_panel=panel, show_default=False
    )


def argument(metavar: str, help: str) -> Any:
    """A word of the command line without a dash."""
    return typer.Argument(metavar=metavar, help=help, show_default=False)


Text = str | None
Many = list[str] | None

Dataset = Annotated[Text, option("--dataset", "dataset", "NAME", "what")]
Count = Annotated[Text, option("--count -n", "count", "N", "what")]
Speech = Annotated[Text, option("--language", "language", "zh|en", "what")]
Seed = Annotated[Text, option("--seed", "seed", "N", "what")]
Name = Annotated[Text, option("--name", "task_name", "TEXT", "what")]
Description = Annotated[Text, option("--description", "task_description", "TEXT", "what")]

UseConnection = Annotated[Text, option("--connection", "connection", "NAME", "endpoint")]
Role = Annotated[Many, option("--role", "role", "ROLE=NAME", "endpoint")]
Provider = Annotated[Text, option("--provider", "provider", "NAME", "endpoint")]
BaseUrl = Annotated[Text, option("--base-url", "base_url", "URL", "endpoint")]
Model = Annotated[Text, option("--model", "model", "NAME", "endpoint")]
KeyVariable = Annotated[Text, option("--api-key-env", "api_key_env", "VARIABLE", "endpoint")]
Proxy = Annotated[Text, option("--proxy", "proxy", "URL", "endpoint")]
CaFile = Annotated[Text, option("--ca-file", "ca_file", "FILE", "endpoint")]
Timeout = Annotated[Text, option("--timeout", "timeout", "SECONDS", "endpoint")]
ConnectTimeout = Annotated[
    Text, option("--connect-timeout", "connect_timeout", "SECONDS", "endpoint")
]
PriceInput = Annotated[Text, option("--price-input", "price_input", "USD", "endpoint")]
PriceOutput = Annotated[Text, option("--price-output", "price_output", "USD", "endpoint")]
PriceCached = Annotated[Text, option("--price-cached", "price_cached", "USD", "endpoint")]

Temperature = Annotated[Text, option("--temperature", "temperature", "X", "sampling")]
TopP = Annotated[Text, option("--top-p", "top_p", "X", "sampling")]
MaxTokens = Annotated[Text, option("--max-tokens", "max_tokens", "N", "sampling")]
Stop = Annotated[Many, option("--stop", "stop", "TEXT", "sampling")]
Extra = Annotated[Many, option("--extra", "extra", "KEY=JSON", "sampling")]

Concurrency = Annotated[Text, option("--concurrency", "concurrency", "N|auto", "limits")]
Rpm = Annotated[Text, option("--rpm", "rpm", "N", "limits")]
Tpm = Annotated[Text, option("--tpm", "tpm", "N", "limits")]
MaxCost = Annotated[Text, option("--max-cost", "max_cost", "USD", "limits")]
MaxTotalTokens = Annotated[Text, option("--max-total-tokens", "max_total_tokens", "N", "limits")]
MaxCalls = Annotated[Text, option("--max-calls", "max_calls", "N", "limits")]
MaxAttempts = Annotated[
    Text, option("--max-attempts-multiplier", "max_attempts_multiplier", "X", "limits")
]

Checks = Annotated[Text, option("--checks", "checks", "NAME,…|all|none", "result")]
CheckOptions = Annotated[
    Many, option("--check", "check", "NAME[:OPTION=VALUE,…]|NAME:off", "result")
]
Output = Annotated[Text, option("--output -o", "output", "FILE|-", "result")]
Format = Annotated[Text, option("--format", "format", "json|jsonl|csv|messages", "result")]
NoCommit = Annotated[bool, option("--no-commit", "no_commit", panel="result")]
DryRun = Annotated[bool, option("--dry-run", "dry_run", panel="result")]
Yes = Annotated[bool, option("--yes -y", "yes", panel="result")]

COMMON: dict[str, Any] = {
    "count": Count,
    "dataset": Dataset,
    "language": Speech,
    "seed": Seed,
    "name": Name,
    "description": Description,
    "connection": UseConnection,
    "role": Role,
    "provider": Provider,
    "base_url": BaseUrl,
    "model": Model,
    "api_key_env": KeyVariable,
    "proxy": Proxy,
    "ca_file": CaFile,
    "timeout": Timeout,
    "connect_timeout": ConnectTimeout,
    "price_input": PriceInput,
    "price_output": PriceOutput,
    "price_cached": PriceCached,
    "temperature": Temperature,
    "top_p": TopP,
    "max_tokens": MaxTokens,
    "stop": Stop,
    "extra": Extra,
    "concurrency": Concurrency,
    "rpm": Rpm,
    "tpm": Tpm,
    "max_cost": MaxCost,
    "max_total_tokens": MaxTotalTokens,
    "max_calls": MaxCalls,
    "max_attempts_multiplier": MaxAttempts,
    "checks": Checks,
    "check": CheckOptions,
    "output": Output,
    "format": Format,
    "no_commit": NoCommit,
    "dry_run": DryRun,
    "yes": Yes,
}
"""What every command that makes a task takes, by the parameter's name."""
LIMITS = (
    *("concurrency", "rpm", "tpm"),
    *("max_cost", "max_total_tokens", "max_calls", "max_attempts_multiplier"),
)
"""What may be changed when a task is resumed."""
_SAME = [
    *("count", "language", "seed", "name", "description", "dataset"),
    *("temperature", "top_p", "max_tokens"),
    *LIMITS,
]
_ENDPOINT = {
    "provider": "provider",
    "base_url": "base_url",
    "api_key_env": "api_key_env",
    "proxy": "proxy",
    "ca_file": "ca_file",
    "timeout": "timeout_s",
    "connect_timeout": "connect_timeout_s",
}
FLAG_OF_FIELD = {
    "roles": "--role",
    "connection.timeout_s": "--timeout",
    "connection.connect_timeout_s": "--connect-timeout",
    "connection.price.input": "--price-input",
    "connection.price.output": "--price-output",
    "connection.price.cached": "--price-cached",
}
"""Where an option is not called like its field."""


def flag_of(place: str, own: Mapping[str, str] = MappingProxyType({})) -> str:
    """The option that a field came from: `max_cost` → `--max-cost`.

    `own`: a command's own options that are not called like their fields.
    """
    for field, flag in {**FLAG_OF_FIELD, **own}.items():
        if place == field or place.startswith(f"{field}."):
            return flag
    return "--" + place.removeprefix("connection.").partition(".")[0].replace("_", "-")


def common_fields(given: Mapping[str, Any]) -> dict[str, Json]:
    """The fields that every task has from the values of `COMMON`'s options."""
    fields: dict[str, Json] = {name: given[name] for name in _SAME if given.get(name) is not None}
    if given.get("stop"):
        fields["stop"] = list(given["stop"])
    if given.get("role"):
        fields["roles"] = dict(_role(text) for text in given["role"])
    if given.get("extra"):
        fields["extra"] = json_pairs(given["extra"])
    if given.get("checks") is not None:
        fields["checks"] = [name.strip() for name in given["checks"].split(",")]
    if given.get("check"):
        changes = check_changes(given["check"])
        listed = fields.get("checks")
        fields["checks"] = changes if listed is None else [*listed, changes]
    if given.get("no_commit"):
        fields["commit"] = False
    return fields | _connection(given) | output_fields(given.get("output"), given.get("format"))


def check_changes(texts: Sequence[str]) -> dict[str, Json]:
    """What several `--check` say together: options of the same check are put side by side."""
    changes: dict[str, Json] = {}
    for text in texts:
        name, options = check_options(text)
        known = changes.get(name)
        if isinstance(known, dict) and isinstance(options, dict):
            options = {**known, **options}
        changes[name] = options
    return changes


def check_options(text: str) -> tuple[str, Json]:
    """`NAME`, `NAME:off` or `NAME:OPTION=VALUE,…`; a value is JSON where it can be, else a text.

    Several values of one option: `words=a|b`. Raises UsageError.
    """
    name, colon, rest = text.partition(":")
    if not colon or rest in ("on", "off"):
        return name.strip(), rest or "on"
    options: dict[str, Json] = {}
    for pair in _split(rest, ","):
        key, equals, value = pair.partition("=")
        if not (key.strip() and equals):
            raise UsageError("cli_check_option", text=text[:60])
        options[key.strip()] = _check_value(value.strip())
    return name.strip(), options


def _check_value(value: str) -> Json:
    import json

    try:
        return json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        several = [one.strip() for one in value.split("|")]
        return several if len(several) > 1 else value


def _split(text: str, sign: str) -> list[str]:
    """At every `sign` that stands neither in brackets nor in double quotes: JSON stays whole."""
    parts, depth, quoted = [""], 0, False
    for at, char in enumerate(text):
        if char == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (char in "[{") - (char in "]}")
            if char == sign and depth <= 0:
                parts.append("")
                continue
        parts[-1] += char
    return parts


def endpoint_fields(given: Mapping[str, Any]) -> dict[str, Json]:
    """The fields of an EndpointPart, the model apart."""
    fields: dict[str, Json] = {
        field: given[name] for name, field in _ENDPOINT.items() if given.get(name) is not None
    }
    if "ca_file" in fields:
        fields["ca_file"] = str(Path(fields["ca_file"]).expanduser().absolute())
    price = {
        name: given[f"price_{name}"]
        for name in ("input", "output", "cached")
        if given.get(f"price_{name}") is not None
    }
    return fields | ({"price": price} if price else {})


def output_fields(output: str | None, form: str | None) -> dict[str, Json]:
    """Where the records go: absolute, so that a resume from another folder finds it.

    Raises UsageError for a place that surely cannot be written: better now than after paying.
    """
    fields: dict[str, Json] = {}
    if output == "-":
        fields["output"] = "-"
    elif output is not None:
        path = Path(output).expanduser().absolute()
        if os.path.isdir(path):
            raise UsageError("export_is_folder", path=output)
        fields["output"] = str(path)
        if found := format_of(output):
            fields["format"] = found
    return fields | ({"format": form} if form is not None else {})


def json_pairs(texts: Sequence[str]) -> dict[str, Json]:
    """`KEY=JSON` texts as one object. Raises UsageError."""
    import json

    import orjson

    pairs: dict[str, Json] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        try:
            if not (key and equals):
                raise ValueError
            # Every JSON that can be sent: neither NaN nor numbers of more than 64 bits.
            orjson.dumps(found := json.loads(value, parse_constant=_no_constant))
            pairs[key] = found
        except (ValueError, TypeError, RecursionError):
            raise UsageError("cli_extra", text=key[:60]) from None
    return pairs


def _no_constant(name: str) -> Json:
    raise ValueError(name)


def _connection(given: Mapping[str, Any]) -> dict[str, Json]:
    endpoint = endpoint_fields(given)
    name, model = given.get("connection"), given.get("model")
    if name is not None and endpoint:
        raise UsageError("cli_two_endpoints", option=flag_of(f"connection.{next(iter(endpoint))}"))
    fields: dict[str, Json] = {} if model is None else {"model": model}
    if name is not None:
        return {"connection": name, **fields}
    # A model alone does not say where it is: that is for the environment to say.
    return {"connection": {**endpoint, **fields}} if endpoint else fields


def weighted(text: str) -> dict[str, Json]:
    """`NAME` or `NAME=WEIGHT`."""
    name, equals, weight = text.rpartition("=")
    return {"name": name, "weight": weight} if equals else {"name": text}


def _role(text: str) -> tuple[str, str]:
    role, equals, name = text.partition("=")
    if not (role and equals and name):
        raise UsageError("cli_role", text=text[:60])
    return role, name


@contextmanager
def named_by_flag(own: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Inside, fields that do not fit are called by their options (`own`: see `flag_of`)."""
    from corpusmith.service.fields import COMMAND_LINE, FieldsError

    try:
        yield
    except FieldsError as error:
        if error.data["source"] != COMMAND_LINE:  # of a file that an option named
            raise
        raise FlagsError(error, own) from None


class FlagsError(UsageError):
    """A FieldsError of the command line: it speaks of options."""

    code = "spec_fields"

    def __init__(self, error: Any, own: Mapping[str, str]) -> None:
        super().__init__(**error.data)
        self._error = error
        self._own = own

    def message(self, language: Language) -> str:
        return str(self._error.listed(language, lambda place: flag_of(place, self._own)))


def number_of(text: str, flag: str, *, least: float | None = None) -> float:
    """A number typed for an option. Raises UsageError."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or (least is not None and value < least):
        code = "cli_number" if least is None else "cli_number_least"
        raise UsageError(code, option=flag, least=least)
    return value


def whole_of(text: str, flag: str, *, least: int | None = None) -> int:
    """A whole number typed for an option. Raises UsageError."""
    try:
        value = int(text)
    except ValueError:
        raise UsageError("cli_whole_number", option=flag) from None
    if least is not None and value < least:
        raise UsageError("cli_at_least", option=flag, least=least)
    return value


def text_in(file: str) -> str:
    """The text of a file that an option names. Raises UsageError."""
    path = Path(file).expanduser()
    try:
        return path.read_text("utf-8")
    except OSError as error:
        code = "file_is_folder" if os.path.isdir(path) else "file_unreadable"
        raise UsageError(code, file=file, problem=error.strerror) from None
    except UnicodeDecodeError:
        raise UsageError("file_not_text", file=file) from None


def key_from_terminal(session: Any, prompt_key: str) -> str:
    """A secret: typed unseen at a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    from getpass import getpass

    return getpass(session.say(prompt_key), stream=sys.stderr)
