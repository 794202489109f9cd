"""Use-cases of question–answer–correction rounds: from single triples to conversations, and back
to the files of each round.

Owns: which rows are complete, which are sampled, their ids; what a history file must be; which
conversations stand in which round's files. Does not own: reading rows (`inputs.py`), the shapes
and names of the files (`exports/rounds.py`), making rounds (`recipes/rounds.py`).
"""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmith.errors import SpecError, UsageError
from corpusmith.exports import rounds as files
from corpusmith.exports.files import refuse_place
from corpusmith.messages import say
from corpusmith.places import given_output
from corpusmith.service.input_part import InputPart, input_part
from corpusmith.store.store import SqlStore
from corpusmith.store.values import MissRow, Task
from corpusmith.values import Json, Language

if TYPE_CHECKING:
    from corpusmith.service.inputs import BadInput
    from corpusmith.service.studio import Studio

Triple = Mapping[str, Json]
"""`question`, `answer`, `correction`: three texts."""
LOOKED_AT = 1000
"""Conversations whose questions tell the language of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Triples:
    """What was read, and what was taken of it."""

    conversations: Sequence[files.Conversation]
    """Of one round each, in the order of the rows."""
    read: int
    complete: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows left out, by `<field>.<missing|not_text|empty>` or why they could not be read."""


class NoTriples(UsageError):
    """Data: `input`, `read` (rows), `skipped` (see Triples)."""

    code = "rounds_no_triples"

    def message(self, language: Language) -> str:
        counts: Mapping[str, int] = self.data["skipped"]
        parts = [f"{_fault_text(fault, language)} {n}" for fault, n in counts.items()]
        reasons = say("rounds.comma", language).join(parts)
        return say("error.rounds_no_triples", language, **self.data, reasons=reasons)


def _fault_text(fault: str, language: Language) -> str:
    """A reason of `skipped` in a few words."""
    field, _, why = fault.partition(".")
    return say(f"rounds.fault.{why}" if why else f"short.{fault}", language, field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What `prepare` did."""

    conversations: int
    read: int
    complete: int
    skipped: Mapping[str, int]
    asked: int | None
    """The sample that was asked for; None: all."""
    files: tuple[Path, ...]


class Rounds:
    """`studio.rounds`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def prepare(
        self,
        input: str | Path | InputPart,
        *,
        sample: int | None = None,
        seed: int = 0,
        output_dir: str | Path = "data",
        map: Mapping[str, str] | None = None,
    ) -> Prepared:
        """Write the files of round 1 from single triples. No model is asked.

        `input`: a JSON, JSONL, CSV or Parquet file, `hub:NAME` or `dataset:NAME`. `sample`: so
        many, drawn with `seed`; None: all. `map`: field → the name that it has in the input.
        Raises UsageError when there is no complete triple, or when `output_dir` holds later
        rounds of other conversations.
        """
        folder = given_output(output_dir).expanduser()
        part = input_of(input, map or {})
        found = triples_of(part, sample, seed, self._studio.store)
        refuse_no_folder(folder)
        refuse_other_rounds(folder, found.conversations)
        return Prepared(
            conversations=len(found.conversations),
            read=found.read,
            complete=found.complete,
            skipped=found.skipped,
            asked=sample,
            files=write_round(folder, 1, lambda: found.conversations),
        )

    def write(self, task: Task | int, folder: Path) -> None:
        """The files of each round that the task has made, in `folder`, whatever its own place is.

        Raises NotFound, UsageError for a task that makes no rounds.
        """
        write_into(self._studio, self.refuse_other(task), folder)

    def refuse_other(self, task: Task | int) -> Task:
        """Raises NotFound, UsageError for a task that makes no rounds."""
        found = self._studio.tasks.get(task if isinstance(task, int) else task.id)
        if found.recipe != "rounds":
            raise UsageError("rounds_not_one", task=found.id, recipe=found.recipe)
        return found

    def failed_file(self, task: Task) -> Path | None:
        """Where the task's failed conversations are listed; None: nowhere, or none failed."""
        folder = task.spec["recipe_spec"]["output_dir"]
        path = Path(folder) / files.FAILED
        return path if folder and self._studio.tasks.miss_counts(task) and path.is_file() else None


# ---------------------------------------------------------------- triples


def input_of(given: str | Path | InputPart, names: Mapping[str, str]) -> InputPart:
    """The input with its fields named as in `names`. Raises UsageError for no triple's field."""
    unknown = sorted(set(names) - set(files.FIELDS))
    if unknown:
        known = ", ".join(files.FIELDS)
        raise UsageError("rounds_map_unknown", field=unknown[0], fields=known)
    part = input_part(str(given), source="input") if isinstance(given, str | Path) else given
    return part.model_copy(update={"map": {**part.map, **names}})


def triples_of(part: InputPart, sample: int | None, seed: int, store: SqlStore) -> Triples:
    """The conversations that grow from `sample` complete rows drawn with `seed`, in the order of
    the rows; all of them when there are fewer.

    Raises UsageError when there is none, SpecError.
    """
    from corpusmith.service.inputs import rows_of

    skipped: Counter[str] = Counter()

    def bad(one: BadInput) -> None:
        skipped[one.reason] += 1

    rows = rows_of(part, store, seed=seed, bad=bad)
    taken, complete = _drawn(_complete(rows, skipped), sample, seed)
    if not taken:
        raise NoTriples(input=part.shown, read=skipped.total(), skipped=dict(skipped))
    return Triples(
        conversations=[
            {"id": f"r1-{number:06d}", "rounds": [row]} for number, row in enumerate(taken, 1)
        ],
        read=complete + skipped.total(),
        complete=complete,
        skipped=dict(skipped.most_common()),
    )


def _drawn(
    triples: Iterable[Triple], sample: int | None, seed: int
) -> tuple[Sequence[Triple], int]:
    """(each as likely as any other, in their order; how many there were). One pass: a data set
    of the hub is read over the network."""
    draw = random.Random(seed)  # noqa: S311  variety, not secrecy
    kept: list[tuple[int, Triple]] = []
    count = 0
    for number, triple in enumerate(triples):
        count += 1
        if sample is None or number < sample:
            kept.append((number, triple))
        elif (place := draw.randrange(count)) < sample:
            kept[place] = (number, triple)
    return [triple for _, triple in sorted(kept, key=lambda one: one[0])], count


def _complete(rows: Iterable[Mapping[str, Json]], skipped: Counter[str]) -> Iterator[Triple]:
    """Each row's triple; rows without one are counted by why."""
    for row in rows:
        triple = {name: row.get(name) for name in files.FIELDS}
        fault = fault_of(triple)
        if fault is None:
            yield triple
        else:
            skipped[fault] += 1


def fault_of(triple: Mapping[str, Json]) -> str | None:
    """Why these are no three texts, such as `answer.empty`; None: they are."""
    for name in files.FIELDS:
        text = triple.get(name)
        if text is None:
            return f"{name}.missing"
        if not isinstance(text, str):
            return f"{name}.not_text"
        if not text.strip():
            return f"{name}.empty"
    return None


# ---------------------------------------------------------------- histories


def histories_in(part: InputPart, store: SqlStore) -> list[files.Conversation]:
    """The conversations of a history. Raises SpecError that names the row that is none."""
    from corpusmith.service.inputs import rows_of

    found: list[files.Conversation] = []
    seen: set[str] = set()

    def bad(one: BadInput) -> None:
        raise SpecError("rounds_history_bad", file=part.shown, row=one.line)

    for number, row in enumerate(rows_of(part, store, bad=bad), 1):
        rounds: Any = row.get("rounds")
        problem = _history_problem(row.get("id"), rounds)
        if problem:
            raise SpecError(f"rounds_history_{problem}", file=part.shown, row=number)
        if row["id"] in seen:
            raise SpecError("rounds_history_twice", file=part.shown, row=number, id=row["id"])
        seen.add(row["id"])
        taken = [{name: one[name] for name in files.FIELDS} for one in rounds]
        found.append({"id": row["id"], "rounds": taken})
    return found


def _history_problem(name: Json, rounds: Json) -> str | None:
    if not isinstance(name, str) or not name.strip():
        return "id"
    if not isinstance(rounds, list) or not rounds:
        return "rounds"
    whole = all(isinstance(one, dict) and fault_of(one) is None for one in rounds)
    return None if whole else "round"


def newest_history(folder: Path) -> Path:
    """The history of the highest round in `folder`. Raises UsageError when there is none."""
    number = files.newest_round(folder)
    if number is None:
        raise UsageError("rounds_nothing_prepared", folder=str(folder))
    return files.history_file(folder, number)


def language_of(conversations: Sequence[files.Conversation]) -> Language:
    """The language of the questions: Chinese where a tenth of their signs are Chinese."""
    text = "".join(
        one["question"] for found in conversations[:LOOKED_AT] for one in found["rounds"]
    )
    chinese = sum("\u4e00" <= sign <= "\u9fff" for sign in text)
    return "zh" if chinese * 10 >= max(1, len(text)) else "en"


# ---------------------------------------------------------------- files


def refuse_other_rounds(folder: Path, conversations: Sequence[files.Conversation]) -> None:
    """Raises UsageError when `folder` holds later rounds of other conversations than these:
    they would seem to go on from what is written now."""
    newest = files.newest_round(folder)
    if newest is None or newest == 1:
        return
    now = hashlib.sha256(b"".join(files.lines(files.history(conversations, 1)))).digest()
    seed = files.history_file(folder, 1)
    if not seed.is_file() or hashlib.sha256(seed.read_bytes()).digest() != now:
        raise UsageError("rounds_other_rounds", folder=str(folder), newest=newest)


def refuse_no_folder(folder: Path) -> None:
    """Raises UsageError when files cannot be put into `folder`: better now than after paying."""
    if os.path.exists(folder) and not folder.is_dir():
        raise UsageError("rounds_no_folder", folder=str(folder))
    refuse_place(folder / "round1")


def refuse_later_rounds(folder: Path, last: int) -> None:
    """Raises UsageError when `folder` holds rounds after `last`, which would be out of date."""
    newest = files.newest_round(folder)
    if newest is not None and newest > last:
        raise UsageError("rounds_later_rounds", folder=str(folder), newest=newest, last=last)


def write_round(
    folder: Path, number: int, conversations: Callable[[], Iterable[files.Conversation]]
) -> tuple[Path, ...]:
    """Write both files of a round; returns those that hold anything. Raises UsageError."""
    paths = {
        files.history_file(folder, number): files.history,
        files.single_turn_file(folder, number): files.single_turn,
    }
    return tuple(
        path
        for path, shape in paths.items()
        if files.write_rows(path, shape(conversations(), number))
    )


def write_all(studio: Studio, task: Task) -> Path | None:
    """Write the files of each round that the task added, and of what failed; returns the folder.

    A conversation that failed stands where it stood before: in the rounds that it was given.
    """
    place = task.spec["recipe_spec"]["output_dir"]
    if not place:
        return None
    folder = Path(place)
    write_into(studio, task, folder)
    return folder


def write_into(studio: Studio, task: Task, folder: Path) -> None:
    """The same in any folder."""
    spec = task.spec["recipe_spec"]
    given = studio.store.tasks.rows(task.id)
    last = max(len(one["rounds"]) for one in given) + spec["rounds"]
    for number in range(spec["first_round"], last + 1):
        write_round(folder, number, lambda: _conversations(studio, task, given))
    files.write_rows(folder / files.FAILED, _failed(studio, task, given))


def _conversations(
    studio: Studio, task: Task, given: Sequence[files.Conversation]
) -> Iterator[files.Conversation]:
    """Each conversation as far as it has come, in the order of the task's inputs."""
    records = iter(studio.store.records.iterate(task_id=task.id))
    ahead = next(records, None)
    for ordinal, one in enumerate(given):
        if ahead is not None and ahead.ordinal == ordinal:
            yield ahead.content
            ahead = next(records, None)
        else:
            yield one


def _failed(
    studio: Studio, task: Task, given: Sequence[files.Conversation]
) -> Iterator[dict[str, Json]]:
    for miss in _misses(studio, task):
        detail = dict(miss.detail)
        yield {
            "id": given[miss.place[1]]["id"],
            "reason": miss.reason,
            "role": detail.pop("role", ""),
            "detail": detail,
            "raw": miss.raw,
        }


def _misses(studio: Studio, task: Task) -> Iterator[MissRow]:
    after = None
    while page := studio.tasks.misses(task, limit=LOOKED_AT, after=after):
        yield from page
        after = page[-1].place
