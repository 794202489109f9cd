"""`corpusmith template` and `corpusmith ratio`: rows from a prompt with variables.

Owns: their options, and reading values from them. Does not own: what the values mean
(`service/forms/template.py`), samples of datasets (`sampling.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.making import make, sign, task_command
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError
from corpusmith.values import Json

app = group("")

_SHARED: dict[str, Any] = {
    "per_request": Annotated[
        flags.Text, flags.option("--per-request", "template_per_request", "N", "what")
    ],
    "preset": Annotated[
        flags.Text,
        flags.option("--preset", "template_preset", "high_quality|fast|creative", "sampling"),
    ],
    "mix": Annotated[
        flags.Many, flags.option("--mix", "template_mix", "NAME[=WEIGHT]", "endpoint")
    ],
}
_OWN: dict[str, Any] = {
    "template": Annotated[
        flags.Text, flags.option("--template", "template_wish", "FILE|NAME", "what")
    ],
    "var": Annotated[flags.Many, flags.option("--var", "template_var", "NAME=VALUE,…", "what")],
    "var_weights": Annotated[
        flags.Many, flags.option("--var-weights", "template_var_weights", "NAME=WEIGHT,…", "what")
    ],
    "var_column": Annotated[
        flags.Many, flags.option("--var-column", "template_var_column", "NAME=COLUMN", "what")
    ],
    "input": Annotated[flags.Text, flags.option("--input", "template_input", "FILE|DIR", "input")],
    "input_dataset": Annotated[
        flags.Text, flags.option("--input-dataset", "template_input_dataset", "NAME", "input")
    ],
    **{
        name: Annotated[flags.Text, flags.option(words, f"template_{name}", metavar, "input")]
        for name, words, metavar in (
            ("sample", "--sample", "N"),
            ("limit", "--limit", "N"),
            ("split_by", "--split-by", "recursive|headings"),
            ("chunk_size", "--chunk-size", "N"),
            ("chunk_overlap", "--chunk-overlap", "N"),
            ("chunk_unit", "--chunk-unit", "characters|tokens"),
            ("heading_level", "--heading-level", "N"),
            ("encoding", "--encoding", "NAME"),
        )
    },
    "keep": Annotated[flags.Many, flags.option("--keep", "template_keep", "NAME", "what")],
    "system": Annotated[flags.Text, flags.option("--system", "template_system", "TEXT", "what")],
    **_SHARED,
}
_INPUT = (
    *("sample", "limit", "split_by", "chunk_size", "chunk_overlap", "chunk_unit"),
    *("heading_level", "encoding"),
)
_NAMES = {
    "vars": "--var",
    "models": "--mix",
    **{f"input.{name}": flags.flag_of(name) for name in _INPUT},
}


def _template_fields(given: Mapping[str, Any]) -> dict[str, Json]:
    fields: dict[str, Json] = {"recipe": "template", **_shared_fields(given)}
    same = ("template", "system", "keep")
    fields |= {name: given[name] for name in same if given[name]}
    if values := variables_of(given):
        fields["vars"] = values
    if part := _input(given):
        fields["input"] = part
    return fields


def _input(given: Mapping[str, Any]) -> dict[str, Json]:
    """The fields of an InputPart; empty: no input is given. Raises UsageError."""
    from corpusmith.service.input_part import input_part

    how = {name: given[name] for name in _INPUT if given[name] is not None}
    text, dataset = given["input"], given["input_dataset"]
    if text is not None and dataset is not None:
        raise UsageError("cli_template_two_inputs")
    if text is not None:
        source = input_part(text, source="--input").model_dump(exclude_unset=True)
        return {**source, **how}
    if dataset is not None:
        return {"dataset": dataset, **how}
    if how:
        raise UsageError("cli_template_no_input", option=flags.flag_of(next(iter(how))))
    return {}


def _shared_fields(given: Mapping[str, Any]) -> dict[str, Json]:
    same = ("per_request", "preset")
    fields: dict[str, Json] = {name: given[name] for name in same if given[name] is not None}
    if given["mix"]:
        fields["models"] = [flags.weighted(text) for text in given["mix"]]
    return fields


task_command(app, "template", own=_OWN, fields=_template_fields, names=_NAMES)


def _ratio(ctx: typer.Context, **given: Any) -> None:
    from corpusmith.service.sample_file import is_sampling
    from corpusmith.service.yaml_file import read_fields, read_task_file

    session: Session = ctx.obj
    path = given["file"]
    if is_sampling(read_fields(path)):
        raise typer.Exit(_sample(session, path, given))
    fields = {**flags.common_fields(given), **_shared_fields(given), "recipe": "template"}
    if given["total"] is not None:
        fields["total"] = given["total"]
    file = read_task_file(path, **fields)
    if not getattr(file, "categories", ()):
        raise UsageError("cli_ratio_no_categories", file=path)
    with session.studio() as studio:
        make(session, studio, file, dry_run=given["dry_run"], yes=given["yes"])


_RATIO: dict[str, Any] = {
    "file": Annotated[str, flags.argument("FILE", "ratio_file")],
    "total": Annotated[flags.Text, flags.option("--total", "ratio_total", "N", "what")],
    **_SHARED,
    **flags.COMMON,
}
sign(_ratio, _RATIO)
command(app, "ratio")(_ratio)

_SAMPLE = {"total": "total", "count": "total", "seed": "seed", "name": "name", "dataset": "dataset"}


def _sample(session: Session, path: str, given: Mapping[str, Any]) -> int:
    """A ratio of records that are there: no model is asked, so no option about one fits."""
    from corpusmith.cli.sampling import run_sampling

    fitting = (*_SAMPLE, "file", "output", "format", "dry_run", "yes")
    for name, value in given.items():
        if name not in fitting and value not in (None, False, []):
            raise UsageError("cli_ratio_sampling", option=flags.flag_of(name), file=path)
    fields = {field: given[name] for name, field in _SAMPLE.items() if given[name] is not None}
    fields |= flags.output_fields(given["output"], given["format"])
    with session.studio() as studio:
        return run_sampling(session, studio, path, dry_run=given["dry_run"], **fields)


# ---------------------------------------------------------------- variables


def variables_of(given: Mapping[str, Any]) -> dict[str, Json]:
    """`vars` from `--var`, `--var-weights` and `--var-column`. Raises UsageError."""
    values: dict[str, list[str]] = {}
    for name, text in _pairs(given["var"], "--var"):
        values.setdefault(name, []).extend(_split(text))
    found: dict[str, Json] = {
        name: several if len(several) > 1 else several[0] for name, several in values.items()
    }
    for name, text in _pairs(given["var_weights"], "--var-weights"):
        weights = _split(text)
        if len(weights) != len(values.get(name, ())):
            raise UsageError(
                "cli_var_weights",
                variable=name,
                weights=len(weights),
                values=len(values.get(name, ())),
            )
        if len(set(values[name])) < len(weights):
            raise UsageError("cli_var_twice", variable=name)
        numbers = [flags.number_of(one, "--var-weights", least=0) for one in weights]
        found[name] = dict(zip(values[name], numbers, strict=True))
    for name, column in _pairs(given["var_column"], "--var-column"):
        if name in found:
            raise UsageError("cli_var_column", variable=name)
        found[name] = {"column": column}
    return found


def _pairs(texts: Sequence[str] | None, option: str) -> Iterator[tuple[str, str]]:
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not (name.strip() and equals):
            raise UsageError("cli_var", option=option, text=text[:60])
        yield name.strip(), value


_LINE_END = "\ue000"


def _split(text: str) -> list[str]:
    """The values between commas; in double quotes a comma is text. One value may have lines."""
    # The csv reader takes a bare line end for the end of a row.
    rows = csv.reader([text.replace("\r\n", "\n").replace("\n", _LINE_END)])
    cells = next(rows, [""])
    return [cell.strip().replace(_LINE_END, "\n") for cell in cells]
