"""What is shown when something goes wrong, whatever it is."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from cli_kit import Cli, Ran, clean_environment

from corpusmith import errors
from corpusmith.cli.errors import exit_code, redacted
from corpusmith.messages import LANGUAGES, catalog

SRC = Path(errors.__file__).parent
ENDS = ("attempts_used", "budget_cost_usd", "budget_tokens", "budget_calls")
ENDS += ("paused", "cancelled", "interrupted")


def _kinds() -> dict[str, type[errors.CorpusmithError]]:
    found = inspect.getmembers(errors, inspect.isclass)
    return {name: one for name, one in found if issubclass(one, errors.CorpusmithError)}


def _codes_in(file: Path) -> set[str]:
    """The codes that a file raises errors with."""
    calls = [
        node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    return {
        str(call.args[0].value)
        for call in calls
        if call.args
        and isinstance(call.args[0], ast.Constant)
        and getattr(call.func, "id", "") in _kinds()
    }


def test_every_error_code_has_a_message() -> None:
    codes = {one.code for one in _kinds().values()} | set(ENDS)
    for file in SRC.rglob("*.py"):
        codes |= _codes_in(file)
    without = [
        (code, language)
        for code in sorted(codes)
        for language in LANGUAGES
        if f"error.{code}" not in catalog(language)
    ]
    assert without == []


def test_exit_codes_go_by_the_class() -> None:
    codes = {name: exit_code(one()) for name, one in _kinds().items()}
    usage = {name for name, code in codes.items() if code == 2}
    assert usage == {
        *("UsageError", "SpecError", "NotFound", "Conflict", "ChangedSince", "CardError"),
        "KeyMissing",
    }
    assert (codes["BudgetReached"], codes["Stopped"], codes["StoreError"]) == (3, 130, 1)


def test_an_unexpected_exception_is_one_line_without_its_text(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("sk-secret-in-the-text")

    monkeypatch.setattr("corpusmith.cli.providers.show_table", broken)
    ran = cli("providers")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: Corpusmith itself made a mistake (ZeroDivisionError: ")
    assert ran.err.endswith("Run it again with --debug for the traceback, and report it.\n")
    assert "sk-secret" not in ran.err
    assert "Traceback (most recent call last)" in cli("providers", "--debug").err


def test_json_gets_errors_in_the_one_error_shape(cli: Cli) -> None:
    ran = cli("--json", "tasks", "show", 9)
    assert (ran.code, ran.out, json.loads(ran.err)) == (
        2,
        "",
        {
            "error": {
                "code": "unknown_task",
                "message": "There is no task 9. 'corpusmith tasks list' shows those there are.",
            }
        },
    )


def test_a_key_of_the_environment_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-canary-42")
    assert redacted("refused: sk-canary-42!") == "refused: ***!"


def test_ctrl_c_while_nothing_runs_is_quiet(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("corpusmith.cli.providers.show_table", interrupted)
    assert cli("providers") == Ran(code=130, out="", err="")


AS_SOMEBODY_ELSE = """
import os, sys
from corpusmith.cli.main import main
words = ["scenarios", "add", "--db", sys.argv[1]]
main([*words, "first"])
os.chmod(sys.argv[2], 0o444)
os.chmod(os.path.dirname(sys.argv[2]), 0o555)
if os.getuid() == 0:  # the super-user may write everywhere
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main([*words, "second"]))
"""


def test_a_database_that_can_only_be_read_says_so() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        file = folder / "store" / "only.db"
        url = f"sqlite:///{file}"
        ran = subprocess.run(
            [sys.executable, "-c", AS_SOMEBODY_ELSE, url, str(file)],
            env=clean_environment(folder / "home"),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        file.parent.chmod(0o755)
    assert (ran.returncode, ran.stdout, ran.stderr) == (
        1,
        "Added: first\n",
        f"error: The database {url} can only be read: no right to write the file. "
        "Give yourself the right to write to it, or choose another one with --db.\n",
    )


FULL_DISK = """
import resource, sys
from corpusmith.cli.main import main
words = ["scenarios", "add", "--db", sys.argv[1]]
main([*words, "first"])
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(main([*words, "second", "--description", "long " * 100_000]))
"""


def test_a_disk_that_takes_no_more_is_one_message_and_the_database_opens_again(
    cli: Cli, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/full.db"
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, url, "300000"],
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "Added: first\n")
    assert ran.stderr.startswith(f"error: The database {url} ")
    assert "Traceback" not in ran.stderr
    listed = cli("scenarios", "list", "--db", url).out
    assert listed.splitlines()[1].startswith("first ")
