"""A Studio with records of several recipes, made by the simulator and imported.

Owns: what the export tests stand on. Does not own: what they ask.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from corpusmith import Studio
from corpusmith.contracts import Quota, Save
from corpusmith.errors import CorpusmithError
from corpusmith.messages import LANGUAGES
from corpusmith.store.lease import owner_id
from corpusmith.values import Draft, Item, Json, Outcome

Spec = Mapping[str, Any]


def studio(folder: Path) -> Studio:
    return Studio(f"sqlite:///{folder / 'store.db'}", language="en")


def imported(one: Studio, folder: Path, name: str, rows: Iterable[Json], **how: Any) -> None:
    """Rows in the dataset `name`, by way of a file."""
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    one.imports.run(file, name, **how)


def chat(text: str, *more: str) -> dict[str, Json]:
    """A chat that begins with the user."""
    said = (text, *(more or ("yes",)))
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": one} for n, one in enumerate(said)]}


def made(
    one: Studio,
    dataset: str,
    drafts: Mapping[str, Sequence[Sequence[Draft]]],
    *,
    recipe: str = "dialogue",
    spec: Spec | None = None,
    connections: Spec | None = None,
    inputs: Sequence[Json] = (),
    seed: int = 7,
    order: int = 1,
) -> int:
    """A finished task with these records in `dataset`: category → item → its drafts."""
    store = one.store
    one.datasets.ensure(dataset, "zh")
    quotas = [Quota(name=name, count=sum(map(len, items))) for name, items in drafts.items()]
    stored = {"language": "zh", "commit": True, "checks": {}, "recipe_spec": {}, **(spec or {})}
    task = store.tasks.create(
        name=f"{recipe}-test",
        recipe=recipe,
        spec=stored,
        dataset=dataset,
        requested=sum(quota.count for quota in quotas),
        seed=seed,
        quotas=quotas,
        connections=dict(connections or {}),
        inputs=inputs,
    )
    lease = store.acquire(task.id, owner_id(), 300, 0)
    transaction = store.transaction()
    transaction.begin()
    saves = [
        _save(task.id, lease.fence, seed, name, ordinal, tuple(own))
        for name, items in drafts.items()
        for ordinal, own in enumerate(items)
    ]
    refused = [found for found in transaction.apply(saves[::order]) if found]
    assert refused == []
    transaction.commit()
    store.release(lease, "finished", None)
    store.records.commit(task.id, dataset)
    return task.id


def _save(
    task: int, fence: int, seed: int, category: str, ordinal: int, drafts: tuple[Draft, ...]
) -> Save:
    item = Item(task_seed=seed, category=category, ordinal=ordinal, want=len(drafts))
    outcome = Outcome(item=item, drafts=drafts)
    return Save(task_id=task, fence=fence, outcome=outcome, accepted=drafts, misses=())


def draft(content: Json, **provenance: Any) -> Draft:
    labels = provenance.pop("labels", {})
    return Draft(content=content, provenance=provenance, labels=labels)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def inside(folder: Path) -> list[str]:
    """Everything in a folder, hidden files too."""
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


def code_of(call: Any) -> str:
    """The code of the error that the call ends in, which has a text in both languages."""
    with pytest.raises(CorpusmithError) as caught:
        call()
    for language in LANGUAGES:
        text = caught.value.message(language)
        assert "{" not in text.replace("{}", ""), text
        assert text != caught.value.reason
    return caught.value.reason
