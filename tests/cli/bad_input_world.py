"""What bad input needs around it: files, endpoints and databases that are wrong in one way each.

Owns: making them once. Does not own: the cases (`test_bad_input.py`).
"""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import ssl
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from bad_input_files import make_files
from cli_kit import ENDPOINT_VARIABLES, clean_environment

from answering import Answer, answering, as_json, chat
from corpusmith import Studio
from corpusmith.simulator import SimulatorConfig, run_in_thread
from corpusmith.store import database

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"


CHANGING = (
    (r"dialogue-\d{8}-\d{6}", "<NAME>"),
    (r"(?<=seed )\d+|(?<=种子 )\d+", "<SEED>"),
    (r"^Task \d+(?= [“ic])|^Task \d+(?= ended)|^任务 \d+(?=[“ ])", "<TASK>"),
    (r"(?<=corpusmith resume )\d+", "<TASK>"),
    (r"^(Estimate: |估算：).*", "<ESTIMATE>"),
    (r"(?<=at most )\d+(?= s)|(?<=最多再等 )\d+(?= 秒)", "<SECONDS>"),
    (r"\(_ssl\.c:\d+\)", "(<LINE>)"),
    (r"(?<=ssl:default \[)(Name|Temporary)[^\]]*", "<RESOLVER>"),
    (r"\d+\.\d(?= records/s)|\d+\.\d(?= 条/秒)", "<SPEED>"),
)
"""What changes from run to run, and what stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Folders and addresses, by what is wrong with them."""

    folder: Path
    home: Path
    simulator: str
    locked: str
    """Takes one key only."""
    closed: str
    html: str
    not_found: str
    chatty: str
    """Answers everything with a plain sentence."""
    untrusted: str
    taken_port: int

    def file(self, name: str, text: str | None = None) -> str:
        """The path of a file here; with `text`, of one that says so."""
        path = self.folder / name
        if text is not None:
            path.write_text(text, "utf-8")
        return str(path)

    def new(self, name: str) -> str:
        """The path of a file that is not there, whatever an earlier case wrote."""
        (self.folder / name).unlink(missing_ok=True)
        return self.file(name)

    def hidden(self, text: str) -> str:
        """`text` without what changes from run to run."""
        places = {
            self.folder: "FOLDER",
            self.simulator: "SIMULATOR",
            self.locked: "LOCKED",
            self.closed: "CLOSED",
            self.html: "HTML",
            self.not_found: "NOT_FOUND",
            self.chatty: "CHATTY",
            self.untrusted: "UNTRUSTED",
            self.taken_port: "PORT",
        }
        for value, name in places.items():
            text = text.replace(str(value), f"<{name}>")
            if "://" in str(value):
                netloc = str(value).split("/")[2]
                text = text.replace(netloc, f"<{name}>").replace(netloc.split(":")[1], "<PORT>")
        for pattern, name in CHANGING:
            text = re.sub(pattern, name, text, flags=re.MULTILINE)
        return text


@contextmanager
def made_world(folder: Path) -> Iterator[World]:
    """The world, with the environment that the program sees in it."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        home = folder / "home"
        for name in [name for name in os.environ if ENDPOINT_VARIABLES.match(name.upper())]:
            patch.delenv(name)
        for name, value in clean_environment(home).items():
            patch.setenv(name, value)
        patch.setenv("GOOD_KEY", "k-0123456789")
        patch.setenv("BAD_KEY", "钥匙")
        patch.delenv("UNSET_KEY", raising=False)
        plain = stack.enter_context(run_in_thread(SimulatorConfig()))
        locked = stack.enter_context(run_in_thread(SimulatorConfig(require_key="another")))
        taken = stack.enter_context(_taken_port())
        world = World(
            folder=folder,
            home=home,
            simulator=f"{plain.url}/v1",
            locked=f"{locked.url}/v1",
            closed=f"http://127.0.0.1:{_free_port()}/v1",
            html=stack.enter_context(_serving(HTML)),
            not_found=stack.enter_context(_serving(NO_SUCH_MODEL)),
            chatty=stack.enter_context(_serving(CHATTY)),
            untrusted=stack.enter_context(_serving(CHATTY, _own_tls(folder))),
            taken_port=taken,
        )
        patch.chdir(folder)
        _patiently(patch)
        _make_files(folder)
        make_files(folder)
        _make_databases(folder)
        stack.enter_context(_locked_database(folder))
        with Studio() as studio:
            _fill(studio, world)
        yield world


# ---------------------------------------------------------------- files


def _make_files(folder: Path) -> None:
    good = {"count": 3, "characters": [str(CARD)], "connection": {"model": "any"}}
    texts = {
        "unknown.yaml": "count: 3\ntemprature: 0.5\nconnection:\n  base_ur: x\n",
        "types.yaml": "count: many\nturns: [3]\nname: 7\nscenarios: 5\ncharacters: {a: b}\n",
        "broken.yaml": "count: 3\n  turns: : 3\n",
        "list.yaml": "- count: 3\n",
        "empty.yaml": "# nothing but a comment\n",
        "twice.yaml": "count: 3\nturns: 2\ncount: 4\n",
        "recipe.yaml": "recipe: poem\ncount: 3\n",
        "nothing.json": "",
        "prose.json": "This is no card.",
        "array.json": "[1, 2]",
        "nameless.json": json.dumps({"name": " ", "description": "?"}),
        "typed.json": json.dumps({"name": "A", "personality": 7}),
        "lists.yaml": "mood: 3\n",
        "task.yaml": "count: 3\n",
        "good.yaml": json.dumps(good),
        "halves.jsonl": '{"question": "Why?"}\n{"question": "How',
        "numbers.jsonl": '{"question": 3}\n',
        "rows.jsonl": '{"question": "Why?", "answer": "Because."}\n',
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01count")
    (folder / "photo.jpg.json").write_bytes(b"\xff\xd8\xff\xe0" + bytes(20))
    picture = _png()
    (folder / "plain.png").write_bytes(picture)
    (folder / "cut.png").write_bytes(picture[:40])
    (folder / "noise.png").write_bytes(b"no picture at all")
    (folder / "a folder").mkdir()


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\0")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def _make_databases(folder: Path) -> None:
    (folder / "prose.db").write_text("This is no database. " * 300, "utf-8")
    with closing(sqlite3.connect(folder / "newer.db")) as newer:
        newer.execute("CREATE TABLE alembic_version (version_num TEXT)")
        newer.execute("INSERT INTO alembic_version VALUES ('9999')")
        newer.commit()


def _patiently(patch: pytest.MonkeyPatch) -> None:
    """A database that another program holds is waited for, but not for a quarter of a minute."""
    short = [one for one in database._PRAGMAS if "busy_timeout" not in one]
    patch.setattr(database, "_PRAGMAS", (*short, "PRAGMA busy_timeout=100"))
    patch.setattr(database, "BUSY_TIMEOUT_S", 0.1)


@contextmanager
def _locked_database(folder: Path) -> Iterator[None]:
    """A good database that another program does not let go of."""
    url = f"sqlite:///{folder / 'locked.db'}"
    with Studio(db=url) as studio:
        studio.connections.add("stored", base_url="http://127.0.0.1:9/v1", model="any")
    with closing(sqlite3.connect(folder / "locked.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


# ---------------------------------------------------------------- stored things


def _fill(studio: Studio, world: World) -> None:
    """Task 1 is finished and in dataset `full`; another host runs task 2; task 3 has no dataset."""
    studio.connections.add("stored", base_url=world.simulator, model="any")
    studio.connections.add("bare", base_url=world.simulator)
    studio.characters.import_file(CARD)
    studio.datasets.add("full", characters=["林知秋"], scenarios={"日常对话": 1})
    studio.datasets.add("empty")
    same = {"connection": "stored", "dataset": "full", "count": 2, "turns": 1}
    assert studio.generate(**same).counts.accepted == 2
    loose = {**same, "characters": ["林知秋"], "dataset": None}
    held = studio.tasks.create(same)
    studio.store.acquire(held.id, "elsewhere|boot|space|4711|1|x", 3600, time.time())
    studio.tasks.create(loose)
    studio.templates.add({"name": "stored template", "prompt": "Write about {topic}."})


# ---------------------------------------------------------------- endpoints


def _free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def _taken_port() -> Iterator[int]:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


@contextmanager
def _serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that gives the same answer to everything."""
    with answering(lambda headers, body: answer, tls) as url:
        yield f"{url}/v1"


def _own_tls(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody has signed but itself."""
    pem = folder / "own.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(pem) + ".key", "-out", str(pem)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, str(pem) + ".key")
    return context


HTML = Answer(200, "text/html", b"<html><body>Welcome to nginx!</body></html>")
NO_SUCH_MODEL = as_json(
    {"error": {"message": "The model `wrong` does not exist", "code": "model_not_found"}}, 404
)
CHATTY = chat("I would rather not write JSON.", model="chatty")
