"""Exports: records in a trainer's format, looked at first, then downloaded as a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from fastapi import Depends, Query, Request
from pydantic import Field

from corpusmith.api.access import Asker, needs
from corpusmith.api.asking import MOST_NUMBER, StudioOf
from corpusmith.api.downloads import TICKET_S, Streamed, Tickets
from corpusmith.api.jobs import owner_of
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.api.selecting import Name, Where
from corpusmith.messages import say
from corpusmith.service.export_files import Counted
from corpusmith.service.export_nothing import narrowed_text
from corpusmith.service.export_preview import ExportPreview
from corpusmith.service.export_rows import OnRefused, character_names, reason_text
from corpusmith.service.studio import Studio
from corpusmith.values import Language

router = rest("/exports", tags=["exports"])

Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=20_000)]
MOST_SHOWN = 50


class Rows(Where):
    """What becomes of which records. Options that are null are not given; each belongs to some
    formats: `GET /formats` tells which."""

    format: Name = Field(
        default="json", description="A format of `GET /formats`, or `hf`: a folder for a hub."
    )
    balance: Name | None = Field(
        default=None, description="As many of each kind.", examples=["scenario", "category=50"]
    )
    split: Mapping[str, Share] | None = Field(
        default=None, max_length=20, examples=[{"train": 0.9, "validation": 0.1}]
    )
    seed: int = Field(default=0, ge=0, le=MOST_NUMBER)
    on_refused: OnRefused = Field(
        default="stop", description="Of a record that makes no row: `stop`, or `skip` and count it."
    )
    pairs: Literal["rating", "score"] | None = None
    pairs_choose: Literal["best-worst", "all"] | None = None
    pairs_margin: float | None = Field(default=None, gt=0, le=4)
    system: Literal["none", "character", "own"] | None = None
    system_text: Text | None = None
    reasoning: bool | None = None
    greeting: Literal["refuse", "opener", "system"] | None = None
    opener: Text | None = None
    rounds: Name | None = None
    refinement: Name | None = None
    prompt_field: Name | None = None
    answer_field: Name | None = None
    good: float | None = Field(default=None, ge=1, le=5)
    bad: float | None = Field(default=None, ge=1, le=5)
    mend: bool | None = None
    bom: bool | None = None
    spreadsheet_safe: bool | None = Field(
        default=None, description="Of CSV: no cell is taken for a formula."
    )
    shape: Name | None = Field(default=None, description="Of `hf`: the format of a row.")
    licence: Name | None = Field(default=None, examples=["cc-by-4.0"])
    title: Name | None = None
    card_language: Language | None = None

    def wanted(self) -> dict[str, Any]:
        """As the service takes it. Raises UsageError."""
        given = {name: getattr(self, name) for name in _OWN}
        options = {name: one for name, one in given.items() if one not in (None, False)}
        if "system_text" in options:
            options.setdefault("system", "own")
        return {
            "selection": self.selection(),
            "form": self.format,
            "seed": self.seed,
            "on_refused": self.on_refused,
            **options,
        }


_OWN = (set(Rows.model_fields) - set(Where.model_fields)) - {"format", "seed", "on_refused"}


class PreviewBody(Rows):
    """What is to be looked at."""

    first: int = Field(default=3, ge=0, le=MOST_SHOWN, description="Rows that are shown.")
    container: Literal["json", "jsonl", "csv", "parquet"] | None = None


class ExportBody(Rows):
    """What is to be downloaded: one file; a zip where there are several."""

    container: Literal["json", "jsonl", "csv", "parquet"] | None = Field(
        default=None, description="What the rows stand in; null: the format's usual one."
    )
    manifest: bool | None = Field(
        default=None,
        description="With what it was made of, counts and SHA-256; null: where there are parts.",
    )
    dataset_info: bool = Field(default=False, description="With LLaMA-Factory's dataset_info.json.")
    dataset_info_name: Name | None = None
    report: bool = Field(default=False, description="With the report on these records.")
    name: Name | None = Field(
        default=None,
        description="What the file is called, without its suffix; null: as its records.",
        examples=["train"],
    )

    def wanted(self) -> dict[str, Any]:
        """As the service takes it. Raises UsageError."""
        more = ("container", "manifest", "dataset_info", "dataset_info_name", "report", "name")
        return {**super().wanted(), **{name: getattr(self, name) for name in more}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLook:
    """What an export would be, with everything that a person should know of it in words."""

    counts: ExportPreview
    warnings: list[str]
    """What a trainer would refuse or take amiss, and what is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An address to download from, for five minutes, by you."""

    url: str
    name: str
    seconds: int


async def tickets_of(request: Request) -> Tickets[ExportBody]:
    """The tickets of the server that was asked."""
    return cast(Tickets[ExportBody], request.app.state.tickets)


TicketsOf = Annotated[Tickets[ExportBody], Depends(tickets_of)]


@router.post("/preview", dependencies=[needs("read"), costly()])
def preview_export(studio: StudioOf, body: PreviewBody) -> ExportLook:
    """The first rows in the wanted format, what each filter leaves, and what a trainer would
    refuse. It walks through all records, as the export will."""
    wanted = body.wanted()
    path = f"data.{body.container}" if body.container else ""
    found = studio.exports.preview(path=path, first=body.first, **wanted)
    return ExportLook(counts=found, warnings=warnings_of(found, studio.language))


@router.post(
    "",
    dependencies=[needs("read"), costly()],
    response_class=Streamed,
    status_code=200,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file."}},
)
def export(studio: StudioOf, body: ExportBody) -> Streamed:
    """Download records as one file, or as a zip of several.

    Whatever is wrong is said before the first byte. A single file comes with its length and SHA-256
    (`Repr-Digest`); when it cannot be sent to its end, the connection breaks off."""
    return _streamed(studio, body)


@router.post("/ticket", dependencies=[needs("read")])
def export_ticket(studio: StudioOf, asker: Asker, tickets: TicketsOf, body: ExportBody) -> Ticket:
    """An address that downloads this export, for a browser: it is good for five minutes, and only
    for you."""
    studio.exports.count(body.selection())
    ticket = tickets.add(body, owner_of(asker))
    return Ticket(
        url=f"/api/v1/exports/download?ticket={ticket}",
        name=body.dataset or f"#{body.task}",
        seconds=TICKET_S,
    )


@router.get(
    "/download",
    dependencies=[needs("read"), costly()],
    response_class=Streamed,
    status_code=200,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file."}},
)
def download_export(
    studio: StudioOf,
    asker: Asker,
    tickets: TicketsOf,
    ticket: Annotated[str, Query(min_length=1, max_length=200)],
) -> Streamed:
    """The export of a ticket."""
    return _streamed(studio, tickets.get(ticket, owner_of(asker)))


def _streamed(studio: Studio, body: ExportBody) -> Streamed:
    made = studio.exports.stream(**body.wanted())
    return Streamed(
        made.write,
        name=made.name,
        media_type=made.media_type,
        length=made.bytes,
        sha256=made.sha256,
        headers={
            "Corpusmith-Records": str(made.export.records),
            "Corpusmith-Rows": str(made.export.rows),
            "Corpusmith-Refused": str(sum(made.export.refused.values())),
        },
    )


# ---------------------------------------------------------------- in words


def warnings_of(found: Counted, language: Language) -> list[str]:
    """What must not be overlooked, and what is not in the export, by reason."""
    lines = _left_out(found, language)
    names = character_names(found.without_character, language)
    counts = {
        "simulated": found.simulated,
        "rejected": found.rejected,
        "low_rated": found.low_rated,
        "without_character": sum(found.without_character.values()),
    }
    for what, count in counts.items():
        if count:
            lines.append(say(f"page.export.{what}", language, n=f"{count:,}", names=names))
    return lines


def _left_out(found: Counted, language: Language) -> list[str]:
    lines = [] if found.nothing is None else [narrowed_text(found.nothing, language)]
    for reason, count in found.refused.items():
        ids = ", ".join(f"#{one}" for one in found.refused_records[reason][:5])
        data = {"n": f"{count:,}", "why": reason_text(reason, language), "ids": ids}
        lines.append(say("page.export.refused", language, **data))
    for reason, count in found.passed_over.items():
        data = {"n": f"{count:,}", "why": reason_text(reason, language)}
        lines.append(say("page.export.passed_over", language, **data))
    for name, lacking in found.short.items():
        shown = name or say("page.export.without", language)
        lines.append(say("page.export.short", language, kind=shown, n=f"{lacking:,}"))
    return lines
