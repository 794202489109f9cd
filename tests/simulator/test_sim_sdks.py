"""The vendors' own SDKs as clients, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel

from corpusmith.simulator import Running, SimulatorConfig, run_in_thread
from later import Later

if TYPE_CHECKING:
    import anthropic
    import openai
    from google import genai
    from google.genai import errors as genai_errors
    from google.genai import types as genai_types
else:
    anthropic, openai = Later("anthropic"), Later("openai")
    genai, genai_errors = Later("google.genai"), Later("google.genai.errors")
    genai_types = Later("google.genai.types")


class Line(BaseModel):
    role: Literal["user", "assistant"]
    content: str


class Talk(BaseModel):
    title: str
    lines: list[Line]
    score: int | None


TALK = Talk.model_json_schema()
PROMPT = "请围绕日常对话写 2 轮对话，用 JSON 回答。"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(require_key="right", record=10)) as running:
        yield running


@pytest.fixture
def to_openai(simulator: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{simulator.url}/v1", api_key="right", max_retries=0) as client:
        yield client


@pytest.fixture
def to_anthropic(simulator: Running) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=simulator.url, api_key="right", max_retries=0) as client:
        yield client


@pytest.fixture
def to_gemini(simulator: Running) -> Iterator[genai.Client]:
    options = genai_types.HttpOptions(base_url=simulator.url)
    client = genai.Client(api_key="right", http_options=options)
    yield client
    client.close()


def ask(text: str) -> Any:
    return [{"role": "user", "content": text}]


def alternates(talk: Talk) -> bool:
    return [line.role for line in talk.lines] == ["user", "assistant"] * 2


def test_openai_creates(to_openai: openai.OpenAI) -> None:
    reply = to_openai.chat.completions.create(model="m", messages=ask("怎样学做菜？请回答。"))
    choice, usage = reply.choices[0], reply.usage
    assert usage is not None
    assert (choice.finish_reason, choice.message.role, reply.model) == ("stop", "assistant", "m")
    assert len(choice.message.content or "") > 60
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 0


def test_openai_parses_structured_output(to_openai: openai.OpenAI) -> None:
    reply = to_openai.chat.completions.parse(model="m", messages=ask(PROMPT), response_format=Talk)
    talk = reply.choices[0].message.parsed
    assert talk is not None and alternates(talk)


def test_openai_streams_the_same_text_that_it_sends_whole(to_openai: openai.OpenAI) -> None:
    whole = to_openai.chat.completions.create(model="m", messages=ask("说说晨跑"))
    stream = to_openai.chat.completions.create(
        model="m",
        messages=ask("说说晨跑"),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage


def test_openai_calls_a_forced_tool(to_openai: openai.OpenAI) -> None:
    reply = to_openai.chat.completions.create(
        model="m",
        messages=ask(PROMPT),
        tools=[{"type": "function", "function": {"name": "talk", "parameters": TALK}}],
        tool_choice={"type": "function", "function": {"name": "talk"}},
    )
    call = (reply.choices[0].message.tool_calls or [])[0]
    assert call.type == "function" and call.function.name == "talk"
    assert alternates(Talk.model_validate_json(call.function.arguments))


def test_openai_json_mode_gives_an_object(to_openai: openai.OpenAI) -> None:
    reply = to_openai.chat.completions.create(
        model="m",
        messages=ask('用 JSON 回答：{"question": "…", "answer": "…"}'),
        response_format={"type": "json_object"},
    )
    found = json.loads(reply.choices[0].message.content or "")
    assert list(found) == ["question", "answer"]


def test_openai_reports_reasoning_tokens(to_openai: openai.OpenAI) -> None:
    reply = to_openai.chat.completions.create(
        model="m", messages=ask("怎么存钱？"), reasoning_effort="high"
    )
    assert reply.usage is not None and reply.usage.completion_tokens_details is not None
    assert (reply.usage.completion_tokens_details.reasoning_tokens or 0) > 0


def test_openai_lists_models(to_openai: openai.OpenAI) -> None:
    assert [model.id for model in to_openai.models.list()] == list(SimulatorConfig().models)


def test_openai_refuses_a_wrong_key(simulator: Running) -> None:
    client = openai.OpenAI(base_url=f"{simulator.url}/v1", api_key="wrong", max_retries=0)
    with client, pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model="m", messages=ask("你好"))
    assert caught.value.code == "invalid_api_key"


def test_openai_names_the_parameter_that_it_refuses(to_openai: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        to_openai.chat.completions.create(model="m", messages=ask("你好"), temperature=3)
    assert caught.value.param == "temperature"


async def test_openai_works_asynchronously(simulator: Running) -> None:
    async with openai.AsyncOpenAI(base_url=f"{simulator.url}/v1", api_key="right") as client:
        reply = await client.chat.completions.create(model="m", messages=ask("你好"))
        assert reply.choices[0].message.content


def test_anthropic_creates(to_anthropic: anthropic.Anthropic) -> None:
    reply = to_anthropic.messages.create(
        model="c", max_tokens=2000, system="你是专家。", messages=ask("怎样学做菜？")
    )
    assert (reply.stop_reason, reply.role, reply.content[0].type) == (
        "end_turn",
        "assistant",
        "text",
    )
    assert reply.usage.output_tokens > 30


def test_anthropic_uses_a_forced_tool(to_anthropic: anthropic.Anthropic) -> None:
    reply = to_anthropic.messages.create(
        model="c",
        max_tokens=4000,
        messages=ask(PROMPT),
        tools=[{"name": "talk", "input_schema": Talk.model_json_schema()}],
        tool_choice={"type": "tool", "name": "talk"},
    )
    block = reply.content[0]
    assert (reply.stop_reason, block.type) == ("tool_use", "tool_use")
    assert alternates(Talk.model_validate(block.input))


def test_anthropic_keeps_an_output_format(to_anthropic: anthropic.Anthropic) -> None:
    reply = to_anthropic.messages.parse(
        model="c", max_tokens=4000, messages=ask(PROMPT), output_format=Talk
    )
    assert reply.parsed_output is not None and alternates(reply.parsed_output)


def test_anthropic_thinks_in_a_block_of_its_own(to_anthropic: anthropic.Anthropic) -> None:
    reply = to_anthropic.messages.create(
        model="c",
        max_tokens=4000,
        messages=ask("怎么存钱？"),
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert [block.type for block in reply.content] == ["thinking", "text"]


def test_anthropic_lists_models(to_anthropic: anthropic.Anthropic) -> None:
    assert [model.id for model in to_anthropic.models.list()] == list(SimulatorConfig().models)


def test_anthropic_refuses_a_wrong_key(simulator: Running) -> None:
    client = anthropic.Anthropic(base_url=simulator.url, api_key="wrong", max_retries=0)
    with client, pytest.raises(anthropic.AuthenticationError):
        client.messages.create(model="c", max_tokens=10, messages=ask("你好"))


def test_gemini_generates(to_gemini: genai.Client) -> None:
    reply = to_gemini.models.generate_content(model="g", contents="怎样学做菜？请回答。")
    assert reply.text and len(reply.text) > 60
    assert reply.candidates and reply.candidates[0].finish_reason == genai_types.FinishReason.STOP
    usage = reply.usage_metadata
    assert usage is not None
    assert usage.total_token_count == (usage.prompt_token_count or 0) + (
        usage.candidates_token_count or 0
    )


def test_gemini_keeps_a_response_schema(to_gemini: genai.Client) -> None:
    config = genai_types.GenerateContentConfig(
        response_mime_type="application/json", response_schema=Talk, max_output_tokens=4000
    )
    reply = to_gemini.models.generate_content(model="g", contents=PROMPT, config=config)
    assert isinstance(reply.parsed, Talk) and alternates(reply.parsed)


def test_gemini_keeps_a_json_schema(to_gemini: genai.Client) -> None:
    config = genai_types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=Talk.model_json_schema()
    )
    reply = to_gemini.models.generate_content(model="g", contents=PROMPT, config=config)
    assert alternates(Talk.model_validate_json(reply.text or ""))


def test_gemini_lists_models(to_gemini: genai.Client) -> None:
    names = [model.name for model in to_gemini.models.list()]
    assert names == [f"models/{name}" for name in SimulatorConfig().models]


def test_gemini_refuses_a_wrong_key(simulator: Running) -> None:
    options = genai_types.HttpOptions(base_url=simulator.url)
    client = genai.Client(api_key="wrong", http_options=options)
    with pytest.raises(genai_errors.ClientError) as caught:
        client.models.generate_content(model="g", contents="你好")
    client.close()
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")


def test_no_key_is_kept_with_the_recorded_requests(simulator: Running) -> None:
    assert "right" not in json.dumps([one["headers"] for one in simulator.requests()])
