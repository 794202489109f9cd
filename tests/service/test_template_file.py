"""A template's file: read with its faults named, written so that it reads back to the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.errors import SpecError
from corpusmith.nouns import Template
from corpusmith.service.fields import FieldsError
from corpusmith.service.template_file import (
    dump_template,
    read_template,
    template_fields,
    template_of,
)

T_YAML = """\
name: sentiment
type: classification
prompt: |
  主题：{topic}。请写 {count} 条{label}评论。
  [{"text": "…"}]
schema: {type: object, properties: {text: {type: string}}, required: [text]}
vars: {label: [正面, 负面]}
keep: label
temperature: 0
"""


def written(folder: Path, text: str, name: str = "t.yaml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_a_yaml_file_is_read_with_all_its_fields(tmp_path: Path) -> None:
    assert read_template(written(tmp_path, T_YAML)) == Template(
        name="sentiment",
        type="classification",
        language="zh",
        prompt='主题：{topic}。请写 {count} 条{label}评论。\n[{"text": "…"}]',
        schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        vars={"label": ["正面", "负面"]},
        keep=("label",),
        temperature=0.0,
    )


def test_a_json_file_is_read_and_its_name_is_the_files(tmp_path: Path) -> None:
    file = written(tmp_path, '{"prompt": "Write about {topic}."}', "travel.json")
    made = Template(name="travel", prompt="Write about {topic}.", language="en")
    assert read_template(file) == made


def test_every_field_that_does_not_fit_is_named_in_the_users_language(tmp_path: Path) -> None:
    file = written(tmp_path, "prompt: ' '\nshema: {}\ntype: essay\ntemperature: 3\nschema: [1]\n")
    with pytest.raises(FieldsError) as caught:
        read_template(file)
    assert caught.value.message("en").splitlines()[1:] == [
        "  type: must be one of qa, dialogue, summary, classification, custom",
        "  prompt: must not be empty",
        "  schema: must be a mapping of names to values",
        "  temperature: must be at most 2",
        "  shema: there is no such field; did you mean 'schema'?",
    ]
    assert "shema：没有这个字段；是不是想写 schema？" in caught.value.message("zh")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_template(tmp_path / "no.yaml")
    assert caught.value.reason == "file_unreadable"


def test_yamls_dates_and_number_keys_become_text() -> None:
    fields = yaml.safe_load(
        "{prompt: '{day}{level}', vars: {day: 2025-01-31, level: {1: 30, 2: 70}}}"
    )
    made = template_of(fields, source="t", name="t")
    assert made.vars == {"day": "2025-01-31", "level": {"1": 30, "2": 70}}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"x", {1, 2}])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(FieldsError) as caught:
        template_of({"prompt": "x", "vars": {"a": [value]}}, source="t")
    assert caught.value.data["problems"][0].place == "vars"


def test_values_of_variables_keep_their_blanks() -> None:
    made = template_of({"prompt": "x", "vars": {"a": " b\n"}}, source="t")
    assert made.vars == {"a": " b\n"}


def test_a_prompt_is_written_as_a_block(tmp_path: Path) -> None:
    made = read_template(written(tmp_path, T_YAML))
    assert dump_template(made) == (
        "name: sentiment\n"
        "type: classification\n"
        "language: zh\n"
        "prompt: |-\n"
        "  主题：{topic}。请写 {count} 条{label}评论。\n"
        '  [{"text": "…"}]\n'
        "schema:\n"
        "  type: object\n"
        "  properties:\n"
        "    text:\n"
        "      type: string\n"
        "  required:\n"
        "    - text\n"
        "vars:\n"
        "  label:\n"
        "    - 正面\n"
        "    - 负面\n"
        "keep:\n"
        "  - label\n"
        "temperature: 0.0\n"
    )


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60) | st.text(
    "ab {}\"'\n\t #:-|>&*!%@`，。—😀\u2028\x85", max_size=40
)
prompts = texts.map(str.strip).filter(bool)
names = st.text("abc_主题- ", min_size=1, max_size=8).map(str.strip).filter(bool)
values = st.recursive(
    texts
    | st.booleans()
    | st.none()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
templates = st.builds(
    Template,
    name=names,
    prompt=prompts,
    system=texts.map(str.strip),
    description=texts.map(str.strip),
    type=st.sampled_from(["qa", "custom"]),
    language=st.sampled_from(["zh", "en"]),
    schema=st.none() | st.dictionaries(names, values, min_size=1, max_size=3),
    vars=st.dictionaries(names, values, max_size=3),
    keep=st.lists(prompts, max_size=2).map(tuple),
    preset=st.sampled_from(["", "fast"]),
    temperature=st.none() | st.floats(0, 2),
    max_tokens=st.none() | st.integers(1, 10**9),
)


@given(templates)
def test_what_is_written_reads_back_to_the_same(made: Template) -> None:
    text = dump_template(made)
    assert template_of(yaml.safe_load(text), source="t") == made
    assert template_of(template_fields(made), source="t") == made
