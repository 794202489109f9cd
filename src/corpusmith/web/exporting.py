"""What a page of export asks for, read from its address: whose records, in which format, how.

Owns: which formats stand under which trainer, which options a page offers when, what is taken for
given. Does not own: what an option does (`exports/`), counting and bytes (`service/exports.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field, ValidationError

from corpusmith import registry
from corpusmith.api.routes import exports as rest
from corpusmith.errors import UsageError
from corpusmith.exports.formats import format_of, option_names
from corpusmith.exports.options import OPTIONS
from corpusmith.service.export_head import Sorts
from corpusmith.service.fields import FieldsError
from corpusmith.service.studio import Studio
from corpusmith.values import Language, Selection
from corpusmith.web.selected import FILTERS, Chosen, chosen

GROUPS: Mapping[str, tuple[str, ...]] = {
    "any": ("messages",),
    "llamafactory": ("sharegpt", "alpaca", "dpo", "dpo_alpaca", "kto"),
    "trl": ("prompt_completion", "dpo_trl", "kto_trl"),
    "axolotl": ("kto_axolotl",),
    "plain": ("json", "jsonl", "csv", "parquet"),
    "hub": ("hf",),
}
"""Trainer → formats that are made for it. `any`: all three read it."""
PLAIN = GROUPS["plain"]
CONTAINERS = ("jsonl", "json", "csv", "parquet")
USUAL_CHAT, USUAL = "messages", "json"
ANY = "any"
"""As a state: whatever it is."""
SHARE_MOST = 45
"""Per cent: two such parts leave something to train on."""

Percent = Annotated[float, Field(gt=0, le=SHARE_MOST, allow_inf_nan=False)]


class Asked(rest.ExportBody):
    """What the form says; its parts are per cent, and what they leave is for training."""

    validation: Percent | None = None
    test: Percent | None = None
    balance_count: int | None = Field(default=None, ge=1, le=2**31 - 1)

    def wanted(self) -> dict[str, Any]:
        """As the service takes it. Raises UsageError."""
        return {**super().wanted(), **self._own()}

    def rows(self) -> dict[str, Any]:
        """The same without what stands beside the rows."""
        return {**rest.Rows.wanted(self), **self._own()}

    def _own(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        parts = {"validation": self.validation, "test": self.test}
        shares = {name: one / 100 for name, one in parts.items() if one}
        if shares:
            found["split"] = {"train": 1 - sum(shares.values()), **shares}
        if self.balance and self.balance_count:
            found["balance"] = f"{self.balance}={self.balance_count}"
        return found

    @property
    def path(self) -> str:
        """A name from which the container can be told."""
        if self.format == "hf":
            return "data.parquet"
        return f"data.{self.container}" if self.container else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Of one dataset or of one task."""

    dataset: str | None = None
    task: int | None = None

    def of(self, selection: Selection) -> Selection:
        return replace(selection, dataset=self.dataset, task_id=self.task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An option that the page offers."""

    name: str
    kind: str
    """`choice`, `tick`, `text` or `number`."""
    values: tuple[str, ...] = ()
    usual: str = ""
    seldom: bool = False
    """It stands under “more”."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the address says, and what the page takes for given where it says nothing."""

    which: Chosen
    selection: Selection
    values: Mapping[str, str]
    format: str
    offered: Sequence[Offered]
    pairs: bool
    """Two records can make a row together."""
    container: str
    """What the rows stand in; empty: a folder."""
    containers: tuple[str, ...]
    """Those that can be chosen."""
    info: bool
    """LLaMA-Factory can be told of the file."""
    body: Asked | None
    error: FieldsError | None

    @property
    def several(self) -> bool:
        """It becomes a zip."""
        body = self.body
        parts = body is not None and (body.validation or body.test or body.report or body.manifest)
        return bool(parts) or self.format == "hf" or (body is not None and body.dataset_info)


def wanted(studio: Studio, whose: Whose, given: Mapping[str, str]) -> Wanted:
    """Reads the address. An option that the format does not have counts as not given."""
    values = {name: text for name, one in given.items() if (text := one.strip())}
    filters = {name: values.get(name, "") for name in FILTERS}
    if filters["state"] == ANY:
        filters["state"] = ""
    elif not filters["state"] and not any(filters.values()):
        filters["state"] = _usual_state(studio, whose)
    # A task's records are named by a dataset here only to be read the same way.
    which = chosen(whose.dataset or "-", filters)
    selection = whose.of(which.selection)
    sorts = studio.exports.sorts(selection)
    form = values.get("format", "")
    if form not in formats():
        form = USUAL_CHAT if sorts.chat else USUAL
    container = _container(form, values.get("container", ""))
    offered = _offered(form, container, values, sorts)
    pairs = form != "hf" and hasattr(registry.load("exporter", form), "compared")
    info = _has_info(form, container)
    texts = _texts(values, form, container, offered, pairs, info)
    body, error = _checked({**texts, **dict(which.query), **_named(whose)})
    shown = {**values, "format": form, "container": container, "state": filters["state"] or ANY}
    shown["info"] = "yes" if texts.get("dataset_info") else "no"
    return Wanted(
        which=which,
        selection=selection,
        values=shown,
        format=form,
        offered=offered,
        pairs=pairs,
        container=container,
        containers=() if form in PLAIN or form == "hf" else CONTAINERS,
        info=info,
        body=body,
        error=error,
    )


def formats() -> list[str]:
    """All formats, those of other packages last."""
    known = [*registry.names("exporter"), "hf"]
    listed = [one for group in GROUPS.values() for one in group]
    return [*listed, *(one for one in known if one not in listed)]


def grouped() -> list[tuple[str, list[str]]]:
    """The same by trainer."""
    listed = [(name, list(group)) for name, group in GROUPS.items()]
    known = {one for group in GROUPS.values() for one in group}
    others = [one for one in formats() if one not in known]
    return [*listed, *([("other", others)] if others else [])]


def _named(whose: Whose) -> dict[str, Any]:
    return {"dataset": whose.dataset} if whose.task is None else {"task": whose.task}


def _usual_state(studio: Studio, whose: Whose) -> str:
    """Approved ones, where somebody reviewed; before that there would be nothing to export."""
    approved = whose.of(Selection(state="approved"))
    return "approved" if studio.records.count(approved).count else ""


def _container(form: str, asked: str) -> str:
    if form == "hf":
        return ""
    usual: str = registry.load("exporter", form).container
    return asked if form not in PLAIN and asked in CONTAINERS else usual


def _has_info(form: str, container: str) -> bool:
    """Whether LLaMA-Factory reads such files. One that needs options to be made is not asked."""
    if form == "hf":
        return False
    name = f"data.{container}"
    try:
        return format_of(form, name, {}).exporter.dataset_info(name) is not None
    except (TypeError, UsageError):
        return False


# ---------------------------------------------------------------- options

_SELDOM = frozenset(("reasoning", "mend", "prompt_field", "answer_field"))
_ONLY = {"rounds": "rounds", "refinement": "refined"}
"""Option → the sort of records for which it means something."""
_HUB = {"licence": "text", "title": "text"}
_UNDER = {"system_text": ("system", "own"), "opener": ("greeting", "opener")}
"""Option → the choice under which alone it counts."""


def _offered(form: str, container: str, values: Mapping[str, str], sorts: Sorts) -> list[Offered]:
    if form == "hf":
        rows = values.get("shape", "")
        names = _option_names(rows) if rows in registry.names("exporter") else ()
        shapes = tuple(one for one in formats() if one not in ("hf", "json", "jsonl", "csv"))
        hub = [Offered(name="shape", kind="choice", values=("", *shapes))]
        hub += [Offered(name=one, kind=kind) for one, kind in _HUB.items()]
        hub.append(Offered(name="card_language", kind="choice", values=("", "zh", "en")))
        return [*hub, *_listed(names, sorts)]
    own = option_names(registry.load("container", container))
    return _listed((*_option_names(form), *own), sorts)


def _option_names(form: str) -> tuple[str, ...]:
    return option_names(registry.load("exporter", form))


def _listed(names: Sequence[str], sorts: Sorts) -> list[Offered]:
    known = [one for one in names if one in OPTIONS and one in Asked.model_fields]
    fitting = [one for one in known if one not in _ONLY or getattr(sorts, _ONLY[one])]
    return [_option(one) for one in fitting]


def _option(name: str) -> Offered:
    takes, seldom = OPTIONS[name], name in _SELDOM
    if isinstance(takes, tuple):
        return Offered(name=name, kind="choice", values=takes, usual=takes[0], seldom=seldom)
    kinds: Mapping[Any, str] = {bool: "tick", float: "number"}
    kind = kinds.get(takes, "text")
    return Offered(name=name, kind=kind, seldom=seldom)


# ---------------------------------------------------------------- the body

_ALWAYS = ("seed", "on_refused", "balance", "balance_count", "validation", "test")
_PAIRS = ("pairs", "pairs_choose", "pairs_margin")
_BESIDE = ("manifest", "report")


def _texts(
    values: Mapping[str, str],
    form: str,
    container: str,
    offered: Sequence[Offered],
    pairs: bool,
    info: bool,
) -> dict[str, Any]:
    """The fields that count, as they stand in the address."""
    names = [*_ALWAYS, *_BESIDE, *(one.name for one in offered), *(_PAIRS if pairs else ())]
    found: dict[str, Any] = {name: values[name] for name in names if name in values}
    for name, (choice, value) in _UNDER.items():
        if found.get(choice) != value:
            found.pop(name, None)
    if not found.get("pairs"):
        found = {name: one for name, one in found.items() if name not in _PAIRS}
    found |= {"format": form, "container": container or None}
    if form in PLAIN:
        found["container"] = None
    # Said of another format, it says nothing of this one.
    said = values.get("info") if values.get("told", form) == form else None
    told = said or ("yes" if form in GROUPS["llamafactory"] else "no")
    return {**found, "dataset_info": info and told == "yes"}


def _checked(texts: Mapping[str, Any]) -> tuple[Asked | None, FieldsError | None]:
    given = {name: one for name, one in texts.items() if one not in (None, "")}
    try:
        return Asked.model_validate(given, strict=False), None
    except ValidationError as error:
        return None, FieldsError.of(error, Asked, "")


def problems(error: FieldsError | None, language: Language) -> dict[str, str]:
    """Field → what is wrong with it."""
    found = () if error is None else error.data["problems"]
    return {one.place: one.text(language) for one in found}
