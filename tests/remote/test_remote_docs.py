"""The pages' examples of a Studio over REST run as they stand, on a server of our own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from remote_kit import Site

from corpusmith.simulator.thread import Running

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```py\n(.*?)^```$", re.S | re.M)


@pytest.mark.parametrize("page", ["docs/python.md", "docs/python.zh-CN.md"])
def test_the_example_runs(
    page: str,
    server: Site,
    simulator: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(ROOT / "examples/cards", tmp_path / "cards")
    monkeypatch.chdir(tmp_path)
    (block,) = _BLOCK.findall((ROOT / page).read_text("utf-8"))
    program = block.replace("http://127.0.0.1:8321", server.address)
    program = program.replace("http://127.0.0.1:8099", simulator.url)
    assert program.count(server.address) == program.count(simulator.url) == 1
    exec(compile(program, page, "exec"), {})
    assert capsys.readouterr().out.endswith("not_over_rest\n")
    assert (tmp_path / "nights.jsonl").is_file() and (tmp_path / "train.jsonl").is_file()
