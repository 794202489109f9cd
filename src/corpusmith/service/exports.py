"""Use-cases of exports: whose records, in which format, into which files.

Owns: reading what is asked for, before anything is written. Does not own: formats (exports), the
files (`export_files.py`), the folder for a hub (`hf_layout.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args

from corpusmith import __version__
from corpusmith.contracts import Secret
from corpusmith.errors import UsageError
from corpusmith.exports.files import translated
from corpusmith.messages import say
from corpusmith.places import given_output
from corpusmith.service import dataset_info as info_file
from corpusmith.service import export_stream
from corpusmith.service.export_files import (
    Exported,
    Wish,
    write_files,
    write_stream,
)
from corpusmith.service.export_head import Head, Sorts, head, sorts
from corpusmith.service.export_pairs import pair_rule
from corpusmith.service.export_parts import balance_of, split_of
from corpusmith.service.export_preview import ExportPreview, preview
from corpusmith.service.export_rows import OnRefused
from corpusmith.service.export_stream import HF, Download, refuse_form
from corpusmith.service.push import Pushed, Show, Target, nothing_shown, ready, upload
from corpusmith.values import Selection

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

__all__ = ["HF", "Download", "ExportPreview", "Exported", "Exports", "Head", "Pushed"]

STREAM = "-"
_MOST_SEED = 2**63 - 1


class Exports:
    """`studio.exports`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def count(self, selection: Selection) -> int:
        """How many records an export of this selection is made of. Raises NotFound."""
        return self._studio.store.records.count(selection)

    def sorts(self, selection: Selection) -> Sorts:
        """What there is in the selection, as far as its first records tell."""
        return sorts(self._studio, selection)

    def write(
        self,
        path: str | Path,
        *,
        task: int | None = None,
        dataset: str | None = None,
        form: str = "json",
        selection: Selection | None = None,
        scenario: str | None = None,
        character: str | None = None,
        balance: str | None = None,
        split: str | Mapping[str, float] | None = None,
        seed: int = 0,
        on_refused: OnRefused = "stop",
        pairs: str | None = None,
        pairs_choose: str | None = None,
        pairs_margin: float | None = None,
        manifest: bool | None = None,
        dataset_info: bool | str | Path = False,
        dataset_info_name: str | None = None,
        **options: Any,
    ) -> Exported:
        """Write the records of a task or a dataset; `-` is standard output.

        `form` `hf`: `path` is a folder in the hub's layout; its options are those of
        `hf_layout.Layout` and of its rows. `balance`: `category`, `scenario=50`. `split`:
        `train=0.9,validation=0.1`, by groups of records that belong together; each part is a file
        of its own (`NAME-train.jsonl`). Both go by `seed`. `on_refused`: of a record that makes no
        row, `stop` with all reasons, or `skip` it and count it. `pairs`: of records that answer the
        same, those with the better `rating` (people's) or `score` (a judge's) over the worse,
        `pairs_choose` `best-worst` (one pair a prompt) or `all`, at least `pairs_margin` (1) apart;
        None: a record gives its own pairs only. `manifest` None: where there are
        several files. `dataset_info`: merge an entry for each file into LLaMA-Factory's
        `dataset_info.json` beside the export, or into the file that is named. All other options go
        to the format, such as `system="character"` for `messages`; None: not given. All files take
        their places together, or none does. Raises NotFound, UsageError, DiskFull.
        """
        wish = self._wish(
            task=task,
            dataset=dataset,
            form=form,
            selection=selection,
            scenario=scenario,
            character=character,
            balance=balance,
            split=split,
            seed=seed,
            on_refused=on_refused,
            pairs=pairs,
            pairs_choose=pairs_choose,
            pairs_margin=pairs_margin,
            **options,
        )
        if form == HF:
            from corpusmith.service import hf_layout

            _refuse_with_hf(path, dataset_info or dataset_info_name, manifest)
            return hf_layout.write(self._studio, given_output(path), wish)
        wish = replace(
            wish,
            manifest=split is not None if manifest is None else manifest,
            dataset_info=_info_place(path, dataset_info, dataset_info_name),
            dataset_info_name=dataset_info_name,
        )
        refuse_form(form, path, wish.options)
        place = given_output(path)
        if str(path) != STREAM and not _is_device(place):
            return write_files(self._studio, place, wish)
        if wish.split is not None or wish.manifest or wish.dataset_info is not None:
            raise UsageError("export_stream_only_rows")
        return write_stream(self._studio, path, wish)

    def stream(
        self,
        *,
        container: str | None = None,
        manifest: bool | None = None,
        dataset_info: bool = False,
        dataset_info_name: str | None = None,
        report: bool = False,
        name: str | None = None,
        **wanted: Any,
    ) -> Download:
        """The same export as bytes for a stream: one file, or a zip of several.

        `wanted`: as for `write`. `container`: what the rows stand in (`csv`); None: the format's
        usual one. `report`: with the page on these records. `name`: what the file is
        called, without its suffix; None: as its records. Everything has been walked through once
        when this returns: whatever `write` would raise is raised here.
        """
        wish = self._wish(**wanted)
        info = dataset_info or dataset_info_name is not None
        if wish.form == HF:
            _refuse_with_hf("", info, manifest)
        wish = replace(
            wish,
            manifest=wish.split is not None if manifest is None else manifest,
            dataset_info_name=dataset_info_name,
        )
        return export_stream.download(
            self._studio,
            wish,
            container=container,
            dataset_info=info,
            report=report,
            name=name,
        )

    def push(
        self,
        repo: str,
        *,
        branch: str = "main",
        private: bool = False,
        endpoint: str | None = None,
        token_env: str = "HF_TOKEN",  # noqa: S107  the variable's name
        token: Secret | None = None,
        message: str | None = None,
        show: Show = nothing_shown,
        **wanted: Any,
    ) -> Pushed:
        """Put a dataset on a hub: `USER/NAME`, made if it is not there, all files in one commit.

        `wanted`: as for `write`, in the hub's layout. `endpoint` None: HF_ENDPOINT, else the usual
        hub. The token is `token`, else it comes from the environment variable `token_env`; it goes
        nowhere else.
        `show` is told how many bytes have been sent. Raises UsageError, PushFailed; then the hub
        shows what it showed before (a repository that is new stays, without files).
        """
        target = Target(
            repo=repo, branch=branch, private=private, endpoint=endpoint, token_env=token_env
        )
        secret = ready(target, token)
        with TemporaryDirectory(prefix="corpusmith-") as folder:
            place = Path(folder) / repo.rpartition("/")[2]
            done = self.write(place, **{**wanted, "form": HF, "source": repo})
            named = f"corpusmith {__version__}"
            said = message or say("push.commit", "en", name=named, n=done.records)
            commit, page, files, removed = upload(place, target, secret, said, show)
        return Pushed(
            repo=repo,
            branch=branch,
            url=page,
            commit=commit,
            files=files,
            removed=removed,
            export=done,
        )

    def preview(self, *, path: str | Path = "", first: int = 3, **wanted: Any) -> ExportPreview:
        """What `write` would write, and every record that it would refuse. Nothing is written.

        `wanted`: as for `write`. Raises what `write` would raise, but for refused records: of those
        `stops` tells.
        """
        wish = self._rows_wish(path, wanted)
        return preview(self._studio, wish, str(path), first)

    def head(self, *, path: str | Path = "", **wanted: Any) -> Head:
        """How the data file begins, and how much room its first rows take. Quick, however many
        records there are. Records that make no row are passed over.

        `wanted`: as for `write`. Raises what `write` would raise for a format or its options.
        """
        wish = self._rows_wish(path, wanted)
        return head(self._studio, wish, str(path))

    def _rows_wish(self, path: str | Path, wanted: Mapping[str, Any]) -> Wish:
        """What the rows are to be, whatever files they stand in."""
        wish = self._wish(**wanted)
        if wish.form == HF:
            from corpusmith.service import hf_layout

            _, wish = hf_layout.rows_wish(self._studio, wish)
        refuse_form(wish.form, path, wish.options)
        return wish

    def _wish(
        self,
        *,
        task: int | None = None,
        dataset: str | None = None,
        form: str = "json",
        selection: Selection | None = None,
        scenario: str | None = None,
        character: str | None = None,
        balance: str | None = None,
        split: str | Mapping[str, float] | None = None,
        seed: int = 0,
        on_refused: OnRefused = "stop",
        pairs: str | None = None,
        pairs_choose: str | None = None,
        pairs_margin: float | None = None,
        **options: Any,
    ) -> Wish:
        """What is asked for, checked. Raises NotFound, UsageError."""
        own = {"task_id": task, "dataset": dataset, "scenario": scenario, "character": character}
        given = self._selection(selection or Selection(), own)
        rule = pair_rule(pairs, pairs_choose, pairs_margin, beside={**options, "balance": balance})
        if on_refused not in get_args(OnRefused):
            known = ", ".join(get_args(OnRefused))
            raise UsageError("export_on_refused", value=str(on_refused)[:60], known=known)
        if not 0 <= seed <= _MOST_SEED:
            raise UsageError("export_seed", value=str(seed)[:60])
        if balance is not None:
            balance_of(balance, seed)  # told now, made anew for each walk
        return Wish(
            selection=given,
            form=form,
            options={name: one for name, one in options.items() if one is not None},
            balance=balance,
            split=None if split is None else split_of(split, seed),
            seed=seed,
            on_refused=on_refused,
            pairs=rule,
        )

    def _selection(self, selection: Selection, own: Mapping[str, Any]) -> Selection:
        """Of one task or one dataset that is there. Raises NotFound, UsageError."""
        given = replace(selection, **{name: one for name, one in own.items() if one is not None})
        if (given.task_id is None) == (given.dataset is None):
            raise UsageError("task_or_dataset")
        if given.task_id is not None:
            self._studio.store.tasks.get(given.task_id)
        else:
            self._studio.store.datasets.get(given.dataset or "")
        return given


def _info_place(path: str | Path, wish: bool | str | Path, name: str | None) -> Path | None:
    if wish is False and name is None:
        return None
    if not isinstance(wish, bool):
        return given_output(wish)
    return Path(path).parent / info_file.USUAL


def _refuse_with_hf(path: str | Path, info: Any, manifest: bool | None) -> None:
    if str(path) == STREAM:
        raise UsageError("export_hf_stream")
    if info:
        raise UsageError("export_hf_info")
    if manifest is False:
        raise UsageError("export_hf_manifest")


def _is_device(path: Path) -> bool:
    """A pipe or a device stands there; it is written to directly."""
    try:
        return path.exists() and not (path.is_file() or path.is_dir())
    except OSError as error:
        raise translated(error, path) from error
