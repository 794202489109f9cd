"""The `semantic_duplicates` check: no two records that say the same in other words.

Owns: the vectors of what was accepted, and the threshold. Does not own: making a text a vector (an
endpoint's `/v1/embeddings`, in the task's role `embedder`, or a local model). Reason:
semantic_duplicate.

Every record is compared with every earlier one, exactly: 100,000 vectors of 1,024 numbers take
400 MB and 30 ms a record. Beyond that, near duplicates are the cheaper net.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from corpusmith.contracts import Ask, Earlier
from corpusmith.errors import SpecError, UsageError
from corpusmith.places import given_path
from corpusmith.quality.shapes import texts, written
from corpusmith.values import PASS, Draft, Verdict

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[Any, np.dtype[np.float32]]

EMBEDDER = "embedder"
AT_ONCE = 64
"""Earlier records whose vectors are asked for at the same time."""
_FIRST_ROWS = 1024


class SemanticDuplicates:
    """Fits contracts.AskingCheck and contracts.ComparingCheck.

    `threshold`: cosine from which two records say the same, 0.5 to 1; `fields`: of these fields
    alone; `scope`: `task`, or `dataset` for the task and its dataset; `local`: a folder with a
    model2vec model instead of an endpoint; `max_chars`: of a longer text only the start counts.
    """

    name: ClassVar[str] = "semantic_duplicates"
    roles: ClassVar[tuple[str, ...]] = (EMBEDDER,)

    def __init__(
        self,
        *,
        threshold: float = 0.92,
        fields: Sequence[str] = (),
        scope: Literal["task", "dataset"] = "dataset",
        local: str | None = None,
        max_chars: int = 8000,
    ) -> None:
        """Raises SpecError."""
        if type(threshold) not in (int, float) or not 0.5 <= threshold <= 1:
            raise SpecError("semantic_threshold")
        if scope not in ("task", "dataset"):
            raise SpecError("check_choice", name=self.name, option="scope", known="task, dataset")
        if type(max_chars) is not int or max_chars < 1:
            raise SpecError("check_at_least", name=self.name, option="max_chars", least=1)
        if isinstance(fields, str) or not all(isinstance(one, str) for one in fields):
            raise SpecError("check_texts", name=self.name, option="fields")
        self._threshold = float(threshold)
        self._fields = tuple(fields)
        self._whole = scope == "dataset"
        self._most = max_chars
        self._model = None if local is None else _local_model(local)
        self._known = _Vectors()
        self._places: list[str] = []
        self._unread: list[tuple[str, str]] = []
        """(place, text) of earlier records, until there is somebody to ask for their vectors."""
        self._ready: dict[str, Vector] = {}

    @classmethod
    def roles_for(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Whom a check with these options asks."""
        return () if options.get("local") is not None else cls.roles

    def calls(self, record_tokens: int) -> Sequence[tuple[str, int, int]]:
        """See contracts.AskingCheck."""
        return [] if self._model else [(EMBEDDER, record_tokens, 0)]

    async def ask_about(self, draft: Draft, ask: Ask) -> Verdict:
        """See contracts.AskingCheck. The vector is asked for here, where nobody waits in turn."""
        text = self._text(draft)
        self._ready[text] = await self._vector(text, ask)
        return PASS

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """See contracts.ComparingCheck."""
        for one in earlier:
            if one.own or self._whole:
                self._unread.append((one.place, self._text(one.draft)))

    async def compare(self, draft: Draft, ask: Ask) -> Verdict:
        """See contracts.ComparingCheck."""
        await self._read_earlier(ask)
        text = self._text(draft)
        vector = self._ready.get(text)
        if vector is None:
            vector = self._ready[text] = await self._vector(text, ask)
        found = self._known.nearest(vector)
        if found is None or found[1] < self._threshold:
            return PASS
        detail = {"of": self._places[found[0]], "similarity": found[1]}
        self._ready.pop(text, None)
        return Verdict(passed=False, reason="semantic_duplicate", detail=detail)

    def remember(self, place: str, draft: Draft) -> None:
        """See contracts.ComparingCheck."""
        self._known.add(self._ready.pop(self._text(draft)))
        self._places.append(place)

    async def _read_earlier(self, ask: Ask) -> None:
        while self._unread:
            some = self._unread[:AT_ONCE]
            vectors = await asyncio.gather(*(self._vector(text, ask) for _, text in some))
            for (place, _), vector in zip(some, vectors, strict=True):
                self._known.add(vector)
                self._places.append(place)
            del self._unread[: len(some)]

    async def _vector(self, text: str, ask: Ask) -> Vector:
        import numpy as np

        if self._model is not None:
            numbers = self._model.encode(text)
        else:
            numbers = await ask.embed(EMBEDDER, text)
        found = np.asarray(numbers, dtype=np.float32)
        length = float(np.linalg.norm(found))
        unit: Vector = found / np.float32(length) if length else found
        return unit

    def _text(self, draft: Draft) -> str:
        content = written(draft)
        if self._fields and isinstance(content, dict):
            content = {name: content[name] for name in self._fields if name in content}
        return "\n".join(texts(content))[: self._most] or " "


class _Vectors:
    """Rows of unit length, in an array that doubles when it is full."""

    def __init__(self) -> None:
        self._rows: Any = None
        self._count = 0

    def add(self, vector: Vector) -> None:
        import numpy as np

        if self._rows is None:
            self._rows = np.zeros((_FIRST_ROWS, len(vector)), dtype=np.float32)
        if len(vector) != self._rows.shape[1]:
            known = self._rows.shape[1]
            raise UsageError("semantic_dimensions", found=len(vector), known=known)
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._count] = vector
        self._count += 1

    def nearest(self, vector: Vector) -> tuple[int, float] | None:
        """(number, cosine to four digits) of the most similar row, of equal ones the first."""
        import numpy as np

        if not self._count:
            return None
        if len(vector) != self._rows.shape[1]:
            known = self._rows.shape[1]
            raise UsageError("semantic_dimensions", found=len(vector), known=known)
        cosines = self._rows[: self._count] @ vector
        best = int(np.argmax(cosines))
        return best, round(float(cosines[best]), 4)


def _local_model(folder: str) -> Any:
    """The model2vec model in `folder`. Raises UsageError, SpecError."""
    place = given_path(folder).expanduser()
    if not place.is_dir():
        raise SpecError("semantic_no_model", folder=folder)
    try:
        from model2vec import StaticModel
    except ImportError:
        raise UsageError("semantic_extra_missing", module="model2vec") from None
    try:
        return StaticModel.from_pretrained(str(place))
    except Exception as error:
        raise SpecError("semantic_bad_model", folder=folder, problem=str(error)[:200]) from error
