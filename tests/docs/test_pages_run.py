"""The documentation's commands, its Python and its example files do what the pages show.

Most of it waits for simulated models: the workers of a run share it by page (`tests/shares.py`).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import docs_kit
import fork_server
import pytest
from docs_kit import LANGUAGES, PAGES, ROOT, Step, name_of

from corpusmith.simulator import Running, SimulatorConfig, run_in_thread

RUN = [page for page in PAGES if docs_kit.steps(page)]
PORT = "8099"
MARK = "@@step"
_WAIT = "until (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.05; done"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig()) as running:
        yield running


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a `corpusmith` that starts at once."""
    place = tmp_path_factory.mktemp("program")
    address = place / "socket"
    server = subprocess.Popen([sys.executable, fork_server.__file__, str(address)])
    fork_server.install(place / "bin", address)
    deadline_s = time.monotonic() + 60
    while not address.exists():
        assert server.poll() is None and time.monotonic() < deadline_s
        time.sleep(0.05)
    yield place / "bin"
    server.terminate()
    server.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with the repository's examples; its path is short, as a reader's would be."""
    with tempfile.TemporaryDirectory(prefix="docs-") as place:
        shutil.copytree(ROOT / "examples", Path(place) / "work")
        yield Path(place) / "work"


BIN = Path(sys.executable).parent


def environment(folder: Path, language: str, program: Path = BIN) -> dict[str, str]:
    """What a reader's shell has, without anything of this machine's that changes what is run."""
    own = re.compile(r"(OPENAI|GEMINI|TOGETHER|ANTHROPIC|CORPUSMITH)_|LC_|LANG|.*_PROXY$")
    kept = {name: value for name, value in os.environ.items() if not own.match(name.upper())}
    return {
        **kept,
        "PATH": f"{program}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
        "CORPUSMITH_HOME": str(folder.parent / "home"),
        "CORPUSMITH_LANG": language,
        "COLUMNS": "100",
        "MY_KEY": "a-key-for-the-simulator",
    }


def script(steps: list[Step], port: str) -> str:
    """All commands of a page as one program that says where each begins and how it ended."""
    lines = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    for number, step in enumerate(steps):
        command = step.command
        if command.endswith("&"):  # `kill $!` must hit the program itself
            command = command.replace("corpusmith", str(BIN / "corpusmith"), 1)
        # A page's command may be `echo $?`.
        lines += [f"echo '{MARK} {number}'", '(exit "${code:-0}")', command, "code=$?"]
        if step.command.startswith("corpusmith simulate") and step.command.endswith("&"):
            lines.append(_WAIT.format(port=port))
        lines.append(f'echo "{MARK} ended $code"')
    return "\n".join(lines).replace(PORT, port)


def name_the_port(folder: Path, port: str) -> None:
    """The example files name the pages' port too."""
    for example in folder.glob("*.yaml"):
        example.write_text(example.read_text("utf-8").replace(PORT, port), "utf-8")


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def shell_output(program: str, folder: Path, variables: dict[str, str]) -> str:
    """What a shell program prints, in a session of its own that is ended with it."""
    with subprocess.Popen(
        ["bash", "-c", program],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as shell:
        try:
            return shell.communicate(timeout=100)[0]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_the_commands_of_a_page_do_what_it_shows(
    page: Path, folder: Path, simulator: Running, program: Path
) -> None:
    steps = docs_kit.steps(page)
    starts_its_own = any(step.command.startswith("corpusmith simulate") for step in steps)
    port = free_port() if starts_its_own else simulator.url.rpartition(":")[2]
    name_the_port(folder, port)
    language = "zh" if page.name.endswith(".zh-CN.md") else "en"
    whole = shell_output(script(steps, port), folder, environment(folder, language, program))
    printed = re.split(rf"^{MARK} \d+\n", whole, flags=re.M)[1:]
    wrong = []
    for step, text in zip(steps, printed, strict=True):
        said, _, rest = text.rpartition(f"{MARK} ended ")
        code = rest.split("\n", 1)[0]  # what runs in the background may speak after it
        if step.command.endswith("&"):  # it speaks whenever it likes
            said = whole
        said = said.replace(port, PORT)
        faults = [f"not printed: {line}" for line in docs_kit.missing_lines(step, said)]
        if code != "0" and not shows_failure(step):
            faults.append(f"ended with {code}")
        if faults:
            wrong.append("\n".join([f"$ {step.command}", *faults, "--- it printed:", said]))
    assert not wrong, "\n\n".join(wrong)


def shows_failure(step: Step) -> bool:
    """Whether the page shows that the command does not end well."""
    signs = ("error: ", "错误：", "budget", "预算", "FAIL", "失败", "short", "差 ")
    signs += ("Refused: ", "拒绝了 ", " fail; ", "，不合格 ")
    signs += (" left out:", "没有导出：")
    return any(sign in line for sign in signs for line in step.output)


PYTHON = [page for page in PAGES if docs_kit.blocks(page, "python")]


@pytest.mark.parametrize("page", PYTHON, ids=name_of)
def test_the_python_of_a_page_runs(
    page: Path, folder: Path, simulator: Running, program: Path
) -> None:
    port = simulator.url.rpartition(":")[2]
    name_the_port(folder, port)
    text = "\n\n".join(docs_kit.blocks(page, "python")).replace(PORT, port)
    language = "zh" if page.name.endswith(".zh-CN.md") else "en"
    ran = subprocess.run(
        [program / "run-python", text],
        cwd=folder,
        env=environment(folder, language),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_task_of_a_language_runs(
    language: str, folder: Path, simulator: Running
) -> None:
    file = folder / f"dialogue.{language}.yaml"
    file.write_text(
        file.read_text("utf-8").replace(PORT, simulator.url.rpartition(":")[2]), "utf-8"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "corpusmith", "run", str(file)],
        cwd=folder.parent,
        env=environment(folder, language),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (ran.returncode, "12" in ran.stdout) == (0, True), ran.stderr
