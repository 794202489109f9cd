"""A folder in the layout of the Hugging Face hub: Parquet files, a data card, a manifest.

Owns: the folder's names, which rows it holds when nobody says, the prompts that its card shows.
Does not own: rows and files (`export_files.py`), the card's words (`data_card.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from corpusmith.errors import NotFound, UsageError
from corpusmith.exports.file_set import FileSet
from corpusmith.exports.files import named_errors
from corpusmith.exports.formats import format_of
from corpusmith.exports.streams import Stage
from corpusmith.service.data_card import UNKNOWN, Card, PromptText, data_card
from corpusmith.service.export_facts import Maker, makers
from corpusmith.service.export_files import Exported, Wish, exported, staged, told_of
from corpusmith.service.export_manifest import manifest
from corpusmith.service.export_nothing import NothingSelected, narrowed
from corpusmith.service.export_walk import WHOLE
from corpusmith.service.recipes import recipe_of
from corpusmith.store.store import SqlStore
from corpusmith.values import Item, Json, Language, Selection

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

CARD = "README.md"
MANIFEST = "manifest.json"
DATA = "data"
_NATIVE = "parquet"
_NAMED_AFTER_CONTAINERS = ("json", "jsonl", "csv", _NATIVE)
_PLACE = "train.parquet"
_MOST_PROMPTS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The options of a folder, besides those of its rows."""

    shape: str | None = None
    """The format of a row, such as `messages`; None: chats where the first record makes one."""
    licence: str = UNKNOWN
    title: str | None = None
    """None: the dataset's or the task's name."""
    card_language: Language | None = None
    """None: the session's."""
    source: str | None = None
    """What the card says that `load_dataset` is given; None: the folder's name."""


def write(studio: Studio, folder: Path, wish: Wish) -> Exported:
    """`data/PART-00000-of-00001.parquet`, `README.md` and `manifest.json` in `folder`.

    Raises UsageError: there is nothing to write, or other data files stand there already.
    """
    with FileSet() as files:
        done = into_stage(studio, folder, wish, files)
        files.place()
    return done


def into_stage(studio: Studio, folder: Path, wish: Wish, files: Stage) -> Exported:
    """The same files, for a stream or to take their places later."""
    layout, wish = rows_wish(studio, wish)
    parts = (WHOLE,) if wish.split is None else wish.split.names
    paths = {part: folder / DATA / f"{part}-00000-of-00001.parquet" for part in parts}
    _refuse_folder(folder, set(paths.values()))
    readme, index = folder / CARD, folder / MANIFEST
    done = staged(studio, wish, files, lambda part: paths[part or parts[0]])
    who = makers(done.walk.facts, studio.store)
    told = told_of(studio, wish, done, folder, who)
    card = Card(
        name=layout.title or _title(studio, wish.selection),
        language=layout.card_language or studio.language,
        licence=layout.licence,
        shape="native" if wish.form == _NATIVE else wish.form,
        prompts=list(islice(_prompts(who, studio.store), _MOST_PROMPTS)),
        source=layout.source or folder.name,
    )
    files.stage_bytes(readme, data_card(card, told))
    files.stage_bytes(index, manifest(told))
    return exported(studio, folder, wish, done, manifest=index, card=readme)


def rows_wish(studio: Studio, wish: Wish) -> tuple[Layout, Wish]:
    """The folder's own options, and the wish for its rows.

    Raises UsageError for options that make no sense, and when there are no records.
    """
    own = {name: one for name, one in wish.options.items() if name in Layout.__slots__}
    rest = {name: one for name, one in wish.options.items() if name not in own}
    layout = Layout(**own)
    if not layout.licence.strip():
        raise UsageError("export_licence")
    if layout.card_language not in (None, *get_args(Language)):
        raise UsageError("export_card_language", value=str(layout.card_language)[:60])
    shape = layout.shape or _usual_shape(studio, wish.selection, rest)
    form = _NATIVE if shape in _NAMED_AFTER_CONTAINERS else shape
    format_of(form, _PLACE, rest)  # told before a record is read
    return layout, replace(wish, form=form, options=rest)


def _usual_shape(studio: Studio, selection: Selection, options: Mapping[str, Any]) -> str:
    """Chats, where the first record makes one; else the records as they are."""
    from corpusmith.service.export_rows import Personas

    records = Personas(studio.store).given(studio.store.records.iterate(selection))
    first = next(records, None)
    if first is None:
        raise NothingSelected(narrowed=narrowed(studio.store, selection))
    try:
        format_of("messages", _PLACE, {**options, "mend": True}).exporter.rows(first)
    except UsageError:
        return _NATIVE
    return "messages"


def _title(studio: Studio, selection: Selection) -> str:
    if selection.dataset is not None:
        return selection.dataset
    return studio.store.tasks.get(cast(int, selection.task_id)).name


def _refuse_folder(folder: Path, mine: set[Path]) -> None:
    """Files of another export would be loaded with these."""
    with named_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise UsageError("export_hf_file", path=str(folder))
        data = folder / DATA
        there = sorted(data.iterdir()) if data.is_dir() else []
    for one in there:
        if one not in mine and not one.name.startswith("."):
            raise UsageError("export_hf_other", path=str(folder), file=one.name)


# ---------------------------------------------------------------- prompts


def _prompts(who: Sequence[Maker], store: SqlStore) -> Iterator[PromptText]:
    seen: set[tuple[str, str]] = set()
    for maker in who:
        for one in _prompts_of(maker, store):
            if (one.role, one.text) not in seen and one.text.strip():
                seen.add((one.role, one.text))
                yield one


def _prompts_of(maker: Maker, store: SqlStore) -> Iterator[PromptText]:
    """A template as it was written; of other recipes what the first item is asked."""
    categories = maker.spec.get("categories") if maker.recipe == "template" else None
    if categories:
        for one in categories:
            yield from _template(one.get("template", {}))
        return
    for role, text in _first_calls(maker, store):
        yield PromptText(title=maker.recipe, role=role, text=text)


def _template(template: Mapping[str, Json]) -> Iterator[PromptText]:
    version = template.get("version") or 0
    title = f"{template.get('name', '')}{f' v{version}' if version else ''}"
    for role, field in (("system", "system"), ("user", "prompt")):
        yield PromptText(title=title, role=role, text=str(template.get(field) or ""))


def _first_calls(maker: Maker, store: SqlStore) -> Iterator[tuple[str, str]]:
    """(role, messages as text) of the first item, as far as they are known before a reply."""
    task = store.tasks.get(maker.task)
    try:
        recipe = recipe_of(task, store)
    except NotFound:
        return  # an import or a sample asks nobody; another package's recipe may be gone
    category = next((one for one in recipe.plan(task.requested) if one.count), None)
    if category is None:
        return
    want = min(recipe.per_item, category.count)
    item = Item(task_seed=task.seed, category=category.name, ordinal=0, want=want)
    for role, messages in recipe.preview(item):
        yield role, "\n\n".join(f"[{one.role}]\n{one.content}" for one in messages)
