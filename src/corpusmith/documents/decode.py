"""From the bytes of a text file to its text, without guessing wildly.

Owns: which encoding it is: a byte order mark's, UTF-8, and UTF-16 or GB18030 when what comes out
is everyday text. Anything else is asked of the user.
"""

from __future__ import annotations

import codecs
import re

from corpusmith.errors import UsageError

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF16 = ("utf-16-le", "utf-16-be")
_LINE_END = re.compile(r"\r\n?")
_SAMPLE_BYTES = 1 << 16
_ZEROS = 0.01
"""Of all bytes: beyond it the file is no text in UTF-8 or GB18030, which have no zero bytes."""
_EVERYDAY = 0.75
"""Of the characters beyond ASCII. Measured: 0.99 on the 300 texts of a Chinese instruction set; as
GB18030 read, 0.21 of a text in Big5, 0.32 in EUC-JP, 0.00 in Shift-JIS, but 1.00 in EUC-KR."""
_COMMON = frozenset("的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你")
_COMMON_SHARE = 0.02
"""Measured on the same texts of 100 characters and more: 0.047 to 0.4; 0.18 in classical Chinese;
Korean in EUC-KR, read as GB18030: 0.00."""
_COMMON_FROM = 100
"""Characters: a shorter text may well have none of them."""


def decoded(data: bytes, file: str, encoding: str | None = None, *, hint: str | None = None) -> str:
    """The text, with `\\n` for line ends. `encoding`: what the user says that it is; `hint`: what
    the file says of itself, which is believed if it can be.

    Raises UsageError that names `file`.
    """
    name = encoding or _encoding(data, hint)
    if name is None:
        raise UsageError("document_encoding", file=file)
    try:
        text = data.decode(name)
    except UnicodeError as error:
        raise UsageError("document_not_encoding", file=file, encoding=name) from error
    except LookupError as error:
        raise UsageError("document_unknown_encoding", file=file, encoding=name) from error
    return _LINE_END.sub("\n", text.removeprefix("\ufeff")).replace("\x00", "")


def _encoding(data: bytes, hint: str | None) -> str | None:
    """The encoding's name; None: not to be told."""
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return marked if _fits(data, marked) else None
    if b"\0" in (sample := data[:_SAMPLE_BYTES]):
        if name := next((one for one in _UTF16 if _reads_well(sample, one)), None):
            return name if _fits(data, name) else None
        if sample.count(0) > len(sample) * _ZEROS:
            return None
    for wish in ("utf-8", hint):
        if wish and _fits(data, wish):
            return wish
    return "gb18030" if _is_chinese(data) else None


def _fits(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except (UnicodeError, LookupError):
        return False
    return True


def _reads_well(sample: bytes, name: str) -> bool:
    """Whether the bytes in this encoding are mostly English or everyday Chinese.

    UTF-16 without a mark tells itself by zero bytes, but not its order: 一 is 4E 00, and `N` is
    00 4E. In the wrong order hardly a character is an everyday one.
    """
    text = sample[: len(sample) // 2 * 2].decode(name, "replace")
    good = sum("\t" <= char <= "~" or (char > "\x7f" and _is_everyday(char)) for char in text)
    return good >= max(1, len(text) * _EVERYDAY)


def _is_chinese(data: bytes) -> bool:
    """Whether the bytes read as GB18030 give an everyday Chinese text.

    Nearly any bytes are valid GB18030, so validity alone says little: GB 2312's first level holds
    the 3,755 characters that make up nearly all of a Chinese text, at lead bytes B0 to D7.
    """
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    wide = [char for char in text[:_SAMPLE_BYTES] if char > "\x7f"]
    if sum(map(_is_everyday, wide)) < len(wide) * _EVERYDAY:
        return False
    common = sum(char in _COMMON for char in wide)
    return len(wide) < _COMMON_FROM or common >= len(wide) * _COMMON_SHARE


def _is_everyday(char: str) -> bool:
    """A GB 2312 character of the first level, or a punctuation mark."""
    try:
        lead, *rest = char.encode("gb2312")
    except UnicodeEncodeError:
        return char in "—…·“”‘’"
    return bool(rest) and (0xB0 <= lead <= 0xD7 or lead in (0xA1, 0xA3))
