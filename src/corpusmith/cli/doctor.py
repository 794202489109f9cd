"""`corpusmith doctor`: what works here and what does not, with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import show_json
from corpusmith.cli.session import Session

if TYPE_CHECKING:
    from corpusmith.service.doctor import Finding
    from corpusmith.values import Connection

app = group("")

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@command(app, "doctor")
def doctor(
    ctx: typer.Context,
    connection: Annotated[
        str | None, flags.option("--connection", "doctor_connection", "NAME", "endpoint")
    ] = None,
    endpoint: Annotated[bool, flags.option("--endpoint", "doctor_paid", panel="endpoint")] = False,
    provider: flags.Provider = None,
    base_url: flags.BaseUrl = None,
    model: flags.Model = None,
    api_key_env: flags.KeyVariable = None,
    proxy: flags.Proxy = None,
    ca_file: flags.CaFile = None,
    timeout: flags.Timeout = None,
    connect_timeout: flags.ConnectTimeout = None,
) -> None:
    """Looks at everything, and exits 1 when something fails."""
    from corpusmith.service.doctor import examine

    session: Session = ctx.obj
    extra = _ad_hoc(dict(locals()))
    found = examine(session.db, extra=extra, only=connection, paid=endpoint)
    if session.json:
        findings = list(found)
        show_json([_json(one, session) for one in findings])
    else:
        findings = [_shown(one, session) for one in found]
        fails = sum(one.level == "fail" for one in findings)
        warns = sum(one.level == "warn" for one in findings)
        print(session.say("doctor.end", fails=fails, warns=warns))
    if any(one.level == "fail" for one in findings):
        raise typer.Exit(1)


def _ad_hoc(given: dict[str, Any]) -> list[Connection]:
    from corpusmith.service.endpoints import connection_on_the_spot
    from corpusmith.service.fields import COMMAND_LINE
    from corpusmith.service.task_file import endpoint_part

    fields = flags.endpoint_fields(given)
    if given["model"] is not None:
        fields["model"] = given["model"]
    if not fields:
        return []
    with flags.named_by_flag():
        return [connection_on_the_spot(endpoint_part(fields, source=COMMAND_LINE))]


def _shown(finding: Finding, session: Session) -> Finding:
    """Prints a finding as soon as it is known: an endpoint may take its time."""
    from rich.text import Text

    from corpusmith.cli.out import console
    from corpusmith.cli.widths import pad, width, wrap

    out = console()
    label = session.say(f"doctor.level.{finding.level}")
    widest = max(width(session.say(f"doctor.level.{level}")) for level in STYLES)
    left = widest + 2
    lines = wrap(_text(finding, session), min(out.width, 100) - left)
    out.print(Text(pad(label, left), style=STYLES[finding.level]) + Text(lines[0]))
    for line in lines[1:]:
        out.print(Text(" " * left + line))
    return finding


def _text(finding: Finding, session: Session) -> str:
    from corpusmith.cli.errors import redacted

    name = session.say(f"doctor.check.{finding.check}")
    about = f" {finding.about}" if finding.about else ""
    text = session.say(finding.text, **finding.data)
    if finding.error is not None:
        text = finding.error.message(session.language)
    return redacted(session.say("doctor.line", check=name, about=about, text=text))


def _json(finding: Finding, session: Session) -> dict[str, Any]:
    return {
        "check": finding.check,
        "about": finding.about,
        "level": finding.level,
        "text": _text(finding, session),
    }
