"""`corpusmith templates test`: one sample of a template, made now.

Owns: the command's options and what it shows. Does not own: the try (`service/template_trial.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.errors import DONE, FAILED, SHORTFALL, redacted
from corpusmith.cli.out import money, number, show_json
from corpusmith.cli.session import Session
from corpusmith.cli.template import variables_of
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.template_trial import Trial

_LEFT_OUT = (
    *("count", "dataset", "name", "role", "concurrency", "rpm", "tpm"),
    *("max_cost", "max_total_tokens", "max_calls", "max_attempts_multiplier"),
    *("output", "format", "no_commit", "dry_run", "yes"),
)
OPTIONS: dict[str, Any] = {
    "template": Annotated[str, flags.argument("NAME|FILE", "template_wish")],
    "var": Annotated[flags.Many, flags.option("--var", "templates_var", "NAME=VALUE", "what")],
    "var_column": Annotated[
        flags.Many, flags.option("--var-column", "template_var_column", "NAME=COLUMN", "what")
    ],
    "input": Annotated[flags.Text, flags.option("--input", "templates_input", "FILE|DIR", "what")],
    **{name: one for name, one in flags.COMMON.items() if name not in _LEFT_OUT},
}


def trial(ctx: typer.Context, **given: Any) -> None:
    """Exit code 3 when the sample did not become a row, 1 when none could be asked for."""
    session: Session = ctx.obj
    fields = flags.common_fields(given)
    values = variables_of({**given, "var_weights": None})
    if given["input"] is not None:
        fields["input"] = given["input"]
    with session.studio() as studio, flags.named_by_flag({"vars": "--var"}):
        made = studio.templates.test(given["template"], vars=values, **fields)
    if session.json:
        show_json(made)
    else:
        _show(session, made)
    raise typer.Exit(DONE if made.reason is None else FAILED if made.stopped else SHORTFALL)


def _show(session: Session, made: Trial) -> None:
    print(session.say("cli.templates.test.asked", model=made.model))
    for message in made.messages:
        print(f"\n[{message.role}]\n{redacted(message.content)}")
    if made.raw:
        _section(session, "reply", made.raw)
    if made.reason is None:
        _section(session, "sample", _pretty(made.sample))
    else:
        print(f"\n{session.say('cli.templates.test.none', why=why_text(session, made))}")
    if made.simulated:
        print(f"\n{session.say('cli.templates.test.simulated')}")
    spend = made.spend
    print()
    print(
        session.say(
            "cli.ended.spend",
            calls=number(spend.calls),
            tokens=number(spend.usage.total_tokens),
            cost=money(spend.cost_usd, session),
        )
    )


def _section(session: Session, name: str, text: str) -> None:
    print(f"\n{session.say(f'cli.templates.test.{name}')}")
    for line in redacted(text).splitlines():
        print(f"  {line}".rstrip())


def _pretty(value: Json) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def why_text(session: Session, made: Trial) -> str:
    """What went wrong, in a sentence, and what helps."""
    from corpusmith.service.template_trial import why_of

    return redacted(session.say("cli.gap").join(why_of(made, session.language)))
