"""Self-play from the command line: the documented commands as written, over HTTP."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli

from corpusmith import Studio
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread
from corpusmith.values import Json

FIELDS = ["question", "initial_answer", "final_answer", "refinement_process"]
DEFAULT_FILE = "short_video_ai_expert_dataset_zh_v5.json"
ROLES = ("learner", "expert", "judge")


@pytest.fixture
def only() -> Iterator[Running]:
    """A simulator with one model, which keeps what it was asked."""
    with run_in_thread(SimulatorConfig(models=("only",), record=5000)) as running:
        yield running


@pytest.fixture
def selfplay(
    cli: Cli, only: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cli]:
    """`corpusmith` in a folder of its own, with the two variables of the documentation set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{only.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-selfplay-1234")
    return cli


def line(text: str) -> list[str]:
    """The words after `corpusmith` of a line of the documentation."""
    return shlex.split(text)


def rows(path: Path | str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(Path(path).read_text("utf-8"))
    return found


def chats(running: Running) -> list[Json]:
    return [one["body"] for one in running.requests() if "messages" in (one["body"] or {})]


def assert_whole(row: dict[str, Any], iterations: int) -> None:
    """Field by field what SPEC.md says of a record."""
    steps = row["refinement_process"]
    assert list(row) == FIELDS
    assert len(steps) == iterations + 1
    assert {tuple(step) for step in steps} == {("answer", "critique")}
    assert (steps[0]["answer"], steps[-1]["answer"]) == (row["initial_answer"], row["final_answer"])
    assert steps[-1]["critique"] == ("最终优化版本" if iterations else "初始回答")
    texts = [row["question"], *(text for step in steps for text in step.values())]
    assert all(text.strip() == text and text for text in texts)


# ---------------------------------------------------------------- the commands as documented


def test_the_documented_command_runs_as_written(
    selfplay: Cli, only: Running, tmp_path: Path
) -> None:
    ran = selfplay(
        *line(
            "selfplay --num_entries 50 --refinement_iterations 5 --model gpt-4"
            " --output_file my_dataset.json"
        )
    )
    assert ran.code == 0, ran.err
    found = rows(tmp_path / "my_dataset.json")
    assert len(found) == 50
    for row in found:
        assert_whole(row, 5)
    sent = chats(only)
    assert len(sent) == 50 * 12
    assert {(one["model"], one["temperature"]) for one in sent} == {("gpt-4", 0.7)}
    # 12 calls: question and five critiques are short, six answers are long.
    assert Counter(one["max_tokens"] for one in sent) == {512: 300, 16_000: 300}
    assert "sk-selfplay-1234" not in ran.out + ran.err


def test_without_refinement_the_default_file_holds_initial_answers(
    selfplay: Cli, only: Running
) -> None:
    ran = selfplay(*line("selfplay --num_entries 10 --refinement_iterations 0"))
    assert ran.code == 0, ran.err
    found = rows(DEFAULT_FILE)
    assert len(found) == 10
    for row in found:
        assert_whole(row, 0)
    assert {one["model"] for one in chats(only)} == {"only"}


def test_the_defaults_are_twenty_entries_of_three_refinements(selfplay: Cli, only: Running) -> None:
    assert selfplay("selfplay").code == 0
    found = rows(DEFAULT_FILE)
    assert len(found) == 20
    for row in found:
        assert_whole(row, 3)
    assert len(chats(only)) == 20 * 8


def test_twelve_refinements_make_thirteen_steps(selfplay: Cli) -> None:
    assert selfplay(*line("selfplay --num-entries 2 --refinement-iterations 12")).code == 0
    for row in rows(DEFAULT_FILE):
        assert_whole(row, 12)


def test_several_models_and_none_named_asks_for_one(
    cli: Cli, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli("selfplay", env={"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "k-12345678"})
    assert (ran.code, list(tmp_path.glob("*.json"))) == (2, [])
    assert "--model" in ran.err


# ---------------------------------------------------------------- options

VALUES = {
    "--num_entries": "3",
    "--refinement_iterations": "1",
    "--temperature": "0.2",
    "--max_tokens_answer": "7000",
    "--max_tokens_other": "400",
    "--output_file": "x.json",
    "--max_attempts_multiplier": "4",
    "--satisfied_score": "8",
    "--model": "m",
    "--domain": "python_engineering",
    "--seed": "5",
    "--role_model": "judge=j",
}


def test_hyphens_and_underscores_are_the_same_for_every_option(
    selfplay: Cli, tmp_path: Path
) -> None:
    told = []
    for sign in "_-":
        given = [f"--{name[2:].replace('_', sign)}={value}" for name, value in VALUES.items()]
        words = [*given, f"--stop{sign}when{sign}satisfied"]
        ran = selfplay("--json", "selfplay", *words)
        assert ran.code == 0, ran.err
        with Studio() as studio:
            task = studio.tasks.last()
            told.append((task.spec, task.requested, task.seed, task.connections))
    assert told[0] == told[1]
    spec = told[0][0]
    assert spec["output"] == str(tmp_path / "x.json")
    assert {name: spec[name] for name in ("temperature", "max_attempts_multiplier")} == {
        "temperature": 0.2,
        "max_attempts_multiplier": 4.0,
    }
    own = {name: value for name, value in spec["recipe_spec"].items() if name != "domain"}
    assert own == {
        "refinement_iterations": 1,
        "max_tokens_answer": 7000,
        "max_tokens_other": 400,
        "satisfied_score": 8,
    }
    assert {role: one["model"] for role, one in told[0][3].items()} == {
        "learner": "m",
        "expert": "m",
        "judge": "j",
    }


def test_count_and_output_are_other_names_of_the_same(selfplay: Cli) -> None:
    words = "selfplay --count 2 --refinement_iterations 0 --seed 4 --output"
    assert selfplay(*line(f"{words} a.json")).code == 0
    assert selfplay(*line(f"{words.replace('count', 'num_entries')}_file b.json")).code == 0
    assert rows("a.json") == rows("b.json")


def test_an_option_of_run_replaces_a_field_by_whichever_name_it_goes(
    selfplay: Cli, tmp_path: Path
) -> None:
    written = "recipe: selfplay\nnum_entries: 9\noutput_file: a.json\nrefinement_iterations: 0\n"
    (tmp_path / "s.yaml").write_text(written, "utf-8")
    assert selfplay(*line("run s.yaml --count 2 --output b.json")).code == 0
    assert (len(rows("b.json")), (tmp_path / "a.json").exists()) == (2, False)

    (tmp_path / "s.yaml").write_text(f"{written}count: 3\n", "utf-8")
    ran = selfplay(*line("run s.yaml"))
    assert (ran.code, "num_entries and count are one field under two names" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--num_entries 0", "--num-entries: must be at least 1"),
        ("--refinement_iterations -1", "--refinement-iterations: must be at least 0"),
        ("--satisfied_score 9", "--satisfied-score: only counts together with"),
        ("--stop_when_satisfied --satisfied_score 11", "--satisfied-score: must be at most 10"),
        ("--domain gardening", "There is no domain “gardening”"),
        ("--domain no.yaml", "no.yaml cannot be read"),
        ("--domain python_engineering --language zh", "speaks en, not zh"),
        ("--language fr", "--language: must be one of zh, en"),
        ("--role_model judge", "write ROLE=MODEL"),
        ("--role_model critic=m", "There is no role “critic”"),
        ("--log-level LOUD", "--log-level cannot be “LOUD”"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_call(
    selfplay: Cli, only: Running, words: str, said: str
) -> None:
    ran = selfplay("selfplay", *line(words))
    assert ran.code == 2
    assert said in ran.err
    assert chats(only) == []


def test_the_preview_shows_the_four_prompts_and_sends_nothing(selfplay: Cli, only: Running) -> None:
    ran = selfplay(*line("--lang zh selfplay --num_entries 2 --seed 3 --dry-run"))
    heads = re.findall(r"^—— .* · (.+) ——$", ran.out, re.MULTILINE)
    assert (ran.code, heads) == (0, ["学习者", "专家", "评审", "专家"])
    assert "<answer>\n…\n</answer>" in ran.out
    assert (chats(only), Path(DEFAULT_FILE).exists()) == ([], False)


# ---------------------------------------------------------------- roles


def test_each_role_may_have_a_server_of_its_own_and_is_asked_in_its_turn(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        servers = {
            role: stack.enter_context(run_in_thread(SimulatorConfig(record=100))) for role in ROLES
        }
        words: list[str] = []
        for role, server in servers.items():
            url = f"{server.url}/v1"
            ran = cli("connections", "add", f"my-{role}", "--base-url", url, "--model", f"m-{role}")
            assert ran.code == 0, ran.err
            words += ["--role", f"{role}=my-{role}"]
        count = ("--num_entries", 3, "--refinement_iterations", 2, "-o", "out.json")
        assert cli("selfplay", *count, *words).code == 0
        sent = {role: chats(server) for role, server in servers.items()}
    assert {role: len(bodies) for role, bodies in sent.items()} == {
        "learner": 3,
        "expert": 9,
        "judge": 6,
    }
    assert {body["model"] for bodies in sent.values() for body in bodies} == {
        f"m-{role}" for role in ROLES
    }
    (row, *_) = rows("out.json")
    judged = [body["messages"][-1]["content"] for body in sent["judge"]]
    for step in row["refinement_process"][:2]:
        assert any(f"<answer>\n{step['answer']}\n</answer>" in prompt for prompt in judged)
    refined = [body["messages"][-1]["content"] for body in sent["expert"]]
    for step in row["refinement_process"][:2]:
        assert any(f"<critique>\n{step['critique']}\n</critique>" in text for text in refined)


def test_a_record_tells_who_said_what(selfplay: Cli) -> None:
    assert selfplay(*line("selfplay -n 1 --refinement_iterations 1 --seed 2")).code == 0
    with Studio() as studio:
        (record,) = studio.tasks.first(studio.tasks.last())
    told = {name: record.provenance[name] for name in ("recipe", "domain", "models", "roles")}
    assert told == {
        "recipe": "selfplay",
        "domain": "short_video",
        "models": ["only"],
        "roles": dict.fromkeys(ROLES, "only"),
    }
    assert record.provenance["simulated"] is True
    assert len(record.provenance["calls"]) == 4
    assert record.labels == {
        "domain": "short_video",
        "topic": record.provenance["variation"]["topic"],
    }


# ---------------------------------------------------------------- replay, resume, export


def test_the_same_seed_makes_the_same_file_without_a_further_call(
    selfplay: Cli, only: Running
) -> None:
    words = line("selfplay --num_entries 4 --refinement_iterations 2 --seed 11 --output_file")
    assert selfplay(*words, "a.json").code == 0
    before = len(chats(only))
    assert selfplay(*words, "b.json").code == 0
    assert (len(chats(only)), Path("b.json").read_bytes()) == (before, Path("a.json").read_bytes())


def test_one_more_entry_costs_the_calls_of_one_entry(selfplay: Cli, only: Running) -> None:
    assert selfplay(*line("selfplay --num_entries 3 --refinement_iterations 1")).code == 0
    assert selfplay("resume", "--count", 4).code == 0
    assert (len(rows(DEFAULT_FILE)), len(chats(only))) == (4, 16)


def test_export_gives_the_native_shape(selfplay: Cli) -> None:
    assert selfplay(*line("selfplay --num_entries 2 --refinement_iterations 1")).code == 0
    assert selfplay(*line("export --task 1 --format json --output again.json")).code == 0
    assert rows("again.json") == rows(DEFAULT_FILE)


def test_a_task_file_takes_the_names_of_the_options(
    selfplay: Cli, only: Running, tmp_path: Path
) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    assert selfplay("domains", "init", "coffee").code == 0
    Path("coffee.yaml").rename(folder / "coffee.yaml")
    (folder / "task.yaml").write_text(
        "recipe: selfplay\nnum_entries: 2\nrefinement_iterations: 1\n"
        "domain: coffee.yaml\noutput_file: out.json\nmodels: {judge: strict}\nseed: 1\n",
        "utf-8",
    )
    ran = selfplay("run", folder / "task.yaml")
    assert ran.code == 0, ran.err
    (first, _) = rows(folder / "out.json")
    assert first["refinement_process"][-1]["critique"] == "Final refined version"
    assert Counter(body["model"] for body in chats(only)) == {"only": 6, "strict": 2}


def test_max_tokens_in_a_task_file_says_which_two_are_meant(selfplay: Cli, tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text("recipe: selfplay\nmax_tokens: 100\n", "utf-8")
    ran = selfplay("run", "task.yaml")
    assert ran.code == 2
    assert "max_tokens: here it has two parts: max_tokens_answer for answers" in ran.err


# ---------------------------------------------------------------- early stop


def test_a_satisfied_judge_ends_an_entry_early(selfplay: Cli, only: Running) -> None:
    ran = selfplay(
        *line("selfplay --num_entries 12 --stop-when-satisfied --satisfied-score 1 --seed 1")
    )
    assert ran.code == 0, ran.err
    with Studio() as studio:
        records = studio.tasks.first(studio.tasks.last(), 12)
    lengths = set()
    for record in records:
        steps, verdicts = record.content["refinement_process"], record.provenance["verdicts"]
        satisfied = [verdict["satisfied"] for verdict in verdicts]
        assert satisfied == [False] * (len(satisfied) - 1) + [satisfied[-1]]
        assert len(steps) == len(verdicts) + (not satisfied[-1])
        assert steps[-1]["critique"] == "最终优化版本"
        assert all(1 <= verdict["score"] <= 10 for verdict in verdicts)
        lengths.add(len(steps))
    assert len(lengths) > 1
    assert min(lengths) < 4
    asked = sum(len(record.provenance["calls"]) for record in records)
    assert len(chats(only)) == asked < 12 * 8


def test_a_verdict_that_never_fits_fails_the_entry_with_its_role(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with run_in_thread(SimulatorConfig(models=("only",), faults={"wrong_schema": 1.0})) as bad:
        env = {"OPENAI_BASE_URL": f"{bad.url}/v1", "OPENAI_API_KEY": "k-12345678"}
        ran = cli(*line("selfplay --num_entries 2 --stop_when_satisfied"), env=env)
    assert ran.code == 3
    assert rows(DEFAULT_FILE) == []
    with Studio() as studio:
        misses = studio.tasks.misses(studio.tasks.last())
    assert {(miss.reason, miss.detail["role"]) for miss in misses} == {("invalid_reply", "judge")}


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(("fault", "reason"), [("refusal", "refused"), ("truncation", "truncated")])
def test_a_useless_reply_fails_the_entry_and_attempts_are_bounded(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with run_in_thread(SimulatorConfig(models=("only",), faults={fault: 1.0})) as bad:
        env = {"OPENAI_BASE_URL": f"{bad.url}/v1", "OPENAI_API_KEY": "k-12345678"}
        twice = cli(*line("selfplay --num_entries 3"), env=env)
        assert bad.stats()["requests"] == 6
        thrice = cli(*line("selfplay --num_entries 3 --max_attempts_multiplier 3"), env=env)
    assert (twice.code, thrice.code, rows(DEFAULT_FILE)) == (3, 3, [])
    with Studio() as studio:
        tasks = [studio.tasks.get(number) for number in (1, 2)]
        misses = studio.tasks.misses(1)
    assert [task.counts.attempted for task in tasks] == [6, 9]
    assert {(miss.reason, miss.detail["role"]) for miss in misses} == {(reason, "learner")}
    assert "3 short: 0 of 3 records" in twice.out


def test_some_useless_replies_are_made_up_for_by_further_entries(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = SimulatorConfig(models=("only",), faults={"refusal": 0.05}, fault_seed=1)
    with run_in_thread(config) as shaky:
        env = {"OPENAI_BASE_URL": f"{shaky.url}/v1", "OPENAI_API_KEY": "k-12345678"}
        ran = cli(*line("selfplay --num_entries 20 --seed 1"), env=env)
    assert ran.code == 0, ran.out
    with Studio() as studio:
        counts = studio.tasks.last().counts
    assert (counts.accepted, counts.failed > 0) == (20, True)
    for row in rows(DEFAULT_FILE):
        assert_whole(row, 3)


def test_entries_are_begun_as_the_limit_grows_not_as_others_end(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with run_in_thread(SimulatorConfig(models=("only",), latency_ms=300)) as slow:
        env = {"OPENAI_BASE_URL": f"{slow.url}/v1", "OPENAI_API_KEY": "k-12345678"}
        ran = cli(*line("selfplay --num_entries 100 --refinement_iterations 4"), env=env)
        most = slow.stats()["max_in_flight"]
    assert ran.code == 0, ran.err
    assert most > 80  # what there was room for when it began


# ---------------------------------------------------------------- telling of each step

STEP = re.compile(
    r"\d\d:\d\d:\d\d 短视频创作与运营#0 · (\w+) · step (\d) of 6 · [\d,]+ characters, [\d,]+ tokens"
    r" · \d+\.\d s"
)


@pytest.mark.parametrize("words", ["--log-level INFO", "--log_level=info"])
def test_info_tells_of_each_step(selfplay: Cli, words: str) -> None:
    ran = selfplay(*line(f"selfplay -n 1 --refinement_iterations 2 {words}"))
    told = [found.groups() for one in ran.err.splitlines() if (found := STEP.fullmatch(one))]
    order = ("learner", "expert", "judge", "expert", "judge", "expert")
    assert told == [(role, str(step)) for step, role in enumerate(order, 1)]


def test_debug_adds_the_start_of_prompts_and_replies_and_no_key(selfplay: Cli) -> None:
    ran = selfplay(*line("selfplay -n 1 --refinement_iterations 0 --log-level DEBUG"))
    question = rows(DEFAULT_FILE)[0]["question"]
    starts = [one[4:] for one in ran.err.splitlines() if one.startswith("    ")]
    assert [one.split(" ", 1)[0] for one in starts] == 2 * ["[system]", "[user]", "→"]
    assert starts[2] == f"→ {question[:200]}"
    assert all(len(one) <= 200 + len("[system] …") for one in starts)
    assert "sk-selfplay-1234" not in ran.err


def test_nothing_is_told_unless_it_is_asked_for(selfplay: Cli) -> None:
    assert selfplay(*line("selfplay -n 1 --log-level DEBUG")).code == 0
    ran = selfplay(*line("selfplay -n 1"))
    assert "step 1" not in ran.err


# ---------------------------------------------------------------- domains


def test_a_begun_domain_runs_in_the_users_language(selfplay: Cli) -> None:
    ran = selfplay(*line("--lang zh domains init 家庭咖啡"))
    assert ran.code == 0, ran.err
    assert (
        selfplay(*line("selfplay --domain 家庭咖啡.yaml -n 2 --refinement_iterations 1")).code == 0
    )
    for row in rows("家庭咖啡.json"):
        assert_whole(row, 1)


def test_a_domain_file_is_not_overwritten_unless_forced(selfplay: Cli) -> None:
    assert selfplay("domains", "init", "mine").code == 0
    ran = selfplay("domains", "init", "mine")
    assert (ran.code, "mine.yaml is there already" in ran.err) == (2, True)
    assert selfplay("domains", "init", "mine", "--force", "--language", "zh").code == 0
    assert "家庭咖啡" in Path("mine.yaml").read_text("utf-8")


def test_a_bad_domain_file_names_itself_and_the_field(selfplay: Cli, only: Running) -> None:
    selfplay("domains", "init", "mine")
    file = Path("mine.yaml")
    file.write_text(file.read_text("utf-8").replace("{critique}", "{critic}"), "utf-8")
    ran = selfplay(*line("selfplay --domain mine.yaml"))
    assert (ran.code, chats(only)) == (2, [])
    assert ran.err.splitlines()[:2] == [
        "error: mine.yaml: these fields do not fit:",
        "  prompts.refine.user: there is no place {critic} here; did you mean {critique}?",
    ]


def test_domains_are_listed_and_shown(selfplay: Cli) -> None:
    listed = json.loads(selfplay("--json", "domains", "list").out)
    assert [(one["name"], one["language"]) for one in listed] == [
        ("short_video", "zh"),
        ("cross_border_ecommerce", "zh"),
        ("python_engineering", "en"),
        ("short_video_en", "en"),
    ]
    assert "short_video" in selfplay("domains", "list").out
    shown = selfplay("domains", "show", "python_engineering").out
    assert "—— judge.user ——" in shown
    assert "asyncio, cancellation" in shown


@pytest.mark.parametrize("name", ["cross_border_ecommerce", "python_engineering", "short_video_en"])
def test_every_shipped_domain_plays(selfplay: Cli, name: str) -> None:
    words = line(f"selfplay --domain {name} -n 3 --refinement_iterations 1 -o out.json")
    assert selfplay(*words).code == 0
    assert [len(row["refinement_process"]) for row in rows("out.json")] == [2, 2, 2]


def test_the_language_chooses_between_two_domains_of_one_name(selfplay: Cli) -> None:
    assert selfplay(*line("selfplay --language en -n 1 --refinement_iterations 0")).code == 0
    (row,) = rows("short_video_ai_expert_dataset_en.json")
    assert row["refinement_process"][0]["critique"] == "Initial answer"
