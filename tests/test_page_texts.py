"""Pages and REST never speak of a command or an option, nor of what is the server's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from corpusmith.api.errors import fault_of, message_of
from corpusmith.errors import CorpusmithError, LeaseHeld, NotFound, ProviderError, StoreCorrupt
from corpusmith.messages import LANGUAGES, PLACE, catalog, for_pages, say, say_page
from corpusmith.service.connections import ModelListFailed
from corpusmith.service.fields import FieldsError, Problem
from corpusmith.values import Connection, Language

SRC = Path(__file__).parent.parent / "src" / "corpusmith"

TERMINAL = re.compile(
    r"""corpusmith\ [a-z]            # a command
    | (?<![\w-])--[a-z]              # an option
    | \b[a-z_]+=(?:…|"|True)         # an option as Python has it
    | \{command\} | [Cc]ommand | 命令
    | [Tt]erminal | 终端 | [Ss]tandard\ (?:in|out)put | 标准输[入出]
    | \bYAML\b | \.ya?ml\b | \bpip\ install\b
    | \bCORPUSMITH_ | \bTMPDIR\b | \bEDITOR\b | \bexport\ \{""",
    re.VERBOSE | re.ASCII,
)
"""What means something at a command line only."""

OF_FILES = "names a file to read or write beside the command; pages upload and download"
OF_FOLDERS = "about the folder that the command keeps its rounds in; pages download"
OF_CLIENT = "said to a program that uses a server by its address, never by a server"
OF_OWNER = "tells whoever runs the server what only its command line can do"
EXEMPT = {
    "error.chain_one_form": "no command: REST takes a chain as YAML too",
    "error.domain_file_exists": OF_FILES,
    "error.open_door": "said by `corpusmith serve` before there are any pages",
    "error.rounds_later_rounds": OF_FOLDERS,
    "error.rounds_no_folder": OF_FOLDERS,
    "error.rounds_nothing_prepared": OF_FOLDERS,
    "error.rounds_other_rounds": OF_FOLDERS,
    "error.server_away": OF_CLIENT,
    "error.server_no_worker": OF_CLIENT,
    "error.server_token": OF_CLIENT,
    "help.option.export_output": OF_FILES,
    "help.option.feedback_config": OF_FILES,
    "help.option.feedback_since_last": "of a folder that is written again and again",
    "help.option.output": OF_FILES,
    "help.option.password_env": "a page has a field for the password",
    "help.option.ratio_file": OF_FILES,
    "help.option.report_output": OF_FILES,
    "help.option.review_content": OF_FILES,
    "help.option.selfplay_output": OF_FILES,
    "help.option.templates_file": OF_FILES,
    "help.option.templates_output": OF_FILES,
    "help.option.watched": "of the processes that `corpusmith serve` starts",
    "simulator.cannot_listen": "said by `corpusmith simulate` itself",
    "web.about.metrics_off": OF_OWNER,
    "web.audit.via.cli": "the log tells what was done by command",
    "web.backup.restore.no_users": OF_OWNER,
    "web.backup.upload_help": OF_OWNER,
    "web.templates.file": "a file to download, which is YAML",
    "web.users.changes.cli": OF_OWNER,
    "web.users.changes.forgotten": OF_OWNER,
}
"""Texts that need no twin, though code outside `cli/` says them or makes up their keys; with the
reason. Nearly all are never shown on a page."""


def _code(paths: Iterable[Path]) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(paths))


ALL = set(SRC.rglob("*.py"))
AT_TERMINAL = set((SRC / "cli").glob("*.py"))
OUTSIDE, INSIDE = _code(ALL - AT_TERMINAL), _code(AT_TERMINAL)
SHARED = tuple(re.findall(r"\bf?\"(cli\.[a-z_.]*)", OUTSIDE))
"""How the keys begin of the `cli.` texts that are not said by the command line alone."""


def _speaks(text: str) -> bool:
    return TERMINAL.search(text) is not None


def _in_quotes(word: str, code: str) -> bool:
    return f'"{word}"' in code


def _shown_on_pages(key: str) -> bool:
    """False: only the command line says it."""
    if key in EXEMPT:
        return False
    if key.startswith("help."):
        return key.startswith("help.option.")
    if key.startswith("cli."):
        return key.startswith(SHARED)
    name = key.removeprefix("error.")
    return _in_quotes(name, OUTSIDE) or not _in_quotes(name, INSIDE)


def _lacking(*catalogs: Mapping[str, str]) -> list[str]:
    """The texts that pages show, that speak of the command line, and that have no twin."""
    speaking = {key for texts in catalogs for key, text in texts.items() if _speaks(text)}
    return sorted(
        key
        for key in speaking
        if not key.startswith("page.")
        and _shown_on_pages(key)
        and any(f"page.{key}" not in texts for texts in catalogs)
    )


def _twins() -> dict[str, str]:
    """From each text to its twin; other texts that begin with `page.` are pages' own."""
    return {key: f"page.{key}" for key in catalog("en") if f"page.{key}" in catalog("en")}


def _places(text: str) -> set[str]:
    return {place[1] for place in PLACE.finditer(text)}


# ---------------------------------------------------------------- the texts


def test_every_text_that_speaks_of_the_command_line_has_a_twin_for_pages() -> None:
    assert _lacking(catalog("en"), catalog("zh")) == []


@pytest.mark.parametrize(
    "text",
    [
        "See 'corpusmith tasks list'.",
        "用 corpusmith tasks list 查看。",
        "Raise it with --max-cost.",
        "用--max-cost 调高。",
        'Choose greeting="opener".',
        "请选 mend=True。",
        "Set CORPUSMITH_REVIEWER.",
        "pip install 'corpusmith[hub]'",
        "写在 YAML 的 vars 里。",
        "Write to standard output.",
    ],
)
@pytest.mark.parametrize("key", ["error.brand_new", "problem.brand_new", "help.option.brand_new"])
def test_a_new_text_that_speaks_of_the_command_line_is_found(key: str, text: str) -> None:
    assert _lacking({key: text}) == [key]
    assert _lacking({key: text, f"page.{key}": "…"}) == []
    assert _lacking({key: text, f"page.{key}": "…"}, {key: text}) == [key]


@pytest.mark.parametrize(
    "text",
    [
        "Corpusmith tries again by itself.",
        "Corpusmith 会自动重试。",
        "a well-known -- and long -- story",
        "such as category=50",
    ],
)
def test_other_texts_need_no_twin(text: str) -> None:
    assert _lacking({"error.brand_new": text}) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_for_pages_speaks_of_the_command_line(language: Language) -> None:
    texts = catalog(language)
    assert [key for key in texts if key.startswith("page.") and _speaks(texts[key])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_error_that_is_raised_outside_the_command_line_names_a_command(
    language: Language,
) -> None:
    made = re.findall(r"\b[A-Z]\w*\(\s*\"([a-z][a-z0-9_]+)\"", OUTSIDE)
    classes = re.findall(r"^    code = \"([a-z][a-z0-9_]+)\"", OUTSIDE, re.MULTILINE)
    keys = {f"error.{code}" for code in (*made, *classes)} & set(catalog(language)) - set(EXEMPT)
    with for_pages():
        assert [key for key in sorted(keys) if _speaks(say(key, language))] == []


def test_every_errors_twin_belongs_to_an_error() -> None:
    twins = {key for key in catalog("en") if key.startswith("page.error.")}
    assert twins - set(_twins().values()) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_twin_fills_no_place_that_its_text_has_not(language: Language) -> None:
    texts = catalog(language)
    strange = {twin: _places(texts[twin]) - _places(texts[key]) for key, twin in _twins().items()}
    assert {twin: places for twin, places in strange.items() if places} == {}


def test_the_table_of_texts_that_need_no_twin_is_up_to_date() -> None:
    texts = catalog("en")
    assert [key for key in EXEMPT if key not in texts or not _speaks(texts[key])] == []
    assert set(EXEMPT) & set(_twins()) == set()


# ---------------------------------------------------------------- how they are said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_with_a_twin_is_told_by_it(language: Language) -> None:
    codes = [key.removeprefix("error.") for key in _twins() if key.startswith("error.")]
    told = {code: message_of(CorpusmithError(code), language) for code in codes}
    assert told == {code: catalog(language)[f"page.error.{code}"] for code in codes}


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        (
            "en",
            "The model list of “m” could not be read: The endpoint http://e asks for fewer"
            ' requests (HTTP 429): "slow down". Corpusmith waits and goes on by itself; if you'
            " know the limits, enter them in the connection. You can also type the model's name.",
        ),
        (
            "zh",
            "获取模型列表失败（“m”）：模型服务 http://e 要求放慢请求（HTTP 429）：“slow down”。"
            "Corpusmith 会自动等待后继续；如果知道限额，可以填在模型连接里。"
            "也可以直接填写模型名称。",
        ),
    ],
)
def test_an_error_that_tells_another_is_the_pages_throughout(
    language: Language, wanted: str
) -> None:
    cause = ProviderError("rate_limited", endpoint="http://e", status=429, cause="slow down")
    connection = Connection(name="m", provider="openai", protocol="openai", base_url="http://e")
    assert message_of(ModelListFailed(connection, cause), language) == wanted


def test_a_fields_problem_is_the_pages_too() -> None:
    problem = Problem(place="score", type="selfplay_score_alone")
    error = FieldsError(source="the request", problems=[problem])
    assert "--stop-when-satisfied" in error.message("en")
    assert "--stop-when-satisfied" not in message_of(error, "en")


def test_a_text_without_a_twin_is_said_as_it_is() -> None:
    said = say_page("error.connection_exists", "en", name="m")
    assert said == say("error.connection_exists", "en", name="m")


def test_the_command_line_is_told_as_ever_after_a_page_was() -> None:
    before = say("error.no_task", "en")
    with pytest.raises(ValueError, match="stop"), for_pages():
        assert say("error.no_task", "en") == say_page("error.no_task", "en") != before
        raise ValueError("stop")
    assert say("error.no_task", "en") == before


@pytest.mark.parametrize(("language", "word"), [("en", "dataset"), ("zh", "数据集")])
def test_a_kind_of_thing_is_named_in_the_language_that_was_asked_for(
    language: Language, word: str
) -> None:
    error = NotFound("not_found", kind="dataset", name="x")
    assert word in message_of(error, language)


# ---------------------------------------------------------------- what stays on the server


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "error",
    [
        StoreCorrupt(url="sqlite:////srv/secret/corpusmith.db", cause="file is not a database"),
        LeaseHeld(task=3, owner="secret-host:4711", seconds=9),
        CorpusmithError("near_disk_full", folder="/srv/secret", cause="No space left on device"),
        CorpusmithError("secret_key_missing", path="/srv/secret/secret.key"),
        CorpusmithError("cannot_write", path="/srv/secret/x.jsonl", cause="Permission denied"),
    ],
)
def test_paths_and_processes_of_the_server_are_neither_told_nor_listed(
    error: CorpusmithError, language: Language
) -> None:
    assert "secret" not in fault_of(error, language).model_dump_json().replace(error.reason, "")
