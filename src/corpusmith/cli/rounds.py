"""`rounds`: conversations that go on by question, answer and correction.

Owns: from the words of the line to prepared files and tasks. Does not own: the options that all
tasks share (`flags.py`), driving a task and its end (`making.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.making import task_command
from corpusmith.cli.out import number, show_json
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell
from corpusmith.errors import UsageError
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.rounds import Prepared
    from corpusmith.service.studio import Studio
    from corpusmith.store.values import Task

app = group("rounds")

Input = Annotated[str, flags.option("--input", "rounds_input", "FILE|hub:NAME", "what")]
Map = Annotated[flags.Many, flags.option("--map", "rounds_map", "FIELD=NAME", "what")]
Sample = Annotated[flags.Text, flags.option("--sample", "rounds_sample", "N", "what")]
OutputDir = Annotated[flags.Text, flags.option("--output-dir", "rounds_output_dir", "DIR", "what")]

_TRIPLES: dict[str, Any] = {"input": Input, "map": Map, "sample": Sample}
_ROUNDS: dict[str, Any] = {
    "rounds": Annotated[flags.Text, flags.option("--rounds", "rounds_rounds", "N", "what")],
    "output_dir": OutputDir,
    "context_messages": Annotated[
        flags.Text, flags.option("--context-messages", "rounds_context_messages", "N", "what")
    ],
    "context_tokens": Annotated[
        flags.Text, flags.option("--context-tokens", "rounds_context_tokens", "N", "what")
    ],
    "language": Annotated[
        flags.Text, flags.option("--language", "rounds_language", "zh|en", "what")
    ],
    "max_tokens": Annotated[
        flags.Text, flags.option("--max-tokens", "rounds_max_tokens", "N", "sampling")
    ],
    "role": Annotated[flags.Many, flags.option("--role", "rounds_role", "ROLE=NAME", "endpoint")],
}
_HISTORY: dict[str, Any] = {
    "history": Annotated[flags.Text, flags.option("--history", "rounds_history", "FILE", "what")]
}
_LEFT_OUT = ("count", *(name for name in _ROUNDS if name in flags.COMMON))


@command(app, "prepare")
def prepare(
    ctx: typer.Context,
    input: Input,
    map: Map = None,
    sample: Sample = None,
    seed: Annotated[flags.Text, flags.option("--seed", "rounds_seed", "N", "what")] = None,
    output_dir: OutputDir = None,
) -> None:
    """Writes the files of round 1."""
    session: Session = ctx.obj
    with session.studio() as studio:
        done = studio.rounds.prepare(
            input,
            sample=None if sample is None else flags.whole_of(sample, "--sample", least=1),
            seed=0 if seed is None else flags.whole_of(seed, "--seed", least=0),
            output_dir=output_dir or "data",
            map=_map(map or ()),
        )
    if session.json:
        show_json(done)
        return
    tell("\n".join(_lines(session, done)), sys.stdout)


def _lines(session: Session, done: Prepared) -> list[str]:
    from corpusmith.cli.out import shown_path

    lines = [session.say("cli.rounds.read", read=number(done.read), complete=number(done.complete))]
    if done.skipped:
        lines.append(_skipped(session, done.skipped))
    if done.asked is not None and done.asked > done.complete:
        lines.append(
            session.say("cli.rounds.fewer", asked=number(done.asked), n=number(done.conversations))
        )
    lines.append(session.say("cli.rounds.prepared", n=number(done.conversations)))
    lines += [session.say("cli.written", file=shown_path(path.absolute())) for path in done.files]
    return lines


def _skipped(session: Session, skipped: Mapping[str, int]) -> str:
    """How many rows were no complete triples, and why."""
    from corpusmith.cli.words import reason_text

    reasons = []
    for fault, count in skipped.items():
        field, _, why = fault.partition(".")
        known = session.say(f"rounds.fault.{why}", field=field) if why else None
        reasons.append(f"{known or reason_text(session, fault)} {number(count)}")
    text = session.say("cli.comma").join(reasons)
    return session.say("cli.rounds.skipped", n=number(sum(skipped.values())), reasons=text)


def _map(texts: Sequence[str]) -> dict[str, str]:
    """`FIELD=NAME` texts, several of them with commas too. Raises UsageError."""
    names: dict[str, str] = {}
    for text in ",".join(texts).split(",") if texts else ():
        field, equals, name = text.partition("=")
        if not (field.strip() and equals and name.strip()):
            raise UsageError("rounds_map", text=text[:60])
        names[field.strip()] = name.strip()
    return names


def _fields(given: Mapping[str, Any]) -> dict[str, Json]:
    same = ("input", "sample", "history", "rounds", "output_dir")
    wanted = (*same, "context_messages", "context_tokens")
    fields: dict[str, Json] = {"recipe": "rounds"}
    fields |= {name: given[name] for name in wanted if given.get(name) is not None}
    if given.get("map"):
        fields["map"] = _map(given["map"])
    return fields


def after(session: Session, studio: Studio, task: Task) -> None:
    """What was left out at the start, and where the failed ones are told of."""
    if session.json:
        return
    from corpusmith.cli.out import shown_path

    skipped = task.spec["recipe_spec"]["skipped"]
    lines = [_skipped(session, skipped)] if skipped else []
    failed = studio.rounds.failed_file(task)
    if failed is not None:
        lines.append(session.say("cli.rounds.failed", file=shown_path(failed)))
    if lines:
        tell("\n".join(lines), sys.stderr)


task_command(app, "build", own={**_HISTORY, **_ROUNDS}, fields=_fields, leave_out=_LEFT_OUT)
task_command(app, "run", own={**_TRIPLES, **_ROUNDS}, fields=_fields, leave_out=_LEFT_OUT)
