"""Runs the program in forked processes that have everything imported already.

The pages hold some two hundred commands, and most of a command's time is its imports. Each still
runs in a process of its own, with its own folder, variables and standard streams.

    python fork_server.py SOCKET
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

CLIENT = """#!{python} -SE
import json, os, socket, sys
call = json.dumps([{name!r}, sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [len(call).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(call)
    code = server.recv(1)
sys.exit(code[0] if code else 1)
"""


def install(folder: Path, address: Path) -> None:
    """Put a `corpusmith` into `folder` that has the server at `address` do the work, and a
    `run-python` for the text of a program."""
    folder.mkdir()
    for name in ("corpusmith", "run-python"):
        client = folder / name
        text = CLIENT.format(python=sys.executable, name=name, address=str(address))
        client.write_text(text, "utf-8")
        client.chmod(0o755)


def main(address: str) -> None:
    """Serve until terminated."""
    _import_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        while True:
            client, _ = server.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                _answer(client)
            client.close()


def _import_everything() -> None:
    import corpusmith

    for module in pkgutil.walk_packages(corpusmith.__path__, "corpusmith."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("alembic.command", "sqlalchemy.dialects.sqlite", "rich.live", "rich.table"):
        importlib.import_module(name)


def _answer(client: socket.socket) -> None:
    size, streams, _, _ = socket.recv_fds(client, 8, 3)
    call = b""
    while len(call) < int.from_bytes(size, "big"):
        call += client.recv(65536)
    name, words, folder, variables = json.loads(call)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout = os.fdopen(0, encoding="utf-8"), os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    client.sendall(bytes([_run(_python if name == "run-python" else _corpusmith, words)]))
    os._exit(0)


def _corpusmith(words: list[str]) -> int:
    from corpusmith.cli.main import main as program

    return program(words)


def _python(words: list[str]) -> int:
    (program,) = words
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
        gc.collect()
    return 0


def _run(program: Callable[[list[str]], int], words: list[str]) -> int:
    code = 1
    try:
        code = program(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001  shown as Python itself would
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    return code


if __name__ == "__main__":
    main(sys.argv[1])
