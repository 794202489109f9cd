"""The dialogue job on `transformers serve` with a tiny random-weights model.

The server ignores `response_format`, answers 500 to /v1/models, and writes gibberish: a good test
of saying clearly what an endpoint cannot do. Run by `make inference`.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
VENV = ROOT / ".venv-inference" / "bin"
CLI = [sys.executable, "-m", "corpusmith"]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    script = Path(__file__).parent / "make_tiny_model.py"
    subprocess.run([VENV / "python", script, folder], check=True, capture_output=True)
    return str(folder)


@pytest.fixture(scope="session")
def server(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *[VENV / "transformers", "serve", "--host", "127.0.0.1"],
                *["--port", str(port), "--device", "cpu"],
            ],
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=out,
            stderr=out,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/health", process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text("utf-8", errors="replace")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail("the server did not start: " + log.read_text("utf-8", errors="replace"))


def generate(server: str, home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """One run of the real command; two dialogues of one turn unless told otherwise."""
    card = str(ROOT / "examples" / "cards" / "lin.json")
    return subprocess.run(
        [
            *[*CLI, "--lang", "en", "generate", "--character", card, "--scenario", "日常对话=1"],
            *["--count", "2", "--turns", "1", "--base-url", f"{server}/v1"],
            *["--concurrency", "2", "--seed", "3", *options],
        ],
        env={**os.environ, "CORPUSMITH_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_dialogues_by_turns_are_records_of_the_exact_shape(
    server: str, model: str, tmp_path: Path
) -> None:
    output = tmp_path / "out.json"
    ended = generate(
        server,
        tmp_path,
        *["--mode", "turns", "--model", model, "--max-tokens", "4000", "--temperature", "1.0"],
        *["--checks", "none", "--output", str(output)],
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stdout
    records = json.loads(output.read_text("utf-8"))
    assert len(records) == 2
    for record in records:
        assert list(record) == [
            "scenario_labels",
            "dialogues",
            "turn_count",
            "batch_id",
            "generation_time",
        ]
        assert [line["role"] for line in record["dialogues"]] == ["user", "assistant"]
        assert all(line["content"].strip() for line in record["dialogues"])


def test_text_that_is_no_structure_ends_in_clear_reasons(
    server: str, model: str, tmp_path: Path
) -> None:
    output = tmp_path / "out.json"
    ended = generate(
        server,
        tmp_path,
        *["--mode", "single", "--model", model, "--max-tokens", "400"],
        *["--max-attempts-multiplier", "1", "--output", str(output)],
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False), ended.stderr
    assert json.loads(output.read_text("utf-8")) == []
    said = ended.stdout + ended.stderr
    assert "attempted 2 = accepted 0 + rejected 0 + failed 2" in said
    misses = subprocess.run(
        [*CLI, "--lang", "en", "tasks", "misses", "1"],
        env={**os.environ, "CORPUSMITH_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert len(re.findall("日常对话/", misses.stdout)) == 2
    assert "Traceback" not in misses.stdout + misses.stderr


def test_a_model_list_that_fails_says_to_name_the_model(server: str, tmp_path: Path) -> None:
    ended = generate(server, tmp_path)
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False), ended.stderr
    assert "--model" in ended.stderr


def test_a_server_that_only_fails_ends_as_a_shortfall_with_its_status(
    server: str, tmp_path: Path
) -> None:
    # This server answers 500 to a model that it cannot load: worth a few tries, then reported.
    more = ["--max-attempts-multiplier", "1", "--count", "1"]
    ended = generate(server, tmp_path, "--model", "nobody/no-such-model", *more)
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False), ended.stderr
    assert "attempted 1 = accepted 0 + rejected 0 + failed 1" in ended.stdout + ended.stderr
