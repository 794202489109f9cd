"""Rounds from the command line: the documented commands, on real triples, over HTTP."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from cli_kit import Cli
from rounds_kit import (
    COUNT,
    Row,
    endpoint,
    files,
    history,
    names,
    read,
    single_turn,
    triples,
    write,
)

from corpusmith import Studio
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread

Program = Callable[..., "subprocess.Popen[str]"]
ROLES = ("ask", "answer", "correct")
FIELDS = {"question", "answer", "correction"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands put their files: `data` in the folder they run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def three() -> Iterator[list[Running]]:
    """A simulator for each role."""
    with ExitStack() as stack:
        config = SimulatorConfig(record=5000)
        yield [stack.enter_context(run_in_thread(config)) for _ in ROLES]


@pytest.fixture
def roles(cli: Cli, three: list[Running]) -> list[str]:
    """The options that give each role its own connection."""
    words: list[str] = []
    for role, running in zip(ROLES, three, strict=True):
        name = f"my-{role}"
        ran = cli("connections", "add", name, "--base-url", f"{running.url}/v1", "--model", role)
        assert ran.code == 0, ran.err
        words += ["--role", f"{role}={name}"]
    return words


def conversation(number: int, rounds: int = 1) -> Row:
    """Made up, and easy to tell apart."""
    return {
        "id": f"r1-{number:06d}",
        "rounds": [
            {name: f"{name} {number}.{at}" for name in ("question", "answer", "correction")}
            for at in range(1, rounds + 1)
        ],
    }


def seeds(data: Path, count: int, rounds: int = 1) -> Path:
    name = "round1_history_seed" if rounds == 1 else f"round{rounds}_history"
    path = data / f"round{rounds}" / f"{name}.jsonl"
    return write(path, [conversation(number, rounds) for number in range(1, count + 1)])


# ---------------------------------------------------------------- all real triples


def test_all_triples_go_on_for_two_more_rounds(
    cli: Cli, url: str, data: Path, tmp_path: Path
) -> None:
    rows = read(triples(tmp_path))
    cli("connections", "add", "sim", "--base-url", url, "--model", "any")
    prepared = cli("rounds", "prepare", "--input", "triples.jsonl")
    assert (prepared.code, prepared.out) == (
        0,
        f"Read {COUNT} rows, {COUNT} of them complete triples.\n"
        f"Round 1 is ready: {COUNT} conversations.\n"
        "Written: ./data/round1/round1_history_seed.jsonl\n"
        "Written: ./data/round1/round1_single_turn.jsonl\n",
    )
    ran = cli("rounds", "build", "--connection", "sim")
    assert ran.code == 0, ran.out + ran.err
    assert set(files(data)) == names([1, 2, 3])

    ids = [f"r1-{number:06d}" for number in range(1, COUNT + 1)]
    assert history(data, 1) == [
        {"id": name, "rounds": [row]} for name, row in zip(ids, rows, strict=True)
    ]
    for number in (1, 2, 3):
        told, alone = history(data, number), single_turn(data, number)
        assert [row["id"] for row in told] == [row["id"] for row in alone] == ids
        assert all(list(row) == ["id", "rounds"] for row in told)
        assert all(list(row) == ["id", "question", "answer", "correction"] for row in alone)
        assert [{"id": row["id"], **row["rounds"][number - 1]} for row in told] == alone
    last = history(data, 3)
    assert [{**row, "rounds": row["rounds"][:2]} for row in last] == history(data, 2)
    assert [{**row, "rounds": row["rounds"][:1]} for row in last] == history(data, 1)
    new = [one for row in last for one in row["rounds"][1:]]
    assert len(new) == 2 * COUNT
    assert all(set(one) == FIELDS and all(text.strip() for text in one.values()) for one in new)


def test_run_does_both_with_each_role_at_its_own_endpoint(
    cli: Cli, three: list[Running], roles: list[str], data: Path, tmp_path: Path
) -> None:
    triples(tmp_path)
    line = "rounds run --input triples.jsonl --sample 200 --rounds 2 --seed 1 --output-dir data"
    ran = cli(*shlex.split(line), *roles)
    assert ran.code == 0, ran.out + ran.err
    assert [running.stats()["requests"] for running in three] == [400, 400, 400]
    models = [{one["body"]["model"] for one in running.requests()} for running in three]
    assert models == [{"ask"}, {"answer"}, {"correct"}]
    assert set(files(data)) == names([1, 2, 3])

    line = "rounds prepare --input triples.jsonl --sample 200 --seed 1 --output-dir alone"
    assert cli(*shlex.split(line)).code == 0
    prepared, done = files(tmp_path / "alone"), files(data)
    assert {name: done[name] for name in prepared} == prepared
    ids = [row["id"] for row in history(data, 1)]
    assert ids == [f"r1-{number:06d}" for number in range(1, 201)]
    assert [row["id"] for row in history(data, 3)] == ids


def test_without_a_word_of_endpoints_gemini_asks_and_together_answers(
    cli: Cli, three: list[Running], data: Path, tmp_path: Path
) -> None:
    write(tmp_path / "t.jsonl", [conversation(n)["rounds"][0] for n in range(3)])
    gemini, together, other = three
    ran = cli(
        "rounds", "run", "--input", "t.jsonl",
        env={
            "GEMINI_API_KEY": "g-key-1234567",
            "GEMINI_BASE_URL": gemini.url,
            "TOGETHER_API_KEY": "t-key-1234567",
            "TOGETHER_BASE_URL": f"{together.url}/v1",
            "OPENAI_BASE_URL": f"{other.url}/v1",  # named, but this job has its own
        },
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert {one["path"] for one in gemini.requests()} == {
        "/v1/models/gemini-2.5-flash-lite:generateContent"
    }
    assert {(one["path"], one["body"]["model"]) for one in together.requests()} == {
        ("/v1/chat/completions", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo")
    }
    assert [running.stats()["requests"] for running in three] == [12, 6, 0]
    assert len(history(data, 3)) == 3


@pytest.mark.parametrize(
    ("there", "role", "variable"),
    [({}, "ask", "GEMINI_API_KEY"), ({"GEMINI_API_KEY": "k"}, "answer", "TOGETHER_API_KEY")],
)
def test_a_missing_key_is_told_with_its_role_before_anything_starts(
    cli: Cli,
    data: Path,
    there: dict[str, str],
    role: str,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TOGETHER_API_KEY", raising=False)
    seeds(data, 2)
    ran = cli("rounds", "build", env=there)
    assert ran.code == 2
    assert f"the role “{role}”" in ran.err
    assert variable in ran.err
    assert f"--role {role}=NAME" in ran.err
    assert cli("tasks", "list").out.startswith("No tasks yet.")
    assert cli("rounds", "build", "--dry-run").code == 0  # what would be sent needs no key


# ---------------------------------------------------------------- going on


def test_going_on_from_round_3_adds_rounds_4_and_5(cli: Cli, url: str, data: Path) -> None:
    start = seeds(data, 5, rounds=3).read_bytes()
    cli("connections", "add", "sim", "--base-url", url, "--model", "any")
    assert cli("rounds", "build", "--rounds", 2, "--connection", "sim").code == 0
    assert set(files(data)) == {"round3/round3_history.jsonl", *names([4, 5])}
    assert (data / "round3" / "round3_history.jsonl").read_bytes() == start
    assert [len(row["rounds"]) for row in history(data, 5)] == [5] * 5
    assert [row["rounds"][:3] for row in history(data, 5)] == [
        conversation(number, 3)["rounds"] for number in range(1, 6)
    ]
    assert cli("rounds", "build", "--rounds", 1, "--connection", "sim").code == 0
    assert [len(row["rounds"]) for row in history(data, 6)] == [6] * 5


def test_a_history_file_from_anywhere_is_gone_on_from(cli: Cli, url: str, data: Path) -> None:
    mixed = [conversation(1, 1), conversation(2, 3), conversation(3, 2)]
    write(data.parent / "mine.jsonl", mixed)
    cli("connections", "add", "sim", "--base-url", url, "--model", "any")
    ran = cli("rounds", "build", "--history", "mine.jsonl", "--rounds", 1, "--connection", "sim")
    assert ran.code == 0, ran.err
    assert {n: [row["id"] for row in history(data, n)] for n in (2, 3, 4)} == {
        2: ["r1-000001", "r1-000002", "r1-000003"],
        3: ["r1-000002", "r1-000003"],
        4: ["r1-000002"],
    }
    assert [row["id"] for row in single_turn(data, 3)] == ["r1-000002", "r1-000003"]
    assert set(files(data)) == names([2, 3, 4])


def test_nothing_prepared_says_what_to_do(cli: Cli, data: Path) -> None:
    ran = cli("rounds", "build")
    assert (ran.code, ran.err) == (
        2,
        f"error: There is no history to go on from in {data}. Run 'corpusmith rounds prepare "
        f"--input FILE --output-dir {data}' first, or name a history file with --history.\n",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"rounds": [{"question": "q", "answer": "a", "correction": "c"}]}', "row 2 has no id"),
        ('{"id": "x", "question": "q"}', "row 2 has no rounds"),
        ('{"id": "x", "rounds": []}', "row 2 has no rounds"),
        ('{"id": "x", "rounds": [{"question": "q", "answer": " "}]}', "row 2 has an incomplete"),
        ('{"id": "r1-000001", "rounds": [{"question": "q", "answer": "a", "correction": "c"}]}',
         "“r1-000001” in row 2 was used before"),
        ('{"id": "x", "rou', "row 2 is no conversation"),
        ('["x"]', "row 2 is no conversation"),
    ],
)  # fmt: skip
def test_a_broken_history_is_refused_with_its_row(
    cli: Cli, data: Path, line: str, told: str
) -> None:
    path = seeds(data, 1)
    path.write_text(path.read_text("utf-8") + line + "\n", "utf-8")
    ran = cli("rounds", "build")
    assert ran.code == 2
    assert told in ran.err


def test_rounds_of_other_triples_are_never_mixed(
    cli: Cli, url: str, data: Path, tmp_path: Path
) -> None:
    triples(tmp_path)
    cli("connections", "add", "sim", "--base-url", url, "--model", "any")
    run = ["rounds", "run", "--input", "triples.jsonl", "--sample", 3, "--connection", "sim"]
    assert cli(*run, "--seed", 1).code == 0
    before = files(data)
    prepare = ["rounds", "prepare", "--input", "triples.jsonl", "--sample", 3]
    assert cli(*prepare, "--seed", 1).code == 0  # the same ones
    other = cli(*prepare, "--seed", 2)
    assert (other.code, "grew from other triples" in other.err) == (2, True)
    fewer = cli(*run, "--seed", 1, "--rounds", 1)
    assert (fewer.code, "up to round 3" in fewer.err) == (2, True)
    assert files(data) == before


# ---------------------------------------------------------------- triples


def test_incomplete_triples_are_left_out_and_counted(cli: Cli, data: Path, tmp_path: Path) -> None:
    good = {"question": "问", "answer": "答", "correction": "改"}
    rows = [
        good,
        {**good, "answer": "  \n "},
        {**good, "correction": None},
        {"question": "q", "answer": "a"},
        {**good, "question": 7},
        {**good, "question": "又问", "extra": [1]},
    ]
    path = write(tmp_path / "t.jsonl", rows, end="\r\n")
    path.write_bytes(path.read_bytes() + b"{broken\r\n\r\n[1]\r\n")
    ran = cli("rounds", "prepare", "--input", "t.jsonl", "--sample", 9)
    assert (ran.code, ran.out.splitlines()) == (
        0,
        [
            "Read 8 rows, 2 of them complete triples.",
            "Left out 6 incomplete rows: no correction 2, answer is empty 1, "
            "question is not text 1, not valid JSON 1, no object 1",
            "9 were to be drawn, but only 2 are there and are taken.",
            "Round 1 is ready: 2 conversations.",
            "Written: ./data/round1/round1_history_seed.jsonl",
            "Written: ./data/round1/round1_single_turn.jsonl",
        ],
    )
    assert single_turn(data, 1) == [
        {"id": "r1-000001", **good},
        {"id": "r1-000002", **good, "question": "又问"},
    ]


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "parquet"])
def test_every_form_of_file_gives_the_same_rounds(
    cli: Cli, data: Path, tmp_path: Path, form: str
) -> None:
    rows = [
        {"prompt": f"问{n}，\n“{{name}}”？", "rejected": f"答 {n}", "chosen": f'改, "{n}"'}
        for n in range(20)
    ]
    path = _save(tmp_path / f"t.{form}", rows)
    names = ("question=prompt", "answer=rejected", "correction=chosen")
    maps = [word for one in names for word in ("--map", one)]
    assert cli("rounds", "prepare", "--input", path, *maps).code == 0
    expected = [
        {
            "id": f"r1-{n + 1:06d}",
            "question": row["prompt"],
            "answer": row["rejected"],
            "correction": row["chosen"],
        }
        for n, row in enumerate(rows)
    ]
    assert single_turn(data, 1) == expected
    assert cli("rounds", "prepare", "--input", path, "--map", ",".join(names)).code == 0
    assert single_turn(data, 1) == expected


def _save(path: Path, rows: list[Row]) -> Path:
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        import csv

        with path.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]), lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), "utf-8")
    else:
        write(path, rows)
    return path


def test_a_data_set_of_the_hub_is_read_by_its_name(
    cli: Cli, url: str, data: Path, tmp_path: Path
) -> None:
    import datasets

    rows = [conversation(n)["rounds"][0] for n in range(9)]
    datasets.Dataset.from_list(rows).save_to_disk(str(tmp_path / "aligner"))
    words = ["--sample", 4, "--rounds", 1, "--base-url", url, "--model", "any"]
    ran = cli("rounds", "run", "--input", f"hub:{tmp_path}/aligner", *words)
    assert ran.code == 0, ran.err
    taken = [one["rounds"][0] for one in history(data, 2)]
    assert len(taken) == 4
    assert [row for row in rows if row in taken] == taken


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order(
    cli: Cli, data: Path, tmp_path: Path
) -> None:
    write(tmp_path / "t.jsonl", [conversation(n)["rounds"][0] for n in range(100)])
    drawn = {}
    for seed, folder in ((1, "a"), (1, "b"), (2, "c")):
        words = ("--sample", 10, "--seed", seed, "--output-dir", folder)
        assert cli("rounds", "prepare", "--input", "t.jsonl", *words).code == 0
        rows = single_turn(tmp_path / folder, 1)
        drawn[folder] = [int(row["question"].split()[1].split(".")[0]) for row in rows]
    assert drawn["a"] == drawn["b"] == sorted(drawn["a"])
    assert drawn["a"] != drawn["c"]
    assert len(set(drawn["a"])) == 10


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--map", "frage=prompt"], "A triple has no field “frage”."),
        (["--map", "question"], "“question” does not fit."),
        (["--map", "question=nothing"], "No complete triple in t.jsonl (rows read: 3;"),
        (["--sample", "0"], "--sample"),
        (["--output-dir", "t.jsonl"], "t.jsonl is a file, not a folder."),
    ],
)
def test_what_cannot_be_prepared_is_refused(
    cli: Cli, data: Path, tmp_path: Path, words: Sequence[str], told: str
) -> None:
    write(tmp_path / "t.jsonl", [conversation(n)["rounds"][0] for n in range(3)])
    ran = cli("rounds", "prepare", "--input", "t.jsonl", *words)
    assert ran.code == 2
    assert told in ran.err
    assert not data.exists()


# ---------------------------------------------------------------- what is sent


def test_the_context_is_cut_on_the_wire(
    cli: Cli, three: list[Running], roles: list[str], data: Path
) -> None:
    seeds(data, 1, rounds=12)
    assert cli("rounds", "build", "--rounds", 1, *roles).code == 0
    sent = [
        [one["content"] for one in running.requests()[0]["body"]["messages"]] for running in three
    ]
    shown = [text for at in range(5, 13) for text in (f"question 1.{at}", f"correction 1.{at}")]
    new = history(data, 13)[0]["rounds"][-1]
    assert sent[0][1:-1] == shown
    assert sent[1][1:] == [*shown[2:], new["question"]]
    assert sent[2][1:-1] == [*shown[2:], new["question"], new["answer"]]


def test_the_limits_of_context_and_reply_are_the_users(
    cli: Cli, three: list[Running], roles: list[str], data: Path
) -> None:
    seeds(data, 1, rounds=12)
    words = ["--rounds", 1, "--context-messages", 6, "--context-tokens", 18, *roles]
    assert cli("rounds", "build", *words, "--temperature", 0, "--max-tokens", 900).code == 0
    bodies = [running.requests()[0]["body"] for running in three]
    asked = [one["content"] for one in bodies[0]["messages"]][1:-1]
    # Four or five tokens each: four fit into 18, the sixth message would be within its limit.
    assert asked == ["question 1.11", "correction 1.11", "question 1.12", "correction 1.12"]
    assert [(one["temperature"], one["max_tokens"]) for one in bodies] == [(0, 900)] * 3


def test_code_and_braces_travel_as_they_are(
    cli: Cli, three: list[Running], roles: list[str], data: Path
) -> None:
    hostile = "{name} {{char}} {ask_cue} ${HOME} %s `{'a': 1}` <|im_end|> \\n\t\u202e"
    one = {"question": hostile, "answer": hostile, "correction": hostile}
    write(data / "round1" / "round1_history_seed.jsonl", [{"id": "{id}", "rounds": [one]}])
    assert cli("rounds", "build", "--rounds", 1, *roles).code == 0
    messages = [running.requests()[0]["body"]["messages"] for running in three]
    assert [[m["content"] for m in sent].count(hostile) for sent in messages] == [2, 2, 2]
    assert history(data, 2)[0]["id"] == "{id}"
    assert history(data, 2)[0]["rounds"][0] == one


# ---------------------------------------------------------------- faults, stops and retries


def test_one_broken_conversation_fails_alone_and_retry_pays_only_what_is_missing(
    cli: Cli, data: Path
) -> None:
    seeds(data, 8)
    broken = True

    def say(messages: list[dict[str, str]], number: int) -> str | None:
        text = "".join(one["content"] for one in messages)
        ours = "question 5.1" in text
        if ours and broken and "nobody has checked" in text and "second" in text:
            return None
        if messages[-1]["content"].startswith("Write the next question"):
            return f"Follow-up: second {number}?" if "second" not in text else f"third {number}?"
        return f"said {number}"

    with endpoint(say) as found:
        cli("connections", "add", "own", "--base-url", found.url, "--model", "m")
        ran = cli("rounds", "build", "--connection", "own", "--seed", 5)
        assert ran.code == 3, ran.out + ran.err
        assert "attempted 8 = accepted 7 + rejected 0 + failed 1" in ran.out
        assert "Conversations that failed, and why: ./data/failed.jsonl" in ran.err
        others = [f"r1-{number:06d}" for number in range(1, 9) if number != 5]
        assert set(files(data)) == names([2, 3], "failed.jsonl", "round1/round1_history_seed.jsonl")
        assert [row["id"] for row in history(data, 2)] == others
        assert [row["id"] for row in single_turn(data, 3)] == others
        failed = read(data / "failed.jsonl")
        assert [set(row) for row in failed] == [{"id", "reason", "role", "detail", "raw"}]
        assert {name: failed[0][name] for name in ("id", "reason", "role")} == {
            "id": "r1-000005",
            "reason": "bad_request",
            "role": "correct",
        }
        assert len(found.requests) == 7 * 6 + 3

        broken = False
        before = history(data, 3)
        assert cli("tasks", "retry", 1).code == 0
        assert cli("resume").code == 0
        assert len(found.requests) == 7 * 6 + 3 + 4
    assert set(files(data)) == names([2, 3], "round1/round1_history_seed.jsonl")
    after = history(data, 3)
    assert [row["id"] for row in after] == [f"r1-{number:06d}" for number in range(1, 9)]
    assert [row for row in after if row["id"] != "r1-000005"] == before
    assert after[4]["rounds"][1]["question"].startswith("second ")


def test_a_useless_reply_is_tried_again_and_never_filled_in(cli: Cli, data: Path) -> None:
    seeds(data, 1)

    def say(messages: list[dict[str, str]], number: int) -> str | None:
        return "Question:" if number <= 2 else f"said {number}"

    with endpoint(say) as found:
        cli("connections", "add", "own", "--base-url", found.url, "--model", "m")
        assert cli("rounds", "build", "--rounds", 1, "--connection", "own").code == 0
    assert history(data, 2)[0]["rounds"][1] == {
        "question": "said 3",
        "answer": "said 4",
        "correction": "said 5",
    }


def test_a_useless_reply_costs_one_call_and_not_the_rounds_before_it(cli: Cli, data: Path) -> None:
    seeds(data, 1)
    first = history(data, 1)[0]["rounds"][0]["question"]

    def say(messages: list[dict[str, str]], number: int) -> str | None:
        return first if number == 7 else f"said {number}"

    with endpoint(say) as found:
        cli("connections", "add", "own", "--base-url", found.url, "--model", "m")
        assert cli("rounds", "build", "--rounds", 3, "--connection", "own").code == 0
        assert len(found.requests) == 3 * 3 + 1
    assert [one["question"] for one in history(data, 4)[0]["rounds"][1:]] == [
        "said 1",
        "said 4",
        "said 8",
    ]


def test_when_every_reply_is_useless_nothing_is_written_but_why(cli: Cli, data: Path) -> None:
    seeds(data, 2)
    with endpoint(lambda messages, number: "Question:") as found:
        cli("connections", "add", "own", "--base-url", found.url, "--model", "m")
        ran = cli("rounds", "build", "--connection", "own")
    assert (ran.code, "failed 2" in ran.out) == (3, True)
    assert set(files(data)) == {"failed.jsonl", "round1/round1_history_seed.jsonl"}
    assert read(data / "failed.jsonl") == [
        {
            "id": f"r1-{number:06d}",
            "reason": "empty_reply_text",
            "role": "ask",
            "detail": {},
            "raw": "Question:",
        }
        for number in (1, 2)
    ]


def test_a_stopped_run_goes_on_to_the_same_files(
    cli: Cli, program: Program, data: Path, tmp_path: Path
) -> None:
    triples(tmp_path)
    with run_in_thread(SimulatorConfig(latency_ms=80)) as slow:
        words = [
            *("rounds", "run", "--input", "triples.jsonl", "--sample", 30, "--seed", 4),
            *("--base-url", f"{slow.url}/v1", "--model", "any"),
        ]
        run = program(*words, "--concurrency", 6, "--output-dir", "data")
        _wait_for(lambda: slow.stats()["requests"] > 50)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=60)
        assert run.returncode == 130, out
        assert not data.exists()  # an unfinished task shows no round
        again = program("resume", "--concurrency", 64)
        out, err = again.communicate(timeout=60)
        assert again.returncode == 0, err
        assert slow.stats()["requests"] == 30 * 6
        db = f"sqlite:///{tmp_path}/other.db"
        assert cli(*words, "--output-dir", "whole", "--db", db).code == 0
    assert files(data) == files(tmp_path / "whole")
    assert set(files(data)) == names([1, 2, 3])


def test_a_used_up_budget_writes_the_finished_conversations(cli: Cli, url: str, data: Path) -> None:
    seeds(data, 6)
    words = ["rounds", "build", "--rounds", 1, "--base-url", url, "--model", "any"]
    ran = cli(*words, "--concurrency", 1, "--max-calls", 14)
    assert ran.code == 3, ran.out + ran.err
    finished = history(data, 2)  # 14 calls: 6 conversations cannot all lack their third one
    assert 2 <= len(finished) <= 4
    assert cli("resume", "--max-calls", 100).code == 0
    after = history(data, 2)
    assert [row["id"] for row in after] == [f"r1-{number:06d}" for number in range(1, 7)]
    assert [row for row in after if row in finished] == finished


# ---------------------------------------------------------------- Python, YAML, records


def test_python_and_yaml_do_the_same(cli: Cli, url: str, data: Path, tmp_path: Path) -> None:
    triples(tmp_path)
    (tmp_path / "rounds.yaml").write_text(
        "recipe: rounds\n"
        "input: triples.jsonl\n"
        "sample: 5\n"
        "seed: 9\n"
        "rounds: 1\n"
        "output_dir: from-yaml\n"
        f"connection: {{base_url: '{url}', model: any}}\n",
        "utf-8",
    )
    ran = cli("run", "rounds.yaml", "--db", f"sqlite:///{tmp_path}/yaml.db")
    assert ran.code == 0, ran.err
    with Studio(f"sqlite:///{tmp_path}/python.db", language="en") as studio:
        result = studio.generate(
            recipe="rounds",
            input=tmp_path / "triples.jsonl",
            sample=5,
            seed=9,
            rounds=1,
            output_dir=tmp_path / "from-python",
            connection={"base_url": url, "model": "any"},
        )
        prepared = studio.rounds.prepare(
            tmp_path / "triples.jsonl", sample=5, seed=9, output_dir=tmp_path / "prepared"
        )
    assert (result.counts.accepted, result.output) == (5, tmp_path / "from-python")
    assert (prepared.conversations, prepared.read, prepared.skipped) == (5, COUNT, {})
    assert files(tmp_path / "from-yaml") == files(tmp_path / "from-python")
    assert set(files(tmp_path / "from-yaml")) == names([1, 2])
    assert files(tmp_path / "prepared").items() <= files(tmp_path / "from-python").items()


def test_the_records_are_conversations_that_export_as_chats(
    cli: Cli, url: str, data: Path, tmp_path: Path
) -> None:
    seeds(data, 2)
    words = ["--base-url", url, "--model", "any", "--dataset", "多轮", "--output", "out.jsonl"]
    assert cli("rounds", "build", *words).code == 0
    assert read(tmp_path / "out.jsonl") == history(data, 3)
    chats = ["export", "--dataset", "多轮", "--format", "messages", "--output", "chats.jsonl"]
    assert cli(*chats).code == 0
    assert [row["messages"] for row in read(tmp_path / "chats.jsonl")] == [
        [
            {"role": role, "content": one[field]}
            for one in row["rounds"]
            for role, field in (("user", "question"), ("assistant", "correction"))
        ]
        for row in history(data, 3)
    ]


def test_a_stored_dataset_is_gone_on_from(cli: Cli, url: str, data: Path) -> None:
    seeds(data, 3)
    words = ["--rounds", 1, "--base-url", url, "--model", "any"]
    assert cli("rounds", "build", *words, "--dataset", "多轮").code == 0
    ran = cli("rounds", "build", *words, "--history", "dataset:多轮", "--output-dir", "more")
    assert ran.code == 0, ran.err
    more = history(data.parent / "more", 3)
    assert [{**row, "rounds": row["rounds"][:2]} for row in more] == history(data, 2)


def test_a_server_database_gives_the_same_files(
    cli: Cli, url: str, data: Path, postgres_url: str
) -> None:
    seeds(data, 5)
    words = ["rounds", "build", "--seed", 3, "--base-url", url, "--model", "any"]
    source = ["--history", "data/round1/round1_history_seed.jsonl"]
    assert cli(*words, *source, "--output-dir", "one").code == 0
    assert cli(*words, *source, "--output-dir", "two", "--db", postgres_url).code == 0
    assert files(data.parent / "one") == files(data.parent / "two")


def test_what_was_prepared_is_told_as_json(cli: Cli, data: Path, tmp_path: Path) -> None:
    rows = [conversation(1)["rounds"][0], {"question": "q"}]
    write(tmp_path / "t.jsonl", rows)
    ran = cli("rounds", "prepare", "--input", "t.jsonl", "--json")
    assert (ran.code, json.loads(ran.out)) == (
        0,
        {
            "conversations": 1,
            "read": 2,
            "complete": 1,
            "skipped": {"answer.missing": 1},
            "asked": None,
            "files": [
                "data/round1/round1_history_seed.jsonl",
                "data/round1/round1_single_turn.jsonl",
            ],
        },
    )


def test_what_was_left_out_is_told_when_the_run_has_ended(
    cli: Cli, url: str, data: Path, tmp_path: Path
) -> None:
    write(tmp_path / "t.jsonl", [conversation(1)["rounds"][0], {"question": "q"}])
    ran = cli("rounds", "run", "--input", "t.jsonl", "--base-url", url, "--model", "any")
    assert ran.code == 0
    assert "Left out 1 incomplete row: no answer 1" in ran.err
    assert "Written: ./data\n" in ran.out


def test_the_preview_shows_each_roles_prompt(cli: Cli, data: Path) -> None:
    seeds(data, 1)
    ran = cli("rounds", "build", "--dry-run", "--lang", "zh")
    assert ran.code == 0
    heads = [line for line in ran.out.splitlines() if line.startswith("——")]
    assert heads == [f"—— rounds#0 · {role} ——" for role in ("追问", "回答", "修正")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["build", "--rounds", "0"], "--rounds: must be at least 1"),
        (["build", "--context-messages", "x"], "--context-messages"),
        (["run"], "--input"),
        (["build", "--role", "judge=x"], "judge"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    cli: Cli, data: Path, words: Sequence[str], told: str
) -> None:
    seeds(data, 1)
    ran = cli("rounds", *words)
    assert (ran.code, told in ran.err) == (2, True), ran.err


def _wait_for(there: Callable[[], bool], longest_s: float = 30.0) -> None:
    until = time.monotonic() + longest_s
    while not there():
        assert time.monotonic() < until
        time.sleep(0.02)
