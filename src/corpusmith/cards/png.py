"""The text chunks of a PNG, where cards live.

Owns: PNG's chunk layer (PNG specification, third edition, sections 5 and 11.3.3). Does not own:
pixels (never decoded), or what the text means (`read.py`, `write.py`).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

from corpusmith.errors import CardError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT_BYTES = 32 * 1024 * 1024
_TEXT_KINDS = (b"tEXt", b"zTXt", b"iTXt")

Chunk = tuple[bytes, bytes]
"""(kind, body)"""


def chunks(data: bytes, file: str) -> list[Chunk]:
    """All chunks up to IEND, each with a right checksum; what comes after IEND is not the image's.

    Raises CardError.
    """
    if not data.startswith(SIGNATURE):
        raise CardError("card_png_signature", file=file, problem="signature")
    found = list(_walk(data, file))
    if found[0][0] != b"IHDR":
        raise CardError("card_png_cut", file=file, problem="IHDR")
    return found


def card_texts(parts: list[Chunk], file: str) -> dict[str, bytes]:
    """The bodies of the text chunks named `chara` and `ccv3`, by that name; the first of each.

    Raises CardError for one that cannot be unpacked.
    """
    texts: dict[str, bytes] = {}
    for kind, body in parts:
        name = _card_name(kind, body)
        if name is not None and name not in texts:
            texts[name] = _text(kind, body, file)
    return texts


def with_cards(parts: list[Chunk], cards: Mapping[str, bytes]) -> bytes:
    """A PNG of `parts` with its card chunks replaced by `cards` (name to text), before IEND."""
    picture = [part for part in parts if _card_name(*part) is None]
    added = [(b"tEXt", name.encode() + b"\0" + text) for name, text in cards.items()]
    return SIGNATURE + b"".join(_packed(*part) for part in [*picture[:-1], *added, picture[-1]])


def _walk(data: bytes, file: str) -> Iterator[Chunk]:
    at = len(SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise CardError("card_png_cut", file=file, problem=f"byte {len(data)}")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise CardError("card_png_cut", file=file, problem=f"byte {len(data)}")
        body = data[at + 8 : end - 4]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end]):
            raise CardError("card_png_crc", file=file, problem=_shown(kind))
        yield kind, body
        if kind == b"IEND":
            return
        at = end


def _card_name(kind: bytes, body: bytes) -> str | None:
    if kind not in _TEXT_KINDS:
        return None
    keyword = body.partition(b"\0")[0].lower()
    return keyword.decode() if keyword in (b"chara", b"ccv3") else None


def _text(kind: bytes, body: bytes, file: str) -> bytes:
    """The text of a chunk, unpacked. zTXt: method, data. iTXt: flag, method, two names, data."""
    rest = body.partition(b"\0")[2]
    if kind == b"zTXt":
        return _inflated(rest[1:], file)
    if kind == b"tEXt":
        return rest
    text = rest[2:].split(b"\0", 2)[-1]
    return _inflated(text, file) if rest[:1] == b"\1" else text


def _inflated(packed: bytes, file: str) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, MAX_TEXT_BYTES + 1)
    except zlib.error as error:
        raise CardError("card_compressed", file=file, problem=str(error)) from error
    if len(text) > MAX_TEXT_BYTES:
        raise CardError("card_too_large", file=file, problem=f"> {MAX_TEXT_BYTES >> 20} MiB")
    if not unpacker.eof:
        raise CardError("card_compressed", file=file, problem="cut")
    return text


def _packed(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", checksum)


def _shown(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")
