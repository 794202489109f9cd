"""Exports over REST: the server makes the bytes, and they are written here, whole or not at all.

Owns: what an export is as a request, and a zip's files at their places. Does not own: bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from corpusmith.contracts import Secret
from corpusmith.errors import UsageError
from corpusmith.exports.file_set import FileSet, WrittenFile
from corpusmith.exports.formats import container_of
from corpusmith.places import given_output
from corpusmith.service import exports
from corpusmith.service.dataset_info import USUAL, merged
from corpusmith.service.export_files import Counted, Exported
from corpusmith.service.export_manifest import SUFFIX as MANIFEST
from corpusmith.service.export_parts import split_of
from corpusmith.service.export_preview import ExportPreview
from corpusmith.service.export_stream import HF, Download
from corpusmith.service.push import TOKEN, Pushed, Show, nothing_shown
from corpusmith.service.remote.call import Over, filters, plain
from corpusmith.service.remote.wire import adapter
from corpusmith.service.remote.works import Told, save, unpacked, work
from corpusmith.values import Selection


class Exports(Over, exports.Exports):
    """`studio.exports`, of a server: it makes the bytes, and they are written here."""

    def count(self, selection: Selection) -> int:
        query = {**filters(selection), "exact": True}
        count: int = self._wire.ask("GET", "records", "count", query=query)["count"]
        return count

    def preview(self, *, path: str | Path = "", first: int = 3, **wanted: Any) -> ExportPreview:
        body = {**_wanted(str(path), wanted), "first": first}
        found = self._wire.ask("POST", "exports", "preview", body=body)
        read: ExportPreview = adapter(ExportPreview).validate_python(found["counts"])
        return read

    def write(
        self,
        path: str | Path,
        *,
        manifest: bool | None = None,
        dataset_info: bool | str | Path = False,
        dataset_info_name: str | None = None,
        **wanted: Any,
    ) -> Exported:
        """See the local one. The server looks the records through once more, for the counts."""
        place, form = given_output(path), wanted.get("form", "json")
        info = dataset_info is not False or dataset_info_name is not None
        several = form == HF or wanted.get("split") is not None or bool(manifest) or info
        if str(path) == exports.STREAM and several:
            raise UsageError("export_hf_stream" if form == HF else "export_stream_only_rows")
        body = {
            **_wanted(str(path), wanted),
            "manifest": manifest,
            "dataset_info": info,
            "dataset_info_name": dataset_info_name,
            "name": place.name if form == HF else place.stem,
        }
        chunks = self._wire.read("POST", "exports", body=body)
        if several:
            named = isinstance(dataset_info, (str, Path))
            info_place = Path(cast(str, dataset_info)) if named else place.parent / USUAL
            with unpacked(chunks) as found:
                files, beside = placed(found, place, info_place, hf=form == HF)
        else:
            done = save(chunks, path)
            files, beside = [(done.path or place, done.bytes, done.sha256)], {}
        counts = self.preview(path=path, first=0, **wanted)
        return _exported(counts, done_at(path), files, beside, wanted)

    def stream(self, *, container: str | None = None, **wanted: Any) -> Download:
        """See the local one; the bytes come while they are written, and `bytes` is not known."""
        beside = {one: wanted.pop(one) for one in _BESIDE if one in wanted}
        path = f"data.{container}" if container else ""
        body = {**_wanted(path, wanted), **plain(beside), "container": container}
        counts = self.preview(path=path, first=0, **wanted)

        def write(out: BinaryIO) -> None:
            for chunk in self._wire.read("POST", "exports", body=body):
                out.write(chunk)

        return Download(
            name=str(beside.get("name") or body.get("dataset") or f"task-{body.get('task')}"),
            media_type="application/octet-stream",
            export=_exported(counts, None, (), {}, wanted),
            bytes=None,
            sha256=None,
            write=write,
        )

    def push(
        self,
        repo: str,
        *,
        branch: str = "main",
        private: bool = False,
        endpoint: str | None = None,
        token_env: str = TOKEN,
        token: Secret | None = None,
        message: str | None = None,
        show: Show = nothing_shown,
        **wanted: Any,
    ) -> Pushed:
        """See the local one. Which hub it is, the server says; without `token` the token is the
        server's own."""
        if endpoint is not None or token_env != TOKEN:
            raise UsageError("not_over_rest", method="exports.push(endpoint=…, token_env=…)")
        options = {**wanted, "form": HF}
        body = {
            **_wanted("", options),
            **{"repo": repo, "branch": branch, "private": private, "message": message},
            "token": None if token is None else token.reveal(),
        }
        told: Told = lambda done, total: show(done, total or done)  # noqa: E731
        done = work(self._wire, "pushes", body=body, show=told)["result"]
        counts = self.preview(first=0, **options)
        said = ("repo", "branch", "url", "commit", "files", "removed")
        return Pushed(
            **{name: done[name] for name in said},
            export=_exported(counts, None, (), {}, options),
        )


_BESIDE = ("manifest", "dataset_info", "dataset_info_name", "report", "name")


def _wanted(path: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """An export as the server is told of it. Raises NotFound, UsageError."""
    told = {name: plain(one) for name, one in wanted.items() if one is not None}
    form, selection = told.pop("form", "json"), wanted.get("selection") or Selection()
    told.pop("selection", None)
    if isinstance(told.get("split"), str):
        told["split"] = dict(split_of(told["split"], 0).shares)
    given = {**filters(selection), **told}
    if ("task" in given) == ("dataset" in given):
        raise UsageError("task_or_dataset")
    container = {} if form == HF or not path else {"container": container_of(form, path)}
    return {**given, "format": form, **container}


def done_at(path: str | Path) -> Path | None:
    """Where an export stands; None: it went to standard output."""
    return None if str(path) == exports.STREAM else Path(path)


File = tuple[Path, int, str]
"""Place, bytes, SHA-256."""


def placed(
    found: Mapping[str, Path], place: Path, info: Path, *, hf: bool
) -> tuple[list[File], dict[str, Path]]:
    """The files of a zip at their places here, all or none: the data files, and by their field
    what stands beside them."""
    data: list[File] = []
    beside: dict[str, Path] = {}
    with FileSet() as files:
        for name, source in found.items():
            kind, target = _role(name, place, info, hf=hf)
            if kind == "dataset_info":
                files.stage_bytes(target, merged(target, orjson.loads(source.read_bytes())))
            else:
                one = files.stage(target, _copying(source))
            if kind == "data":
                data.append((one.path, one.bytes, one.sha256))
            else:
                beside[kind] = target
        files.place()
    return data, beside


def _role(name: str, place: Path, info: Path, *, hf: bool) -> tuple[str, Path]:
    if hf:
        inner = Path(*Path(name).parts[1:])
        kinds = {"README.md": "card", "manifest.json": "manifest"}
        return kinds.get(inner.as_posix(), "data"), place / inner
    if name == USUAL:
        return "dataset_info", info
    return "manifest" if name.endswith(MANIFEST) else "data", place.with_name(name)


def _copying(source: Path) -> Callable[[BinaryIO], int]:
    def fill(out: BinaryIO) -> int:
        with source.open("rb") as file:
            while chunk := file.read(1 << 20):
                out.write(chunk)
        return 0

    return fill


def _exported(
    counts: ExportPreview,
    path: Path | None,
    files: Sequence[File],
    beside: Mapping[str, Any],
    wanted: Mapping[str, Any],
) -> Exported:
    """What `write` tells. The rows of each of several files are in the manifest alone."""
    rows = counts.rows if len(files) == 1 else 0
    return Exported(
        **{one.name: getattr(counts, one.name) for one in fields(Counted)},
        path=path,
        bytes=sum(size for _, size, _ in files),
        sha256=files[0][2] if len(files) == 1 else None,
        files=tuple(
            WrittenFile(path=at, rows=rows, bytes=size, sha256=digest) for at, size, digest in files
        ),
        seed=wanted.get("seed", 0),
        **beside,
    )
