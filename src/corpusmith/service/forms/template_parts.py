"""From the fields of a template task to its categories, rows and writers.

Owns: putting together what the leaf modules find. Does not own: fields (`template.py`), variables,
rows, shares and writers (the `template_*.py` beside this one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from corpusmith.errors import UsageError
from corpusmith.nouns import Template
from corpusmith.recipes.template_schema import Shape, shape_of, sketch
from corpusmith.recipes.template_spec import (
    MOST_CELLS,
    CategoryPart,
    TemplatePart,
    TemplateSpec,
)
from corpusmith.service.forms.form import Remark, Resolved
from corpusmith.service.forms.template_rows import Joined, Spool
from corpusmith.service.forms.template_shares import weights_of
from corpusmith.service.forms.template_vars import (
    Assigned,
    assigned,
    refuse_built_in,
    unknown_variable,
    used_by,
)
from corpusmith.service.forms.template_writers import PARAMETERS, Writers, parameters_of
from corpusmith.service.input_part import InputPart
from corpusmith.service.inputs import BadInputs, rows_of
from corpusmith.service.template_file import template_of
from corpusmith.service.templates import find_template
from corpusmith.store.store import SqlStore
from corpusmith.values import Json, Language

if TYPE_CHECKING:
    from corpusmith.service.forms.template import CategoryFile, TemplateFile

CATEGORY = "category"
"""The field that rows of a ratio task carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """One category on its way."""

    name: str
    wishes: CategoryFile | None
    """None: the task has no categories."""
    template: Template
    shape: Shape
    variables: Assigned
    spool: Spool | None


class Parts:
    """What a file comes to. Every property raises UsageError and its kinds."""

    def __init__(self, file: TemplateFile, store: SqlStore, language: Language) -> None:
        self._file = file
        self._store = store
        self._language = language
        self._spools: list[tuple[InputPart, Spool]] = []
        self._bad: list[Remark] = []

    def resolved(self) -> Resolved:
        """The whole task. What is cheap to refuse is refused before an input is read."""
        if self._file.categories:
            self._count()
        self._refuse_strangers()
        groups = self._groups
        self._refuse_unused_inputs()
        for group in groups:
            _check(group, self._file)
        cells = sum(_cells(group) for group in groups)
        if cells > MOST_CELLS:
            raise UsageError("template_cells_many", count=cells, limit=MOST_CELLS)
        weights, count = self._count()
        rows, starts = self._rows()
        writers = Writers(self._file, self._store, self._file.models)
        categories = [
            _category(group, weights[group.name], starts, writers, self._file) for group in groups
        ]
        spoken = self._file.language or groups[0].template.language
        spec = TemplateSpec(
            categories=tuple(categories),
            ratio=bool(self._file.categories),
            per_request=self._file.per_request,
            each_row=self._each_row,
            language=spoken,
        )
        return Resolved(
            language=spoken,
            recipe_spec=spec.model_dump(mode="json"),
            endpoints=writers.endpoints,
            count=count,
            inputs=rows,
            remarks=[*_remarks(groups), *self._bad],
        )

    # ------------------------------------------------------------ templates and their variables

    @cached_property
    def _wishes(self) -> dict[str, CategoryFile | None]:
        """Category → what it says of itself; a task without categories is one."""
        if not self._file.categories:
            return {"": None}
        names = [one.name for one in self._file.categories]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise UsageError("template_category_twice", category=twice)
        return {one.name: one for one in self._file.categories}

    @cached_property
    def _templates(self) -> dict[str, Template]:
        return {name: self._template(wishes) for name, wishes in self._wishes.items()}

    def _template(self, wishes: CategoryFile | None) -> Template:
        wish = (wishes and wishes.template) or self._file.template
        if wish is None:
            if wishes is None:
                raise UsageError("template_none")
            raise UsageError("template_none_for", category=wishes.name)
        if isinstance(wish, str):
            found = find_template(wish, self._store, self._language)
        else:
            found = template_of(wish, source="template", name=wishes.name if wishes else "template")
        return replace(found, system=self._file.system) if self._file.system else found

    @cached_property
    def _groups(self) -> list[_Group]:
        return [self._group(name, wishes) for name, wishes in self._wishes.items()]

    def _group(self, name: str, wishes: CategoryFile | None) -> _Group:
        file, template = self._file, self._templates[name]
        keep = [*file.keep, *(wishes.keep if wishes else ())]
        spool = self._spool((wishes and wishes.input) or file.input)
        columns = None if spool is None else list(spool.filled)
        places = self._places(name)
        shared = {n: value for n, value in file.vars.items() if n in places}
        given = {**shared, **(wishes.vars if wishes else {})}
        found = assigned(template, given, keep, columns)
        if spool is not None:
            spool.refuse_gaps(sorted(found.needed))
        return _Group(
            name=name or template.name,
            wishes=wishes,
            template=template,
            shape=shape_of(template),
            variables=found,
            spool=spool,
        )

    def _refuse_strangers(self) -> None:
        """A value that the task gives must have a place in some template."""
        names = [template.name for template in self._templates.values()]
        refuse_built_in(self._file.vars, ", ".join(dict.fromkeys(names)))
        places = {place for name in self._wishes for place in self._places(name)}
        for name in self._file.vars:
            if name not in places:
                raise unknown_variable(name, names, sorted(places))

    def _places(self, name: str) -> set[str]:
        """The variables that a category has a place for, in its prompt or its records."""
        template, wishes = self._templates[name], self._wishes[name]
        kept = [*self._file.keep, *(wishes.keep if wishes else ())]
        return {*used_by(template), *template.keep, *kept}

    def _refuse_unused_inputs(self) -> None:
        for _, spool in self._spools:
            users = [group for group in self._groups if group.spool is spool]
            if not any(group.variables.needed for group in users):
                columns = ", ".join(spool.filled)
                raise UsageError("template_input_unused", input=spool.name, columns=columns)

    # ------------------------------------------------------------ rows and numbers

    def _spool(self, part: InputPart | None) -> Spool | None:
        """The rows of an input, read once, also when several categories name it."""
        if part is None:
            return None
        for known, spool in self._spools:
            if known == part:
                return spool
        bad = BadInputs(keep=1)
        rows = rows_of(part, self._store, seed=self._file.seed or 0, bad=bad)
        spool = Spool(part.shown, rows)
        self._spools.append((part, spool))
        if bad.count:
            first = bad.first[0].text(self._language)
            data = {"input": part.shown, "n": bad.count, "first": first}
            self._bad.append(Remark(key="template.remark.input_bad", data=data))
        return spool

    def _rows(self) -> tuple[Sequence[Json], dict[int, int]]:
        """The rows that are needed, and where each input's begin (by the spool's id)."""
        needed: dict[int, set[str]] = {}
        for group in self._groups:
            if group.spool is not None:
                needed.setdefault(id(group.spool), set()).update(group.variables.needed)
        used = [spool for _, spool in self._spools if needed.get(id(spool))]
        joined = Joined([(spool, frozenset(needed[id(spool)])) for spool in used])
        return joined, {id(spool): at for spool, at in zip(used, joined.starts, strict=True)}

    @cached_property
    def _each_row(self) -> bool:
        """Without a number, every row is to have its records."""
        group = self._groups[0]
        asked = self._file.count or self._file.total or self._file.categories
        return group.spool is not None and not asked

    def _count(self) -> tuple[dict[str, float], int]:
        """The weight of each category, and the number of all records."""
        file = self._file
        wanted = file.count or file.total
        if file.categories:
            shares = {name: one.share for name, one in self._wishes.items() if one is not None}
            return weights_of(shares, wanted)
        group = self._groups[0]
        if wanted is not None:
            return {group.name: 1.0}, wanted
        if group.spool is None:
            raise UsageError("template_no_count", template=group.template.name)
        if any(len(set(one.weights)) > 1 for one in group.variables.choices):
            raise UsageError("template_no_count_weights", template=group.template.name)
        return {group.name: 1.0}, len(group.spool) * _cells(group) * file.per_request


def _remarks(groups: Sequence[_Group]) -> list[Remark]:
    """Shapes that nobody gave: a person should see them before they are paid for."""
    found: list[Remark] = []
    for group in groups:
        if group.shape.origin != "given":
            data = {"template": group.template.name, "shape": sketch(group.shape.schema)}
            remark = Remark(key=f"template.remark.shape_{group.shape.origin}", data=data)
            found += [] if remark in found else [remark]
    return found


def _cells(group: _Group) -> int:
    return prod(len(one.values) for one in group.variables.choices)


def _check(group: _Group, file: TemplateFile) -> None:
    """Raises UsageError for what a category's template cannot be asked."""
    name = group.template.name
    if file.per_request > 1 and "count" not in used_by(group.template):
        raise UsageError("template_per_request", template=name)
    fields = _fields(group.shape)
    for kept in group.variables.keep:
        if kept in fields:
            raise UsageError("template_keep_own", template=name, field=kept)
    if file.categories and CATEGORY in [*fields, *group.variables.keep]:
        raise UsageError("template_category_taken", template=name)


def _fields(shape: Shape) -> Mapping[str, Json]:
    """The sample's own fields; a text stands in `text`."""
    found: Mapping[str, Json] = (shape.schema or {}).get("properties", {"text": {}})
    return found


def _category(
    group: _Group, weight: float, starts: Mapping[int, int], writers: Writers, file: TemplateFile
) -> CategoryPart:
    wishes, template, variables = group.wishes, group.template, group.variables
    start = starts.get(id(group.spool))
    own = {name: getattr(wishes, name) for name in PARAMETERS} if wishes else {}
    preset = (wishes and wishes.preset) or file.preset
    return CategoryPart(
        name=group.name,
        weight=weight,
        template=TemplatePart(
            name=template.name,
            version=template.version,
            prompt=template.prompt,
            system=template.system,
            sample=None if group.shape.schema is None else dict(group.shape.schema),
            many=group.shape.many,
        ),
        values=variables.values,
        choices=variables.choices,
        variety=variables.variety,
        columns=variables.columns,
        keep=variables.keep,
        first_row=start or 0,
        rows=len(group.spool) if group.spool is not None and start is not None else 0,
        writers=writers.of(wishes, template),
        **parameters_of(own=own, preset=preset, template=template),
    )
