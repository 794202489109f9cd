"""An export as bytes that are made while they are sent: nothing of it lies on the disk.

Owns: the look before the first byte, and that what is sent is what was looked at. Does not own:
what an export is (`exports.py`), rows and files (`export_files.py`), sending (the faces).

The records are walked twice: the first time tells every refusal, and the size and digest of each
file while an error can still be an answer; the second time makes the bytes. What was changed in
between ends the stream with an error: half of the old and half of the new is no data set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from corpusmith import registry
from corpusmith.errors import Conflict, NotFound, UsageError
from corpusmith.exports.formats import SUFFIXES, container_of, format_of
from corpusmith.exports.streams import Nowhere, OnlyFile, Stage, Zipped
from corpusmith.feedback.names import safe_name
from corpusmith.service import dataset_info as info_file
from corpusmith.service.export_files import Exported, Wish, into_stage
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

HF = "hf"
"""No format of a file: a folder in the layout of the hub."""
REPORT = "report.html"
_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """An export that has been looked through and can be sent."""

    name: str
    """Of the file, safe on every system."""
    media_type: str
    export: Exported
    """What it will be; its paths lead nowhere."""
    bytes: int | None
    """None: not known before the end, as of a zip."""
    sha256: str | None
    write: Callable[[BinaryIO], None]
    """Makes the bytes, once. Raises Conflict when the records are others by now."""


def download(
    studio: Studio,
    wish: Wish,
    *,
    container: str | None,
    dataset_info: bool,
    report: bool,
    name: str | None = None,
) -> Download:
    """Looks the export through. `name`: of the file, without its suffix; None: after the records.
    Raises what is wrong with it."""
    suffix = _suffix(wish, container)
    stem = _stem(studio, wish) if name is None else safe_name(name)
    name = stem if wish.form == HF else stem + suffix
    several = wish.form == HF or wish.split is not None or wish.manifest or dataset_info or report
    page = _report(studio, wish) if report else None
    passing = _Passing(studio, wish, name, dataset_info, page)
    looked = passing.into(lambda folder: Nowhere())

    def write(out: BinaryIO) -> None:
        again = passing.zipped(out) if several else passing.into(lambda folder: OnlyFile(out))
        if [one.sha256 for one in again.files] != [one.sha256 for one in looked.files]:
            raise Conflict("export_changed")

    only = None if several else looked.files[0]
    return Download(
        name=f"{stem}.zip" if several else name,
        media_type=_TYPES[".zip" if several else suffix],
        export=looked,
        bytes=None if only is None else only.bytes,
        sha256=None if only is None else only.sha256,
        write=write,
    )


def refuse_form(form: str, path: str | Path, options: Mapping[str, Json]) -> None:
    """Raises what is wrong with a format or its options before a record is read."""
    try:
        format_of(form, str(path), options)
    except NotFound as error:
        if error.reason != "unknown_plugin" or error.data.get("kind") != "exporter":
            raise
        known = f"{error.data['known']}, {HF}"
        raise NotFound("unknown_plugin", **{**error.data, "known": known}) from None


@dataclass(frozen=True, slots=True)
class _Passing:
    """One walk over everything that the export holds; each in a folder of its own, which stays
    empty, but for rows that wait until all parts are known."""

    studio: Studio
    wish: Wish
    name: str
    dataset_info: bool
    report: bytes | None

    def into(self, stage_of: Callable[[Path], Stage]) -> Exported:
        from corpusmith.service import hf_layout

        with TemporaryDirectory(prefix="corpusmith-") as place:
            folder = Path(place)
            stage = stage_of(folder)
            if self.wish.form == HF:
                folder /= self.name
                done = hf_layout.into_stage(self.studio, folder, self.wish, stage)
            else:
                info = folder / info_file.USUAL if self.dataset_info else None
                wish = replace(self.wish, dataset_info=info)
                done = into_stage(self.studio, folder / self.name, wish, stage)
            if self.report is not None:
                stage.stage_bytes(folder / REPORT, self.report)
            return done

    def zipped(self, out: BinaryIO) -> Exported:
        made: list[Zipped] = []

        def stage_of(folder: Path) -> Stage:
            made.append(Zipped(out, folder))
            return made[0]

        done = self.into(stage_of)
        made[0].close()
        return done


def _suffix(wish: Wish, container: str | None) -> str:
    """Of the data file. Raises what is wrong with the format, its options and its container."""
    if wish.form == HF:
        if container is not None:
            raise UsageError("export_container", format=HF, container=container[:60])
        return ".parquet"
    if container is not None and container not in SUFFIXES.values():
        known = ", ".join(registry.names("container"))
        raise NotFound("unknown_plugin", kind="container", name=container[:60], known=known)
    place = f"data.{container}" if container else ""
    refuse_form(wish.form, place, wish.options)
    found = container_of(wish.form, place)
    if container not in (None, found):
        raise UsageError("export_container", format=wish.form, container=container)
    suffix: str = registry.load("container", found).suffix
    return suffix


def _stem(studio: Studio, wish: Wish) -> str:
    dataset, task = wish.selection.dataset, wish.selection.task_id
    if dataset is None:
        dataset = f"{studio.tasks.get(task).name}-{task}" if task is not None else "export"
    return safe_name(dataset) if wish.form == HF else f"{safe_name(dataset)}-{wish.form}"


def _report(studio: Studio, wish: Wish) -> bytes:
    only = replace(wish.selection, dataset=None, task_id=None)
    made = studio.reports.of(
        dataset=wish.selection.dataset, task=wish.selection.task_id, only=only, seed=wish.seed
    )
    return studio.reports.text(made, "html")
