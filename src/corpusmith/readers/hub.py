"""The rows of a Hugging Face data set: by its name there, or from a folder on the disk.

Owns: finding it, its split and its part, and errors that say how to go on without a network. Does
not own: fetching and formats (the library `datasets`, the extra `hub`).
"""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from corpusmith.errors import CorpusmithError, SpecError, UsageError
from corpusmith.places import gated
from corpusmith.values import Json

_SAVED = ("dataset_dict.json", "state.json")
"""What `save_to_disk` writes beside the data."""
_USUAL_SPLIT = "train"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


def read_hub(
    name: str, *, split: str | None = None, config: str | None = None
) -> Iterator[dict[str, Json]]:
    """Each row of a data set, in its order; nothing is downloaded that is not read.

    `name`: such as `aligner/aligner-20K`, or a folder of data files, or one that `save_to_disk`
    wrote. `split` None: the only one, or `train`. `config`: the part, where there are several.
    Times become ISO 8601, bytes None. Raises UsageError.
    """
    datasets = _library()
    try:
        found = _one(_splits(datasets, name, config), name, split)
        for row in found:
            yield {key: _plain(value) for key, value in row.items()}
    except CorpusmithError:
        raise
    except ConnectionError as error:
        raise UsageError("hub_unreachable", name=name, cause=_cause(error)) from error
    except FileNotFoundError as error:
        raise UsageError("hub_not_found", name=name, cause=_cause(error)) from error
    # A file of the data set may be anything, and so is what reading it raises.
    except Exception as error:
        raise UsageError("hub_broken", name=name, cause=_cause(error)) from error


def _library() -> Any:
    try:
        datasets: Any = import_module("datasets")
    except ModuleNotFoundError as error:
        raise UsageError("hub_extra_missing") from error
    # They draw bars and announce each retry where our own progress is.
    datasets.disable_progress_bars()
    for name in ("datasets", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return datasets


def _splits(datasets: Any, name: str, config: str | None) -> Mapping[str, Iterable[Any]]:
    """The data set's splits by name. Raises UsageError when its parts must be told apart."""
    folder = Path(name).expanduser()
    if gated():
        _refuse_folder(name)
    elif any((folder / one).is_file() for one in _SAVED):
        saved = datasets.load_from_disk(str(folder))
        return saved if isinstance(saved, dict) else {str(saved.split or _USUAL_SPLIT): saved}
    place = str(folder) if not gated() and folder.is_dir() else name
    try:
        found: Mapping[str, Iterable[Any]] = datasets.load_dataset(place, config, streaming=True)
    except ValueError as error:
        parts = datasets.get_dataset_config_names(place)
        if config in parts or (config is None and len(parts) < 2):
            raise
        raise UsageError("hub_no_config", name=name, known=", ".join(parts)) from error
    return found


def _refuse_folder(name: str) -> None:
    """Raises SpecError for a name in a request that the library could take for a place here."""
    if not _HUB_NAME.fullmatch(name) or Path(name).exists():
        raise SpecError("path_not_here", name=name[:80])


def _one(
    splits: Mapping[str, Iterable[Any]], name: str, wish: str | None
) -> Iterable[Mapping[str, Any]]:
    known = ", ".join(map(str, splits))
    if wish is not None:
        if wish not in splits:
            raise UsageError("hub_no_split", name=name, split=wish, known=known)
        return splits[wish]
    if len(splits) > 1 and _USUAL_SPLIT not in splits:
        raise UsageError("hub_which_split", name=name, known=known)
    return splits[_USUAL_SPLIT] if _USUAL_SPLIT in splits else next(iter(splits.values()))


def _plain(value: Any) -> Json:
    """`value` as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return None if isinstance(value, bytes) else str(value)


def _cause(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:200]
