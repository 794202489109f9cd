"""Records that say the same in other words, by vectors of an endpoint or of a local model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpusmith import Studio
from corpusmith.contracts import CheckContext, Earlier
from corpusmith.errors import CorpusmithError
from corpusmith.quality.chain import build
from corpusmith.quality.semantic import SemanticDuplicates
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread
from corpusmith.values import Draft, Miss

ZH = CheckContext(language="zh")
VECTORS = {"热": [1.0, 0.0], "很热": [0.96, 0.28], "冷": [0.0, 1.0], "": [0.0, 0.0]}


class Vectors:
    """Fits contracts.Ask as far as this check needs it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, role: str, text: str) -> Sequence[float]:
        assert role == "embedder"
        self.asked.append(text)
        return VECTORS[text.strip()]


def saying(text: str) -> Draft:
    return Draft(content={"text": text}, raw=text)


async def _through(chain: Any, texts: Sequence[str], ask: Any) -> list[str]:
    """What becomes of each text: its own words, or the reason and what it is like."""
    ends = []
    for number, text in enumerate(texts):
        part = await chain.asked(saying(text), ask)
        part = await chain.compared(part, f"a#{number}", ask)
        ends.append(
            f"{part.detail['of']} {part.detail['similarity']}"
            if isinstance(part, Miss)
            else part.content["text"]
        )
    return ends


async def test_what_points_the_same_way_is_a_duplicate_of_the_first() -> None:
    chain = build({"semantic_duplicates": {"threshold": 0.95}}, ZH)
    assert (chain.asking, chain.comparing) == (True, True)
    assert await _through(chain, ["热", "冷", "很热", "热"], Vectors()) == [
        "热",
        "冷",
        "a#0 0.96",
        "a#0 1.0",
    ]


async def test_what_was_there_is_read_once_and_counts(tmp_path: Path) -> None:
    chain = build({"semantic_duplicates": {"threshold": 0.95}}, ZH)
    chain.learn([Earlier(place="#7", draft=saying("热"), own=False)])
    ask = Vectors()
    assert await _through(chain, ["很热", "冷"], ask) == ["#7 0.96", "冷"]
    assert sorted(ask.asked) == ["冷", "很热", "热"]


async def test_a_check_of_the_task_alone_does_not_read_the_dataset() -> None:
    chain = build({"semantic_duplicates": {"scope": "task"}}, ZH)
    chain.learn([Earlier(place="#7", draft=saying("热"), own=False)])
    assert await _through(chain, ["热"], Vectors()) == ["热"]


async def test_another_models_vectors_are_refused_with_both_sizes() -> None:
    chain = build({"semantic_duplicates": {}}, ZH)
    await _through(chain, ["热"], Vectors())

    class Wide(Vectors):
        async def embed(self, role: str, text: str) -> Sequence[float]:
            return [1.0, 0.0, 0.0]

    with pytest.raises(CorpusmithError) as caught:
        await _through(chain, ["冷"], Wide())
    assert (caught.value.reason, caught.value.data) == (
        "semantic_dimensions",
        {"found": 3, "known": 2},
    )


@pytest.mark.parametrize("seed", range(3))
async def test_the_nearest_of_many_is_found_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(9000, 16))

    class Rows:
        async def embed(self, role: str, text: str) -> Sequence[float]:
            return [float(one) for one in rows[int(text)]]

    check = SemanticDuplicates(threshold=1.0)
    check.learn(
        [Earlier(place=str(n), draft=saying(str(n)), own=True) for n in range(len(rows) - 1)]
    )
    check._threshold = -1.0
    verdict = await check.compare(saying(str(len(rows) - 1)), Rows())
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = unit[:-1] @ unit[-1]
    assert verdict.detail["of"] == str(int(np.argmax(cosines)))
    assert verdict.detail["similarity"] == pytest.approx(float(cosines.max()), abs=2e-3)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"threshold": 0.2}, "semantic_threshold"),
        ({"threshold": float("nan")}, "semantic_threshold"),
        ({"threshold": "0.9"}, "semantic_threshold"),
        ({"scope": "world"}, "check_choice"),
        ({"fields": "question"}, "check_texts"),
        ({"max_chars": 0}, "check_at_least"),
        ({"local": "/no/such/folder"}, "semantic_no_model"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(CorpusmithError) as caught:
        build({"semantic_duplicates": options}, ZH)
    assert caught.value.reason == code


# ---------------------------------------------------------------- in a task, with real HTTP


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(seed=3)) as running:
        yield running


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with Studio(f"sqlite:///{tmp_path}/semantic.db", language="zh") as opened:
        yield opened


def task_of(simulator: Running, **fields: Any) -> dict[str, Any]:
    return {
        "template": {"name": "t", "prompt": "用一句话介绍{topic}。"},
        "vars": {"topic": ["茶", "山"]},
        "count": 30,
        "seed": 5,
        "max_attempts_multiplier": 20,
        "connection": {"base_url": simulator.url, "model": "m"},
        "roles": {"embedder": {"base_url": simulator.url, "model": "vectors"}},
        "checks": {"semantic_duplicates": {"threshold": 0.8}},
        **fields,
    }


def test_a_tasks_records_are_no_nearer_than_the_threshold(
    studio: Studio, simulator: Running
) -> None:
    from corpusmith.simulator.wire_embeddings import vector

    result = studio.generate(**task_of(simulator))
    texts = [
        "\n".join(record.content.values()) for record in studio.tasks.first(result.task_id, 99)
    ]
    rows = np.array([vector(text) for text in texts])
    near = rows @ rows.T - 2 * np.eye(len(rows))
    assert len(texts) == result.counts.accepted >= 10
    assert near.max() < 0.8 + 2e-3
    misses = studio.tasks.misses(result.task_id, limit=1000)
    assert misses, "the simulator says much the same about tea"
    assert {miss.reason for miss in misses} == {"semantic_duplicate"}


def test_vectors_are_paid_once_also_by_another_task(studio: Studio, simulator: Running) -> None:
    first = studio.generate(**task_of(simulator))
    again = studio.generate(**task_of(simulator))
    assert first.spend.calls > 0
    assert again.spend.calls == 0
    assert again.counts == first.counts


@pytest.mark.parametrize(
    ("roles", "code"),
    [
        ({}, "embedder_missing"),
        ({"embedder": {"provider": "anthropic", "model": "m"}}, "embedder_protocol"),
    ],
)
def test_a_task_without_a_model_for_vectors_costs_nothing(
    studio: Studio, simulator: Running, roles: Any, code: str
) -> None:
    with pytest.raises(CorpusmithError) as caught:
        studio.tasks.create(**task_of(simulator, roles=roles))
    assert caught.value.reason == code
    assert studio.tasks.list() == []


def test_the_simulators_vectors_are_what_openais_own_client_expects(simulator: Running) -> None:
    import openai

    with openai.OpenAI(base_url=simulator.url, api_key="k") as client:
        answer = client.embeddings.create(model="m", input=["红茶", "红茶好喝", "excel"])
    one, two, three = (np.array(row.embedding) for row in answer.data)
    assert answer.usage.prompt_tokens > 0
    assert float(one @ two) > 0.4 > float(one @ three)
    assert float(np.linalg.norm(one)) == pytest.approx(1, abs=1e-5)


def test_a_local_model_needs_no_endpoint(
    studio: Studio, simulator: Running, tmp_path: Path
) -> None:
    folder = _tiny_model(tmp_path / "model")
    fields = task_of(simulator, roles={})
    fields["checks"] = {"semantic_duplicates": {"threshold": 0.999, "local": str(folder)}}
    result = studio.generate(**fields)
    assert result.counts.accepted == 30
    assert result.spend.calls < 200


def _tiny_model(folder: Path) -> Path:
    """A model2vec model with random weights for single characters."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split

    signs = [chr(code) for code in range(0x4E00, 0x9FFF)]
    vocabulary = {"[UNK]": 0, **{sign: at for at, sign in enumerate(signs, 1)}}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split("", "isolated")
    weights = np.random.default_rng(1).normal(size=(len(vocabulary), 32)).astype(np.float32)
    StaticModel(vectors=weights, tokenizer=tokenizer, config={}).save_pretrained(str(folder))
    return folder


@pytest.mark.parametrize("fault", ["rate_limit", "error_500", "cut_json", "reset", "html"])
def test_a_bad_network_costs_no_vector_and_changes_no_verdict(
    studio: Studio, simulator: Running, fault: str
) -> None:
    """The embedder's endpoint fails every tenth time; what comes out is what comes out in peace."""
    peace = studio.generate(**task_of(simulator))
    with run_in_thread(SimulatorConfig(faults={fault: 0.1})) as broken:
        roles = {"embedder": {"base_url": broken.url, "model": "vectors"}}
        result = studio.generate(**task_of(simulator, roles=roles))
        assert broken.stats()["by_fault"][fault] > 0
    assert result.counts == peace.counts
    found = [
        [(record.category, record.ordinal, record.content) for record in records]
        for records in (
            studio.store.records.iterate(task_id=peace.task_id),
            studio.store.records.iterate(task_id=result.task_id),
        )
    ]
    assert found[0] == found[1]
