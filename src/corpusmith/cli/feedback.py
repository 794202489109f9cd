"""`corpusmith feedback`: training files from what people said of a model's answers.

Owns: its options, progress and statistics on the terminal. Does not own: the run
(`service/feedback.py`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import Command, group
from corpusmith.cli.out import number, plain, show_json, show_pairs, show_table, span
from corpusmith.cli.session import Session
from corpusmith.cli.signals import terminated_alike
from corpusmith.cli.widths import cut, tell
from corpusmith.errors import Stopped, UsageError
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.feedback.tally import FeedbackResult
    from corpusmith.service.feedback import Reading, ShowReading
    from corpusmith.service.feedback_file import FeedbackFile

app = group("")

SEVERAL = ("--format", "--map", "--map-value")
"""Options that take all words up to the next option: `--format json alpaca`."""
NAMES = {"formats": "--format", "map_values": "--map-value", "feedback_file": "--feedback-file"}
SHOWN_MODELS, NAME_COLUMNS = 12, 50
TERMINAL_EVERY_S, PLAIN_EVERY_S = 0.2, 5.0


class SeveralCommand(Command):
    """A command whose SEVERAL options take several words each."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _one_each(args))


def _one_each(args: list[str]) -> list[str]:
    """`--format json alpaca` as `--format json --format alpaca`. Raises UsageError."""
    spread: list[str] = []
    option = ""
    for place, word in enumerate(args):
        if word == "--":
            return spread + args[place:]
        if not word.startswith("-"):
            spread += [option, word] if option else [word]
            continue
        name, equals, _ = word.partition("=")
        name = name.replace("_", "-")
        option = name if name in SEVERAL else ""
        if not option or equals:
            spread.append(word)
        elif (args[place + 1 : place + 2] or ["-"])[0].startswith("-"):
            raise UsageError("cli_needs_value", option=option)
    return spread


def _text(names: str, help: str, metavar: str, panel: str) -> Any:
    return flags.option(names, f"feedback_{help}", metavar, panel)


@app.command("feedback", cls=SeveralCommand, help="help.feedback")
def feedback(
    ctx: typer.Context,
    feedback_file: Annotated[
        str | None, _text("--feedback-file", "file", "FILE", "feedback_in")
    ] = None,
    dataset: Annotated[str | None, _text("--dataset", "dataset", "NAME", "feedback_in")] = None,
    map: Annotated[list[str] | None, _text("--map", "map", "OURS=THEIRS …", "feedback_in")] = None,
    map_value: Annotated[
        list[str] | None, _text("--map-value", "map_value", "FIELD:VALUE=MEANING,…", "feedback_in")
    ] = None,
    config: Annotated[str | None, _text("--config", "config", "FILE", "feedback_in")] = None,
    min_rating: Annotated[
        str | None, _text("--min-rating", "min_rating", "1-5", "feedback_choice")
    ] = None,
    model_name: Annotated[
        str | None, _text("--model-name", "model_name", "NAME", "feedback_choice")
    ] = None,
    merge_with: Annotated[
        str | None, _text("--merge-with", "merge_with", "FILE", "feedback_choice")
    ] = None,
    since_last: Annotated[
        bool | None, flags.option("--since-last", "feedback_since_last", panel="feedback_choice")
    ] = None,
    output_dir: Annotated[
        str | None, _text("--output-dir", "output_dir", "FOLDER", "result")
    ] = None,
    format: Annotated[
        list[str] | None, _text("--format", "format", "json|jsonl|alpaca …", "result")
    ] = None,
    dataset_info: Annotated[
        bool | None, flags.option("--dataset-info", "feedback_dataset_info", panel="result")
    ] = None,
    pairs: Annotated[
        bool | None, flags.option("--pairs", "feedback_pairs", panel="feedback_pairs")
    ] = None,
    pairs_choose: Annotated[
        str | None, _text("--pairs-choose", "pairs_choose", "best-worst|all", "feedback_pairs")
    ] = None,
    pairs_margin: Annotated[
        str | None, _text("--pairs-margin", "pairs_margin", "X", "feedback_pairs")
    ] = None,
    pairs_format: Annotated[
        str | None,
        _text("--pairs-format", "pairs_format", "llamafactory|trl|alpaca", "feedback_pairs"),
    ] = None,
    kto: Annotated[
        bool | None, flags.option("--kto", "feedback_kto", panel="feedback_pairs")
    ] = None,
    kto_format: Annotated[
        str | None, _text("--kto-format", "kto_format", "llamafactory|trl", "feedback_pairs")
    ] = None,
    kto_max: Annotated[str | None, _text("--kto-max", "kto_max", "1-5", "feedback_pairs")] = None,
) -> None:
    """All files come whole, or none is changed."""
    file = _file({name: value for name, value in locals().items() if name in _OPTIONS}, config)
    run_feedback(ctx.obj, file)


def run_feedback(session: Session, file: FeedbackFile) -> None:
    """Runs it, and shows what became of the rows."""
    with session.studio() as studio:
        try:
            with terminated_alike():
                result = studio.feedback.run_file(file, show=_progress(session))
        except KeyboardInterrupt:
            raise Stopped("feedback_stopped") from None
    if session.json:
        show_json(result)
    else:
        _show_result(session, result)


_OPTIONS = {
    "map": "map",
    "map_value": "map_values",
    "format": "formats",
    **{
        name: name
        for name in (
            *("feedback_file", "dataset", "min_rating", "model_name", "merge_with", "since_last"),
            *("output_dir", "dataset_info", "kto", "kto_format", "kto_max"),
            *("pairs", "pairs_choose", "pairs_margin", "pairs_format"),
        )
    },
}
"""Parameter → field."""


def _file(given: Mapping[str, Any], config: str | None) -> FeedbackFile:
    """The checked options, those of `--config` below those of the line."""
    from corpusmith.feedback.fields import map_of, value_map_of
    from corpusmith.service.feedback_file import feedback_file, read_feedback_file
    from corpusmith.service.fields import COMMAND_LINE

    fields: dict[str, Json] = {
        _OPTIONS[name]: value for name, value in given.items() if value is not None
    }
    if "map" in fields:
        fields["map"] = map_of(fields["map"])
    if "map_values" in fields:
        fields["map_values"] = value_map_of(fields["map_values"])
    with flags.named_by_flag(NAMES):
        checked = feedback_file(fields, source=COMMAND_LINE)
        return checked if config is None else read_feedback_file(config, **fields)


# ---------------------------------------------------------------- progress


def _progress(session: Session) -> ShowReading | None:
    """Says now and then on standard error how far it is; with `--json` nothing."""
    if session.json:
        return None
    live = sys.stderr.isatty()
    due_s = time.monotonic() + (TERMINAL_EVERY_S if live else PLAIN_EVERY_S)

    def show(reading: Reading) -> None:
        nonlocal due_s
        now_s = time.monotonic()
        done = reading.total_bytes is not None and reading.bytes >= reading.total_bytes
        if live and done:
            sys.stderr.write("\r\x1b[K")
        elif now_s >= due_s:
            due_s = now_s + (TERMINAL_EVERY_S if live else PLAIN_EVERY_S)
            line = _line(session, reading)
            print(f"\r\x1b[K{line}" if live else line, end="" if live else "\n", file=sys.stderr)
        sys.stderr.flush()

    return show


def _line(session: Session, reading: Reading) -> str:
    took_s = max(reading.took_s, 0.001)
    parts = [
        session.say("cli.feedback.progress", read=number(reading.read), kept=number(reading.kept)),
        session.say(
            "cli.feedback.speed",
            rows=number(reading.read / took_s),
            mb=f"{reading.bytes / took_s / 1e6:.0f}",
        ),
    ]
    if reading.total_bytes and reading.bytes:
        left_s = took_s * (reading.total_bytes - reading.bytes) / reading.bytes
        parts.insert(0, f"{reading.bytes / reading.total_bytes:.0%}")
        parts.append(session.say("show.left", time=span(left_s, session.language)))
    return session.say("show.separator").join(parts)


# ---------------------------------------------------------------- the end


def _show_result(session: Session, result: FeedbackResult) -> None:
    say = session.say
    show_pairs(_counts(session, result))
    if len(result.models) > 1 or (result.models and result.models[0].model_name):
        print()
        _show_models(session, result)
    print()
    for path in result.files.values():
        tell(say("cli.feedback.written", file=_short(path)), sys.stdout)
    if result.bad_rows is not None:
        tell(say("cli.feedback.bad_rows", file=_short(result.bad_rows)), sys.stdout)
    if result.kept == 0 and "other_model" in result.dropped:
        named = any(one.model_name for one in result.models)
        tell(say("cli.feedback.no_such_model" if named else "cli.feedback.no_models"), sys.stdout)


def _counts(session: Session, result: FeedbackResult) -> list[tuple[str, object]]:
    say = session.say
    rows: list[tuple[str, object]] = [
        (say("cli.feedback.read"), number(result.read)),
        (say("cli.feedback.kept"), number(result.kept)),
    ]
    for kind, reasons in (("dropped", result.dropped), ("bad", result.bad)):
        ordered = sorted(reasons.items(), key=lambda one: -one[1])
        text = say("cli.comma").join(f"{say(f'short.{name}')} {number(n)}" for name, n in ordered)
        total = number(sum(reasons.values()))
        rows.append((say(f"cli.feedback.{kind}"), f"{total} ({text})" if text else total))
    rows.append(
        (
            say("cli.feedback.mean"),
            say(
                "cli.feedback.means",
                kept=_mean(result.mean_rating),
                read=_mean(result.mean_rating_read),
            ),
        )
    )
    if result.words:
        words = say("cli.comma").join(f"{word} ({number(n)})" for word, n in result.words.items())
        rows.append((say("cli.feedback.words"), words))
    if result.existing:
        rows.append((say("cli.feedback.existing"), number(result.existing)))
    if result.pairs is not None:
        rows.append((say("cli.feedback.pairs"), number(result.pairs)))
    if result.kto is not None:
        text = say(
            "cli.feedback.kto_counts", **{name: number(n) for name, n in plain(result.kto).items()}
        )
        rows.append((say("cli.feedback.kto"), text))
    return rows


def _show_models(session: Session, result: FeedbackResult) -> None:
    say = session.say
    rows = [
        (
            cut(" ".join((one.model_name or say("cli.unlabelled")).split()), NAME_COLUMNS),
            number(one.read),
            number(one.kept),
            _mean(one.mean_rating),
        )
        for one in result.models[:SHOWN_MODELS]
    ]
    headers = [say(f"column.feedback.{name}") for name in ("model", "read", "kept", "mean")]
    show_table(headers, rows, right=(1, 2, 3))
    if len(result.models) > SHOWN_MODELS:
        print(say("show.more", n=len(result.models) - SHOWN_MODELS))


def _mean(rating: float | None) -> str:
    return "–" if rating is None else f"{rating:.2f}"


def _short(path: Path) -> str:
    from corpusmith.cli.out import shown_path

    return shown_path(path.absolute())
