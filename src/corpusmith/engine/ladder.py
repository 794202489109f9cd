"""Which way of asking for a schema an endpoint understands: found by trying, remembered.

Owns: the step down from native schema to words in the prompt. Does not own: sending.

An endpoint that answers 400 to a request with a schema may lack that way of asking; the next one
is tried at once. Once a way has brought a reply it is proven, and a later 400 is the request's
own fault. No error text is searched.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpusmith.engine.structured import schema_words
from corpusmith.errors import BadRequest
from corpusmith.values import ChatRequest, Language, Message, StructuredMode

SCHEMA_FIELDS = frozenset(
    {"response_format", "tools", "tool_choice", "output_config", "output_format"}
)
"""Request fields that ask for structure; a 400 that blames another field is not about structure."""


class Ladder:
    """The ways of one endpoint and model, best first."""

    def __init__(
        self,
        modes: Sequence[StructuredMode],
        *,
        known: StructuredMode | None = None,
    ) -> None:
        self._modes = tuple(modes)
        self._step = self._modes.index(known) if known in self._modes else 0
        self._proven = known in self._modes
        self._known = known

    @property
    def mode(self) -> StructuredMode:
        return self._modes[self._step]

    def worked(self, mode: StructuredMode) -> None:
        """A request asked by `mode` was answered."""
        if self._proven or mode != self.mode:
            return
        self._proven = True

    def news(self) -> StructuredMode | None:
        """The proven way, once, if the store does not know it yet."""
        if not self._proven or self.mode == self._known:
            return None
        self._known = self.mode
        return self.mode

    def refused(self, mode: StructuredMode, error: BadRequest) -> bool:
        """True when the same request should be sent again, asked another way."""
        if mode != self.mode:
            return True  # another call has stepped down meanwhile
        last = self._step + 1 == len(self._modes)
        if self._proven or last or not _about_structure(error):
            return False
        self._step += 1
        return True


def _about_structure(error: BadRequest) -> bool:
    if error.parameter is None:
        return True
    head = error.parameter.split(".")[0].split("[")[0]
    return head in SCHEMA_FIELDS or head.startswith("generation")


def dressed(request: ChatRequest, mode: StructuredMode, language: Language) -> ChatRequest:
    """`request` asked by `mode`; without native help the schema is put into words."""
    if request.schema is None:
        return request
    messages = request.messages
    if mode not in ("schema", "tool"):
        *head, last = messages
        words = schema_words(request.schema, language)
        messages = (*head, Message(last.role, f"{last.content}\n\n{words}"))
    return ChatRequest(  # not `replace`: it takes three times as long, on every call
        model=request.model,
        messages=messages,
        sampling=request.sampling,
        schema=request.schema,
        mode=mode,
    )
