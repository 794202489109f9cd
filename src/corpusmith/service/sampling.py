"""Use-cases of samples: a new dataset out of others, by shares, without replacement.

Owns: which records fit a category, copying those that are drawn. Does not own: the draw itself
(`draw.py`), fields (`sample_file.py`), writing in groups (`bulk.py`).
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, cast, get_args

from corpusmith import registry
from corpusmith.contracts import Quota
from corpusmith.errors import Conflict, UsageError
from corpusmith.exports.files import refuse_output
from corpusmith.places import from_folder, given_output
from corpusmith.service.bulk import Bulk, sweep
from corpusmith.service.cards import has
from corpusmith.service.draw import draw
from corpusmith.service.sample_file import SampleCategory, SampleFile, is_sampling, sample_file
from corpusmith.service.suffixes import format_of
from corpusmith.service.yaml_file import read_fields
from corpusmith.shares import largest_remainder
from corpusmith.values import Counts, Draft, Json, Language, Record, ReviewState

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

__all__ = ["Sampled", "Sampling", "is_sampling"]

AT_ONCE = 500

Show = Callable[[int], None]
"""Told now and then how many records are done."""


def nothing_shown(done: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What a sample holds. `task_id` and `output` are None for a preview."""

    task_id: int | None
    dataset: str | None
    seed: int
    counts: Counts
    wanted: Mapping[str, int]
    """By category."""
    found: Mapping[str, int]
    output: Path | None

    @property
    def shortfalls(self) -> dict[str, int]:
        """By category; empty: everything was there."""
        return {
            name: count - self.found[name]
            for name, count in self.wanted.items()
            if count > self.found[name]
        }


class Sampling:
    """`studio.sampling`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def preview(
        self,
        file: SampleFile | Mapping[str, Json] | str | Path,
        *,
        show: Show = nothing_shown,
        **fields: Any,
    ) -> Sampled:
        """What `run` would find. Nothing is stored. Raises UsageError and its kinds."""
        checked = checked_sample(file, fields)
        seed = checked.seed or 0
        return _sampled(checked, seed, self._drawn(checked, seed, show))

    def run(
        self,
        file: SampleFile | Mapping[str, Json] | str | Path,
        *,
        show: Show = nothing_shown,
        **fields: Any,
    ) -> Sampled:
        """Draws and copies; all or nothing. The same file, seed and datasets: the same records.

        `file`: fields, or the path of a YAML file that holds them; `fields` replace its own.
        `show` is told now and then how many records have been looked at or copied.
        Raises UsageError and its kinds; `sample_short` when it is strict and there is too little.
        """
        checked = checked_sample(file, fields)
        store = self._studio.store
        if checked.output is not None:
            refuse_output(checked.output)
        sweep(store)
        seed = checked.seed if checked.seed is not None else secrets.randbelow(2**31)
        drawn = self._drawn(checked, seed, show)
        wanted = _wanted(checked)
        if checked.strict and any(len(drawn[name]) < count for name, count in wanted.items()):
            lacking = {name: count - len(drawn[name]) for name, count in wanted.items()}
            shown = ", ".join(f"{name} {count}" for name, count in lacking.items() if count)
            raise UsageError("sample_short", shortfalls=shown)
        task_id = self._copied(checked, seed, wanted, drawn, show)
        output = None
        if checked.output is not None:
            self._studio.exports.write(checked.output, task=task_id, form=usual_format(checked))
            output = given_output(checked.output)
        return _sampled(checked, seed, drawn, task_id=task_id, output=output)

    def _drawn(self, file: SampleFile, seed: int, show: Show) -> dict[str, array[int]]:
        """The numbers of the records that each category gets, in their order."""
        self._check(file)
        pools: dict[int, array[int]] = {}
        for shown in dict.fromkeys(one.shown for one in file.categories):
            own = [one.shown == shown for one in file.categories]
            self._sort(own, file.categories, pools, show)
        quotas = list(_wanted(file).values())
        rng = Random(f"{seed}\x1fsample")  # noqa: S311  variety, not secrecy
        taken = draw({pool: len(ids) for pool, ids in pools.items()}, quotas, rng)
        chosen = [array("q") for _ in quotas]
        for pool, ids in pools.items():
            counts = [one[pool] for one in taken]
            order = iter(rng.sample(ids, sum(counts)))
            for at, count in enumerate(counts):
                chosen[at].extend(next(order) for _ in range(count))
        return {
            one.name: array("q", sorted(ids))
            for one, ids in zip(file.categories, chosen, strict=True)
        }

    def _check(self, file: SampleFile) -> None:
        """Everything that can be wrong before a record is looked at."""
        store = self._studio.store
        registry.load("exporter", usual_format(file))
        for one in file.categories:
            self._source_language(one)
            states = _values(one.where.get("state", []))
            for state in states:
                if state not in get_args(ReviewState):
                    known = ", ".join(get_args(ReviewState))
                    raise UsageError("sample_state", category=one.name, state=state, known=known)
            if one.dataset is not None and one.dataset == file.dataset:
                raise Conflict("sample_dataset_source", dataset=file.dataset)
        if file.dataset is not None and has(store.datasets, file.dataset):
            count = store.records.count(dataset=file.dataset)
            if count:
                raise Conflict("sample_dataset_full", dataset=file.dataset, n=count)

    def _source_language(self, category: SampleCategory) -> Language:
        """The language of what is drawn from. Raises NotFound."""
        store = self._studio.store
        if category.task is not None:
            return cast(Language, store.tasks.get(category.task).spec["language"])
        return store.datasets.get(category.shown).language

    def _sort(
        self,
        own_source: Sequence[bool],
        categories: Sequence[SampleCategory],
        pools: dict[int, array[int]],
        show: Show,
    ) -> None:
        """Each record of one source into the pool of those categories that may take it."""
        own = [(at, one) for at, one in enumerate(categories) if own_source[at]]
        source = own[0][1]
        unseen = {(one.name, key) for _, one in own for key in one.where}
        seen = 0
        for seen, record in enumerate(self._studio.store.records.iterate(**source.source), 1):
            if seen % AT_ONCE == 0:
                show(seen)
            if unseen:
                unseen = {(name, key) for name, key in unseen if not _found(record, key)}
            pool = sum(1 << at for at, one in own if _fits(record, one.where))
            if pool:
                pools.setdefault(pool, array("q")).append(record.id)
        if unseen and seen:
            name, key = min(unseen)
            raise UsageError("sample_where", category=name, field=key, dataset=source.shown)

    def _copied(
        self,
        file: SampleFile,
        seed: int,
        wanted: Mapping[str, int],
        drawn: Mapping[str, array[int]],
        show: Show,
    ) -> int:
        sources = {one.name: one for one in file.categories}
        first = file.categories[0]
        language = file.language or self._source_language(first)
        new = file.dataset is not None and not has(self._studio.store.datasets, file.dataset)
        if file.dataset is not None:
            self._studio.datasets.ensure(file.dataset, language)
        try:
            with Bulk(
                self._studio.store,
                recipe="sample",
                name=file.name or f"sample-{file.dataset or first.shown}",
                dataset=file.dataset,
                language=language,
                recipe_spec=file.model_dump(mode="json", include={"categories", "total", "strict"}),
                quotas=[
                    Quota(name=name, count=count, labels={"category": name})
                    for name, count in wanted.items()
                ],
                seed=seed,
                output=file.output,
                format=usual_format(file),
            ) as bulk:
                copied = 0
                for name, ids in drawn.items():
                    for ordinal, group in enumerate(self._groups(ids)):
                        bulk.put(name, ordinal, [_copy(one, sources[name]) for one in group])
                        copied += len(group)
                        show(copied)
                return bulk.finish().id
        except BaseException:
            if new and file.dataset is not None:
                self._studio.datasets.delete(file.dataset)
            raise

    def _groups(self, ids: array[int]) -> Iterator[Sequence[Record]]:
        """The records in groups, each an item of the task: an item a record takes twice as long."""
        for start in range(0, len(ids), AT_ONCE):
            yield self._studio.store.records.some(ids[start : start + AT_ONCE].tolist())


# ---------------------------------------------------------------- pure parts


def checked_sample(
    file: SampleFile | Mapping[str, Json] | str | Path, fields: Mapping[str, Any]
) -> SampleFile:
    if isinstance(file, SampleFile):
        given: Mapping[str, Json] = file.model_dump(exclude_unset=True)
        return sample_file({**given, **fields}, source="the sample")
    if isinstance(file, Mapping):
        return sample_file({**file, **fields}, source="the sample")
    given = read_fields(file)
    output = given.get("output")
    if isinstance(output, str) and output != "-":
        given = {**given, "output": from_folder(output, Path(file).parent)}
    return sample_file({**given, **fields}, source=str(file))


def _wanted(file: SampleFile) -> dict[str, int]:
    return largest_remainder({one.name: one.share for one in file.categories}, file.total)


def usual_format(file: SampleFile) -> str:
    if file.format is not None:
        return file.format
    return format_of(file.output or "") or "json"


def _sampled(
    file: SampleFile,
    seed: int,
    drawn: Mapping[str, array[int]],
    *,
    task_id: int | None = None,
    output: Path | None = None,
) -> Sampled:
    found = {name: len(ids) for name, ids in drawn.items()}
    count = sum(found.values())
    return Sampled(
        task_id=task_id,
        dataset=file.dataset,
        seed=seed,
        counts=Counts(requested=file.total, attempted=count, accepted=count),
        wanted=_wanted(file),
        found=found,
        output=output,
    )


def _copy(record: Record, category: SampleCategory) -> Draft:
    kept = ("simulated", "models")
    maker = record.provenance.get("from", {}).get("task", record.task_id)
    rated = {} if record.rating is None else {"rating": record.rating}
    return Draft(
        content=record.content,
        provenance={
            "recipe": "sample",
            "from": {"dataset": category.dataset, "record": record.id, "task": maker},
            "category": category.name,
            **{key: record.provenance[key] for key in kept if key in record.provenance},
            **rated,
        },
        labels={**record.labels, "category": category.name},
    )


def _fits(record: Record, where: Mapping[str, Any]) -> bool:
    """What a person rejected fits only where the state is asked for."""
    if record.state == "rejected" and "state" not in where:
        return False
    return all(
        any(_same(have, wish) for have in _found(record, key) for wish in _values(wished))
        for key, wished in where.items()
    )


def _found(record: Record, key: str) -> list[Json]:
    """What a record says under `key`: one value, each of a list, or nothing."""
    if key == "state":
        return [record.state]
    if key in record.labels:
        return [record.labels[key]]
    value = record.content
    if not (isinstance(value, Mapping) and key in value):
        for step in key.split("."):
            if not isinstance(value, Mapping) or step not in value:
                return []
            value = value[step]
        return _values(value)
    return _values(value[key])


def _values(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _same(have: Json, wish: Json) -> bool:
    """Equal, or written the same: the cells of a CSV are texts."""
    if isinstance(have, bool) or isinstance(wish, bool):
        return str(have).lower() == str(wish).lower()
    return bool(have == wish) or str(have) == str(wish)
