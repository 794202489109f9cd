"""From what a person filled in on a page of Generate to the fields of a task.

Owns: the jobs that the pages offer, their examples, and the way from a form's texts to fields. Does
not own: what the fields mean and which fit (`service/forms/`), what stands on a page (`pages/`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from corpusmith.messages import say
from corpusmith.values import Json, Language
from corpusmith.web.form import Form

Fields = dict[str, Any]

USUAL_MOST = {"count": 1000, "total": 1000, "concurrency": 20}
"""What a form allows unless a person says that they want more."""
PLAIN = (
    *("name", "dataset", "connection", "model", "language", "seed"),
    *("temperature", "top_p", "max_tokens"),
    *("concurrency", "rpm", "tpm", "max_cost", "max_total_tokens", "max_calls"),
    "max_attempts_multiplier",
)
"""Fields of every task, as they stand in a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """One job that Generate offers."""

    name: str
    """In the address; its texts are `web.generate.<name>…`."""
    icon: str
    recipe: str
    read: Callable[[Form], Fields]
    """The job's own fields."""
    slots: tuple[str, ...]
    """Its own fields beside which something can be said."""
    example: Mapping[Language, Mapping[str, Any]]
    """What one click fills in."""
    defaults: Mapping[str, Any] = field(default_factory=dict)


def fields_of(job: Making, form: Form) -> Fields:
    """All fields of the task, those that were left empty left out."""
    given: Fields = {"recipe": job.recipe}
    for name in PLAIN:
        if text := form.text(name):
            given[name] = text
    given |= job.read(form)
    if form.text("asks_commit"):
        given["commit"] = bool(form.text("commit"))
    if form.text("asks_checks"):
        given["checks"] = _checks(form)
    if roles := _roles(form):
        given["roles"] = roles
    return given


def beyond(form: Form, language: Language) -> dict[str, str]:
    """Numbers that are larger than a form usually allows: field → what to do."""
    if form.text("more"):
        return {}
    return {
        name: say("web.generate.beyond", language, most=f"{most:,}")
        for name, most in USUAL_MOST.items()
        if (text := form.text(name)).isdigit() and int(text) > most
    }


# ---------------------------------------------------------------- parts of every form


def _checks(form: Form) -> list[dict[str, dict[str, Json]]]:
    """The ticked checks with the options that were given. A list: these and no others."""
    return [{name: _options(form, f"check.{name}.")} for name in form.texts("checks")]


def _options(form: Form, prefix: str) -> dict[str, Json]:
    names = [one for one in form.data if one.startswith(prefix)]
    found = {one.removeprefix(prefix): form.text(one) for one in names}
    return {name: value_of(text) for name, text in found.items() if text}


def _roles(form: Form) -> dict[str, str]:
    names = [one for one in form.data if one.startswith("role.")]
    return {one.removeprefix("role."): text for one in names if (text := form.text(one))}


def value_of(text: str) -> Json:
    """A number, `true` or a list where the text is one in JSON, else the text itself."""
    try:
        found: Json = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, bool | int | float | list) else text


def _some(form: Form, *names: str) -> Fields:
    """These fields, if something stands in them."""
    return {name: text for name in names if (text := form.text(name))}


# ---------------------------------------------------------------- dialogues


def _dialogue(form: Form) -> Fields:
    given = _some(form, "count", "turns", "mode", "share", "dialogues_per_request")
    if characters := form.texts("characters"):
        given["characters"] = characters
    if scenarios := form.texts("scenarios"):
        given["scenarios"] = {one: form.text(f"weight.{one}") or 1 for one in scenarios}
    return given


# ---------------------------------------------------------------- templates


def variables_in(form: Form, prefix: str = "var.") -> dict[str, Json]:
    """Variable → a value, or a list of values: one a line, `值*2` with a weight."""
    names = [one for one in form.data if one.startswith(prefix)]
    found = {one.removeprefix(prefix): form.text(one) for one in names}
    return {name: values_of(text) for name, text in found.items() if text}


def values_of(text: str) -> Json:
    """What a person wrote for a variable: one value, several lines, or lines with weights."""
    if text.startswith("{column:") and text.endswith("}"):
        return {"column": text[len("{column:") : -1].strip()}
    lines = [one.strip() for one in text.splitlines() if one.strip()]
    if len(lines) < 2:
        return text
    weighed = [_weighed(one) for one in lines]
    if any(weight is not None for _, weight in weighed):
        return {name: 1 if weight is None else weight for name, weight in weighed}
    return lines


def _weighed(line: str) -> tuple[str, float | None]:
    """`难 * 2` → ("难", 2.0)."""
    name, star, weight = line.rpartition("*")
    try:
        return (name.strip(), float(weight)) if star and name.strip() else (line, None)
    except ValueError:
        return line, None


def _template(form: Form) -> Fields:
    given = _some(form, "template", "count", "per_request", "preset")
    if found := variables_in(form):
        given["vars"] = found
    if source := form.text("input"):
        given["input"] = source
    return given


MOST_CATEGORIES = 8


def _ratio(form: Form) -> Fields:
    given = _some(form, "total", "preset")
    categories = [_category(form, at) for at in range(MOST_CATEGORIES)]
    given["categories"] = [one for one in categories if one]
    return given


def _category(form: Form, at: int) -> Fields | None:
    """The category of a row; None: nothing stands in the row."""
    name, share = form.text(f"category.{at}.name"), form.text(f"category.{at}.share")
    template = form.text(f"category.{at}.template")
    variables = variables_in(form, f"category.{at}.var.")
    if not (name or share or variables):
        return None
    found: Fields = {"name": name, "vars": variables}
    if share:
        found["share"] = share if share.endswith(("%", "％")) else value_of(share)
    if template:
        found["template"] = template
    return found


# ---------------------------------------------------------------- the other recipes


def _selfplay(form: Form) -> Fields:
    names = ("count", "domain", "refinement_iterations", "max_tokens_answer", "max_tokens_other")
    given = _some(form, *names, "satisfied_score")
    if form.text("stop_when_satisfied"):
        given["stop_when_satisfied"] = True
    else:
        given.pop("satisfied_score", None)
    return given


def _rounds(form: Form) -> Fields:
    given = _some(form, "input", "sample", "rounds", "context_messages", "context_tokens")
    found = {one: form.text(f"map.{one}") for one in ("question", "answer", "correction")}
    if mapped := {name: text for name, text in found.items() if text}:
        given["map"] = mapped
    return given


def _evaluate(form: Form) -> Fields:
    given = _some(form, "of", "rubric")
    if judges := form.texts("judges"):
        given["judges"] = judges
    return given


# ---------------------------------------------------------------- the table

_DIALOGUE = Making(
    name="dialogue",
    icon="messages",
    recipe="dialogue",
    read=_dialogue,
    slots=("characters", "scenarios", "turns", "mode", "share", "dialogues_per_request"),
    defaults={"count": "20", "turns": "3", "temperature": "0.9"},
    example={
        "zh": {
            "characters": ["苏小满", "周德海"],
            "scenarios": ["日常对话", "请教经验", "意见不合"],
            "weight.日常对话": "2",
            "count": "12",
            "turns": "3",
            "temperature": "0.9",
            "dataset": "示例：角色对话",
        },
        "en": {
            "characters": ["Nora Pell", "Desmond Okoye"],
            "scenarios": ["Everyday talk", "Learning the knack", "A friendly quarrel"],
            "weight.Everyday talk": "2",
            "count": "12",
            "turns": "3",
            "temperature": "0.9",
            "dataset": "Example: dialogues",
        },
    },
)
_TEMPLATE = Making(
    name="template",
    icon="template",
    recipe="template",
    read=_template,
    slots=("template", "variables", "input", "per_request"),
    defaults={"count": "20"},
    example={
        "zh": {
            "template": "qa",
            "var.topic": "二十四节气\n中国茶\n家常菜",
            "count": "12",
            "dataset": "示例：问答",
        },
        "en": {
            "template": "qa",
            "var.topic": "the night sky\nbread baking\ncity trees",
            "count": "12",
            "dataset": "Example: questions",
        },
    },
)
_RATIO = Making(
    name="ratio",
    icon="scale",
    recipe="template",
    read=_ratio,
    slots=("categories", "total", "variables", "template"),
    defaults={"total": "20"},
    example={
        "zh": {
            "total": "20",
            "category.0.name": "常识",
            "category.0.share": "50%",
            "category.0.template": "qa",
            "category.0.var.topic": "生活常识",
            "category.1.name": "历史",
            "category.1.share": "30%",
            "category.1.template": "qa",
            "category.1.var.topic": "中国古代史",
            "category.2.name": "科学",
            "category.2.share": "20%",
            "category.2.template": "qa",
            "category.2.var.topic": "身边的物理",
            "dataset": "示例：按比例",
        },
        "en": {
            "total": "20",
            "category.0.name": "everyday",
            "category.0.share": "50%",
            "category.0.template": "qa",
            "category.0.var.topic": "household know-how",
            "category.1.name": "history",
            "category.1.share": "30%",
            "category.1.template": "qa",
            "category.1.var.topic": "the Silk Road",
            "category.2.name": "science",
            "category.2.share": "20%",
            "category.2.template": "qa",
            "category.2.var.topic": "physics in the kitchen",
            "dataset": "Example: by share",
        },
    },
)
_SELFPLAY = Making(
    name="selfplay",
    icon="refresh",
    recipe="selfplay",
    read=_selfplay,
    slots=(
        *("domain", "refinement_iterations", "max_tokens_answer", "max_tokens_other"),
        "satisfied_score",
    ),
    defaults={"count": "20", "refinement_iterations": "3", "temperature": "0.7"},
    example={
        "zh": {
            "domain": "short_video",
            "count": "5",
            "refinement_iterations": "1",
            "temperature": "0.7",
            "dataset": "示例：自我对弈",
        },
        "en": {
            "domain": "short_video_en",
            "count": "5",
            "refinement_iterations": "1",
            "temperature": "0.7",
            "dataset": "Example: self-play",
        },
    },
)
_ROUNDS = Making(
    name="rounds",
    icon="message-circle",
    recipe="rounds",
    read=_rounds,
    slots=("input", "history", "sample", "rounds", "context_messages", "context_tokens"),
    defaults={"rounds": "2"},
    example={"zh": {"rounds": "2"}, "en": {"rounds": "2"}},
)
_EVALUATE = Making(
    name="evaluate",
    icon="star",
    recipe="evaluate",
    read=_evaluate,
    slots=("of", "rubric", "judges"),
    defaults={"rubric": "general", "temperature": "0"},
    example={"zh": {"rubric": "general"}, "en": {"rubric": "general"}},
)

JOBS: Mapping[str, Making] = {
    one.name: one for one in (_DIALOGUE, _TEMPLATE, _RATIO, _SELFPLAY, _ROUNDS, _EVALUATE)
}
SLOTS = (*PLAIN, "count", "checks", "roles", "extra")
"""Of every job, besides its own."""
