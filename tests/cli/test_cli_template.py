"""`corpusmith template` and `corpusmith ratio`, on a real endpoint and a real database."""

from __future__ import annotations

import csv
import json
import os
import pty
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli, Ran, clean_environment

from corpusmith.simulator import SimulatorConfig, run_in_thread

QA = """\
name: medical-qa
type: qa
prompt: |
  任务：生成问答对
  主题：{topic}
  数量：{count}
  难度：{difficulty}

  输出格式：JSON
  [
    {
      "question": "...",
      "answer": "..."
    }
  ]
"""
SENTIMENT = """\
name: sentiment
type: classification
prompt: |
  主题：{topic}。请写 {count} 条{label}评论。
schema: {type: object, properties: {text: {type: string}, label: {type: string}}}
keep: [topic]
"""
RATIO = """\
name: balanced
total: 1000
categories:
  - {name: 正面, share: 40%, template: t.yaml, vars: {topic: 餐厅, label: 正面}}
  - {name: 负面, share: 30%, template: t.yaml, vars: {topic: 餐厅, label: 负面}}
  - {name: 中性, share: 30%, template: t.yaml, vars: {topic: [餐厅, 酒店], label: 中性}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("qa.yaml").write_text(QA, "utf-8")
    Path("t.yaml").write_text(SENTIMENT, "utf-8")
    Path("r.yaml").write_text(RATIO, "utf-8")


@pytest.fixture
def at(cli: Cli, url: str) -> Cli:
    """The program with an endpoint in its environment, as the documented commands have it."""
    named = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "k", "CORPUSMITH_MODEL": "sim-chat"}

    def run(*lines: str, env: Any = None) -> Ran:
        words = [word for line in lines for word in shlex.split(line)]
        return cli(*words, env={**named, **(env or {})})

    return run


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]


def quotas(at: Cli, task: int = 1) -> dict[str, tuple[int, int]]:
    """Category → (wanted, accepted)."""
    shown = json.loads(at(f"tasks show {task} --json").out)
    return {one["name"]: (one["count"], one["accepted"]) for one in shown["quotas"]}


# ---------------------------------------------------------------- template


def test_the_documented_template_command_shares_100_exactly(at: Cli) -> None:
    command = (
        "template --template qa.yaml --var topic=医疗健康 --var difficulty=简单,中等,困难 "
        "--count 100 --per-request 5 --output qa.jsonl"
    )
    ran = at(command)
    assert ran.code == 0, ran.err
    assert {tuple(row) for row in rows("qa.jsonl")} == {("question", "answer")}
    assert quotas(at) == {"简单": (34, 34), "中等": (33, 33), "困难": (33, 33)}
    assert "Spent: 21 calls" in ran.out
    assert (
        "Template “medical-qa”: taken from the example in its prompt, a sample looks like this: "
        '{"question": string, "answer": string}.'
    ) in ran.err


def test_the_request_asks_for_as_many_as_are_left_and_by_schema(at: Cli) -> None:
    with run_in_thread(SimulatorConfig(record=50)) as running:
        ran = at(
            "template --template qa.yaml --var topic=茶 --var difficulty=难 --count 12",
            "--per-request 5 --concurrency 1 --temperature 0 --output qa.jsonl",
            env={"OPENAI_BASE_URL": f"{running.url}/v1"},
        )
        asked = [one["body"] for one in running.requests()]
    assert ran.code == 0, ran.err
    bodies = [json.loads(one) if isinstance(one, str) else one for one in asked]
    prompts = [one["messages"][-1]["content"] for one in bodies]
    assert ["数量：5" in one for one in prompts] == [True, True, False]
    assert "数量：2" in prompts[2]
    assert prompts[0] == (
        "任务：生成问答对\n主题：茶\n数量：5\n难度：难\n\n输出格式：JSON\n"
        '[\n  {\n    "question": "...",\n    "answer": "..."\n  }\n]'
    )
    text = {"type": "string"}
    assert bodies[2]["response_format"]["json_schema"] == {
        "name": "samples_2",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "samples": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"question": text, "answer": text},
                        "required": ["question", "answer"],
                        "additionalProperties": False,
                    },
                    "minItems": 2,
                    "maxItems": 2,
                }
            },
            "required": ["samples"],
            "additionalProperties": False,
        },
    }
    assert {one["temperature"] for one in bodies} == {0}


def test_what_is_rejected_is_replaced_with_the_same_values(at: Cli) -> None:
    with run_in_thread(SimulatorConfig(faults={"wrong_schema": 0.2, "refusal": 0.1})) as running:
        ran = at(
            "template --template qa.yaml --var topic=茶 --var difficulty=甲,乙,丙",
            "--count 50 --per-request 5 --max-attempts-multiplier 20 -o qa.jsonl",
            env={"OPENAI_BASE_URL": f"{running.url}/v1"},
        )
    assert ran.code == 0, ran.err
    assert quotas(at) == {"甲": (17, 17), "乙": (17, 17), "丙": (16, 16)}
    shown = json.loads(at("tasks show 1 --json").out)["task"]["counts"]
    assert shown["attempted"] == shown["accepted"] + shown["rejected"] + shown["failed"]
    assert shown["attempted"] > 50


def test_a_task_says_which_version_of_which_template_it_ran(at: Cli) -> None:
    at("templates add t.yaml")
    at("templates edit sentiment --set temperature=0.3")
    at("template --template sentiment@1 --var topic=茶 --var label=正面 --count 2")
    assert at("tasks list").out.splitlines()[1].split()[2:4] == ["template", "sentiment@1"]
    shown = [line.split() for line in at("tasks show").out.splitlines()]
    assert [line for line in shown if line[:1] == ["template"]] == [["template", "sentiment@1"]]


def test_statistics_leave_out_labels_that_no_record_has(at: Cli) -> None:
    at("template --template t.yaml --var topic=茶 --var label=正面 --count 2 --dataset d")
    assert at("datasets stats d").out == "d: 2 records\n"


def test_the_same_seed_makes_the_same_rows_without_a_call(at: Cli) -> None:
    command = (
        "template --template qa.yaml --var topic=茶 --var difficulty=甲,乙 "
        "--count 10 --per-request 3 --seed 5 --output"
    )
    assert at(f"{command} a.jsonl").code == 0
    again = at(f"{command} b.jsonl")
    assert again.code == 0
    assert "Spent: 0 calls" in again.out
    assert rows("a.jsonl") == rows("b.jsonl")


def test_more_of_a_finished_task_costs_only_what_is_new(at: Cli) -> None:
    made = at(
        "template --template qa.yaml --var topic=茶 --var difficulty=甲,乙 --count 10",
        "--per-request 5 -o qa.jsonl",
    )
    assert made.code == 0, made.err
    first = rows("qa.jsonl")
    more = at("resume --count 14")
    assert more.code == 0, more.err
    assert "Spent: 4 calls" in more.out
    assert quotas(at) == {"甲": (7, 7), "乙": (7, 7)}
    again = rows("qa.jsonl")
    assert len(again) == 14
    assert [row for row in first if row not in again] == []


def test_weights_are_exact(at: Cli) -> None:
    ran = at(
        "template --template qa.yaml --var topic=茶 --var difficulty=简单,中等,困难",
        "--var-weights difficulty=2,1,1 --count 20 --per-request 10 -o qa.jsonl",
    )
    assert ran.code == 0, ran.err
    assert quotas(at) == {"简单": (10, 10), "中等": (5, 5), "困难": (5, 5)}


def test_a_value_in_quotes_may_have_a_comma(at: Cli) -> None:
    shown = at(
        """template --template qa.yaml --var 'topic="北京,上海",广州' --count 2 --dry-run""",
        "--var 'difficulty=一行\n又一行' --json",
    )
    preview = json.loads(shown.out)
    assert preview["quotas"] == {"北京,上海": 1, "广州": 1}
    assert "主题：北京,上海\n数量：1\n难度：一行\n又一行\n" in preview["calls"][0][2][0]["content"]


def test_every_row_of_a_file_gets_its_records_and_keeps_its_fields(at: Cli) -> None:
    Path("in.csv").write_text("id,content\n1,第一篇\n2,第二篇\n3,第三篇\n", "utf-8")
    Path("sum.yaml").write_text(
        "type: summary\nprompt: 总结：{text}\nschema:\n  properties: {summary: {type: string}}\n",
        "utf-8",
    )
    ran = at(
        "template --template sum.yaml --input in.csv --var-column text=content",
        "--keep id --keep text --output out.csv",
    )
    assert ran.code == 0, ran.err
    with Path("out.csv").open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert [list(row) for row in found] == [["summary", "id", "text"]] * 3
    assert {(row["id"], row["text"]) for row in found} == {
        ("1", "第一篇"),
        ("2", "第二篇"),
        ("3", "第三篇"),
    }


def test_questions_about_documents_keep_their_source_and_chunk(at: Cli) -> None:
    Path("docs").mkdir()
    Path("docs/a.md").write_text("# 咖啡\n\n" + "豆子要现磨。水温九十度。" * 60, "utf-8")
    Path("docs/b.txt").write_text("茶要趁热喝。", "utf-8")
    ran = at(
        "template --template grounded-qa --input docs --chunk-size 300 --chunk-overlap 0",
        "--output qa.jsonl --language zh",
    )
    assert ran.code == 0, ran.err
    found = rows("qa.jsonl")
    assert {tuple(row) for row in found} == {
        ("question", "answer", "evidence", "text", "source", "chunk")
    }
    assert Counter(row["source"] for row in found) == {"a.md": 3, "b.txt": 1}
    assert {row["text"] for row in found if row["source"] == "b.txt"} == {"茶要趁热喝。"}


def test_a_dataset_is_an_input_too(at: Cli) -> None:
    first = at(
        "template --template t.yaml --var topic=茶 --var label=正面 --count 3 --per-request 3",
        "--dataset reviews",
    )
    assert first.code == 0, first.err
    Path("re.yaml").write_text("type: qa\nprompt: 就此提问：{text}\n", "utf-8")
    ran = at("template --template re.yaml --input-dataset reviews --keep text -o out.json")
    assert ran.code == 0, ran.err
    found = json.loads(Path("out.json").read_text("utf-8"))
    assert [tuple(row) for row in found] == [("question", "answer", "text")] * 3
    assert len({row["text"] for row in found}) == 3


def test_models_share_the_work_by_weight(at: Cli) -> None:
    with run_in_thread(SimulatorConfig(record=50)) as running:
        ran = at(
            "template --template t.yaml --var topic=茶 --var label=正面 --count 20",
            "--mix sim-chat=3 --mix sim-chat-mini=1 -o out.jsonl",
            env={"OPENAI_BASE_URL": f"{running.url}/v1"},
        )
        asked = [one["body"] for one in running.requests()]
    assert ran.code == 0, ran.err
    bodies = [json.loads(one) if isinstance(one, str) else one for one in asked]
    assert Counter(one["model"] for one in bodies) == {"sim-chat": 15, "sim-chat-mini": 5}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "--template t.yaml --var topic=茶 --count 3",
            "error: The template “sentiment” needs values for: label. Give them, such as --var "
            "label=VALUE, or under vars in YAML. If it is meant as text, write {{label}} with "
            "doubled braces.\n",
        ),
        (
            "--template t.yaml --var topik=茶 --count 3",
            "error: There is a value for topik, but no place for it in the template “sentiment”. "
            "Did you mean topic?\n",
        ),
        ("--template t.yaml --var topic --count 3", "error: --var topic: write NAME=VALUE.\n"),
        (
            "--template t.yaml --var topic=a,b --var-weights topic=1 --var label=c --count 3",
            "error: --var-weights topic: 1 weight for 2 values. Give as many as --var topic has "
            "values, in the same order.\n",
        ),
        (
            "--template t.yaml --chunk-size 5 --count 3",
            "error: --chunk-size is about an input, but none is given. Give one with --input or "
            "--input-dataset.\n",
        ),
        (
            "--template t.yaml --input qa.yaml --chunk-size 5 --count 3",
            "error: --chunk-size: must be at least 20\n",
        ),
        ("--template t.yaml --per-request 0", "error: --per-request: must be at least 1\n"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_call(at: Cli, words: str, message: str) -> None:
    ran = at(f"template {words}")
    assert (ran.code, ran.err) == (2, message)


def test_a_shape_that_was_guessed_is_confirmed_at_a_terminal(
    url: str, home: Path, tmp_path: Path, cli: Cli
) -> None:
    ours, theirs = pty.openpty()
    words = "template --template qa.yaml --var topic=茶 --var difficulty=难 --count 3"
    endpoint = ["--base-url", url, "--model", "m"]
    with subprocess.Popen(
        [sys.executable, "-m", "corpusmith.cli.main", *words.split(), *endpoint],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env=clean_environment(home),
    ) as run:
        os.close(theirs)
        os.write(ours, b"n\n")
        assert run.wait(30) == 130
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    assert '{"question": string, "answer": string}' in " ".join(said.split())
    assert cli("tasks", "list", "--json").out.strip() in ("[]", '{"tasks":[]}')


def test_rows_that_cannot_be_read_are_left_out_and_told(at: Cli) -> None:
    Path("in.jsonl").write_text('{"text": "a"}\n{"text": \n{"text": "c"}\n', "utf-8")
    Path("re.yaml").write_text(
        "prompt: 就此提问：{text}\nschema: {properties: {question: {type: string}}}\n", "utf-8"
    )
    ran = at("template --template re.yaml --input in.jsonl --keep text -o out.jsonl")
    assert ran.code == 0, ran.err
    assert {row["text"] for row in rows("out.jsonl")} == {"a", "c"}
    assert "Left out, because they cannot be read: 1 row or file of in.jsonl." in ran.err


# ---------------------------------------------------------------- ratio


def test_the_documented_ratio_command_ends_at_400_300_300(at: Cli) -> None:
    command = "ratio r.yaml --per-request 5 --output out.jsonl"
    ran = at(command)
    assert ran.code == 0, ran.err
    found = rows("out.jsonl")
    assert Counter(row["category"] for row in found) == {"正面": 400, "负面": 300, "中性": 300}
    assert Counter(row["topic"] for row in found if row["category"] == "中性") == {
        "餐厅": 150,
        "酒店": 150,
    }
    assert {tuple(row) for row in found} == {("category", "text", "label", "topic")}
    assert "Spent: 200 calls" in ran.out


def test_run_takes_a_ratio_file_and_refills_within_its_categories(at: Cli) -> None:
    with run_in_thread(SimulatorConfig(faults={"wrong_schema": 0.25})) as running:
        ran = at(
            "run r.yaml --count 50 --output out.json",
            env={"OPENAI_BASE_URL": f"{running.url}/v1"},
        )
    assert ran.code == 0, ran.err
    found = json.loads(Path("out.json").read_text("utf-8"))
    assert Counter(row["category"] for row in found) == {"正面": 20, "负面": 15, "中性": 15}


def test_a_ratio_file_of_datasets_is_sampled_and_no_model_is_asked(at: Cli) -> None:
    made = at(
        "template --template t.yaml --var topic=茶 --var label=正面 --count 4",
        "--dataset reviews",
    )
    assert made.code == 0, made.err
    Path("s.yaml").write_text(
        "total: 3\ncategories:\n  - {name: 甲, share: 100%, dataset: reviews}\n", "utf-8"
    )
    ran = at("ratio s.yaml --output out.jsonl")
    assert ran.code == 0, ran.err
    assert len(rows("out.jsonl")) == 3
    wrong = at("ratio s.yaml --per-request 5")
    assert (wrong.code, wrong.err) == (
        2,
        "error: --per-request does not fit s.yaml: its categories are drawn from datasets, and no "
        "model is asked.\n",
    )


def test_a_file_without_categories_is_no_ratio(at: Cli) -> None:
    Path("x.yaml").write_text("template: t.yaml\ncount: 3\n", "utf-8")
    ran = at("ratio x.yaml")
    assert (ran.code, ran.err) == (
        2,
        "error: x.yaml has no categories, so there is nothing to share. For a single template use: "
        "corpusmith template --template FILE --count N\n",
    )
