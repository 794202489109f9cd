"""What goes over the wire is, field by field, what the vendor's own SDK sends for the same call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field
from recorder import ANSWER, Recorder, Seen, recording

from corpusmith.contracts import Provider, Secret
from corpusmith.providers.connect import connection_of
from corpusmith.registry import load
from corpusmith.values import (
    ChatRequest,
    Message,
    Reply,
    Sampling,
    Schema,
    StructuredMode,
    Usage,
)
from later import Later

if TYPE_CHECKING:
    import anthropic
    import openai
    from google import genai
    from google.genai import types as genai_types
else:
    anthropic, openai = Later("anthropic"), Later("openai")
    genai, genai_types = Later("google.genai"), Later("google.genai.types")

# google-genai makes a subclass of aiohttp's session, which aiohttp deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

KEY = "sk-canary-1234567890"
DIALOGUE = (
    Message("system", "你是林。"),
    Message("user", "早上好"),
    Message("assistant", "早。"),
    Message("user", "吃了吗？"),
)
EVERYTHING = Sampling(
    temperature=0.0, top_p=0.9, max_tokens=64, seed=0, stop=("END", "完"), extra={}
)

MEANINGFUL = {
    "openai": ("authorization", "content-type", "accept"),
    "gemini": ("x-goog-api-key", "content-type"),
    "anthropic": ("authorization", "x-api-key", "content-type", "accept", "anthropic-version"),
}

INTENDED = {
    "openai parse": "it writes `stream: false`, which is the default, when it parses",
    "openai strict": "it claims `strict` for keywords that the strict mode does not have",
    "anthropic sampling": "it takes temperature and top_p by extra_body only; the wire is the same",
    "page size": "we ask for 1,000 models a page, the SDKs for what the endpoint likes",
    "content-type": "we say it in a GET too, where there is no body; only Google's SDK does",
}
"""What the SDK does otherwise, and why we do not. Whatever is not here must be equal."""


class Dialogue(BaseModel):
    turns: list[str] = Field(min_length=2, max_length=6)
    mood: str | None = Field(max_length=20, default=None)


class Closed(BaseModel):
    turns: list[str] = Field(min_length=2)
    note: str | None


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with recording() as one:
        yield one


def provider_at(name: str, url: str) -> Provider:
    path = "/v1" if name == "openai" else ""
    connection = connection_of(name="test", provider=name, base_url=url + path, model="m-1")
    provider: Provider = load("provider", name)(connection, Secret(KEY))
    return provider


async def ours(recorder: Recorder, name: str, request: ChatRequest) -> tuple[Seen, Reply]:
    provider = provider_at(name, recorder.url)
    try:
        reply = await provider.chat(request)
    finally:
        await provider.close()
    return recorder.seen[-1], reply


def assert_same(name: str, our: Seen, their: Seen) -> None:
    names = MEANINGFUL[name]
    assert (our.method, our.path, our.query) == (their.method, their.path, their.query)
    assert our.meaningful(names) == their.meaningful(names)
    assert our.body == their.body


def openai_client(recorder: Recorder) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=KEY, base_url=f"{recorder.url}/v1", max_retries=0)


def anthropic_client(recorder: Recorder) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(api_key=KEY, base_url=recorder.url, max_retries=0)


def gemini_client(recorder: Recorder) -> genai.Client:
    options = genai_types.HttpOptions(base_url=recorder.url)
    return genai.Client(api_key=KEY, http_options=options)


def contents(messages: tuple[Message, ...]) -> list[genai_types.Content]:
    roles = {"user": "user", "assistant": "model"}
    return [
        genai_types.Content(role=roles[m.role], parts=[genai_types.Part(text=m.content)])
        for m in messages
        if m.role != "system"
    ]


def plain(messages: tuple[Message, ...]) -> list[Any]:
    return [{"role": m.role, "content": m.content} for m in messages]


async def test_openai_chat_with_every_parameter(recorder: Recorder) -> None:
    async with openai_client(recorder) as client:
        await client.chat.completions.create(
            model="m-1",
            messages=plain(DIALOGUE),
            temperature=0.0,
            top_p=0.9,
            max_tokens=64,
            seed=0,
            stop=["END", "完"],
        )
    request = ChatRequest(model="m-1", messages=DIALOGUE, sampling=EVERYTHING)
    our, reply = await ours(recorder, "openai", request)
    assert_same("openai", our, recorder.seen[0])
    assert reply == Reply(
        text=ANSWER,
        finish="stop",
        usage=Usage(prompt_tokens=7, completion_tokens=5),
        model="m-1",
        request_id="chatcmpl-1",
    )


async def test_openai_structured_output(recorder: Recorder) -> None:
    async with openai_client(recorder) as client:
        await client.chat.completions.parse(
            model="m-1", messages=plain(DIALOGUE[1:2]), response_format=Dialogue
        )
    their = recorder.seen[0]
    assert their.body.pop("stream") is False, INTENDED["openai parse"]
    sent = their.body["response_format"]["json_schema"]["schema"]
    schema = Schema(name="Dialogue", body=sent)
    request = ChatRequest(model="m-1", messages=DIALOGUE[1:2], schema=schema, mode="schema")
    our, _ = await ours(recorder, "openai", request)
    assert our.body["response_format"]["json_schema"].pop("strict") is False
    assert their.body["response_format"]["json_schema"].pop("strict"), INTENDED["openai strict"]
    assert_same("openai", our, their)


async def test_openai_strict_structured_output(recorder: Recorder) -> None:
    async with openai_client(recorder) as client:
        with pytest.raises(ValueError, match="note"):
            await client.chat.completions.parse(
                model="m-1", messages=plain(DIALOGUE[1:2]), response_format=Closed
            )
    their = recorder.seen[0]
    their.body.pop("stream")
    schema = Schema(name="Closed", body=their.body["response_format"]["json_schema"]["schema"])
    request = ChatRequest(model="m-1", messages=DIALOGUE[1:2], schema=schema, mode="schema")
    our, _ = await ours(recorder, "openai", request)
    assert_same("openai", our, their)


async def test_openai_json_mode(recorder: Recorder) -> None:
    async with openai_client(recorder) as client:
        await client.chat.completions.create(
            model="m-1",
            messages=plain(DIALOGUE[1:2]),
            response_format={"type": "json_object"},
            max_completion_tokens=9,
        )
    provider = load("provider", "openai")(
        connection_of(
            name="test",
            base_url=f"{recorder.url}/v1",
            extra={"max_tokens_field": "max_completion_tokens"},
        ),
        Secret(KEY),
    )
    await provider.chat(
        ChatRequest(
            model="m-1",
            messages=DIALOGUE[1:2],
            schema=Schema(name="x", body={}),
            mode="json",
            sampling=Sampling(max_tokens=9),
        )
    )
    await provider.close()
    assert_same("openai", recorder.seen[1], recorder.seen[0])


async def test_gemini_chat_with_every_parameter(recorder: Recorder) -> None:
    config = genai_types.GenerateContentConfig(
        system_instruction="你是林。",
        temperature=0.0,
        top_p=0.9,
        max_output_tokens=64,
        seed=0,
        stop_sequences=["END", "完"],
    )
    async with gemini_client(recorder).aio as client:
        await client.models.generate_content(
            model="m-1", contents=contents(DIALOGUE), config=config
        )
    request = ChatRequest(model="m-1", messages=DIALOGUE, sampling=EVERYTHING)
    our, reply = await ours(recorder, "gemini", request)
    assert_same("gemini", our, recorder.seen[0])
    assert reply == Reply(
        text=ANSWER,
        finish="stop",
        usage=Usage(prompt_tokens=7, completion_tokens=5),
        model="m-1",
        request_id="r-1",
    )


@pytest.mark.parametrize("mode", ["schema", "json"])
async def test_gemini_structured_output(recorder: Recorder, mode: StructuredMode) -> None:
    body = Dialogue.model_json_schema()
    config = genai_types.GenerateContentConfig(
        response_mime_type="application/json",
        response_json_schema=body if mode == "schema" else None,
    )
    async with gemini_client(recorder).aio as client:
        await client.models.generate_content(
            model="tunedModels/m-1", contents=contents(DIALOGUE[1:2]), config=config
        )
    schema = Schema(name="Dialogue", body=body)
    request = ChatRequest(model="tunedModels/m-1", messages=DIALOGUE[1:2], schema=schema, mode=mode)
    our, _ = await ours(recorder, "gemini", request)
    assert_same("gemini", our, recorder.seen[0])


async def test_anthropic_chat_with_every_parameter(recorder: Recorder) -> None:
    async with anthropic_client(recorder) as client:
        await client.messages.create(
            model="m-1",
            max_tokens=64,
            system="你是林。",
            messages=plain(DIALOGUE[1:]),
            stop_sequences=["END", "完"],
            extra_body={"temperature": 0.0, "top_p": 0.9},
        )
    request = ChatRequest(model="m-1", messages=DIALOGUE, sampling=EVERYTHING)
    our, reply = await ours(recorder, "anthropic", request)
    assert_same("anthropic", our, recorder.seen[0])
    assert reply == Reply(
        text=ANSWER,
        finish="stop",
        usage=Usage(prompt_tokens=7, completion_tokens=5),
        model="m-1",
        request_id="msg_1",
    )


async def test_anthropic_structured_output(recorder: Recorder) -> None:
    async with anthropic_client(recorder) as client:
        await client.messages.parse(
            model="m-1", max_tokens=64, messages=plain(DIALOGUE[1:2]), output_format=Dialogue
        )
    schema = Schema(name="Dialogue", body=Dialogue.model_json_schema())
    request = ChatRequest(
        model="m-1",
        messages=DIALOGUE[1:2],
        schema=schema,
        mode="schema",
        sampling=Sampling(max_tokens=64),
    )
    our, _ = await ours(recorder, "anthropic", request)
    assert_same("anthropic", our, recorder.seen[0])


async def test_anthropic_forced_tool(recorder: Recorder) -> None:
    body = Dialogue.model_json_schema()
    async with anthropic_client(recorder) as client:
        await client.messages.create(
            model="m-1",
            max_tokens=4096,
            messages=plain(DIALOGUE[1:2]),
            tools=[{"name": "Dialogue", "input_schema": body}],
            tool_choice={"type": "tool", "name": "Dialogue"},
        )
    schema = Schema(name="Dialogue", body=body)
    request = ChatRequest(model="m-1", messages=DIALOGUE[1:2], schema=schema, mode="tool")
    our, _ = await ours(recorder, "anthropic", request)
    assert_same("anthropic", our, recorder.seen[0])


async def test_openai_model_list(recorder: Recorder) -> None:
    async with openai_client(recorder) as client:
        theirs = [model.id async for model in client.models.list()]
    assert await models_like_sdk(recorder, "openai") == theirs == ["b", "a"]


async def test_gemini_model_list_over_all_pages(recorder: Recorder) -> None:
    async with gemini_client(recorder).aio as client:
        config = genai_types.ListModelsConfig(page_size=1000)  # INTENDED["page size"]
        theirs = [model.name async for model in await client.models.list(config=config)]
    assert await models_like_sdk(recorder, "gemini") == ["gemini-a", "gemini-b"]
    assert theirs == ["models/gemini-a", "models/embed", "models/gemini-b"]


async def test_anthropic_model_list_over_all_pages(recorder: Recorder) -> None:
    async with anthropic_client(recorder) as client:
        theirs = [model.id async for model in client.models.list(limit=1000)]
    assert await models_like_sdk(recorder, "anthropic") == theirs == ["claude-a", "claude-b"]


async def models_like_sdk(recorder: Recorder, name: str) -> list[str]:
    """Our model list, after comparing its requests with the SDK's, which are recorded."""
    theirs = list(recorder.seen)
    recorder.seen.clear()
    provider = provider_at(name, recorder.url)
    models = await provider.models()
    await provider.close()
    names = tuple(one for one in MEANINGFUL[name] if one not in INTENDED)
    for our, their in zip(recorder.seen, theirs, strict=True):
        assert (our.method, our.path, our.query) == (their.method, their.path, their.query)
        assert our.meaningful(names) == their.meaningful(names)
    return models
