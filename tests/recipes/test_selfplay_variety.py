"""What differs from item to item of self-play."""

from __future__ import annotations

from collections import Counter

import pytest
from selfplay_kit import domain

from corpusmith.presets import load as presets
from corpusmith.recipes.selfplay_domain import Domain
from corpusmith.recipes.selfplay_variety import Variety

THREE = {"who": ["a", "b", "c"], "what": ["x", "y"], "where": ["1", "2", "3", "4"]}


def variety(**axes: object) -> Variety:
    prompts = domain()["prompts"]
    prompts["learner"] = {"user": " ".join(f"{{{name}}}" for name in axes)}
    return Variety(Domain.model_validate(domain(axes=axes, prompts=prompts)))


def test_no_combination_comes_twice_before_all_have_come() -> None:
    made = variety(**THREE)
    drawn = [tuple(made.pick(5, index).values()) for index in range(24)]
    assert len(set(drawn)) == 24


def test_the_spread_list_is_dealt_evenly_at_any_length() -> None:
    made = variety(**THREE)
    for length in (1, 2, 3, 10, 100):
        dealt = Counter(made.pick(5, index)["who"] for index in range(length))
        assert max(dealt.values()) - min(dealt[one] for one in "abc") <= 1


def test_weights_are_kept_over_every_lap() -> None:
    made = variety(
        who=[{"text": "a", "weight": 3}, "b"], what=[{"text": "x", "weight": 4}, "y"], where=["1"]
    )
    drawn = [made.pick(9, index) for index in range(20)]
    assert Counter(one["who"] for one in drawn) == {"a": 15, "b": 5}
    assert Counter(one["what"] for one in drawn) == {"x": 16, "y": 4}


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    made = variety(**THREE)
    rows = [[made.pick(seed, index) for index in range(12)] for seed in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]
    assert list(rows[0][0]) == ["who", "what", "where"]


def test_one_list_of_one_entry_is_enough() -> None:
    assert variety(who=["a"]).pick(1, 7) == {"who": "a"}


@pytest.mark.parametrize("name", sorted(presets.domains()))
def test_a_shipped_domain_draws_a_thousand_different_askers(name: str) -> None:
    made = Variety(Domain.model_validate(presets.domain(name)))
    drawn = [tuple(made.pick(1, index).values()) for index in range(1000)]
    assert len(set(drawn)) == 1000
