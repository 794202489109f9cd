"""The files of an export: data, manifest and `dataset_info.json`, staged from one walk.

Owns: what an export is to be, its files' names, its result. Does not own: reading what is asked for
(`exports.py`), the walk (`export_walk.py`), how files take their places (`exports/file_set.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from corpusmith.contracts import Container
from corpusmith.errors import UsageError
from corpusmith.exports.file_set import FileSet, Fill, WrittenFile
from corpusmith.exports.files import named_errors, write_file
from corpusmith.exports.formats import Format, format_of
from corpusmith.exports.streams import Stage
from corpusmith.service import dataset_info as info_file
from corpusmith.service.export_facts import Facts, Maker, makers
from corpusmith.service.export_manifest import SUFFIX, Told, manifest
from corpusmith.service.export_nothing import Narrowed, NothingSelected, narrowed
from corpusmith.service.export_pairs import PairRule, comparing
from corpusmith.service.export_parts import Balance, Split, balance_of
from corpusmith.service.export_rows import OnRefused
from corpusmith.service.export_walk import Spools, Walk
from corpusmith.values import Json, Selection

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

PathOf = Callable[[str | None], Path]
"""Part (None: there is only one) → its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an export is to be, checked."""

    selection: Selection
    form: str
    options: Mapping[str, Json]
    balance: str | None = None
    split: Split | None = None
    seed: int = 0
    on_refused: OnRefused = "stop"
    pairs: PairRule | None = None
    """None: a record gives its own pairs only."""
    manifest: bool = False
    dataset_info: Path | None = None
    dataset_info_name: str | None = None

    def made_balance(self) -> Balance | None:
        """A fresh one: it remembers what it has seen."""
        return None if self.balance is None else balance_of(self.balance, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a walk counted: of an export, or of its preview."""

    records: int
    rows: int
    parts: Mapping[str, int]
    """Records by part."""
    refused: Mapping[str, int]
    """Records that make no row and are skipped, by reason."""
    refused_records: Mapping[str, Sequence[int]]
    """The first of them."""
    passed_over: Mapping[str, int]
    """Records that are in order, but that the format has no row for, by reason."""
    left_out: int
    """Records that a balanced export does not take."""
    kinds: Mapping[str, int]
    """Of a balanced export: the records that there are of each kind."""
    short: Mapping[str, int]
    """Kinds of which there are too few, with how many are lacking."""
    simulated: int
    """Records that Corpusmith's own simulator wrote."""
    rejected: int
    """Records that a person rejected in review, and that are exported all the same."""
    low_rated: int
    """Records with a rating as KTO's unwanted answers have, in a format that teaches them."""
    without_character: Mapping[str, int]
    """With `system` `character`: records that lack its prompt, by the character's name."""
    nothing: Narrowed | None
    """Of an empty selection: what each filter leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported(Counted):
    """What an export wrote. `path` None: standard output."""

    path: Path | None
    bytes: int
    sha256: str | None
    """Of the only data file, in hex; None: there are several."""
    files: Sequence[WrittenFile]
    """The data files, in the order of the parts."""
    seed: int
    manifest: Path | None = None
    dataset_info: Path | None = None
    card: Path | None = None


@dataclass(slots=True, kw_only=True)
class Done:
    """A walk that is over, and the data files that wait for their places."""

    walk: Walk
    balance: Balance | None
    files: list[WrittenFile] = field(default_factory=list)


def walk_of(studio: Studio, wish: Wish, form: Format, balance: Balance | None) -> Walk:
    """The walk over the wish's records. Raises UsageError for a format that cannot compare them."""
    if wish.pairs is not None:
        comparing(form.exporter, wish.form)
    return Walk(
        studio.store,
        wish.selection,
        form.exporter,
        on_refused=wish.on_refused,
        balance=balance,
        split=wish.split,
        pairs=wish.pairs,
    )


# ---------------------------------------------------------------- writing


def write_stream(studio: Studio, path: str | Path, wish: Wish) -> Exported:
    """Onto standard output (`-`), or into a pipe or device: rows, and nothing beside them."""
    form = format_of(wish.form, str(path), wish.options)
    done = _begun(studio, wish, form)
    written = write_file(path, form.container, (row for _, row in done.walk.rows()))
    done.files.append(
        WrittenFile(
            path=written.path or Path(path),
            rows=written.rows,
            bytes=written.bytes,
            sha256=written.sha256,
        )
    )
    return exported(studio, written.path, wish, done)


def write_files(studio: Studio, path: Path, wish: Wish) -> Exported:
    """One file, or one for each part, with what is written beside them."""
    with FileSet() as files:
        done = staged(studio, wish, files, lambda part: _part_path(path, part))
        if not done.walk.facts.records and path.exists():
            none = narrowed(studio.store, wish.selection)
            raise NothingSelected("export_nothing_kept", path=str(path), narrowed=none)
        more = _beside(studio, path, wish, files, done)
        files.place()
    return exported(studio, path, wish, done, **more)


def into_stage(studio: Studio, path: Path, wish: Wish, files: Stage) -> Exported:
    """The same files for a stream. Raises UsageError when there is nothing to write."""
    done = staged(studio, wish, files, lambda part: _part_path(path, part))
    refuse_empty(studio, wish, done.walk.facts)
    more = _beside(studio, path, wish, files, done)
    return exported(studio, path, wish, done, **more)


def _beside(studio: Studio, path: Path, wish: Wish, files: Stage, done: Done) -> dict[str, Path]:
    """Manifest and `dataset_info.json`, where they are wished for, by their field."""
    more: dict[str, Path] = {}
    if wish.manifest:
        more["manifest"] = path.with_name(path.name + SUFFIX)
        told = told_of(studio, wish, done, path.parent)
        files.stage_bytes(more["manifest"], manifest(told))
    if wish.dataset_info is not None:
        more["dataset_info"] = info = wish.dataset_info
        files.stage_bytes(info, info_file.merged(info, _entries(wish, done, info)))
    return more


def staged(studio: Studio, wish: Wish, files: Stage, path_of: PathOf) -> Done:
    """The data files, complete, beside their places."""
    whole = path_of(None)
    form = format_of(wish.form, str(whole), wish.options)
    done = _begun(studio, wish, form)
    if wish.split is None:
        rows = (row for _, row in done.walk.rows())
        done.files.append(files.stage(whole, _filling(form.container, rows)))
    else:
        _stage_parts(studio, wish, wish.split, done, files, path_of)
    return done


def _begun(studio: Studio, wish: Wish, form: Format) -> Done:
    balance = wish.made_balance()
    return Done(walk=walk_of(studio, wish, form, balance), balance=balance)


def _stage_parts(
    studio: Studio, wish: Wish, split: Split, done: Done, files: Stage, path_of: PathOf
) -> None:
    paths = {part: path_of(part) for part in split.names}
    form = format_of(wish.form, str(paths[split.names[0]]), wish.options)
    unknown = form.exporter.columns is None and form.container.name in _TABLES
    folder = paths[split.names[0]].parent
    with named_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        spools = Spools(split.names, folder, look=unknown)
    with spools:
        with named_errors(folder):
            spools.fill(done.walk.rows())
        refuse_empty(studio, wish, done.walk.facts)
        for part, path in paths.items():
            container, rows = form.container, spools.rows(part)
            if unknown:
                container, rows = _same_columns(form, spools, part)
            done.files.append(files.stage(path, _filling(container, rows)))


_TABLES = ("csv", "parquet")
"""Containers with columns: they are the same in all parts, whatever a part's rows hold."""


def _same_columns(form: Format, spools: Spools, part: str) -> tuple[Container, Iterator[Json]]:
    columns = spools.columns
    if form.container.nested:
        make: Any = type(form.container)
        return make(columns=columns), spools.rows(part)
    lacking = dict.fromkeys(columns)
    return form.container, ({**lacking, **row} for row in spools.rows(part))


def _filling(container: Container, rows: Iterable[Json]) -> Fill:
    def fill(out: BinaryIO) -> int:
        return container.write(rows, out)

    return fill


def refuse_empty(studio: Studio, wish: Wish, facts: Facts) -> None:
    """A part without records would be a file that no trainer reads."""
    if not facts.records:
        raise NothingSelected(narrowed=narrowed(studio.store, wish.selection))
    for name in () if wish.split is None else wish.split.names:
        if not facts.parts[name]:
            raise UsageError("export_part_empty", part=name, n=facts.records, seed=wish.seed)


def _part_path(path: Path, part: str | None) -> Path:
    return path if part is None else path.with_name(f"{path.stem}-{part}{path.suffix}")


def _entries(wish: Wish, done: Done, info: Path) -> dict[str, Mapping[str, Json]]:
    """LLaMA-Factory's entry for each file. Raises UsageError for a format that it cannot read."""
    entries: dict[str, Mapping[str, Json]] = {}
    endings = [""] if wish.split is None else [f"-{name}" for name in wish.split.names]
    for ending, file in zip(endings, done.files, strict=True):
        exporter = format_of(wish.form, str(file.path), wish.options).exporter
        entry = exporter.dataset_info(info_file.relative(file.path, info))
        if entry is None:
            raise UsageError("export_info_format", format=wish.form)
        wished = wish.dataset_info_name
        stem = info_file.entry_name(file.path.stem)
        entries[stem if wished is None else f"{wished}{ending}"] = entry
    return entries


# ---------------------------------------------------------------- what came of it


def told_of(
    studio: Studio, wish: Wish, done: Done, folder: Path, who: Sequence[Maker] | None = None
) -> Told:
    """Everything that can be told of the export; files are named from `folder`."""
    walk = done.walk
    return Told(
        form=wish.form,
        options=wish.options,
        selection=wish.selection,
        seed=wish.seed,
        balance=done.balance,
        split=wish.split,
        pairs=wish.pairs,
        facts=walk.facts,
        makers=makers(walk.facts, studio.store) if who is None else who,
        refusals=walk.refusals,
        passed_over=walk.passed_over,
        left_out=walk.left_out,
        without_character=walk.without_character,
        files={one.path.relative_to(folder).as_posix(): one for one in done.files},
    )


def exported(studio: Studio, path: Path | None, wish: Wish, done: Done, **more: Any) -> Exported:
    """The result of an export. `more`: paths of further files, by their field."""
    files = done.files
    return Exported(
        path=path,
        bytes=sum(one.bytes for one in files),
        sha256=files[0].sha256 if len(files) == 1 else None,
        files=tuple(files),
        seed=wish.seed,
        **counted(studio, wish, done.walk, done.balance),
        **more,
    )


def counted(studio: Studio, wish: Wish, walk: Walk, balance: Balance | None) -> dict[str, Any]:
    """The fields of `Counted` after a walk."""
    facts = walk.facts
    return {
        "records": facts.records,
        "rows": facts.rows.total(),
        "parts": count_by_part(facts, wish.split),
        "refused": walk.refusals.counts,
        "refused_records": walk.refusals.ids,
        "passed_over": walk.passed_over.counts,
        "left_out": walk.left_out,
        "kinds": {} if balance is None else balance.found,
        "short": too_few(balance),
        "simulated": facts.simulated,
        "rejected": facts.states["rejected"],
        "low_rated": walk.low_rated,
        "without_character": walk.without_character,
        "nothing": None if walk.seen else narrowed(studio.store, wish.selection),
    }


def too_few(balance: Balance | None) -> dict[str, int]:
    """Kinds of which there were fewer than wanted, with how many are lacking."""
    if balance is None:
        return {}
    wanted = balance.count or 0
    return {name: wanted - have for name, have in balance.found.items() if have < wanted}


def count_by_part(facts: Facts, split: Split | None) -> dict[str, int]:
    """Records by part; empty: there are no parts."""
    return {} if split is None else {name: facts.parts[name] for name in split.names}
