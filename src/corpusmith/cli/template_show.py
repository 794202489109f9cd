"""Shows a template to a person: its fields, its variables, its prompt, the shape of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpusmith.cli.out import plain, show_pairs
from corpusmith.cli.session import Session
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.nouns import Template
    from corpusmith.service.template_check import About

PARAMETERS = ("preset", "model", "temperature", "top_p", "max_tokens")


def show_template(session: Session, one: Template, about: About) -> None:
    heads = {
        "name": one.name,
        "version": one.version or "",
        "type": one.type,
        "language": one.language,
        "description": one.description,
        **{name: getattr(one, name) for name in PARAMETERS},
        "keep": ", ".join(one.keep),
    }
    show_pairs(
        (session.say(f"column.{key}"), value)
        for key, value in heads.items()
        if value not in ("", None)
    )
    if about.variables:
        _section(session, "variables", "")
        show_pairs((f"  {name}", text) for name, text in _variables(session, one, about))
    if one.system:
        _section(session, "system", one.system)
    _section(session, "prompt", one.prompt)
    _section(session, f"shape.{about.shape}", _schema_text(about))


def _variables(session: Session, one: Template, about: About) -> list[tuple[str, str]]:
    return [
        (
            name,
            _value_text(one.vars[name])
            if source == "default"
            else session.say(f"cli.templates.variable.{source}"),
        )
        for name, source in about.variables.items()
    ]


def _value_text(value: Json) -> str:
    import orjson

    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " | ".join(value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _section(session: Session, name: str, text: str) -> None:
    from corpusmith.cli.widths import harmless

    print(f"\n{session.say(f'cli.templates.{name}')}")
    for line in harmless(text).splitlines():
        print(f"  {line}".rstrip())


def _schema_text(about: About) -> str:
    import orjson

    if about.schema is None:
        return ""
    return orjson.dumps(plain(about.schema), option=orjson.OPT_INDENT_2).decode()
