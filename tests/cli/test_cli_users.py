"""Users and tokens from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_kit import Cli, Ran, clean_environment

from corpusmith.service.studio import Studio

WORD = "correct horse battery"
SET = {"MY_WORD": WORD}


@pytest.fixture
def add(cli: Cli) -> Callable[..., Ran]:
    def run(name: str, *more: str) -> Ran:
        return cli("users", "add", name, "--password-env", "MY_WORD", *more, env=SET)

    return run


def test_users_come_and_go(cli: Cli, add: Callable[..., Ran]) -> None:
    assert "nobody" not in cli("users", "list").out and "No users yet" in cli("users", "list").out
    first = add("Lin")
    assert (first.code, first.out) == (
        0,
        "Added Lin (admin).\nFrom now on everybody logs in, also on this machine.\n",
    )
    assert add("rosa").out == "Added rosa (reviewer).\n"
    assert add("emil", "--role", "editor").out == "Added emil (editor).\n"
    assert cli("users", "role", "rosa", "editor").out.startswith("Changed rosa.")
    assert cli("users", "off", "emil").code == 0
    shown = json.loads(cli("--json", "users", "list").out)
    assert [(one["name"], one["role"], one["active"]) for one in shown] == [
        ("Lin", "admin", True),
        ("emil", "editor", False),
        ("rosa", "editor", True),
    ]
    assert "password" not in shown[0]
    assert cli("users", "on", "emil").code == 0
    assert cli("users", "delete", "emil", "--yes").out == "Deleted: emil\n"
    listed = cli("users", "list", "--lang", "zh").out.splitlines()
    assert [line.split() for line in listed] == [
        ["名称", "角色", "可登录", "上次登录"],
        ["Lin", "admin", "是", "从未"],
        ["rosa", "editor", "是", "从未"],
    ]


def test_a_new_password_holds_and_the_old_one_no_more(cli: Cli, add: Callable[..., Ran]) -> None:
    add("lin")
    ran = cli("users", "passwd", "lin", "--password-env", "NEW_WORD", env={"NEW_WORD": WORD + "2"})
    assert (ran.code, WORD in ran.out + ran.err) == (0, False)
    with Studio() as studio:
        stored = studio.store.users.keyed("lin").password
        seen = [studio.passwords.check(stored, word) for word in (WORD, WORD + "2")]
    assert seen == [False, True]


def test_a_password_comes_by_standard_input(home: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "corpusmith.cli.main", "users", "add", "lin"],
        env=clean_environment(home),
        input=f"  {WORD} \nnot this\n",
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (ran.returncode, ran.stdout.splitlines()[:1], ran.stderr) == (
        0,
        ["Added lin (admin)."],
        "",
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("users", "add", "x", "--password-env", "UNSET_WORD"), "password_variable"),
        (("users", "add", "x", "--password-env", "SHORT"), "password_short"),
        (("users", "add", "LIN", "--password-env", "MY_WORD"), "user_exists"),
        (("users", "add", "a\nb", "--password-env", "MY_WORD"), "user_name"),
        (("users", "add", "x", "--role", "root", "--password-env", "MY_WORD"), "unknown_role"),
        (("users", "role", "lin", "root"), "unknown_role"),
        (("users", "role", "lin", "editor"), "last_admin"),
        (("users", "off", "lin"), "last_admin"),
        (("users", "delete", "lin", "--yes"), "last_admin"),
        (("users", "delete", "nobody", "--yes"), "unknown_user"),
        (("users", "delete", "lin"), "cli_needs_yes"),
        (("users", "passwd", "nobody", "--password-env", "MY_WORD"), "unknown_user"),
        (("tokens", "add", ""), "token_name"),
        (("tokens", "add", "x", "--scope", "root"), "unknown_scope"),
        (("tokens", "add", "x", "--days", "0"), "cli_at_least"),
        (("tokens", "add", "x", "--days", "soon"), "cli_whole_number"),
        (("tokens", "add", "x", "--days", "99999"), "token_days"),
        (("tokens", "revoke", "x", "--yes"), "cli_whole_number"),
        (("tokens", "revoke", "9" * 30, "--yes"), "unknown_token"),
    ],
)
def test_wrong_input_is_one_error(
    cli: Cli, add: Callable[..., Ran], words: tuple[str, ...], code: str
) -> None:
    with Studio() as studio:
        studio.store.users.add("lin", "admin", "no hash")
    ran = cli("--json", *words, env={**SET, "SHORT": "short"})
    assert (ran.code, json.loads(ran.err)["error"]["code"], ran.out) == (2, code, "")


def test_a_token_is_all_that_its_command_prints(cli: Cli) -> None:
    made = cli("tokens", "add", "ci", "--scope", "edit", "--days", "never")
    assert made.code == 0
    assert made.out.startswith("csm_") and made.out.count("\n") == 1
    assert "shown this once" in made.err and made.out.strip() not in made.err
    cli("tokens", "add", "other")
    listed = cli("--json", "tokens", "list")
    assert made.out.strip() not in listed.out
    shown = json.loads(listed.out)
    assert [(one["id"], one["name"], one["scope"], one["state"]) for one in shown] == [
        (2, "other", "read", "active"),
        (1, "ci", "edit", "active"),
    ]
    assert [one["expires_at"] is None for one in shown] == [False, True]
    assert cli("tokens", "revoke", "1", "--yes").out == "Revoked token 1 (ci).\n"
    assert json.loads(cli("--json", "tokens", "list").out)[1]["state"] == "revoked"
    assert cli("tokens", "list").out.splitlines()[2].split()[:2] == ["1", "ci"]


def test_the_log_knows_what_was_done_here(cli: Cli, add: Callable[..., Ran]) -> None:
    add("a/b")
    cli("users", "role", "a/b", "editor")  # refused: the last admin
    cli("tokens", "add", "ci")
    cli("tokens", "revoke", "1", "--yes")
    with Studio() as studio:
        rows = [(one.via, one.action, one.target) for one in studio.audit.list()]
    assert rows == [
        ("cli", "revoke_token", "1"),
        ("cli", "add_token", "1"),
        ("cli", "add_user", "a%2Fb"),
    ]
