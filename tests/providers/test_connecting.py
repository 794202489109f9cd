"""Presets, prices, base URLs, and the connection that comes of them."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from corpusmith.contracts import Secret
from corpusmith.errors import NotFound, SpecError
from corpusmith.providers.base_url import normalise_base_url
from corpusmith.providers.connect import connection_of
from corpusmith.providers.headers import request_headers
from corpusmith.providers.presets import Preset, preset, preset_names, price_of
from corpusmith.registry import load
from corpusmith.values import Connection, Limits, Price, Timeouts

PRESETS = {
    "openai": ("openai", "https://api.openai.com/v1", "OPENAI_API_KEY"),
    "gemini": ("gemini", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY"),
    "anthropic": ("anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    "together": ("openai", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "qwen": (
        "openai",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
    ),
    "ernie": ("openai", "https://qianfan.baidubce.com/v2", "QIANFAN_API_KEY"),
    "deepseek": ("openai", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "zhipu": ("openai", "https://open.bigmodel.cn/api/paas/v4", "ZHIPUAI_API_KEY"),
    "ark": ("openai", "https://ark.cn-beijing.volces.com/api/v3", "ARK_API_KEY"),
    "siliconflow": ("openai", "https://api.siliconflow.cn/v1", "SILICONFLOW_API_KEY"),
    "moonshot": ("openai", "https://api.moonshot.cn/v1", "MOONSHOT_API_KEY"),
    "minimax": ("openai", "https://api.minimax.io/v1", "MINIMAX_API_KEY"),
    "hunyuan": ("openai", "https://api.hunyuan.cloud.tencent.com/v1", "HUNYUAN_API_KEY"),
    "openrouter": ("openai", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "vllm": ("openai", "http://localhost:8000/v1", None),
    "llamacpp": ("openai", "http://localhost:8080/v1", None),
    "lmstudio": ("openai", "http://localhost:1234/v1", None),
    "ollama": ("openai", "http://localhost:11434/v1", None),
}


def test_every_known_provider_is_a_preset() -> None:
    found = {name: preset(name) for name in preset_names()}
    assert {
        name: (one.protocol, one.base_url, one.key_env) for name, one in found.items()
    } == PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_provider_whose_last_way_is_the_prompt(name: str) -> None:
    connection = connection_of(name=name, provider=name)
    provider = load("provider", connection.protocol)(connection, None)
    assert provider.modes[-1] == "prompt"
    if preset(name).modes:
        assert provider.modes == preset(name).modes


def test_a_preset_is_a_value() -> None:
    assert preset("deepseek") == Preset(
        name="deepseek",
        title="DeepSeek",
        protocol="openai",
        base_url="https://api.deepseek.com/v1",
        key_env="DEEPSEEK_API_KEY",
        modes=("json", "prompt"),
    )


def test_an_unknown_provider_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(NotFound) as caught:
        preset("nobody")
    assert "deepseek" in caught.value.message("zh")


# ------------------------------------------------------------------ prices


def test_every_price_names_its_day_and_its_source() -> None:
    rows = json.loads((resources.files("corpusmith") / "presets/prices.json").read_text("utf-8"))
    keys = [(row["provider"], row["model"]) for row in rows]
    assert len(set(keys)) == len(keys)
    for row in rows:
        assert row["provider"] in PRESETS
        assert 0 <= row.get("cached_usd", 0) <= row["input_usd"] <= row["output_usd"]
        assert row["as_of"] and row["source"].startswith("https://")


OPENAI = "https://api.openai.com/v1"
MINI = Price(input_usd=0.15, output_usd=0.6, cached_usd=0.075)
PRICES: dict[str, tuple[tuple[str, str, str], Price | None]] = {
    "listed": (("openai", OPENAI, "gpt-4o-mini"), MINI),
    "a snapshot": (("openai", OPENAI, "gpt-4o-mini-2024-07-18"), MINI),
    "a snapshot with its own price": (
        ("openai", OPENAI, "gpt-4o-2024-05-13"),
        Price(input_usd=5, output_usd=15),
    ),
    "another model with the same beginning": (("openai", OPENAI, "gpt-4o-mini-audio"), None),
    "an unknown model": (("openai", OPENAI, "gpt-99"), None),
    "another address": (("openai", "https://proxy.example/v1", "gpt-4o-mini"), None),
    "an unknown provider": (("nobody", OPENAI, "gpt-4o-mini"), None),
    "Gemini's long name": (
        ("gemini", PRESETS["gemini"][1], "models/gemini-2.5-flash-lite"),
        Price(input_usd=0.1, output_usd=0.4),
    ),
    "one's own machine": (
        ("ollama", PRESETS["ollama"][1], "qwen3:8b"),
        Price(input_usd=0, output_usd=0),
    ),
}


@pytest.mark.parametrize("name", PRICES)
def test_a_price_is_known_only_where_it_is_listed(name: str) -> None:
    asked, expected = PRICES[name]
    assert price_of(*asked) == expected


# ------------------------------------------------------------------ base URLs

GOOD = {
    "https://api.example.com/v1": "https://api.example.com/v1",
    "https://api.example.com/v1/": "https://api.example.com/v1",
    "https://api.example.com//": "https://api.example.com",
    " HTTPS://API.Example.COM:443/V1 ": "https://api.example.com/V1",
    "http://localhost:8000": "http://localhost:8000",
    "http://127.0.0.1:80/v1": "http://127.0.0.1/v1",
    "http://[::1]:8000/v1": "http://[::1]:8000/v1",
    "https://例子.example/v1": "https://例子.example/v1",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_base_url_is_normalised(text: str) -> None:
    assert normalise_base_url(text) == GOOD[text]
    assert normalise_base_url(GOOD[text]) == GOOD[text]


BAD = {
    "api.example.com/v1": ("base_url_scheme", "api.example.com/v1"),
    "localhost:8000": ("base_url_scheme", "localhost:8000"),
    "": ("base_url_scheme", ""),
    "ftp://x/v1": ("base_url_scheme", "ftp://x/v1"),
    "file:///etc/passwd": ("base_url_scheme", "file:///etc/passwd"),
    "https:x": ("base_url_scheme", "…"),
    "sk-secret0123456789": ("base_url_scheme", "…"),
    "abc.SecretOfZhipu123": ("base_url_scheme", "…"),
    "https://me:sk/secret@x.example/v1": ("base_url_port", "https://x.example/v1"),
    "https://me:sk-secret@x.example/v1": ("base_url_user", "https://x.example/v1"),
    "https://sk-secret@x.example": ("base_url_user", "https://x.example"),
    "https://x.example/v1?key=sk-secret": ("base_url_query", "https://x.example/v1"),
    "https://x.example/v1#sk-secret": ("base_url_query", "https://x.example/v1"),
    "https://": ("base_url_host", "https://"),
    "https:///v1": ("base_url_host", "https:///v1"),
    "https://:8000/v1": ("base_url_host", "https://:8000/v1"),
    "https://x.example:port/v1": ("base_url_port", "https://x.example:port/v1"),
    "https://x.example:99999/v1": ("base_url_port", "https://x.example:99999/v1"),
    "https://[::1/v1": ("base_url_port", "https://[::1/v1"),
    "https://x example/v1": ("base_url_characters", "https://x?example/v1"),
    "https://x.example/\n/v1": ("base_url_characters", "https://x.example/?/v1"),
}


@pytest.mark.parametrize("text", BAD)
def test_a_base_url_that_cannot_be_one_is_refused_without_showing_a_secret(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        normalise_base_url(text)
    error = caught.value
    assert (error.reason, error.data["url"]) == BAD[text]
    assert "sk-secret" not in repr(error) + error.message("en") + error.message("zh")
    assert error.message("en") != error.message("zh")


# ------------------------------------------------------------------ connections


def test_a_preset_alone_makes_a_whole_connection() -> None:
    assert connection_of(name="ds", provider="deepseek", model="deepseek-chat") == Connection(
        name="ds",
        provider="deepseek",
        protocol="openai",
        base_url="https://api.deepseek.com/v1",
        model="deepseek-chat",
        key_env="DEEPSEEK_API_KEY",
        modes=("json", "prompt"),
    )


def test_at_an_address_of_ones_own_the_presets_key_ways_and_price_do_not_apply() -> None:
    base_url = "http://127.0.0.1:9/v1/"
    assert connection_of(name="x", provider="deepseek", base_url=base_url) == Connection(
        name="x", provider="deepseek", protocol="openai", base_url="http://127.0.0.1:9/v1"
    )


def test_the_presets_address_in_other_words_is_still_the_presets() -> None:
    connection = connection_of(name="x", base_url="https://API.OpenAI.com/v1/", model="gpt-4o-mini")
    assert (connection.key_env, connection.price) == ("OPENAI_API_KEY", MINI)


def test_every_wish_wins_over_the_preset() -> None:
    price = Price(input_usd=1, output_usd=2)
    assert connection_of(
        name="x",
        provider="anthropic",
        base_url="https://a.example",
        model="m",
        key_env="MY_KEY",
        rpm=1,
        tpm=2,
        concurrency=3,
        connect_s=4.0,
        total_s=5.0,
        price=price,
        proxy="http://127.0.0.1:3128/",
        ca_file="ca.pem",
        headers={"X-A": "b"},
        extra={"c": 1},
        modes=("tool",),
    ) == Connection(
        name="x",
        provider="anthropic",
        protocol="anthropic",
        base_url="https://a.example",
        model="m",
        key_env="MY_KEY",
        limits=Limits(requests_per_min=1, tokens_per_min=2, concurrency=3),
        timeouts=Timeouts(connect_s=4.0, total_s=5.0),
        price=price,
        proxy="http://127.0.0.1:3128",
        ca_file="ca.pem",
        headers={"X-A": "b"},
        extra={"c": 1},
        modes=("tool",),
    )


def test_a_stored_key_takes_the_place_of_the_variable() -> None:
    assert connection_of(name="x", key_stored=True).key_env is None


@pytest.mark.parametrize("proxy", ["127.0.0.1:3128", "socks5://x:1", "http://me:sk-secret@x:1"])
def test_a_proxy_that_cannot_be_used_is_refused_without_showing_a_secret(proxy: str) -> None:
    with pytest.raises(SpecError) as caught:
        connection_of(name="x", proxy=proxy)
    assert caught.value.reason == "bad_proxy"
    assert "sk-secret" not in repr(caught.value)


# ------------------------------------------------------------------ headers


def test_a_keys_line_end_is_taken_off() -> None:
    headers = request_headers(connection_of(name="x"), Secret(" sk-1\r\n"), "A: Bearer ", {})
    assert headers["a"] == "Bearer sk-1"


@pytest.mark.parametrize("key", ["", " \n", "sk-1\nX-Evil: 1", "sk-密钥", "sk-\x00"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(SpecError) as caught:
        request_headers(connection_of(name="x"), Secret(key), "A: ", {})
    assert (caught.value.reason, caught.value.data) == ("bad_key", {"connection": "x"})


@pytest.mark.parametrize(("name", "value"), [("X Y", "a"), ("X", "a\r\nB: c"), ("", "a")])
def test_a_header_that_cannot_be_sent_is_refused(name: str, value: str) -> None:
    with pytest.raises(SpecError) as caught:
        request_headers(connection_of(name="x", headers={name: value}), None, "A: ", {})
    assert caught.value.reason == "bad_header"
