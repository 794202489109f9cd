"""Templates on the command line: written, versioned, compared, tried."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from cli_kit import Cli

from corpusmith.presets.load import templates
from corpusmith.simulator import SimulatorConfig, run_in_thread

T_YAML = """\
name: sentiment-own
description: Reviews by class
type: classification
language: en
prompt: |
  Topic: {topic}. Write {count} {label} reviews. Today is {current_date}.
schema: {type: object, properties: {text: {type: string}}}
vars: {label: [positive, negative]}
keep: [topic, label]
preset: creative
"""
EXAMPLE_YAML = """\
language: en
prompt: |
  Write a question about {topic} as JSON: {"question": "...", "level": 1}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "t.yaml"
    written.write_text(T_YAML, "utf-8")
    return written


def test_a_template_is_added_edited_compared_and_listed(cli: Cli, file: Path) -> None:
    added = cli("templates", "add", file)
    assert (added.code, added.out) == (
        0,
        "Stored: sentiment-own, version 1. 'corpusmith templates test sentiment-own' tries it.\n",
    )
    edited = cli(
        "templates", "edit", "sentiment-own", "--set", "temperature=0.5", "--set", "preset=",
        "--set", "vars.label=[good, bad]",
    )  # fmt: skip
    assert (edited.code, edited.out) == (0, "Changed: sentiment-own is now version 2.\n")
    assert cli("templates", "diff", "sentiment-own").out == (
        "--- sentiment-own@1\n"
        "+++ sentiment-own@2\n"
        "@@ -10,9 +10,9 @@\n"
        "       type: string\n"
        " vars:\n"
        "   label:\n"
        "-    - positive\n"
        "-    - negative\n"
        "+    - good\n"
        "+    - bad\n"
        " keep:\n"
        "   - topic\n"
        "   - label\n"
        "-preset: creative\n"
        "+temperature: 0.5\n"
    )
    assert cli("templates", "list").out == (
        "name           version  type            language  description\n"
        "sentiment-own        2  classification  en        Reviews by class\n"
        "--shipped shows those that come along.\n"
    )
    numbers = json.loads(cli("templates", "versions", "sentiment-own", "--json").out)
    assert [one["version"] for one in numbers] == [1, 2]


def test_an_unchanged_template_stays_at_its_version(cli: Cli, file: Path) -> None:
    cli("templates", "add", file)
    ran = cli("templates", "edit", "sentiment-own", "--set", "preset=creative")
    assert ran.out == "Nothing changed: sentiment-own stays at version 1.\n"
    assert cli("templates", "add", file, "--replace").out.startswith("Stored: sentiment-own, versi")
    assert len(json.loads(cli("templates", "versions", "sentiment-own", "--json").out)) == 1


def test_a_prompt_and_a_schema_come_from_files(cli: Cli, file: Path, tmp_path: Path) -> None:
    cli("templates", "add", file, "--name", "s")
    (tmp_path / "p.txt").write_text("About {topic}: {label}!\n", "utf-8")
    (tmp_path / "s.json").write_text('{"type": "object", "properties": {"x": {}}}', "utf-8")
    ran = cli(
        "templates", "edit", "s", "--prompt-file", tmp_path / "p.txt",
        "--schema-file", tmp_path / "s.json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    shown = json.loads(cli("templates", "show", "s", "--json").out)
    assert (shown["prompt"], shown["schema"]["properties"]) == (
        "About {topic}: {label}!",
        {"x": {}},
    )
    old = json.loads(cli("templates", "show", "s@1", "--json").out)
    assert (old["version"], old["prompt"].split(".")[0]) == (1, "Topic: {topic}")


def test_show_says_where_each_value_comes_from(cli: Cli, file: Path) -> None:
    assert cli("templates", "show", file).out == (
        "name            sentiment-own\n"
        "type            classification\n"
        "language        en\n"
        "description     Reviews by class\n"
        "preset          creative\n"
        "kept variables  topic, label\n"
        "\n"
        "Variables\n"
        "  topic         to be given\n"
        "  count         how many samples a request asks for; set by the task\n"
        "  label         positive | negative\n"
        "  current_date  set by the task itself\n"
        "\n"
        "Prompt\n"
        "  Topic: {topic}. Write {count} {label} reviews. Today is {current_date}.\n"
        "\n"
        "Shape of a sample (given)\n"
        "  {\n"
        '    "type": "object",\n'
        '    "properties": {\n'
        '      "text": {\n'
        '        "type": "string"\n'
        "      }\n"
        "    },\n"
        '    "required": [\n'
        '      "text"\n'
        "    ],\n"
        '    "additionalProperties": false\n'
        "  }\n"
    )


def test_show_lets_a_person_confirm_what_was_read_from_the_example(
    cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "e.yaml").write_text(EXAMPLE_YAML, "utf-8")
    ran = cli("templates", "show", tmp_path / "e.yaml")
    assert "Shape of a sample (read from the example in the prompt; is it right?)\n" in ran.out
    shown = json.loads(cli("templates", "show", tmp_path / "e.yaml", "--json").out)
    assert (shown["schema"], shown["schema_from"]) == (None, "example")
    assert shown["sample_schema"]["properties"] == {
        "question": {"type": "string"},
        "level": {"type": "integer"},
    }
    assert shown["variables"] == {"topic": "given"}


def test_shipped_templates_speak_the_users_language_or_the_one_that_is_named(cli: Cli) -> None:
    listed = json.loads(cli("templates", "list", "--shipped", "--json", "--lang", "zh").out)
    assert listed == json.loads(
        json.dumps([{"name": one.name} | _as_json(one) for one in templates("zh")])
    )
    languages = {
        (name, lang): json.loads(cli("templates", "show", name, "--json", "--lang", lang).out)[
            "language"
        ]
        for name, lang in (("qa", "zh"), ("qa", "en"), ("qa.en", "zh"), ("qa.zh", "en"))
    }
    assert languages == {
        ("qa", "zh"): "zh",
        ("qa", "en"): "en",
        ("qa.en", "zh"): "en",
        ("qa.zh", "en"): "zh",
    }


def _as_json(one: object) -> dict[str, object]:
    from corpusmith.cli.out import plain

    fields: dict[str, object] = plain(one)
    return fields


def test_shipped_templates_are_searched_and_filtered(cli: Cli) -> None:
    def names(*words: str) -> list[str]:
        found = json.loads(cli("templates", "list", "--shipped", "--json", *words).out)
        return [one["name"] for one in found]

    assert names("--type", "summary") == ["summary", "topic-summary"]
    assert names("--search", "EVOLVE") == ["answer", "evolve-breadth", "evolve-depth"]
    assert names("--search", "evolve", "--type", "qa") == []


def test_a_shipped_template_is_changed_only_as_a_copy(cli: Cli) -> None:
    for words in (("edit", "qa", "--set", "preset=fast"), ("delete", "qa", "--yes"),
                  ("rename", "qa", "x"), ("versions", "qa"), ("diff", "qa")):  # fmt: skip
        ran = cli("templates", *words)
        assert (ran.code, ran.out) == (2, "")
        assert "corpusmith templates copy qa NEW_NAME" in ran.err
    assert cli("templates", "copy", "qa", "mine").code == 0
    assert cli("templates", "edit", "mine", "--set", "preset=fast").code == 0
    shown = json.loads(cli("templates", "show", "mine", "--json").out)
    assert (shown["preset"], shown["version"]) == ("fast", 2)


def test_an_own_template_goes_before_the_shipped_one_of_its_name(cli: Cli, file: Path) -> None:
    cli("templates", "add", file, "--name", "qa")
    assert json.loads(cli("templates", "show", "qa", "--json").out)["version"] == 1
    cli("templates", "delete", "qa", "--yes")
    assert json.loads(cli("templates", "show", "qa", "--json").out)["version"] == 0


def test_export_writes_what_add_reads(cli: Cli, file: Path, tmp_path: Path) -> None:
    cli("templates", "add", file)
    out = tmp_path / "folder" / "out.yaml"
    ran = cli("templates", "export", "sentiment-own", "-o", out)
    assert (ran.code, ran.out) == (0, f"Written: sentiment-own → {out}\n")
    assert cli("templates", "export", "sentiment-own", "-o", "-").out == out.read_text("utf-8")
    again = cli("templates", "add", out, "--replace").out
    assert "version 1" in again
    assert yaml.safe_load(out.read_text("utf-8"))["keep"] == ["topic", "label"]


def test_rename_keeps_the_versions_and_delete_asks(cli: Cli, file: Path) -> None:
    cli("templates", "add", file)
    assert cli("templates", "rename", "sentiment-own", "s").out == "Renamed: sentiment-own → s\n"
    refused = cli("templates", "delete", "s")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert cli("templates", "delete", "s", "--yes").out == "Deleted: s\n"
    assert json.loads(cli("templates", "list", "--json").out) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "qaa"), "Did you mean: qa?"),
        (("show", "sentiment-own@7"), "has no version 7; the newest is 1"),
        (("add", "{file}"), "exists already"),
        (("edit", "sentiment-own"), "Nothing to change"),
        (("edit", "sentiment-own", "--set", "nothing"), "write FIELD=VALUE"),
        (("edit", "sentiment-own", "--set", "temprature=1"), "did you mean 'temperature'?"),
        (("edit", "sentiment-own", "--set", "temperature=3"), "temperature: must be at most 2"),
        (("edit", "sentiment-own", "--set", "name=x"), "templates rename sentiment-own"),
        (("edit", "sentiment-own", "--set", "prompt="), "prompt: required"),
        (("edit", "sentiment-own", "--set", "vars.lable=x"), "Did you mean label?"),
        (("edit", "sentiment-own", "--set", "vars.count=3"), "every task sets that one itself"),
        (("edit", "sentiment-own", "--set", "vars.label=[]"), "has no value"),
        (("edit", "sentiment-own", "--set", "vars.label={a: b}"), "must be numbers above 0"),
        (("edit", "sentiment-own", "--set", "keep=[text]"), "the sample itself has"),
        (("edit", "sentiment-own", "--set", "schema={type: integer}"), "is of type integer"),
        (("edit", "sentiment-own", "--set", "schema={type: thing}"), "no JSON Schema"),
        (("edit", "sentiment-own", "--prompt-file", "/nowhere.txt"), "/nowhere.txt cannot be read"),
        (("copy", "sentiment-own", "x@2"), "looks like a file or a version"),
        (("copy", "sentiment-own", "a/b"), "looks like a file or a version"),
        (("list", "--type", "poem"), "Choose from: qa, dialogue"),
        (("diff", "sentiment-own", "one"), "OLD must be a whole number"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_do(
    cli: Cli, file: Path, words: tuple[str, ...], said: str
) -> None:
    cli("templates", "add", file)
    ran = cli("templates", *(str(file) if word == "{file}" else word for word in words))
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


# ---------------------------------------------------------------- test


def test_a_trial_shows_prompt_reply_and_row_and_leaves_no_task(
    cli: Cli, file: Path, url: str
) -> None:
    cli("templates", "add", file)
    ran = cli(
        "templates", "test", "sentiment-own", "--var", "topic=tea", "--var", "label=mixed",
        "--base-url", url, "--model", "m", "--seed", 1,
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    text = re.sub(r"\d{4}-\d\d-\d\d", "DAY", ran.out)
    assert text.startswith(
        "Asked of m\n\n[user]\nTopic: tea. Write 1 mixed reviews. Today is DAY.\n\nThe reply\n"
    )
    assert '  "topic": "tea",\n    "label": "mixed"\n  }\n' in text
    assert "\nThe reply is simulated text.\n" in text
    assert json.loads(cli("tasks", "list", "--json").out) == []


def test_a_trial_as_json_tells_all(cli: Cli, url: str) -> None:
    ran = cli(
        "templates", "test", "qa.zh", "--var", "topic=茶", "--base-url", url, "--model", "m",
        "--json",
    )  # fmt: skip
    made = json.loads(ran.out)
    assert (ran.code, made["reason"], made["simulated"], made["stopped"]) == (0, None, True, False)
    assert set(made["sample"]) == {"question", "answer", "topic", "difficulty"}
    assert "“茶”" in made["messages"][0]["content"]
    assert made["spend"]["calls"] == 1
    assert made["sample"]["answer"] in json.loads(made["raw"])["samples"][0].values()


def test_a_trial_says_why_there_is_no_row_and_exits_3(cli: Cli, file: Path) -> None:
    with run_in_thread(SimulatorConfig(faults={"refusal": 1.0})) as refusing:
        ran = cli(
            "templates", "test", file, "--var", "topic=tea",
            "--base-url", f"{refusing.url}/v1", "--model", "m",
        )  # fmt: skip
    assert ran.code == 3
    assert "\nNo row: The model or the endpoint's filter refused." in ran.out
    assert json.loads(cli("tasks", "list", "--json").out) == []


def test_a_trial_that_a_key_stops_exits_1(cli: Cli, file: Path) -> None:
    with run_in_thread(SimulatorConfig(require_key="right-key-123")) as locked:
        ran = cli(
            "templates", "test", file, "--var", "topic=tea", "--api-key-env", "WRONG_KEY",
            "--base-url", f"{locked.url}/v1", "--model", "m", env={"WRONG_KEY": "wrong-key-123"},
        )  # fmt: skip
    assert ran.code == 1
    assert "\nNo row: " in ran.out
    assert "wrong-key-123" not in ran.out + ran.err


def test_a_trial_refuses_a_missing_variable_before_any_call(cli: Cli, file: Path) -> None:
    ran = cli("templates", "test", file, "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    assert (ran.code, ran.out) == (2, "")
    assert "topic" in ran.err


def test_a_trial_takes_its_values_from_the_first_chunk_of_a_document(
    cli: Cli, url: str, tmp_path: Path
) -> None:
    (tmp_path / "bridge.md").write_text("# Bridge\n\nThe bridge was built in 1958.\n", "utf-8")
    ran = cli(
        "templates", "test", "grounded-qa", "--input", tmp_path / "bridge.md",
        "--base-url", url, "--model", "m", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    sample = json.loads(ran.out)["sample"]
    assert (sample["source"], sample["chunk"]) == ("bridge.md", 1)
    assert "built in 1958" in sample["text"]
