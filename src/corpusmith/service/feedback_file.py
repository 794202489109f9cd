"""The options of a feedback run, as Python, YAML and the command line give them.

Owns: fields, defaults, bounds. Does not own: running (`feedback.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from corpusmith.feedback.fields import field_map
from corpusmith.feedback.ranking import Choice
from corpusmith.feedback.samples import WRITERS, Format, KtoFormat, PairFormat
from corpusmith.places import from_folder
from corpusmith.service.fields import FieldsError
from corpusmith.service.yaml_file import read_fields
from corpusmith.values import Json

PATHS = ("feedback_file", "output_dir", "merge_with")
OUTPUT_DIR = "data/training_samples"
# Where the feedback comes from is not among them: it may come in a new file each time.
DECIDING = (
    *("min_rating", "formats", "model_name", "map", "map_values"),
    *("pairs", "pairs_choose", "pairs_margin", "pairs_format", "kto", "kto_format", "kto_max"),
)
Name = Annotated[str, Field(min_length=1)]


def _words(value: Any) -> Any:
    """`json,jsonl` or `[json, jsonl]`; `none` is none."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        return value
    words = [word.strip() for text in texts for word in str(text).split(",")]
    return [] if words == ["none"] else words


class FeedbackFile(BaseModel):
    """All options of `corpusmith feedback`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feedback_file: Name | None = None
    dataset: Name | None = None
    output_dir: Name = OUTPUT_DIR
    min_rating: Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)] = 4
    formats: Annotated[
        tuple[Format, ...],
        BeforeValidator(_words),
        AfterValidator(lambda v: tuple(dict.fromkeys(v))),
    ] = tuple(WRITERS)
    model_name: Name | None = None
    map: dict[str, Name] = Field(default_factory=dict)
    map_values: dict[str, dict[Any, Any]] = Field(default_factory=dict)
    pairs: bool = False
    pairs_choose: Choice = "best-worst"
    pairs_margin: Annotated[float, Field(gt=0, le=4, allow_inf_nan=False)] = 1
    pairs_format: PairFormat = "llamafactory"
    kto: bool = False
    kto_format: KtoFormat = "llamafactory"
    kto_max: Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)] = 2
    merge_with: Name | None = None
    since_last: bool = False
    dataset_info: bool = False

    def deciding(self) -> dict[str, Json]:
        """The options that decide what is in the files, as plain JSON."""
        mapping = field_map(self.map, self.map_values)
        found = self.model_dump(mode="json", include=set(DECIDING) - {"map_values"})
        found["map_values"] = {ours: dict(told) for ours, told in mapping.values.items()}
        return {name: found[name] for name in DECIDING}


def feedback_file(fields: Mapping[str, Json], *, source: str) -> FeedbackFile:
    """The checked options; `source`: where they come from, for the message. Raises FieldsError."""
    try:
        return FeedbackFile.model_validate(dict(fields))
    except ValidationError as error:
        raise FieldsError.of(error, FeedbackFile, source) from None


def read_feedback_file(path: str | Path, **fields: Json) -> FeedbackFile:
    """The options in a YAML file (`recipe: feedback`), with `fields` in place of its own.

    Its paths start from its folder. Raises SpecError.
    """
    given = read_fields(path)
    given.pop("recipe", None)
    for name in PATHS:
        if isinstance(given.get(name), str):
            given[name] = from_folder(given[name], Path(path).parent)
    return feedback_file({**given, **fields}, source=str(path))
