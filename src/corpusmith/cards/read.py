"""Reads a character card: V1, V2, V3, as JSON, PNG or CHARX, or our own simple JSON.

Owns: from bytes to a Character. Does not own: storing it. Every problem of the input is a
CardError that names the file; nothing else is raised for any bytes whatever.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from corpusmith.archives import is_archive
from corpusmith.cards import charx, fields, png
from corpusmith.cards.document import json_type, parsed
from corpusmith.errors import CardError, UsageError
from corpusmith.messages import LANGUAGES
from corpusmith.nouns import Character
from corpusmith.placeholders import example_text
from corpusmith.values import Json, Message

MAX_BYTES = 32 * 1024 * 1024
_FOREIGN = {
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"RIFF": "WebP",
    b"%PDF": "PDF",
}
_BLANK = re.compile(rb"\s+")


def read_card(data: bytes, file_name: str) -> Character:
    """The character of a card. Raises CardError.

    `card` keeps the whole document, `image` the PNG without its card chunks (None for JSON).
    """
    if not data:
        raise CardError("card_empty", file=file_name, problem="0 bytes")
    if len(data) > MAX_BYTES:
        raise CardError("card_too_large", file=file_name, problem=f"> {MAX_BYTES >> 20} MiB")
    if data.startswith(png.SIGNATURE[:4]) or file_name.lower().endswith(".png"):
        return _read_png(data, file_name)
    if is_archive(data):
        return _read_charx(data, file_name)
    for magic, kind in _FOREIGN.items():
        if data.startswith(magic):
            raise CardError("card_foreign_file", file=file_name, problem=kind)
    return _character(parsed(data, file_name), None, file_name)


def _read_png(data: bytes, file: str) -> Character:
    parts = png.chunks(data, file)
    texts = png.card_texts(parts, file)
    text = texts.get("ccv3", texts.get("chara"))
    if text is None:
        raise CardError("card_png_no_card", file=file, problem="chara, ccv3")
    return _character(parsed(_decoded(text, file), file), png.with_cards(parts, {}), file)


def _read_charx(data: bytes, file: str) -> Character:
    try:
        found = charx.charx_parts(data, file, MAX_BYTES)
        if found is None:
            raise CardError("card_foreign_file", file=file, problem="ZIP")
        text, archive = found
        with archive:
            card = parsed(text, file)
            return _character(card, charx.picture_in(card, archive, file, MAX_BYTES), file)
    except CardError:
        raise
    except UsageError as error:
        if error.reason == "archive_broken":
            raise CardError("card_foreign_file", file=file, problem="ZIP") from error
        raise CardError(error.reason, **error.data) from error


def _decoded(text: bytes, file: str) -> bytes:
    """The JSON of a card chunk: base64 as the community has it, or plain as a few tools do."""
    bare = _BLANK.sub(b"", text)
    if bare.startswith(b"{"):
        return text
    try:
        return base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except binascii.Error as error:
        raise CardError("card_base64", file=file, problem=str(error)) from error


def _character(card: dict[str, Json], image: bytes | None, file: str) -> Character:
    _, data, own = fields.located(card)
    if not isinstance(data, dict):
        raise _wrong("data", data, "object", file)
    texts = _own_texts(data, file) if own else _community_texts(data, file)
    if not texts["name"].strip():
        raise CardError("card_no_name", file=file, problem="name")
    language = texts.pop("language")
    if language not in LANGUAGES:
        language = fields.language_of(*texts.values())
    if not own:
        texts["personality"] = fields.without_style(
            texts["personality"], texts["speaking_style"], language
        )
    return Character(
        **texts, tags=_tags(data.get("tags"), file), language=language, card=card, image=image
    )


def _own_texts(data: Mapping[str, Json], file: str) -> dict[str, str]:
    names = (*fields.TEXTS, "speaking_style", "language")
    rest = {name: _text(data, name, file) for name in names if name != "example_dialogues"}
    return rest | {"example_dialogues": _examples(data.get("example_dialogues"), file)}


def _community_texts(data: Mapping[str, Json], file: str) -> dict[str, str]:
    texts = {ours: _text(data, theirs, file) for ours, theirs in fields.TEXTS.items()}
    extension = _extension(data)
    for name in ("speaking_style", "language"):
        value = extension.get(name)
        texts[name] = value if isinstance(value, str) else ""
    return texts


def _extension(data: Mapping[str, Json]) -> Mapping[str, Json]:
    extensions = data.get("extensions")
    ours = extensions.get(fields.EXTENSION) if isinstance(extensions, dict) else None
    return ours if isinstance(ours, dict) else {}


def _text(data: Mapping[str, Json], field: str, file: str) -> str:
    value = data.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(field, value, "string", file)
    return value


def _tags(value: Json, file: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise _wrong("tags", value, "array of strings", file)
    return tuple(value)


def _examples(value: Json, file: str) -> str:
    """Text as it is; else turns, or dialogues of turns, in a card's notation."""
    if value is None or isinstance(value, str):
        return value or ""
    if not isinstance(value, list):
        raise _wrong("example_dialogues", value, "string or array", file)
    if all(isinstance(one, str) for one in value):
        return "\n".join(f"<START>\n{one}" for one in value)
    dialogues = value if all(isinstance(one, list) for one in value) else [value]
    return example_text([m for turn in one for m in _turn(turn, file)] for one in dialogues)


def _turn(turn: Json, file: str) -> list[Message]:
    """`{"role": …, "content": …}` or `{"user": …, "assistant": …}`."""
    match turn:
        case {"role": "user" | "assistant" as role, "content": str(content)}:
            return [Message(role, content)]
        case {"user": str(said), "assistant": str(reply)}:
            return [Message("user", said), Message("assistant", reply)]
    raise _wrong("example_dialogues", turn, '{"user", "assistant"}', file)


def _wrong(field: str, value: Json, expected: str, file: str) -> CardError:
    problem = json_type(value)
    return CardError("card_type", file=file, field=field, expected=expected, problem=problem)
