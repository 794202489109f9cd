"""Records real terminal output as SVG pictures for the documentation.

Owns: running the program under a pty, and the picture. Does not own: what a terminal makes of its
signs (`recorded_screen.py`); what is shown: that is the program's own output, on the simulator.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from recorded_screen import COLUMNS, Screen
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from corpusmith.simulator import SimulatorConfig, run_in_thread

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "img"
ROWS = 60
LIMIT_S = 60.0
SHOWN_URL = "http://127.0.0.1:8099"
SHOWN_FOLDER = "/home/you"

# ---------------------------------------------------------------- running


class Recording:
    """What stands on the screen after a few commands. One folder and database for all of them."""

    def __init__(self, folder: Path, language: str, url: str = SHOWN_URL) -> None:
        """`url`: the simulator's; the picture shows the usual port in its place."""
        self.screen = Screen()
        self._url = url
        self._folder = folder
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")},
            "CORPUSMITH_HOME": str(folder / "home"),
            "CORPUSMITH_LANG": language,
            "COLUMNS": str(COLUMNS),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "MY_KEY": "my-key-of-the-simulator",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def type(self, command: str) -> None:
        """Show a command as it is typed."""
        self.screen.feed(f"\x1b[1;32m$\x1b[0m {command.replace(chr(10), chr(13) + chr(10))}\r\n")

    def note(self, text: str) -> None:
        """Show a remark of ours, told apart from output by its colour."""
        self.screen.feed(f"\x1b[2;3m{text}\x1b[0m\r\n")

    def run(
        self, command: str, *, until: Callable[[str], bool] | None = None, kill: bool = False
    ) -> list[Text]:
        """Run `command` and show what it writes; returns the lines when `until` came true.

        `kill`: the command is killed at that moment.
        """
        process, terminal = self._start(command)
        text = ""
        seen: list[Text] = []
        deadline_s = time.monotonic() + LIMIT_S
        for part in _written(terminal):
            self.screen.feed(self._tidied(part))
            text += part
            if until and not seen and until(text):
                seen = self.screen.lines()
                if kill:
                    os.killpg(process.pid, signal.SIGKILL)
            if time.monotonic() > deadline_s:
                process.kill()
        process.wait()
        os.close(terminal)
        self.screen.style = ""
        return seen

    def _tidied(self, text: str) -> str:
        """What a user's own machine would show in place of our port and folder."""
        return text.replace(self._url, SHOWN_URL).replace(str(self._folder), SHOWN_FOLDER)

    def _start(self, command: str) -> tuple[subprocess.Popen[bytes], int]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        process = subprocess.Popen(  # noqa: S602  our own commands
            command.replace(SHOWN_URL, self._url),
            shell=True,
            cwd=self._folder,
            env=self._environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        return process, ours


def _written(terminal: int) -> Iterator[str]:
    """What a program writes, piece by piece, until it has ended."""
    rest = b""
    while True:
        ready, _, _ = select.select([terminal], [], [], LIMIT_S)
        try:
            data = os.read(terminal, 65536) if ready else b""
        except OSError:  # Linux's way to say that nobody holds the other end
            return
        if not data:
            return
        data = rest + data
        # A character may be cut by the end of the piece.
        text = data.decode("utf-8", "ignore")
        rest = data[len(text.encode()) :]
        yield text


# ---------------------------------------------------------------- pictures

CELL, SIZE, LINE = 8.4, 14, 20
EDGE, HEAD = 16, 36
FONTS = (
    "ui-monospace,'SF Mono','Cascadia Mono','DejaVu Sans Mono',Menlo,Consolas,"
    "'Noto Sans Mono CJK SC','PingFang SC','Microsoft YaHei',monospace"
)
THEME = TerminalTheme(
    (22, 27, 34),
    (214, 219, 226),
    [
        (72, 79, 88), (255, 123, 114), (86, 211, 100), (227, 179, 65),
        (121, 192, 255), (210, 168, 255), (86, 212, 221), (214, 219, 226),
    ],
    [
        (110, 118, 129), (255, 161, 152), (126, 231, 135), (242, 204, 96),
        (165, 214, 255), (226, 197, 255), (179, 240, 255), (255, 255, 255),
    ],
)  # fmt: skip
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]+")


def picture(lines: Sequence[Text], title: str) -> str:
    """The lines as an SVG that looks the same on a light page and on a dark one.

    Rich's own SVG gives a Chinese character the width of one column; this one gives it two, and
    asks no other host for a font.
    """
    from rich.console import Console

    console = Console(width=COLUMNS, color_system="truecolor", force_terminal=True)
    width = COLUMNS * CELL + 2 * EDGE
    height = HEAD + len(lines) * LINE + EDGE
    body = []
    for number, line in enumerate(lines):
        column = 0
        for segment in line.render(console):
            body += list(_runs(segment, column, HEAD + number * LINE))
            column += segment.cell_length
    background = THEME.background_color.hex
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
            f' width="{width:g}" height="{height:g}" role="img" aria-label="{escape(title)}">',
            f"<title>{escape(title)}</title>",
            f"<style>text{{font:{SIZE}px {FONTS};white-space:pre}}</style>",
            f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="9"'
            f' fill="{background}" stroke="#444c56"/>',
            *(
                f'<circle cx="{20 + 18 * place}" cy="18" r="5.5" fill="{colour}"/>'
                for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
            ),
            *body,
            "</svg>\n",
        ]
    )


def _runs(segment: Segment, column: int, top: float) -> Iterator[str]:
    """A segment as texts of one kind of width each, every one at its own column."""
    style = segment.style or Style()
    place = 0
    for piece in _pieces(segment.text):
        # Viewers drop blanks at a text's ends, and join those inside.
        at = column + place + cell_len(piece) - cell_len(piece.lstrip())
        place += cell_len(piece)
        shown = piece.strip()
        if shown:
            text = escape(shown).replace(" ", "&#160;")
            yield (
                f'<text x="{EDGE + at * CELL:g}" y="{top + SIZE:g}"'
                f' textLength="{cell_len(shown) * CELL:g}"{_look(style)}>{text}</text>'
            )


def _pieces(text: str) -> Iterator[str]:
    at = 0
    for wide in _WIDE.finditer(text):
        if wide.start() > at:
            yield text[at : wide.start()]
        # One by one: then no viewer's spacing can shift what follows.
        yield from wide[0]
        at = wide.end()
    if at < len(text):
        yield text[at:]


def _look(style: Style) -> str:
    colour = style.color or Color.default()
    red, green, blue = colour.get_truecolor(THEME)
    if style.dim:
        red, green, blue = (
            round(own * 0.66 + behind * 0.34)
            for own, behind in zip((red, green, blue), THEME.background_color, strict=True)
        )
    look = f' fill="#{red:02x}{green:02x}{blue:02x}"'
    look += ' font-weight="bold"' if style.bold else ""
    return look + (' font-style="italic"' if style.italic else "")


# ---------------------------------------------------------------- what is shown

GENERATE: Mapping[str, str] = {
    "en": (
        "corpusmith generate --character cards/nora.json --count 400 --turns 3 \\\n"
        "    --scenario 'Everyday talk'=2 --scenario 'Heart to heart'=1 {more}\\\n"
        "    --base-url http://127.0.0.1:8099/v1 --model any --api-key-env MY_KEY --output out.json"
    ),
    "zh": (
        "corpusmith generate --character cards/lin.json --count 400 --turns 3 \\\n"
        "    --scenario 日常对话=2 --scenario 情感交流=1 {more}\\\n"
        "    --base-url http://127.0.0.1:8099/v1 --model any --api-key-env MY_KEY --output out.json"
    ),
}
KILLED = {"en": "# kill -9, from another terminal", "zh": "# 在另一个终端 kill -9"}
PAID = {
    "en": "# 400, and the few whose answer was not on the disk yet when it was killed",
    "zh": "# 400 次，加上被杀时答复还没落盘的那几次",
}
BAD_DAY = ("error_503", "reset", "cut_json", "fences", "think", "refusal_text")
REQUESTS = f"curl -s {SHOWN_URL}/__stats | grep -o '\"requests\":[0-9]*'"
TITLES = {
    "resume": {
        "en": "A task is killed with kill -9; corpusmith resume goes on where it was",
        "zh": "任务被 kill -9，corpusmith resume 从断点接着做",
    },
    "demo": {"en": "corpusmith demo", "zh": "corpusmith demo 的输出"},
    "faults": {
        "en": "Progress on an endpoint with faults, and what became of every sample",
        "zh": "端点频出故障时的进度，以及每条样本的下落",
    },
}


def resume(language: str, folder: Path) -> list[Text]:
    """A run that is killed, and one that goes on."""
    command = GENERATE[language].replace("{more}", "--concurrency 20 ")
    with run_in_thread(SimulatorConfig(latency_ms=200, jitter=0.5)) as simulator:
        shown = Recording(folder, language, simulator.url)
        shown.type(command)
        shown.run(command, until=lambda text: _done(text, 140), kill=True)
        shown.screen.feed("\r\n\r\n")
        shown.note(KILLED[language])
        shown.screen.feed("Killed\r\n")
        for command in ("corpusmith resume", REQUESTS):
            shown.screen.feed("\r\n")
            shown.type(command)
            shown.run(command)
        shown.note(PAID[language])
    return shown.screen.lines()


def demo(language: str, folder: Path) -> list[Text]:
    """The demo's whole output."""
    shown = Recording(folder, language)
    shown.type("corpusmith demo")
    shown.run("corpusmith demo")
    return shown.screen.lines()


def faults(language: str, folder: Path) -> list[Text]:
    """The panel in the middle of a run on a bad endpoint, and where its samples went."""
    config = SimulatorConfig(
        latency_ms=700, jitter=0.5, rpm=6000, faults=dict.fromkeys(BAD_DAY, 0.04)
    )
    command = GENERATE[language].replace("{more}", "")
    with run_in_thread(config) as simulator:
        shown = Recording(folder, language, simulator.url)
        shown.type(command)
        seen = shown.run(command, until=lambda text: _done(text, 200))
        after = Recording(folder, language, simulator.url)
        after.screen.feed("\r\n")
        after.type("corpusmith tasks show 1")
        after.run("corpusmith tasks show 1")
    return [*seen, *after.screen.lines()]


def _done(text: str, least: int) -> bool:
    """Whether the panel's total line has reached `least`."""
    found = re.findall(r"(\d+)/400\b", re.sub(r"\x1b\[[\d;]*m", "", text))
    return bool(found) and int(found[-1]) >= least


SCENES = {"resume": resume, "demo": demo, "faults": faults}


def main() -> None:
    """Record every scene, or those that are named."""
    for name in sys.argv[1:] or SCENES:
        for language in ("en", "zh"):
            with tempfile.TemporaryDirectory() as text:
                folder = Path(text)
                (folder / "cards").symlink_to(ROOT / "examples" / "cards")
                lines = SCENES[name](language, folder)
            file = IMAGES / f"{name}.{language}.svg"
            file.write_text(picture(lines, TITLES[name][language]), "utf-8")
            print(file.relative_to(ROOT))


if __name__ == "__main__":
    main()
