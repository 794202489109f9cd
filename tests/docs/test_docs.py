"""The documentation leaves nothing out, its links lead somewhere, and both languages say the same.

That its commands do what it shows: `test_pages_run`.
"""

from __future__ import annotations

import re
from pathlib import Path

import docs_kit
import pytest
from docs_kit import LANGUAGES, PAGES, ROOT, name_of

from corpusmith import registry
from corpusmith.cli.main import COMMANDS
from corpusmith.config import SETTINGS
from corpusmith.providers.presets import preset_names
from corpusmith.service.task_file import EndpointPart
from corpusmith.simulator import SimulatorConfig
from corpusmith.simulator.config import FAULTS, STANDING_FAULTS


def text_of(language: str) -> str:
    return "\n".join(page.read_text("utf-8") for page in docs_kit.paired_pages(language))


# ---------------------------------------------------------------- links and languages


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in docs_kit.links(page):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in docs_kit.anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    assert [name for name in docs_kit.named_files(page) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", docs_kit.PAIRED)
def test_both_languages_have_the_same_structure(name: str) -> None:
    english, chinese = ROOT / f"{name}.md", ROOT / f"{name}.zh-CN.md"
    assert docs_kit.outline(chinese) == docs_kit.outline(english)
    assert len(docs_kit.steps(chinese)) == len(docs_kit.steps(english))
    assert len(docs_kit.blocks(chinese, "python")) == len(docs_kit.blocks(english, "python"))


@pytest.mark.parametrize("name", docs_kit.PAIRED)
def test_both_languages_have_the_same_tables(name: str) -> None:
    def rows(page: Path) -> int:
        return len(re.findall(r"^\|", page.read_text("utf-8"), re.M))

    assert rows(ROOT / f"{name}.zh-CN.md") == rows(ROOT / f"{name}.md")


# ---------------------------------------------------------------- nothing is left out


def subcommands() -> list[str]:
    """`tasks list` and all others, as they are typed."""
    from corpusmith.cli.command import Root

    root = Root("corpusmith", COMMANDS)
    found = []
    for name in COMMANDS:
        group = root.get_command(None, name)
        inner = getattr(group, "commands", None)
        found += [f"{name} {one}" for one in inner] if inner else [name]
    return found


def in_backticks(name: str, text: str) -> bool:
    return re.search(rf"`[^`\n]*(?<![\w-]){re.escape(name)}(?![\w-])[^`\n]*`", text) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_that_a_user_may_write_is_explained(language: str) -> None:
    text = text_of(language)
    names = [setting.variable for setting in SETTINGS]
    forms = [registry.load("form", recipe).file_model for recipe in registry.names("form")]
    names += dict.fromkeys(field for form in forms for field in form.model_fields)
    names += EndpointPart.model_fields
    names += preset_names()
    names += [name for kind in ("recipe", "check", "exporter") for name in registry.names(kind)]  # type: ignore[arg-type]
    names += [*FAULTS, *STANDING_FAULTS]
    assert [name for name in names if not in_backticks(name, text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_is_shown(language: str) -> None:
    text = text_of(language)
    missing = [
        name
        for name in subcommands()
        if not re.search(rf"(?:corpusmith |`){re.escape(name)}(?![\w-])", text)
    ]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_of_the_simulator_is_explained(language: str) -> None:
    page = ROOT / f"docs/simulator{'.zh-CN' if language == 'zh' else ''}.md"
    text = page.read_text("utf-8")
    options = {
        "model" if name == "models" else "fault" if name == "faults" else name
        for name in SimulatorConfig.__dataclass_fields__
        if name not in ("retry_after", "require_key")
    } | {"no-retry-after", "require-key-env", "port", "host"}
    flags = ["--" + name.replace("_", "-") for name in options]
    assert sorted(flag for flag in flags if f"`{flag}`" not in text) == []


def test_the_pictures_ask_no_other_host_and_show_no_path_of_ours() -> None:
    pictures = sorted((ROOT / "docs" / "img").glob("*.svg"))
    assert [name_of(one) for one in pictures] == [
        f"docs/img/{scene}.{language}.svg"
        for scene in ("demo", "faults", "resume")
        for language in LANGUAGES
    ]
    for one in pictures:
        text = one.read_text("utf-8")
        assert re.findall(r"(?:href|url|src)\s*[=(]\s*[\"']?http", text) == []
        assert "/tmp/" not in text
