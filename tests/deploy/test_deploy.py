"""What the files for servers say is true: their commands, paths, options and variables exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpusmith.cli.command import Root
from corpusmith.cli.main import COMMANDS
from corpusmith.config import SETTINGS

ROOT = Path(__file__).parents[2]
VARIABLES = {one.variable for one in SETTINGS}


def dockerfile() -> list[tuple[str, str]]:
    """(instruction, its words), lines that go on put together."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def words_of(instruction: str) -> list[list[str]]:
    return [shlex.split(words) for name, words in dockerfile() if name == instruction]


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return found


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    text = (ROOT / "deploy" / "corpusmith.service").read_text("utf-8")
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def refuse_unknown(line: list[str]) -> None:
    """The command and each option of this command line exist."""
    command = Root("corpusmith", COMMANDS).get_command(None, line[0])
    assert command is not None, line
    inner = getattr(command, "commands", None)
    if inner:
        command, line = inner[line[1]], line[1:]
    known = {name for param in command.params for name in param.opts}
    assert {one for one in line[1:] if one.startswith("--")} <= known, line


def list_of(words: str) -> list[str]:
    found: list[str] = yaml.safe_load(words)
    return found


def command_lines() -> list[list[str]]:
    image = [list_of(words) for name, words in dockerfile() if name == "CMD"]
    text = (ROOT / "compose.yaml").read_text("utf-8")
    said = re.findall(r"docker compose run --rm app (.+)", text)
    started = unit()["ExecStart"][0].partition("corpusmith ")[2]
    return [*image, compose()["services"]["app"]["command"], *map(shlex.split, [*said, started])]


@pytest.mark.parametrize("line", command_lines(), ids=" ".join)
def test_every_command_line_can_be_given(line: list[str]) -> None:
    refuse_unknown(line)


def test_what_the_image_copies_is_there_and_reaches_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for words in words_of("COPY"):
        sources = [one for one in words[:-1] if not one.startswith("--")]
        if not any(one.startswith("--from") for one in words):
            assert [one for one in sources if not (ROOT / one).exists()] == []
            assert {f"!{one}" for one in sources} <= set(ignored)


def test_the_image_runs_as_nobody_special_and_holds_no_secret() -> None:
    assert words_of("USER") == [["corpusmith"]]
    assert words_of("VOLUME") == [["/data"]]
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert not re.search(r"(?i)(secret_key|password|token|api_key)\s*=", text)
    assert "--require-hashes" in text and "--no-index" in text
    health = next(words for name, words in dockerfile() if name == "HEALTHCHECK")
    assert "/api/v1/health" in health and "8321" in health


def test_every_pinned_thing_of_the_lock_has_a_hash() -> None:
    text = re.sub(r"\\\n", " ", (ROOT / "requirements.lock").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert [line[:60] for line in lines if "--hash=sha256:" not in line] == []
    names = {re.split(r"[=\[ ]", line)[0] for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    needed = {re.split(r"[><=\[; ]", one)[0].lower().replace("_", "-") for one in wanted}
    assert needed - names == set()


def test_the_services_wait_for_health_and_keep_their_data() -> None:
    services = compose()["services"]
    assert services["app"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert "pg_isready" in services["db"]["healthcheck"]["test"][1]
    volumes = {one.partition(":")[0] for each in services.values() for one in each["volumes"]}
    assert volumes == set(compose()["volumes"])
    assert all(one.startswith("127.0.0.1:") for one in services["app"]["ports"])


def test_variables_are_ours() -> None:
    given = set(compose()["services"]["app"]["environment"])
    inside = set(re.findall(r"\$\{(\w+)\}", unit()["ExecStart"][0]))
    unit_gives = {one.partition("=")[0] for one in unit()["Environment"]}
    assert inside <= unit_gives, "systemd would hand over an empty word"
    given |= unit_gives - inside
    given |= {
        word.partition("=")[0]
        for words in words_of("ENV")
        for word in words
        if word.startswith("CORPUSMITH_")
    }
    assert given - VARIABLES == set()


def test_the_unit_is_locked_in() -> None:
    found = unit()
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices"):
        assert found[name] == ["yes"]
    assert found["ProtectSystem"] == ["strict"] and found["User"] == ["corpusmith"]
    assert found["CapabilityBoundingSet"] == [""]
    # What a wrong command line ends with: started again and again it stays wrong.
    assert found["RestartPreventExitStatus"] == ["2"]


def test_the_proxy_hands_on_what_the_server_goes_by() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    lines = {" ".join(line.split()) for line in text.splitlines()}
    assert lines >= {
        "proxy_pass http://127.0.0.1:8321;",
        "proxy_http_version 1.1;",
        "proxy_set_header Host $http_host;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "proxy_buffering off;",
        "proxy_request_buffering off;",
        "client_max_body_size 0;",
    }
    for started in (unit()["ExecStart"][0].split(), compose()["services"]["app"]["command"]):
        assert "--trusted-proxy" in started


def test_a_command_for_the_servers_data_has_its_settings(tmp_path: Path) -> None:
    said = tmp_path / "environment"
    said.write_text("CORPUSMITH_DATABASE_URL='postgresql://a:b&c$d@db/x'\n")
    script = (ROOT / "deploy" / "corpusmith").read_text("utf-8")
    script = script.replace("/etc/corpusmith/environment", str(said))
    show = "exec sh -c 'printenv CORPUSMITH_HOME CORPUSMITH_DATABASE_URL; umask; echo \"$@\"' -"
    script = script.replace("exec runuser -u corpusmith -- /opt/corpusmith/bin/corpusmith", show)
    words = ["tasks", "show", "a b"]
    ran = subprocess.run(["sh", "-c", script, "-", *words], capture_output=True, text=True)
    assert ran.stdout.splitlines() == [
        *[one.partition("=")[2] for one in unit()["Environment"] if "HOME" in one],
        "postgresql://a:b&c$d@db/x",
        *unit()["UMask"],
        "tasks show a b",
    ], ran.stderr


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    # As the image builds it, but with the backend that is installed here: no network is asked.
    build = "from hatchling.build import build_wheel as b; import sys; print(b(sys.argv[1]))"
    ran = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    with zipfile.ZipFile(tmp_path / ran.stdout.split()[-1]) as wheel:
        inside = set(wheel.namelist())
    package = ROOT / "src" / "corpusmith"
    wanted = {
        f"corpusmith/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - inside == set()
    for part in ("locales/zh/", "store/migrations/versions/", "presets/"):
        assert any(name.startswith(f"corpusmith/{part}") for name in inside)
