"""`corpusmith export`: records of a task or dataset into files or onto standard output.

Owns: its options, from them to what the service is asked, and what is said of the result. Does not
own: which records (`selecting.py`), formats, files (the service).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.errors import DONE, SHORTFALL, USAGE, redacted
from corpusmith.cli.generate import task_number
from corpusmith.cli.making import sign
from corpusmith.cli.option_names import options_named
from corpusmith.cli.out import number, show_json
from corpusmith.cli.selecting import SELECTION, selection_of
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell
from corpusmith.errors import UsageError
from corpusmith.service.suffixes import format_of

if TYPE_CHECKING:
    from corpusmith.service.exports import Exported, ExportPreview

app = group("")

Text = str | None
STREAM = "-"
HF = "hf"
SHOWN = 5
"""Numbers of refused records that are told, for each reason."""


def _text(name: str, metavar: str, panel: str) -> Any:
    return Annotated[Text, flags.option(f"--{name}", f"export_{_key(name)}", metavar, panel)]


def _flag(name: str, panel: str) -> Any:
    return Annotated[bool, flags.option(f"--{name}", f"export_{_key(name)}", panel=panel)]


def _key(name: str) -> str:
    return name.split()[0].replace("-", "_")


ROWS: dict[str, Any] = {
    "system": _text("system", "none|character|own", "rows"),
    "system_text": _text("system-text", "TEXT", "rows"),
    "reasoning": _flag("reasoning", "rows"),
    "greeting": _text("greeting", "refuse|opener|system", "rows"),
    "opener": _text("opener", "TEXT", "rows"),
    "rounds": _text("rounds", "history|single", "rows"),
    "refinement": _text("refinement", "final|steps", "rows"),
    "prompt_field": _text("prompt-field", "NAME", "rows"),
    "answer_field": _text("answer-field", "NAME", "rows"),
    "good": _text("good", "1–5", "rows"),
    "bad": _text("bad", "1–5", "rows"),
    "bom": _flag("bom", "rows"),
    "spreadsheet_safe": _flag("spreadsheet-safe", "rows"),
    "mend": _flag("mend", "rows"),
    "on_refused": _text("on-refused", "stop|skip", "rows"),
    "pairs": _text("pairs", "rating|score", "pairs"),
    "pairs_choose": _text("pairs-choose", "best-worst|all", "pairs"),
    "pairs_margin": _text("pairs-margin", "X", "pairs"),
}
"""What becomes of a record, or of two that answer the same."""

PARTS: dict[str, Any] = {
    "balance": _text("balance", "category|scenario|character[=N]", "parts"),
    "split": _text("split", "NAME=SHARE,…", "parts"),
    "validation": _text("validation", "SHARE", "parts"),
    "seed": _text("seed", "N", "parts"),
}

FOLDER: dict[str, Any] = {
    "shape": _text("shape", "FORMAT", "folder"),
    "licence": Annotated[
        Text, flags.option("--licence --license", "export_licence", "NAME", "folder")
    ],
    "title": _text("title", "TEXT", "folder"),
    "card_language": _text("card-language", "zh|en", "folder"),
}
"""Of the layout of the hub."""

_FILES: dict[str, Any] = {
    "output": Annotated[
        Text, flags.option("--output -o", "export_output", "FILE|FOLDER|-", "files")
    ],
    "format": Annotated[Text, flags.option("--format", "export_format", "FORMAT", "files")],
    "manifest": _flag("manifest", "files"),
    "dataset_info": _flag("dataset-info", "files"),
    "dataset_info_file": _text("dataset-info-file", "FILE", "files"),
    "dataset_info_name": _text("dataset-info-name", "NAME", "files"),
    "dry_run": _flag("dry-run", "files"),
}

_SOURCE: dict[str, Any] = {
    "task": Annotated[Text, flags.option("--task", "export_task", "N", "selection")],
    "dataset": Annotated[Text, flags.option("--dataset", "export_dataset", "NAME", "selection")],
}


def export(ctx: typer.Context, **given: Any) -> None:
    """Writes the files whole or not at all."""
    session: Session = ctx.obj
    output, form = given["output"], given["format"]
    if given["dry_run"]:
        raise typer.Exit(_preview(session, given, _form(output, form)))
    if output is None:
        raise UsageError("cli_missing", name="--output")
    if session.json and output == STREAM:
        raise UsageError("cli_json_and_output")
    place = str(Path(output).expanduser()) if form == HF else output
    chosen = HF if form == HF else _form(output, form)
    if form != HF:
        place = str(flags.output_fields(output, form)["output"])
    with session.studio() as studio:
        written = studio.exports.write(place, form=chosen, **_files(given), **wanted(given))
    show_export(session, written, stream=output == STREAM)
    raise typer.Exit(SHORTFALL if written.refused or written.short else DONE)


sign(export, {**_SOURCE, **SELECTION, **ROWS, **PARTS, **_FILES, **FOLDER})
command(app, "export")(export)


# ---------------------------------------------------------------- what is asked for


def wanted(given: Mapping[str, Any]) -> dict[str, Any]:
    """From the options that `export` and `push` share to fields of `studio.exports.write`."""
    task = given.get("task")
    own = {name: given[name] for name in (*ROWS, *FOLDER) if given.get(name) not in (None, False)}
    if "system_text" in own:
        own.setdefault("system", "own")
    if "pairs_margin" in own:
        own["pairs_margin"] = flags.number_of(own["pairs_margin"], "--pairs-margin")
    number_ = None if task is None else task_number(task)
    if (task is None) == (given.get("dataset") is None):
        raise UsageError("task_or_dataset")
    seed = given.get("seed")
    return {
        "selection": selection_of(given, task=number_, dataset=given.get("dataset")),
        "balance": given.get("balance"),
        "split": _split(given),
        "seed": 0 if seed is None else flags.whole_of(seed, "--seed", least=0),
        **own,
    }


def _split(given: Mapping[str, Any]) -> str | None:
    """`--validation 10%` is `--split validation=10%`."""
    split, share = given.get("split"), given.get("validation")
    if split is not None and share is not None:
        raise UsageError("export_split_or_validation")
    return split if share is None else f"validation={share}"


def _files(given: Mapping[str, Any]) -> dict[str, Any]:
    file = given["dataset_info_file"]
    return {
        "manifest": True if given["manifest"] else None,
        "dataset_info": given["dataset_info"] if file is None else Path(file).expanduser(),
        "dataset_info_name": given["dataset_info_name"],
    }


def _form(output: str | None, form: str | None) -> str:
    """The format that was named, else the one that the file's name says, else JSON."""
    return form or (output and format_of(output)) or "json"


# ---------------------------------------------------------------- what is said


def show_export(session: Session, done: Exported, *, stream: bool = False) -> None:
    """What was written, and everything about it that a person should know."""
    out = sys.stderr if stream else sys.stdout
    if session.json:
        show_json(done)
    else:
        tell("\n".join(_lines(session, done, stream)), out)
    warn(session, done)


def _lines(session: Session, done: Exported, stream: bool) -> list[str]:
    shown = _target(done)
    key = "cli.exported_nothing" if done.records == 0 else "cli.exported"
    if done.records and done.rows != done.records:
        key = "cli.exported_rows"
    data = {"n": number(done.records), "rows": number(done.rows), "file": shown}
    lines = [session.say(key + ("_stream" if stream else ""), **data)]
    if len(done.files) > 1:
        lines += [
            session.say("cli.export.part", part=part, n=number(count), file=_short(file.path))
            for (part, count), file in zip(done.parts.items(), done.files, strict=True)
        ]
    for place in (done.manifest, done.card, done.dataset_info):
        if place is not None:
            lines.append(session.say("cli.written", file=_short(place)))
    return [*lines, *show_left_out(session, done)]


def _target(done: Exported) -> str:
    """Where it is: of the parts of a split, what their names have in common."""
    path = done.path
    if path is None:
        return str(path)
    parted = len(done.files) > 1 and not path.is_dir()
    return _short(path.with_name(f"{path.stem}-*{path.suffix}") if parted else path)


def show_left_out(session: Session, done: Exported | ExportPreview) -> list[str]:
    """What is not in the files, by reason; of a balanced export what there was of each kind."""
    from corpusmith.service.export_nothing import narrowed_text
    from corpusmith.service.export_rows import reason_text

    lines = []
    if done.nothing is not None:
        lines.append(options_named(narrowed_text(done.nothing, session.language)))
    if done.refused:
        key = "stops" if getattr(done, "stops", False) else "refused"
        key = "stops_all" if key == "stops" and not done.records else key
        lines.append(session.say(f"cli.export.{key}", n=number(sum(done.refused.values()))))
        for reason, count in done.refused.items():
            ids = _numbers(done.refused_records[reason], count)
            text = reason_text(reason, session.language)
            lines.append(session.say("cli.export.reason", n=number(count), why=text, ids=ids))
    for reason, count in done.passed_over.items():
        text = reason_text(reason, session.language)
        key = "unpaired" if reason.startswith("export_pair_") else "passed_over"
        lines.append(session.say(f"cli.export.{key}", n=number(count), why=text))
    if done.kinds:
        kinds = [
            f"{name or session.say('cli.export.without')} {number(count)}"
            for name, count in sorted(done.kinds.items())
        ]
        text = session.say("cli.comma").join(kinds)
        lines.append(session.say("cli.export.balanced", n=number(done.left_out), kinds=text))
    for name, lacking in done.short.items():
        shown = name or session.say("cli.export.without")
        lines.append(session.say("cli.export.short", kind=shown, n=number(lacking)))
    return lines


def _numbers(ids: Sequence[int], count: int) -> str:
    shown = ", ".join(f"#{one}" for one in ids[:SHOWN])
    return f"{shown}, …" if count > SHOWN else shown


def warn(session: Session, done: Exported | ExportPreview) -> None:
    """What must not be overlooked, on standard error."""
    from corpusmith.service.export_rows import character_names

    strangers = done.without_character
    counts = {
        "simulated": done.simulated,
        "rejected": done.rejected,
        "low_rated": done.low_rated,
        "without_character": sum(strangers.values()),
    }
    names = character_names(strangers, session.language)
    for what, count in counts.items():
        if count:
            tell(session.say(f"cli.export.{what}", n=number(count), names=names), sys.stderr)


def _preview(session: Session, given: Mapping[str, Any], form: str) -> int:
    """Returns the exit code that the export itself would have."""
    with session.studio() as studio:
        found = studio.exports.preview(form=form, path=given["output"] or "", **wanted(given))
    if session.json:
        show_json(found)
    else:
        _show_preview(session, found)
    warn(session, found)
    if found.stops:
        return USAGE
    return SHORTFALL if found.refused or found.short else DONE


def _show_preview(session: Session, found: ExportPreview) -> None:
    import orjson

    for place, row in enumerate(found.first, 1):
        text = orjson.dumps(row, option=orjson.OPT_INDENT_2).decode()
        print(f"{session.say('cli.export.row', n=place)}\n{redacted(text)}\n")
    counts = {"n": number(found.records), "rows": number(found.rows)}
    key = "dry_stops" if found.stops else "dry"
    lines = [session.say(f"cli.export.{key}", **counts)]
    lines += [
        session.say("cli.export.dry_part", part=part, n=number(count))
        for part, count in found.parts.items()
    ]
    tell("\n".join([*lines, *show_left_out(session, found)]), sys.stdout)


def _short(path: Path) -> str:
    from corpusmith.cli.out import shown_path

    return shown_path(path.absolute())
