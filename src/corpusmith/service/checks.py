"""Which checks a task has, how they are asked for, and what they may know of it.

Owns: names and options as people write them, in one shape: check → options. Does not own: the
checks (quality), running them (engine).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from corpusmith import registry
from corpusmith.contracts import CheckContext
from corpusmith.errors import SpecError, UsageError
from corpusmith.store.values import Task
from corpusmith.template_text import pieces
from corpusmith.values import Connection, Json, Language

if TYPE_CHECKING:
    from corpusmith.quality.chain import Chain

Options = dict[str, dict[str, Any]]
"""check → its options."""
DEFAULT_CHECKS = ("format", "placeholders", "refusal")
ALL_CHECKS = (
    *DEFAULT_CHECKS,
    *("length", "repetition", "language", "sensitive", "personal_data"),
    *("grounding", "duplicates", "near_duplicates"),
)
"""What `all` stands for: all that ask no model and need no options."""
SETS: Mapping[str, tuple[str, ...]] = {
    "default": DEFAULT_CHECKS,
    "all": ALL_CHECKS,
    "none": (),
}


def usual_checks() -> Options:
    """What there is when nothing is asked for."""
    return {name: {} for name in DEFAULT_CHECKS}


def only_refusal() -> Options:
    """Of scores, only the comments are a model's words."""
    return {"refusal": {}}


def options_of(wish: Any, usual: Mapping[str, Any]) -> Options:
    """From what a person writes; `usual`: what there is when nothing is asked for.

    A name, `default`, `all` or `none`, or a list of names, says which checks there are. A mapping
    changes the usual ones: check → its options, `on`, or `off`. In a list, a mapping stands for
    the checks that it names, with their options. Raises SpecError, NotFound.
    """
    if wish is None:
        return {name: dict(one) for name, one in usual.items()}
    if isinstance(wish, str):
        return _named([one.strip() for one in wish.split(",")], usual)
    if isinstance(wish, Mapping):
        return _known(_changed({name: dict(one) for name, one in usual.items()}, wish))
    if isinstance(wish, list | tuple):
        return _named(wish, usual)
    raise SpecError("checks_shape")


def _named(wishes: list[Any] | tuple[Any, ...], usual: Mapping[str, Any]) -> Options:
    found: Options = {}
    for one in wishes:
        if isinstance(one, Mapping):
            found = _changed(found, one)
        elif not isinstance(one, str):
            raise SpecError("checks_shape")
        elif one == "default":
            found |= {name: dict(own) for name, own in usual.items()}
        else:
            found |= {name: {} for name in SETS.get(one, (one,)) if name not in found}
    return _known(found)


def _changed(found: Options, wish: Mapping[Any, Any]) -> Options:
    for name, options in wish.items():
        if options in (False, "off"):
            found.pop(name, None)
        elif options in (None, True, "on"):
            found.setdefault(name, {})
        elif isinstance(options, Mapping):
            found[name] = dict(options)
        else:
            raise SpecError("checks_shape")
    return found


def _known(found: Options) -> Options:
    for name in found:
        if not isinstance(name, str):
            raise SpecError("checks_shape")
        registry.load("check", name)
    return found


def copied(options: Mapping[str, Mapping[str, Any]], language: Language) -> Options:
    """`options` with what their files say in place of the files: a later edit changes no task.

    Raises what the checks raise for a file that cannot be read.
    """
    return {name: _copied(name, own, language) for name, own in options.items()}


def _copied(name: str, options: Mapping[str, Any], language: Language) -> dict[str, Any]:
    if name == "judge" and isinstance(wish := options.get("rubric"), str):
        from corpusmith.service.forms.evaluate import find_rubric

        return {**options, "rubric": find_rubric(wish, language).model_dump(mode="json")}
    if name == "contamination":
        from corpusmith.service.test_sets import with_tests

        return with_tests(options)
    copy = getattr(registry.load("check", name), "copied", None)
    return dict(options) if copy is None else dict(copy(options))


def roles_of(options: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The roles that these checks ask, each once."""
    found = (_roles(registry.load("check", name), own) for name, own in options.items())
    return tuple(dict.fromkeys(role for roles in found for role in roles))


def _roles(check: Any, options: Mapping[str, Any]) -> tuple[str, ...]:
    choose = getattr(check, "roles_for", None)
    return tuple(choose(options) if choose else getattr(check, "roles", ()))


EMBEDDER = "embedder"


def refuse_endpoints(
    asked: Iterable[str], endpoints: Mapping[str, Connection], own: Iterable[str]
) -> None:
    """Vectors come from a model of their own, by a protocol that has them. Raises UsageError."""
    if EMBEDDER not in asked:
        return
    if EMBEDDER not in own:
        raise UsageError("embedder_missing")
    if endpoints[EMBEDDER].protocol != "openai":
        raise UsageError("embedder_protocol", connection=endpoints[EMBEDDER].name)


def checks_from_folder(wish: Json, folder: Path) -> Json:
    """The checks of a file in `folder`, with the paths in them made to start from there."""
    if isinstance(wish, list):
        return [checks_from_folder(one, folder) for one in wish]
    if not isinstance(wish, dict):
        return wish
    return {
        name: _from_folder(name, own, folder) if isinstance(own, dict) else own
        for name, own in wish.items()
    }


def _from_folder(name: str, options: dict[str, Json], folder: Path) -> dict[str, Json]:
    if isinstance(rubric := options.get("rubric"), str) and name == "judge":
        from corpusmith.service.forms.evaluate import rubric_from_folder

        return {**options, "rubric": rubric_from_folder(rubric, folder)}
    if name == "contamination":
        from corpusmith.service.test_sets import tests_from_folder

        return tests_from_folder(options, folder)
    move = getattr(registry.load("check", name), "from_folder", None)
    return options if move is None else dict(move(options, folder))


def chain_of(options: Mapping[str, Mapping[str, Any]], context: CheckContext) -> Chain:
    """The checks, made. Raises SpecError, NotFound."""
    from corpusmith.quality.chain import build

    return build(options, context)


def covered(text: str) -> str:
    """A model's own words as they may be shown: without personal data and keys."""
    from corpusmith.quality.personal import covered as cover

    return cover(text)


def stored_options(spec: Mapping[str, Json]) -> Options:
    """The checks of a stored task; of the first version's tasks they are a list of names."""
    wish = spec["checks"]
    return {name: {} for name in wish} if isinstance(wish, list) else cast(Options, wish)


def compares(options: Iterable[str]) -> bool:
    """Whether any of these checks compares records with each other."""
    return any(hasattr(registry.load("check", name), "compare") for name in options)


def context_of(task: Task, *, expected: int = 0) -> CheckContext:
    """What the checks may know of a stored task."""
    return context_for(task.spec["language"], task.spec["recipe_spec"], expected=expected)


def context_for(
    language: Any, recipe_spec: Mapping[str, Json], *, expected: int = 0
) -> CheckContext:
    """What the checks may know of a task of this spec."""
    boilerplate = tuple(dict.fromkeys(_given(recipe_spec)))
    return CheckContext(language=language, boilerplate=boilerplate, expected=expected)


def _given(spec: Mapping[str, Json]) -> Iterator[str]:
    """Texts that any of its records may repeat, because the task gave them to the model."""
    for category in spec.get("categories", ()):
        template = category.get("template", {})
        for text in (template.get("prompt", ""), template.get("system", "")):
            yield from (literal for literal, _ in pieces(text))
    for character in spec.get("characters", ()):
        yield character.get("greeting", "")
