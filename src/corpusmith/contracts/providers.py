"""What a model endpoint promises, and the key that it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from corpusmith.values import ChatRequest, Connection, Reply, StructuredMode


class Secret:
    """A key in memory. Shows itself to nobody: `reveal()` is the only way in."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a Secret cannot be pickled")


class Provider(Protocol):
    """A model endpoint that speaks one protocol. Constructed as `cls(connection, key)`."""

    modes: tuple[StructuredMode, ...]
    """The ways to ask for a schema that this protocol has, best first, ending in `prompt`."""

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        """One call. `timeout_s` None: the connection's `total_s`.

        Raises ProviderError (its tree in `errors.py`). A reply with finish `length` or `refusal`
        is returned, not raised: it was completed and paid.
        """

    async def models(self) -> list[str]:
        """Names of the models that the endpoint offers, in its order. Raises ProviderError."""

    async def close(self) -> None:
        """Give back sockets. May be called twice."""


ProviderFactory = Callable[[Connection, Secret | None], Provider]
