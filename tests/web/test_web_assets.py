"""The files that pages load: what the lock says, where they are, what they weigh."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from jinja2 import UndefinedError
from web_kit import Site, listening

from corpusmith.messages import LANGUAGES, catalog
from corpusmith.values import Language
from corpusmith.web import assets
from corpusmith.web.nav import PAGES
from corpusmith.web.render import FOLDER, environment

ROOT = Path(__file__).parent.parent.parent
LOCK = json.loads((ROOT / "scripts" / "assets.lock").read_text("utf-8"))
TEMPLATES = sorted(FOLDER.rglob("*.html"))
MOST_SCRIPT_BYTES = 60_000
ICON = re.compile(
    r"""\b(?:icon|empty)\("([\w-]+)"  # the first argument
    |   _\("[\w.]+"\),\ "([a-z][a-z0-9-]+)"(?=[,)])  # behind the text of a button or link
    """,
    re.VERBOSE,
)


INPUT_TYPES = {"number", "url", "password"}
TONES = {"good", "info", "warn", "bad"}
COLUMNS = {"num", "wide"}


def test_the_vendored_files_are_those_of_the_lock() -> None:
    vendor = assets.FOLDER / "vendor"
    found = {
        one.relative_to(vendor).as_posix(): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in vendor.rglob("*")
        if one.is_file()
    }
    assert found == LOCK["sha256"]


def test_every_foreign_package_comes_with_its_licence() -> None:
    for package in LOCK["packages"]:
        licence = [one for one in package["files"].values() if one.endswith("LICENSE")]
        assert licence or package["licence"] in LOCK["sha256"]


def test_no_file_of_ours_names_a_place_on_the_network() -> None:
    for path in (*TEMPLATES, *assets.FOLDER.glob("*.*")):
        found = set(re.findall(r"https?://[\w.:-]+", path.read_text("utf-8")))
        allowed = {"http://www.w3.org", "http://127.0.0.1:7890"}  # a namespace, an example
        assert found - {"https://", "http://"} - allowed == set(), path


def test_every_icon_of_a_template_is_in_the_sprite() -> None:
    sprite = (assets.FOLDER / "vendor" / "icons.svg").read_text("utf-8")
    known = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    assert known == {name for one in LOCK["packages"] for name in one.get("icons", ())}
    text = "".join(path.read_text("utf-8") for path in TEMPLATES)
    used = (
        {one for pair in ICON.findall(text) for one in pair if one} - INPUT_TYPES - TONES - COLUMNS
    )
    assert {"plus", "check"} <= used
    assert used - known == set()
    assert {one.icon for one in PAGES if one.icon} - known == set()


def test_every_template_can_be_read_and_every_text_of_it_is_there() -> None:
    for path in TEMPLATES:
        environment("en").get_template(path.relative_to(FOLDER).as_posix())
        for key in re.findall(r'\b_\("([\w.]+)"[,)]', path.read_text("utf-8")):
            assert key in catalog("en"), (path, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_templates_call_asks_for_the_context(language: Language) -> None:
    """They are called as Python calls (`folding.py`): such a one would be handed a text instead."""
    made = environment(language)
    asking = [name for name, one in made.globals.items() if hasattr(one, "jinja_pass_arg")]
    assert not asking
    calls = made.from_string(
        "{% macro pair(a, b=2) %}({{ a }},{{ b }}{{ caller() if caller is defined }}){% endmacro %}"
        "{% for n in [1] %}{{ pair(n) }}{{ pair(b='<', a=n) }}{{ pair(*[n, 3]) }}"
        "{% call pair(n) %}<b>{% endcall %}{{ loop.cycle('x', 'y') }}{% endfor %}"
    )
    assert calls.render() == "(1,2)(1,&lt;)(1,3)(1,2<b>)x"
    with pytest.raises(UndefinedError):
        made.from_string("{{ nothing('x') }}").render()


def test_no_template_has_what_the_policy_forbids() -> None:
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b|hx-on", text), path


@pytest.fixture(scope="module")
def base() -> Iterator[httpx2.Client]:
    app = FastAPI()
    app.include_router(assets.router)
    with listening(app) as url, httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield client


def test_a_file_is_kept_for_good_and_sent_small(base: httpx2.Client) -> None:
    answer = base.get(assets.address("app.css"), headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.text == (assets.FOLDER / "app.css").read_text("utf-8")
    plain = base.get(assets.address("app.css"), headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/000000000000/app.css",
        "/static/000000000000/nothing.css",
        "/static/0/..%2F..%2Fapp.py",
        "/static/0/vendor/htmx/LICENSE",
    ],
)
def test_nothing_else_is_sent(base: httpx2.Client, path: str) -> None:
    assert base.get(path).status_code == 404


def test_a_page_loads_little_script_and_no_charts(site: Site) -> None:
    page = site.open("/")
    scripts = page.eval_on_selector_all("script[src]", "all => all.map(one => one.src)")
    names = ["/".join(one.split("/static/")[1].split("/")[1:]) for one in scripts]
    assert not [one for one in names if "echarts" in one]
    assert sum(len(gzip.compress(assets.asset(one).plain, 9)) for one in names) < MOST_SCRIPT_BYTES
