"""Errors as people see them: one message, what to do next, an exit code.

Owns: which exit code an error has, and that nobody sees a traceback who did not ask for one.
Does not own: the messages (the catalog).
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from corpusmith.cli.option_names import in_flags, options_named, speaks_of_options
from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless, tell
from corpusmith.errors import BudgetReached, CorpusmithError, Stopped, UsageError
from corpusmith.messages import catalog

DONE, FAILED, USAGE, SHORTFALL, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 3, 130, 141

_EXIT_CODES: tuple[tuple[type[CorpusmithError], int], ...] = (
    (UsageError, USAGE),
    (BudgetReached, SHORTFALL),
    (Stopped, INTERRUPTED),
)
_SECRET_NAMES = re.compile(r"key|token|secret|password", re.IGNORECASE)


def exit_code(error: CorpusmithError) -> int:
    """By the error's class; FAILED for what is in no table."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), FAILED)


def report(error: BaseException, session: Session) -> int:
    """Says on standard error what happened; returns the exit code."""
    if isinstance(error, BaseExceptionGroup):
        error = first_of(error)
    if session.debug and not _is_usage(error):
        _say_traceback(error)
    if isinstance(error, CorpusmithError):
        text = message_of(error, session)
        say_error(text, session, code=error.reason, hint=_hint(error, session))
        return exit_code(error)
    if isinstance(error, KeyboardInterrupt):
        say_error(session.say("cli.interrupted"), session, label="")
        return INTERRUPTED
    if _is_usage(error):
        known = translated(error)
        text = known.message(session.language)
        say_error(text, session, code=known.reason, hint=_help_hint(error, session))
        return USAGE
    say_error(
        session.say("error.internal", type=type(error).__name__, cause=_where(error)), session
    )
    return FAILED


def message_of(error: CorpusmithError, session: Session) -> str:
    """The error's message, with an export's options as they are typed."""
    if speaks_of_options(error):
        return options_named(in_flags(error).message(session.language))
    return error.message(session.language)


def say_error(
    text: str,
    session: Session,
    *,
    code: str = "internal",
    hint: str = "",
    label: str = "label.error",
) -> None:
    """`error: …` with the hint below it; with `--json` the same shape as the REST API's."""
    if session.json and label:
        import json

        error = {"error": {"code": code, "message": redacted(text)}}
        print(json.dumps(error, ensure_ascii=False), file=sys.stderr)
        return
    lead = session.say(label) if label else ""
    tell(f"{lead}{redacted(text)}", sys.stderr)
    if hint:
        tell(f"{session.say('label.hint')}{hint}", sys.stderr)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The cause inside nested groups: our own errors before others."""
    flat = [
        first_of(one) if isinstance(one, BaseExceptionGroup) else one for one in group.exceptions
    ]
    return next((one for one in flat if isinstance(one, CorpusmithError)), flat[0])


def redacted(text: str) -> str:
    """`text` fit to be shown: no value of a key variable, nothing that steers a terminal."""
    for name, value in os.environ.items():
        if len(value) >= 8 and _SECRET_NAMES.search(name):
            text = text.replace(value, "***")
    return harmless(text)


# ---------------------------------------------------------------- Typer's own errors


def _is_usage(error: BaseException) -> bool:
    import typer

    return isinstance(error, typer.TyperException)


def translated(error: Any) -> UsageError:
    """Ours for Typer's complaint about the words of the command line."""
    option = getattr(error, "option_name", None)
    if type(error).__name__ == "NoSuchOption":
        near = _near_option(error, option)
        code = "cli_unknown_option_near" if near else "cli_unknown_option"
        return UsageError(code, option=option, near=near)
    if option is not None:
        return UsageError("cli_flag_value" if _is_flag(error) else "cli_needs_value", option=option)
    param = getattr(error, "param", None)
    if param is not None and type(error).__name__ == "MissingParameter":
        return UsageError("cli_missing", name=_shown(param))
    if param is not None:
        return UsageError("cli_bad_value", name=_shown(param), problem=error.message)
    return UsageError("cli_usage", problem=error.format_message())


def _is_flag(error: Any) -> bool:
    params = error.ctx.command.get_params(error.ctx) if error.ctx is not None else []
    return any(error.option_name in param.opts and param.is_flag for param in params)


def _near_option(error: Any, option: Any) -> str:
    from difflib import get_close_matches

    if error.ctx is None:
        return ""
    known = [name for param in error.ctx.command.get_params(error.ctx) for name in param.opts]
    longer = [name for name in known if name.startswith(f"{option}-")]
    # The dashes are alike in all of them.
    words = [name.strip("-") for name in known]
    near = get_close_matches(option.strip("-"), words, n=1, cutoff=0.65)
    return " / ".join(longer) or "".join(f"--{word}" for word in near)


def _shown(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    return str(max(param.opts, key=len))


# ---------------------------------------------------------------- hints


def _hint(error: CorpusmithError, session: Session) -> str:
    key = f"hint.{error.reason}"
    return session.say(key, **error.data) if key in catalog(session.language) else ""


def _help_hint(error: Any, session: Session) -> str:
    ctx = getattr(error, "ctx", None)
    return session.say("hint.help", command=ctx.command_path) if ctx is not None else ""


def _where(error: BaseException) -> str:
    """Our innermost line, never the message: a foreign one may hold anything."""
    trace, place = error.__traceback__, "?"
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "corpusmith" in file:
            place = f"{os.path.basename(file)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _say_traceback(error: BaseException) -> None:
    import traceback

    print(redacted("".join(traceback.format_exception(error))), file=sys.stderr)
