"""Reads the documentation as a program: its commands, what they should print, its links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "zh")
PAIRED = (
    *("README", "docs/dialogue", "docs/connections", "docs/simulator", "docs/python"),
    *("docs/settings", "docs/rounds", "docs/feedback", "docs/selfplay", "docs/templates"),
    *("docs/evaluate", "docs/chains", "docs/quality", "docs/export", "docs/review"),
    *("docs/report", "docs/access", "docs/server", "docs/api", "docs/studio"),
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.M)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_NUMBER = re.compile(r"\d[\d,.:]*\d|\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a page and the lines that it is said to print."""

    command: str
    output: tuple[str, ...]


def pages() -> list[Path]:
    """Every page of the documentation."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(found)


PAGES = pages()


def name_of(page: Path) -> str:
    """Its path in the repository."""
    return str(page.relative_to(ROOT))


def paired_pages(language: str) -> list[Path]:
    """The pages that exist in both languages."""
    ending = ".zh-CN.md" if language == "zh" else ".md"
    return [ROOT / f"{name}{ending}" for name in PAIRED]


def blocks(page: Path, *kinds: str) -> list[str]:
    """The fenced blocks of these kinds."""
    return [m[2] for m in _FENCE.finditer(page.read_text("utf-8")) if m[1] in kinds]


def steps(page: Path) -> list[Step]:
    """The commands of a page that are to be run, in order."""
    return [step for block in blocks(page, "console", "bash") for step in _steps(block)]


def _steps(block: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        lines = part.splitlines()
        taken = 1
        while lines[taken - 1].endswith("\\"):
            taken += 1
        if heredoc := re.search(r"<< '(\w+)'$", lines[0]):
            taken = lines.index(heredoc[1]) + 1
        yield Step(command="\n".join(lines[:taken]), output=tuple(lines[taken:]))


def missing_lines(step: Step, printed: str) -> list[str]:
    """The lines of the page that were not printed, in the page's order.

    `…` stands for any text, a number for any number; lines in between may be left out.
    """
    rest = printed.splitlines()
    missing = []
    for line in filter(None, (line.strip() for line in step.output)):
        pattern = _pattern(line)
        at = next((n for n, one in enumerate(rest) if pattern.fullmatch(one.strip())), None)
        if at is None:
            missing.append(line)
        else:
            rest = rest[at + 1 :]
    return missing


def _pattern(line: str) -> re.Pattern[str]:
    parts = []
    for piece in re.split(r"(\s*…\s*|\s+)", line):
        if "…" in piece:
            parts.append(".*")
        elif piece.isspace():
            parts.append(r"\s+")
        else:
            parts.append(_numbers_open(piece))
    return re.compile("".join(parts))


def _numbers_open(text: str) -> str:
    pieces = _NUMBER.split(text)
    return r"\d(?:[\d,.:-]*\d)?".join(re.escape(piece) for piece in pieces)


def outline(page: Path) -> list[int]:
    """The levels of a page's headings, in order."""
    return [len(m[1]) for m in _HEADING.finditer(_prose(page))]


def anchors(page: Path) -> set[str]:
    """What links into a page may name, as GitHub makes it from the headings."""
    found = set()
    for heading in _HEADING.finditer(_prose(page)):
        words = re.sub(r"[^\w\- ]", "", heading[2].strip().lower())
        found.add(words.replace(" ", "-"))
    return found


def links(page: Path) -> list[str]:
    """Where the links of a page go."""
    return _LINK.findall(_prose(page))


def named_files(page: Path) -> set[str]:
    """Files and folders of the project that the text names in backticks."""
    names = re.findall(r"`((?:src|tests|docs|scripts|examples|bench)/[\w./-]*)`", _prose(page))
    return set(names)


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text("utf-8"))
