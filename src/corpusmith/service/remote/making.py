"""Checks, imports, samples, feedback, rounds and reports over REST.

What reads a file of this machine sends it first; what writes one fetches it, whole or not at all.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Literal

import orjson

from corpusmith.errors import UsageError
from corpusmith.feedback.tally import FeedbackResult
from corpusmith.places import given_output
from corpusmith.reports.report import Report
from corpusmith.service import (
    check_files,
    checking,
    feedback,
    imports,
    reports,
    rounds,
    sampling,
)
from corpusmith.service.check_findings import Checked, Finding
from corpusmith.service.feedback import Reading, ShowReading
from corpusmith.service.feedback_file import FeedbackFile, feedback_file
from corpusmith.service.imports import Imported, ImportPreview
from corpusmith.service.input_part import InputPart
from corpusmith.service.remote.call import Over, filters, number, pages, plain
from corpusmith.service.remote.given_files import is_file, sendable
from corpusmith.service.remote.wire import adapter
from corpusmith.service.remote.works import Told, job_file, job_files, save, work
from corpusmith.service.rounds import Prepared
from corpusmith.service.sample_file import SampleFile
from corpusmith.service.sampling import Sampled, checked_sample
from corpusmith.store.review_values import Changed
from corpusmith.store.values import Removal, Task
from corpusmith.values import Json, Language, Selection

PLACES = frozenset({"path", "output"})
_FOUND = 3
"""Findings of each check that are kept as examples."""


class Checking(Over, checking.Checking):
    """`studio.checking`, of a server."""

    def records(
        self,
        selection: Selection,
        *,
        checks: Any = None,
        apply: checking.Apply | None = None,
        reviewer: str | None = None,
        without: Set[int] = frozenset(),
        agree: Callable[[Checked], bool] | None = None,
        look: Callable[[Checked], None] = lambda found: None,
        each: Callable[[Finding], None] | None = None,
    ) -> Checked:
        """See the local one. With `agree` it looks twice: first at what it would do."""
        if without:
            raise UsageError("not_over_rest", method="checking.records(without=…)")
        self._told("reviewer", reviewer)
        body = {**filters(selection), "checks": _checks(self._wire, checks)}
        target = (
            f"dataset:{selection.dataset}" if selection.dataset else f"task:{selection.task_id}"
        )
        changes = apply in ("mask", "remove")
        if agree is not None and changes:
            found = self._done(target, body, look, each)
            if not agree(found):
                return found
            each = None
        return self._done(target, {**body, "apply": apply}, look, each)

    def file(
        self,
        path: str | Path,
        *,
        checks: Any = None,
        apply: Literal["mask"] | None = None,
        language: Language | None = None,
        output: str | Path | None = None,
        look: Callable[[Checked], None] = lambda found: None,
        each: Callable[[Finding], None] | None = None,
    ) -> Checked:
        if output is not None:
            check_files.refuse_output(Path(path), Path(output))
        elif apply == "mask":
            raise UsageError("check_mask_output")
        body = {
            "upload": self._wire.upload(path),
            "checks": _checks(self._wire, checks),
            "apply": apply,
            "language": language,
            "copy_passed": output is not None,
        }
        return self._done(str(path), body, look, each, output)

    def _done(
        self,
        target: str,
        body: Mapping[str, Any],
        look: Callable[[Checked], None],
        each: Callable[[Finding], None] | None,
        output: str | Path | None = None,
    ) -> Checked:
        def show(done: int, total: int | None) -> None:
            look(Checked(target=target, total=total, looked=done))

        job = work(self._wire, "checks", "runs", body=body, show=show)
        told = job["result"]
        found = Checked(
            target=target,
            total=told["looked"],
            looked=told["looked"],
            failed=told["failed"],
            flagged=told["flagged"],
            noted=told["noted"],
            maskable=told["maskable"],
            removal=adapter(Removal | None).validate_python(told["removal"]),
            masked=adapter(Changed | None).validate_python(told["masked"]),
            counts=Counter(
                {
                    (one["check"], one["action"], one["reason"]): one["records"]
                    for one in told["counts"]
                }
            ),
            each=each,
        )
        self._findings(job["id"], found)
        if output is not None:
            self._copies(job, found, Path(output))
        return found

    def _findings(self, job: str, found: Checked) -> None:
        seen: Counter[str] = Counter()
        for one in pages(self._wire, "checks", "runs", job, "findings"):
            one.pop("text")
            finding: Finding = adapter(Finding).validate_python(one)
            seen[finding.check] += 1
            if seen[finding.check] <= _FOUND:
                found.first.append(finding)
            elif found.each is None:
                continue
            if found.each is not None:
                found.each(finding)

    def _copies(self, job: Any, found: Checked, output: Path) -> None:
        """Those that pass, and beside them those that do not: in the form that the suffix says."""
        for name in job["files"]:
            if name == "passed.jsonl":
                rows = orjson.loads(
                    b"[%s]" % b",".join(job_file(self._wire, job, name).splitlines())
                )
                check_files.write_rows(output, rows)
                found.written = output
            elif name != "findings.jsonl":
                left = check_files.beside(output)
                save([job_file(self._wire, job, name)], left)
                found.rejected_file = left


def _checks(wire: Any, checks: Any) -> Any:
    """The checks and their options, with the files in them sent."""
    told = plain(checks)
    return sendable(wire, {"checks": told})["checks"] if isinstance(told, (dict, list)) else told


class Imports(Over, imports.Imports):
    """`studio.imports`, of a server."""

    def preview(
        self,
        path: str | Path,
        dataset: str | None = None,
        *,
        format: str = "auto",
        map: Mapping[str, str] | None = None,
        limit: int | None = None,
        first: int = 3,
    ) -> ImportPreview:
        """Reads the first 100,000 rows at most."""
        body = {
            "upload": self._wire.upload(path),
            "dataset": dataset,
            "format": format,
            "map": dict(map or {}),
            "limit": min(limit or 100_000, 100_000),
            "first": first,
        }
        found = self._wire.ask("POST", "imports", "preview", body=body)
        found.pop("whole")
        read: ImportPreview = adapter(ImportPreview).validate_python(
            {**found, "file": str(path), "refusals": _refusals(found)}
        )
        return read

    def run(
        self,
        path: str | Path,
        dataset: str,
        *,
        format: str = "auto",
        map: Mapping[str, str] | None = None,
        limit: int | None = None,
        skip_duplicates: bool = False,
        name: str | None = None,
        show: Callable[[int], None] | None = None,
    ) -> Imported:
        body = {
            "upload": self._wire.upload(path),
            "dataset": dataset,
            "format": format,
            "map": dict(map or {}),
            "limit": limit,
            "skip_duplicates": skip_duplicates,
            "name": name,
        }
        found = work(self._wire, "imports", body=body, show=_rows(show))["result"]
        found["task_id"] = found.pop("task")
        read: Imported = adapter(Imported).validate_python({**found, "refusals": _refusals(found)})
        return read

    def undo(self, task: Task | int) -> int:
        done = work(self._wire, "imports", number(task), "undo", body=None)["result"]
        count: int = done["records"]
        return count


def _refusals(found: Mapping[str, Json]) -> list[Json]:
    return [{"line": one["line"], "reason": one["reason"]} for one in found["refusals"]]


def _rows(show: Callable[[int], None] | None) -> Told | None:
    return None if show is None else lambda done, total: show(done)


class Sampling(Over, sampling.Sampling):
    """`studio.sampling`, of a server."""

    def preview(self, file: Any, *, show: Any = None, **fields: Any) -> Sampled:
        return self._sampled(("samples", "preview"), checked_sample(file, fields), show)

    def run(self, file: Any, *, show: Any = None, **fields: Any) -> Sampled:
        checked = checked_sample(file, fields)
        found = self._sampled(("samples",), checked, show)
        if checked.output is None or found.task_id is None:
            return found
        from dataclasses import replace

        form = checked.format or sampling.usual_format(checked)
        self._studio.exports.write(checked.output, task=found.task_id, form=form)
        return replace(found, output=given_output(checked.output))

    def _sampled(self, place: Sequence[str], file: SampleFile, show: Any) -> Sampled:
        told = file.model_dump(mode="json", exclude_unset=True)
        body = {name: one for name, one in told.items() if name not in _SAMPLE_HERE}
        done = work(self._wire, *place, body=body, show=_rows(show))["result"]
        done.pop("shortfalls")
        read: Sampled = adapter(Sampled).validate_python(
            {**done, "task_id": done.pop("task"), "output": None}
        )
        return read


_SAMPLE_HERE = ("recipe", "output", "format")


class Feedback(Over, feedback.Feedback):
    """`studio.feedback`, of a server."""

    def run(
        self, *, show: ShowReading | None = None, folder: Path | None = None, **fields: Json
    ) -> FeedbackResult:
        file = feedback_file(fields, source="feedback")
        return self.run_file(file, show=show, folder=folder)

    def run_file(
        self, file: FeedbackFile, *, show: ShowReading | None = None, folder: Path | None = None
    ) -> FeedbackResult:
        if file.since_last:
            raise UsageError("not_over_rest", method="feedback.run(since_last=…)")
        began_s = time.monotonic()
        body = file.model_dump(mode="json", exclude_unset=True)
        body.pop("output_dir", None)
        if source := body.pop("feedback_file", None):
            body["upload"] = self._wire.upload(source)
        if merging := body.get("merge_with"):
            body["merge_with"] = self._wire.upload(merging)
        if folder is None or "output_dir" in file.model_fields_set:
            folder = given_output(file.output_dir).expanduser()

        def told(done: int, total: int | None) -> None:
            took_s = time.monotonic() - began_s
            if show is not None:
                show(Reading(read=done, kept=0, bytes=0, total_bytes=None, took_s=took_s))

        job = work(self._wire, "feedback", body=body, show=told)
        names = dict(job["result"].pop("files"))
        written = job_files(self._wire, job, folder)
        bad = names.pop("bad_rows", None)
        read: FeedbackResult = adapter(FeedbackResult).validate_python(
            {
                **job["result"],
                "files": {kind: written[name] for kind, name in names.items()},
                "bad_rows": None if bad is None else written[bad],
                "took_s": time.monotonic() - began_s,
            }
        )
        return read


class Rounds(Over, rounds.Rounds):
    """`studio.rounds`, of a server."""

    def prepare(
        self,
        input: str | Path | InputPart,
        *,
        sample: int | None = None,
        seed: int = 0,
        output_dir: str | Path = "data",
        map: Mapping[str, str] | None = None,
    ) -> Prepared:
        if isinstance(input, InputPart):
            raise UsageError("not_over_rest", method="rounds.prepare(InputPart)")
        source = str(input)
        if isinstance(input, Path) or is_file(source) or ":" not in source:
            source = self._wire.upload(input)
        body = {"input": source, "sample": sample, "seed": seed, "map": dict(map or {})}
        job = work(self._wire, "rounds", "prepare", body=body)
        written = job_files(self._wire, job, output_dir)
        read: Prepared = adapter(Prepared).validate_python(
            {**job["result"], "files": tuple(written.values())}
        )
        return read

    def write(self, task: Task | int, folder: Path) -> None:
        job_files(
            self._wire, work(self._wire, "rounds", "files", body={"task": number(task)}), folder
        )


class Reports(Over, reports.Reports):
    """`studio.reports`, of a server. A report's page and files are made here, of its figures."""

    def of(
        self,
        *,
        dataset: str | None = None,
        task: int | None = None,
        only: Selection | None = None,
        seed: int = 0,
        show: Callable[[int, int], None] | None = None,
    ) -> Report:
        if (task is None) == (dataset is None):
            raise UsageError("task_or_dataset")
        given = {} if only is None else filters(only)
        body = {**given, "dataset": dataset, "task": task, "seed": seed}

        def told(done: int, total: int | None) -> None:
            if show is not None:
                show(done, total or done)

        job = work(self._wire, "reports", body=body, show=told if show else None)
        found: Report = adapter(Report).validate_json(job_file(self._wire, job, "report.json"))
        return found
