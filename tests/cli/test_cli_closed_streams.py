"""A stream that whoever started the program has closed: nothing to read, nobody to read it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cli_kit import clean_environment

SAMPLE = "total: 1\ncategories:\n  - {name: a, share: 1, dataset: none}\n"


def closed(home: Path, words: str, closing: str) -> subprocess.CompletedProcess[str]:
    """The program in a shell that closes streams before it starts."""
    program = f"{shlex.quote(sys.executable)} -m corpusmith.cli.main"
    return subprocess.run(
        ["sh", "-c", f"exec {program} {words} {closing}"],
        cwd=home.parent,
        env=clean_environment(home),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.parametrize("closing", ["<&-", "<&- >&-"])
def test_without_an_input_nobody_is_asked(home: Path, closing: str) -> None:
    done = closed(home, "connections add mine --base-url http://127.0.0.1:9/v1", closing)
    assert (done.returncode, done.stderr) == (0, "")
    done = closed(home, "connections delete mine", closing)
    assert (done.returncode, done.stderr) == (
        2,
        "error: There is nobody to ask here. Add --yes to do it.\n",
    )


def test_a_key_from_a_closed_input_is_an_empty_one(home: Path) -> None:
    closed(home, "connections add mine --base-url http://127.0.0.1:9/v1", "")
    done = closed(home, "connections set-key mine", "<&-")
    assert (done.returncode, done.stderr) == (
        2,
        "error: The key is empty, so nothing was stored for “mine”. Paste it again.\n",
    )


def test_without_any_stream_the_exit_code_is_left(home: Path) -> None:
    (home.parent / "mix.yaml").write_text(SAMPLE, "utf-8")
    assert closed(home, "ratio mix.yaml", "<&- >&- 2>&-").returncode == 2
