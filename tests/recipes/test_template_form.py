"""From the fields of a template task to what the recipe is made from, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from corpusmith.errors import CorpusmithError, SpecError, UsageError
from corpusmith.service.forms.form import Resolved
from corpusmith.service.forms.template import TemplateForm
from corpusmith.service.forms.template_rows import Joined, Spool
from corpusmith.service.forms.template_shares import weights_of
from corpusmith.service.studio import Studio
from corpusmith.service.task_file import task_file
from corpusmith.service.yaml_file import read_task_file
from corpusmith.simulator import SimulatorConfig, run_in_thread
from corpusmith.store.store import SqlStore
from corpusmith.values import Connection

T: dict[str, Any] = {
    "name": "t",
    "prompt": "主题：{topic}。写 {count} 条{label}。",
    "schema": {"type": "object", "properties": {"text": {"type": "string"}}},
}
ENDPOINT = {"base_url": "http://127.0.0.1:9/v1", "model": "m"}
Resolve = Callable[..., Resolved]


@pytest.fixture
def store(sqlite_url: str, opened: Callable[[str], SqlStore]) -> SqlStore:
    return opened(sqlite_url)


@pytest.fixture
def resolve(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolve]:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    def run(**fields: Any) -> Resolved:
        given = {"connection": ENDPOINT, "count": 10, "recipe": "template", **fields}
        file = task_file({n: v for n, v in given.items() if v is not None}, source="test")
        return TemplateForm().resolve(file, store, "zh")

    yield run


def refused(resolve: Resolve, **fields: Any) -> tuple[str, dict[str, Any]]:
    with pytest.raises(CorpusmithError) as caught:
        resolve(**fields)
    assert isinstance(caught.value, UsageError)
    for language in ("zh", "en"):
        assert not caught.value.message(language).startswith("error.")
    return caught.value.reason, caught.value.data


def category(found: Resolved, at: int = 0) -> dict[str, Any]:
    parts: list[dict[str, Any]] = found.recipe_spec["categories"]
    return parts[at]


# ---------------------------------------------------------------- variables


def test_values_lists_weights_and_the_templates_own_are_told_apart(resolve: Resolve) -> None:
    template = {**T, "prompt": "{a}{b}{c}{d}{e}{count}", "vars": {"a": 0, "d": 4, "e": ["x", "y"]}}
    found = resolve(template=template, vars={"a": 1, "b": ["p", "q"], "c": {"u": "40%", "v": 60}})
    part = category(found)
    assert (part["values"], part["choices"], part["variety"]) == (
        {"a": 1, "d": 4},
        [
            {"name": "b", "values": ["p", "q"], "weights": [1.0, 1.0]},
            {"name": "c", "values": ["u", "v"], "weights": [40.0, 60.0]},
        ],
        [{"name": "e", "values": ["x", "y"], "weights": [1.0, 1.0]}],
    )


def test_a_list_of_one_is_one_value(resolve: Resolve) -> None:
    part = category(resolve(template=T, vars={"topic": ["餐厅"], "label": {"好": 1}}))
    assert (part["values"], part["choices"]) == ({"topic": "餐厅", "label": "好"}, [])


@pytest.mark.parametrize(
    ("values", "reason", "data"),
    [
        ({}, "template_var_missing", {"variables": "topic, label", "variable": "topic"}),
        ({"topic": 1}, "template_var_missing", {"variables": "label", "variable": "label"}),
        ({"topik": 1}, "template_var_unused_near", {"variable": "topik", "near": "topic"}),
        ({"size": 1}, "template_var_unused", {"variable": "size"}),
        ({"count": 5}, "template_var_count", {"variable": "count"}),
        ({"random_id": 5}, "template_var_built_in", {"variable": "random_id"}),
        ({"topic": [], "label": 1}, "template_var_empty", {"variable": "topic"}),
        ({"topic": {}, "label": 1}, "template_var_empty", {"variable": "topic"}),
        ({"topic": None, "label": 1}, "template_var_empty", {"variable": "topic"}),
        ({"topic": ["a", ""], "label": 1}, "template_var_blank", {"variable": "topic"}),
        ({"topic": ["a", "a"], "label": 1}, "template_var_twice", {"value": "a"}),
        ({"topic": [["a"]], "label": 1}, "template_var_value", {"variable": "topic"}),
        ({"topic": {"a": 0}, "label": 1}, "template_var_weights", {"variable": "topic"}),
        ({"topic": {"a": True}, "label": 1}, "template_var_weights", {"variable": "topic"}),
        ({"topic": {"column": "x"}, "label": 1}, "template_column_no_input", {"column": "x"}),
    ],
)
def test_values_that_do_not_fit_are_refused_before_any_call(
    resolve: Resolve, values: dict[str, Any], reason: str, data: dict[str, Any]
) -> None:
    found, told = refused(resolve, template=T, vars=values)
    assert (found, told["template"]) == (reason, "t")
    assert data.items() <= told.items()


def test_too_many_combinations_are_refused_with_their_number(resolve: Resolve) -> None:
    values = {"topic": [f"a{n}" for n in range(50)], "label": [f"b{n}" for n in range(41)]}
    assert refused(resolve, template=T, vars=values) == (
        "template_cells_many",
        {"count": 2050, "limit": 2000},
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "template_none"),
        ({"template": {**T, "prompt": "{topic}{label}"}, "per_request": 2}, "template_per_request"),
        ({"template": T, "count": None}, "template_no_count"),
        ({"template": T, "keep": "size"}, "template_keep_unknown"),
        ({"template": T, "keep": "text", "input": "rows.jsonl"}, "template_keep_own"),
        ({"template": "no-such-template"}, "unknown_template"),
        ({"template": {**T, "schema": {"type": "integer"}}}, "template_schema_kind"),
        ({"template": T, "roles": {"judge": "x"}}, "role_unknown"),
        ({"template": T, "connection": None}, "no_connection"),
        ({"template": T, "models": [{"weight": 2}]}, "template_model_nameless"),
    ],
)
def test_tasks_that_cannot_be_are_refused(
    resolve: Resolve,
    fields: dict[str, Any],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text('{"text": "a"}\n', "utf-8")
    assert refused(resolve, **{"vars": {"topic": 1, "label": 2}, **fields})[0] == reason


# ---------------------------------------------------------------- shapes


def test_a_shape_that_nobody_gave_is_remarked_on(resolve: Resolve) -> None:
    prompt = '{topic}{label}{count} [{"text": "…", "tags": ["…"]}]'
    found = resolve(template={"name": "t", "prompt": prompt}, vars={"topic": 1, "label": 2})
    assert [(one.key, one.data) for one in found.remarks] == [
        (
            "template.remark.shape_example",
            {"template": "t", "shape": '{"text": string, "tags": [string]}'},
        )
    ]
    assert resolve(template=T, vars={"topic": 1, "label": 2}).remarks == []


# ---------------------------------------------------------------- rows


def write(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


GROUNDED = {**T, "prompt": "{text}{count}", "keep": ["source", "chunk"]}


def test_each_row_gets_its_records_when_no_number_is_given(
    resolve: Resolve, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.jsonl", *({"body": n, "source": "s", "other": 1} for n in range(7)))
    found = resolve(
        template={**GROUNDED, "prompt": "{text}{label}{count}"},
        input=file,
        vars={"text": {"column": "body"}, "label": ["a", "b"]},
        per_request=3,
        count=None,
    )
    part = category(found)
    assert (found.count, found.recipe_spec["each_row"]) == (7 * 2 * 3, True)
    assert (part["columns"], part["keep"], part["rows"]) == (
        {"text": "body", "source": "source"},
        ["source"],
        7,
    )
    assert list(found.inputs) == [{"body": n, "source": "s"} for n in range(7)]


def test_a_column_stands_in_for_a_variable_of_its_name(resolve: Resolve, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", {"text": "a"}, {"text": "b"})
    found = resolve(template=GROUNDED, input=file)
    assert (found.count, category(found)["columns"]) == (10, {"text": "text"})


@pytest.mark.parametrize(
    ("fields", "reason", "data"),
    [
        ({"vars": {"text": {"column": "x"}}}, "template_column_unknown", {"columns": "body, gap"}),
        ({"vars": {"text": {"column": "gap"}}}, "template_column_gaps", {"missing": 2, "row": 2}),
        ({}, "template_var_missing_column", {"variables": "text", "columns": "body, gap"}),
        ({"vars": {"text": "x"}}, "template_input_unused", {"columns": "body, gap"}),
        (
            {"vars": {"text": {"column": "body"}, "label": {"a": 1, "b": 2}}, "count": None},
            "template_no_count_weights",
            {},
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(
    resolve: Resolve, tmp_path: Path, fields: dict[str, Any], reason: str, data: dict[str, Any]
) -> None:
    file = write(tmp_path / "a.jsonl", {"body": 1, "gap": 1}, {"body": 2}, {"body": 3, "gap": None})
    prompt = "{text}{label}{count}" if "label" in fields.get("vars", {}) else "{text}{count}"
    found, told = refused(resolve, template={**T, "prompt": prompt}, input=file, **fields)
    assert found == reason
    assert data.items() <= told.items()


def test_categories_share_an_input_and_have_their_own(resolve: Resolve, tmp_path: Path) -> None:
    shared = write(tmp_path / "a.jsonl", {"text": 1, "source": 5}, {"text": 2, "source": 6})
    own = write(tmp_path / "b.jsonl", {"text": 3})
    plain = {**T, "prompt": "{text}"}
    found = resolve(
        template=plain,
        input=shared,
        categories=[{"name": "x"}, {"name": "y", "input": own}, {"name": "z", "keep": "source"}],
    )
    stretches = [(part["first_row"], part["rows"]) for part in found.recipe_spec["categories"]]
    assert stretches == [(0, 2), (2, 1), (0, 2)]
    assert found.inputs[-1] == {"text": 3}
    assert found.inputs[0:2] == [{"text": 1, "source": 5}, {"text": 2, "source": 6}]


def test_spooled_rows_are_the_rows_also_when_they_are_many() -> None:
    rows = [{"n": n, "text": "长" * (n % 50)} for n in range(20_000)]
    joined = Joined([(Spool("a", iter(rows)), frozenset({"n", "text"}))])
    assert (len(joined), joined[0], joined[-1]) == (20_000, rows[0], rows[-1])
    assert joined[12_345] == rows[12_345]
    assert list(joined)[::997] == rows[::997]
    with pytest.raises(IndexError):
        joined[20_000]


# ---------------------------------------------------------------- categories and shares


@pytest.mark.parametrize(
    ("shares", "total", "weights", "count"),
    [
        ({"a": "40%", "b": "60%"}, 1000, [40.0, 60.0], 1000),
        ({"a": "33.3%", "b": "33.3%", "c": "33.3％"}, 9, [33.3, 33.3, 33.3], 9),
        ({"a": 3, "b": 1}, 8, [3.0, 1.0], 8),
        ({"a": 400, "b": 300}, None, [400.0, 300.0], 700),
        ({"a": None, "b": None}, 7, [1.0, 1.0], 7),
        ({"a": "2", "b": 1.5}, 7, [2.0, 1.5], 7),
    ],
)
def test_shares_are_percent_or_numbers_or_counts(
    shares: Any, total: int | None, weights: list[float], count: int
) -> None:
    found, number = weights_of(shares, total)
    assert (list(found.values()), number) == (weights, count)


@pytest.mark.parametrize(
    ("shares", "total", "reason"),
    [
        ({"a": "40%", "b": 60}, 10, "template_share_mixed"),
        ({"a": "40%", "b": None}, 10, "template_share_mixed"),
        ({"a": "40%", "b": "50%"}, 10, "template_share_sum"),
        ({"a": 0, "b": 1}, 10, "template_share_bad"),
        ({"a": "viel", "b": 1}, 10, "template_share_bad"),
        ({"a": "nan", "b": 1}, 10, "template_share_bad"),
        ({"a": "50%", "b": "50%"}, None, "template_no_total"),
        ({"a": 0.5, "b": 0.5}, None, "template_no_total"),
    ],
)
def test_shares_that_do_not_fit_are_refused(shares: Any, total: int | None, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        weights_of(shares, total)
    assert caught.value.reason == reason


def test_categories_take_what_they_do_not_say_from_the_task(resolve: Resolve) -> None:
    found = resolve(
        template=T,
        vars={"topic": "餐厅", "label": "中性"},
        temperature=0.7,
        preset="fast",
        categories=[
            {"name": "正面", "share": "40%", "vars": {"label": "正面"}, "temperature": 0.1},
            {"name": "中性", "share": "60%"},
        ],
        count=None,
        total=1000,
    )
    parts = found.recipe_spec["categories"]
    assert found.count == 1000
    assert [part["values"]["label"] for part in parts] == ["正面", "中性"]
    assert [part["temperature"] for part in parts] == [0.1, 0.7]
    assert [part["sample_tokens"] for part in parts] == [512, 512]


@pytest.mark.parametrize(
    ("categories", "reason"),
    [
        ([{"name": "a"}, {"name": "a"}], "template_category_twice"),
        ([{"name": "a", "vars": {"size": 1}}], "template_var_unused"),
        (
            [
                {
                    "name": "a",
                    "template": {
                        **T,
                        "schema": {"type": "object", "properties": {"category": {}}},
                    },
                }
            ],
            "template_category_taken",
        ),
        ([{"name": "a", "models": ["x"], "model": "y"}], "template_models_twice"),
    ],
)
def test_categories_that_do_not_fit_are_refused(
    resolve: Resolve, categories: list[dict[str, Any]], reason: str
) -> None:
    fields = {"template": T, "vars": {"topic": 1, "label": 2}, "categories": categories}
    assert refused(resolve, **fields)[0] == reason


def test_a_template_keeps_what_there_is_of_its_own_wishes(resolve: Resolve) -> None:
    found = resolve(template={**T, "keep": ["source", "topic"]}, vars={"topic": 1, "label": 2})
    assert category(found)["keep"] == ["topic"]


# ---------------------------------------------------------------- models and parameters


def connection(name: str, model: str) -> Connection:
    return Connection(
        name=name,
        provider="openai",
        protocol="openai",
        base_url="http://127.0.0.1:8/v1",
        model=model,
    )


def models(found: Resolved) -> dict[str, str | None]:
    return {role: one.model for role, one in found.endpoints.items()}


def test_models_share_by_weight_and_each_endpoint_is_a_role(
    resolve: Resolve, store: SqlStore
) -> None:
    store.connections.add(connection("local", "small"))
    found = resolve(
        template=T,
        vars={"topic": 1, "label": 2},
        models=[{"name": "local", "weight": 3}, "big", {"connection": "local", "model": "tiny"}],
        categories=[{"name": "a"}, {"name": "b", "model": "big"}, {"name": "c", "models": ["m"]}],
    )
    assert models(found) == {
        "writer": "small",
        "writer2": "big",
        "writer3": "tiny",
        "writer4": "m",
    }
    writers = [
        {writer["role"]: writer["weight"] for writer in part["writers"]}
        for part in found.recipe_spec["categories"]
    ]
    assert writers == [
        {"writer": 3.0, "writer2": 1.0, "writer3": 1.0},
        {"writer2": 1.0},
        {"writer4": 1.0},
    ]


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"connection": {"base_url": "http://127.0.0.1:8/v1"}}, "own"),
        ({"connection": "local"}, "own"),
        ({"connection": "local", "model": "asked"}, "asked"),
        ({"connection": {"base_url": "http://127.0.0.1:8/v1", "model": "spot"}}, "spot"),
        ({"roles": {"writer": {"base_url": "http://127.0.0.1:8/v1", "model": "r"}}}, "r"),
    ],
)
def test_the_templates_model_is_nearer_than_a_connections_and_the_tasks_is_nearest(
    resolve: Resolve, store: SqlStore, fields: dict[str, Any], model: str
) -> None:
    store.connections.add(connection("local", "small"))
    template = {**T, "model": "own"}
    found = resolve(template=template, vars={"topic": 1, "label": 2}, **fields)
    assert models(found) == {"writer": model}


def test_the_nearest_parameters_win(resolve: Resolve) -> None:
    template = {**T, "preset": "creative", "temperature": 0.5, "max_tokens": 2000}
    given: dict[str, Any] = {"template": template, "vars": {"topic": 1, "label": 2}}
    names = ("temperature", "top_p", "max_tokens", "sample_tokens")

    def parameters(found: Resolved) -> tuple[Any, ...]:
        return tuple(category(found)[name] for name in names)

    assert parameters(resolve(**given)) == (0.5, 0.98, 2000, None)
    assert parameters(resolve(**given, preset="fast")) == (0.2, 0.9, None, 512)


# ---------------------------------------------------------------- files


def test_paths_of_a_ratio_file_start_from_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "t.yaml").write_text("prompt: 写{topic}\n", "utf-8")
    (folder / "r.yaml").write_text(
        "total: 10\n"
        "input: rows.jsonl\n"
        "categories:\n"
        "  - {name: a, share: 40%, template: t.yaml, vars: {topic: 餐厅}}\n"
        "  - {name: b, share: 60%, template: qa, input: {path: more.csv}}\n",
        "utf-8",
    )
    file: Any = read_task_file(folder / "r.yaml")
    first, second = file.categories
    assert (file.recipe, file.total, file.input.path) == (
        "template",
        10,
        str(folder / "rows.jsonl"),
    )
    assert (first.template, first.share, first.vars) == (
        str(folder / "t.yaml"),
        "40%",
        {"topic": "餐厅"},
    )
    assert (second.template, second.input.path) == ("qa", str(folder / "more.csv"))


def test_a_misspelt_field_of_a_category_is_named_with_the_one_that_was_meant() -> None:
    fields = {"categories": [{"name": "a", "templat": "t.yaml"}]}
    with pytest.raises(SpecError) as caught:
        task_file(fields, source="r.yaml")
    assert caught.value.message("en") == (
        "r.yaml: these fields do not fit:\n"
        "  categories #1.templat: there is no such field; did you mean 'template'?"
    )


# ---------------------------------------------------------------- from Python


def test_every_row_gets_its_own_records_and_a_failed_one_is_tried_again_itself(
    sqlite_url: str, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.jsonl", *({"text": f"第{n}篇", "id": n} for n in range(30)))
    with (
        run_in_thread(SimulatorConfig(faults={"wrong_schema": 0.3})) as running,
        Studio(sqlite_url) as studio,
    ):
        result = studio.generate(
            template={**GROUNDED, "prompt": "{text}：{count}", "keep": ["id"]},
            input=file,
            per_request=2,
            connection={"base_url": f"{running.url}/v1", "model": "m"},
            max_attempts_multiplier=30,
        )
        for _ in range(20):
            if result.counts.shortfall:
                studio.tasks.retry(result.task_id, ("failed", "rejected"))
                result = studio.tasks.resume(result.task_id)
        contents = [record.content for record in studio.store.records.iterate(task_id=1)]
    assert (result.counts.requested, result.counts.accepted) == (60, 60)
    assert Counter(row["id"] for row in contents) == dict.fromkeys(range(30), 2)
