"""What differs from item to item of self-play: one entry of each list, by the seed.

Owns: dealing. Does not own: the lists (a domain's), or how they are worded (its prompts).

The spread list and every list with weights are decks: shuffled, dealt to the end, shuffled again;
so over any stretch of items they come as often as their weights say. From the others each entry
of the spread list gets its own row of combinations (`variation.py`): none comes twice with it
before all have come once.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpusmith.recipes.selfplay_domain import Domain, Entry
from corpusmith.recipes.variation import Variation


class Variety:
    """The draws of one domain."""

    def __init__(self, domain: Domain) -> None:
        self.spread = domain.spread or next(iter(domain.axes))
        self._names = tuple(domain.axes)
        weighted = {
            name: _Deck(name, entries)
            for name, entries in domain.axes.items()
            if name != self.spread and any(entry.weight != 1 for entry in entries)
        }
        self._weighted = weighted
        self._spread = _Deck(self.spread, domain.axes[self.spread])
        self._rest = Variation(
            {
                name: [entry.text for entry in entries]
                for name, entries in domain.axes.items()
                if name != self.spread and name not in weighted
            }
        )

    def pick(self, seed: int, index: int) -> dict[str, str]:
        """The draw of the item `index` (from 0), by list name, in the domain's order. Pure."""
        text, times = self._spread.deal(seed, index)
        drawn = {self.spread: text, **self._rest.pick(seed, text, times)}
        for name, deck in self._weighted.items():
            drawn[name] = deck.deal(seed, index)[0]
        return {name: drawn[name] for name in self._names}


class _Deck:
    """A list as cards, as many of an entry as it weighs."""

    def __init__(self, name: str, entries: Sequence[Entry]) -> None:
        self._name = name
        self._cards = [(entry, copy) for entry in entries for copy in range(entry.weight)]
        self._order = Variation({"card": [str(number) for number in range(len(self._cards))]})

    def deal(self, seed: int, index: int) -> tuple[str, int]:
        """(text, how often this entry was dealt before) of the card `index`."""
        place = int(self._order.pick(seed, self._name, index).get("card", 0))
        entry, copy = self._cards[place]
        return entry.text, index // len(self._cards) * entry.weight + copy
