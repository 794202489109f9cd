"""Finds personal data in a text: phone numbers, ID numbers, e-mail addresses, bank cards.

Owns: what these look like, and what only looks like them: order numbers, times, amounts, numbers
and addresses that are kept free for examples. Does not own: keys (`keys.py`), what becomes of a
find (`personal_data.py`).
Everything is narrow: a checksum, a date, a number's plan, what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from corpusmith.quality.actions import masked_text
from corpusmith.quality.keys import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Personal data of one kind at `text[start:end]`."""

    kind: str
    start: int
    end: int


def find(text: str, kinds: Collection[str]) -> list[Find]:
    """What there is of `kinds`, in order; of places that overlap the kind named first in KINDS."""
    plain = _half_width(text)
    numbers = _DIGITS.search(plain) is not None
    found: list[Find] = []
    taken = bytearray(len(plain))
    for kind, search in KINDS.items():
        if kind in kinds and (numbers or kind not in _OF_DIGITS):
            for start, end in search(plain):
                if not any(taken[start:end]):
                    taken[start:end] = bytes([1]) * (end - start)
                    found.append(Find(kind=kind, start=start, end=end))
    return sorted(found, key=lambda one: one.start)


def covered(text: str, kinds: Collection[str] | None = None, sign: str = "*") -> str:
    """`text` of the same length, without personal data of `kinds` (None: of all). Letters and
    digits are covered: a number's groups and a key's lines stay to be seen."""
    wanted = KINDS if kinds is None else kinds
    return masked_text(
        text,
        lambda one: [(at.start, at.end) for at in find(one, wanted)],
        lambda one: sign if one.isalnum() else one,
    )


def shown(kind: str, found: str) -> str:
    """A find as it may be told: enough to see what it was, too little to use it."""
    plain = _half_width(found)
    if kind == "email":
        name, _, host = plain.rpartition("@")
        return f"{name[:1]}****@{host[-20:]}"
    head, tail = SHOWN[kind]
    # Of a phone number the last 11, which leaves out +86.
    signs = "".join(sign for sign in plain if sign.isalnum())[-11 if kind == "phone" else 0 :]
    return f"{signs[:head]}****{signs[-tail:]}"


# ---------------------------------------------------------------- signs

_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ＠．－＋：＝（）＿]")
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_DIGITS = re.compile(r"[0-9]{4}")


def _half_width(text: str) -> str:
    """`text` with half-width letters, digits and signs, of the same length."""
    if text.isascii() or not _WIDE.search(text):
        return text
    return text.translate(_NARROW)


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


# What a long number is called that is nobody's: 订单号 13912345678.
_NUMBERED = re.compile(
    r"(?:订单|订购|单号|编号|流水|序号|运单|快递|条码|批号|批次|型号|货号|工单|交易|发票|学号|工号|时间戳"
    r"|\b(?:order|invoice|tracking|serial|part|model|sku|isbn|issn|ean|upc|batch|lot|ticket|case"
    r"|timestamp|unix|doi)\b)"
    r"[\w ]{0,8}[^\w\n]{0,3}\Z",
    re.IGNORECASE,
)
_BEFORE_CHARS = 24


def _is_numbered(text: str, start: int) -> bool:
    return _NUMBERED.search(text[max(0, start - _BEFORE_CHARS) : start]) is not None


# ---------------------------------------------------------------- phones

# No digit, letter or other number beside it: not inside a longer number, a name or a decimal.
_ALONE = r"(?<![0-9A-Za-z_+*])(?<![0-9][.\-])(?<![A-Za-z]/)"
_ENDS = r"(?![0-9A-Za-z_*])(?![.\-][0-9A-Za-z])"
_MOBILE = re.compile(
    _ALONE + r"(?:(?:\+|00)86[ \-]?|\(\+?86\) ?|86[ \-])?"
    r"1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])"
    r"(?:([ \-.]?)[0-9]{4}\1[0-9]{4}|[0-9]([ \-])[0-9]{3}\2[0-9]{4})" + _ENDS
)
_LANDLINE = re.compile(
    _ALONE + r"(?:(?:(?:\+|00)86[ \-]?)?(?:\(0(?:10|2[0-57-9]|[3-9][0-9]{2})\) ?"
    r"|0(?:10|2[0-57-9]|[3-9][0-9]{2})[\- ])"
    r"|(?:\+|00)86[ \-](?:10|2[0-57-9]|[3-9][0-9]{2})[ \-])[2-8][0-9]{2,3}[ \-]?[0-9]{4}" + _ENDS
)
_AMERICAN = re.compile(
    r"(?<![0-9A-Za-z_*])(?<![0-9][.\-])(?:\+?1[ .\-]?)?"
    r"(?:\(([2-9][0-9]{2})\) ?|([2-9][0-9]{2})-)([2-9][0-9]{2})-([0-9]{4})"
    + _ENDS
    + r"|(?<![0-9A-Za-z_*])\+1[ .\-]?([2-9][0-9]{2})[ .\-]?([2-9][0-9]{2})[ .\-]?([0-9]{4})"
    + _ENDS
)
# Any other country's, with its plus sign and in groups.
_ABROAD = re.compile(
    r"(?<![0-9A-Za-z_*+])\+(?!86|1)[2-9][0-9]{0,2}[ \-](?:\(0?[0-9]{1,4}\)[ \-]?)?"
    r"[0-9]{1,4}(?:[ \-]?[0-9]{2,4}){2,4}" + _ENDS
)
# Numbers that are public (toll-free) or kept free for films and examples.
_TOLL_FREE = frozenset({"400", "800", "833", "844", "855", "866", "877", "888", "900"})
_FICTION = ("447700900", "442079460", "441632960", "6155501", "61491570")


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _MOBILE.finditer(text):
        digits = _digits(match[0])[-11:]
        plain = match[0] == digits
        if not _is_filler(digits[3:]) and not (plain and _is_numbered(text, match.start())):
            yield match.span()
    for match in _LANDLINE.finditer(text):
        if not _is_filler(_digits(match[0])[-7:]):
            yield match.span()
    for match in _AMERICAN.finditer(text):
        area, exchange = (match[1] or match[2] or match[5]), (match[3] or match[6])
        if not (area in _TOLL_FREE or "555" in (area, exchange) or area.endswith("11")):
            yield match.span()
    for match in _ABROAD.finditer(text):
        digits = _digits(match[0])
        if 10 <= len(digits) <= 15 and not digits.startswith(_FICTION):
            yield match.span()


def _is_filler(digits: str) -> bool:
    """One digit again and again: a place that was to be filled."""
    return len(set(digits)) == 1


# ---------------------------------------------------------------- ID numbers

_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_ID = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9][.\-])" + _PROVINCE + r"[0-9]{4}([ \-]?)"
    r"((?:19|20)[0-9]{6})\1([0-9]{3}[0-9Xx])(?![0-9A-Za-z_])(?![.\-][0-9])"
)
# The first generation's, void since 2013 and without a checksum: only where it is called so.
_OLD_ID = re.compile(
    r"(?:身份证|\bID card|\bidentity card)[^0-9\n]{0,12}(" + _PROVINCE + r"[0-9]{4}([0-9]{6})"
    r"[0-9]{3})(?![0-9A-Za-z_])",
    re.IGNORECASE,
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_LAST_BIRTH_YEAR = 2049


def _id_numbers(text: str) -> Iterator[tuple[int, int]]:
    for match in _ID.finditer(text):
        number = match[0].replace(" ", "").replace("-", "").upper()
        if _is_date(match[2]) and number[14:17] != "000" and id_checksum(number[:17]) == number[17]:
            yield match.span()
    for match in _OLD_ID.finditer(text):
        if _is_date("19" + match[2]):
            yield match.span(1)


def id_checksum(digits: str) -> str:
    """The 18th sign of an ID number of 17 digits. Source: GB 11643-1999, ISO 7064 MOD 11-2."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return "10X98765432"[total % 11]


def _is_date(digits: str) -> bool:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return day.year <= _LAST_BIRTH_YEAR


# ---------------------------------------------------------------- e-mail

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-@/=])([A-Za-z0-9][A-Za-z0-9._%+\-]{0,63})@"
    r"((?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}([A-Za-z]{2,24}))"
    r"(?![A-Za-z0-9@\-])(?!\.[A-Za-z0-9])"
)
# Kept free for examples by RFC 2606 and RFC 6761, and what people write instead of those.
_FREE_TLDS = frozenset({"example", "test", "invalid", "localhost", "local"})
_FREE_HOSTS = re.compile(
    r"(?:.*\.)?(?:example|sample|domain|(?:your|my|some)[\-]?(?:domain|company|mail|site|org)|x{2,}"
    r"|company|email|placeholder)\.(?:com|net|org|edu|cn|com\.cn|io)",
    re.IGNORECASE,
)
# A picture for fine screens (icon@2x.png), a repository (git@host), a machine nobody reads.
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "svg", "css", "js", "html", "py", "md"})
_NOBODY = frozenset({"git", "noreply", "no-reply", "donotreply", "do-not-reply"})


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        top = match[3].lower()
        free = top in _FREE_TLDS or top in _FILES or _FREE_HOSTS.fullmatch(match[2])
        if not free and match[1].lower() not in _NOBODY:
            yield match.span()


# ---------------------------------------------------------------- bank cards

_CARD = re.compile(
    r"(?<![0-9A-Za-z_*+])(?<![0-9][.\-])(?<![A-Za-z]/)(?:[0-9]{13,19}"
    r"|[0-9]{4}([ \-])[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{1,3})?"
    r"|[0-9]{4}([ \-])[0-9]{6}\2[0-9]{4,5}|[0-9]{6}([ \-])[0-9]{10,13})"
    r"(?![0-9A-Za-z_*])(?![.\-][0-9])"
)
# Who gives out cards: how their numbers begin, and how long they are. Of ISO/IEC 7812 these are
# the ranges in use in mainland China and of the international networks.
_ISSUERS = (
    (re.compile(r"62|81(?!00)"), range(16, 20)),  # UnionPay
    (re.compile(r"4"), (16, 19)),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"35(?:2[89]|[3-8])"), range(16, 20)),  # JCB
    (re.compile(r"6011|64[4-9]|65"), range(16, 20)),  # Discover
    (re.compile(r"30[0-5]|36|38|39"), (14,)),  # Diners
)
_CALLED_CARD = re.compile(
    r"(?:卡号|银行卡|信用卡|储蓄卡|借记卡|银行账号|银行账户"
    r"|\bcard (?:number|no)|\b(?:credit|debit|bank) card)"
    r"[^0-9\n]{0,12}\Z",
    re.IGNORECASE,
)


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = _digits(match[0])
        if not 13 <= len(digits) <= 19 or _is_filler(digits) or not luhn(digits):
            continue
        before = text[max(0, match.start() - _BEFORE_CHARS) : match.start()]
        known = any(
            one.match(digits) and len(digits) in lengths for one, lengths in _ISSUERS
        ) and not _is_numbered(text, match.start())
        if known or _CALLED_CARD.search(before):
            yield match.span()


def luhn(digits: str) -> bool:
    """Whether a number's last digit is its check digit. Source: ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# ---------------------------------------------------------------- kinds

# Kind → where it stands. An earlier kind takes a place before a later one: an ID number is also a
# long number, and a key may hold a phone number.
KINDS: Mapping[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "key": keys,
    "email": _emails,
    "id_number": _id_numbers,
    "bank_card": _cards,
    "phone": _phones,
}
# The kinds of which each has four digits in a row.
_OF_DIGITS = frozenset({"id_number", "bank_card", "phone"})
# Kind → how many of its first and last signs may be told.
SHOWN: Mapping[str, tuple[int, int]] = {
    "id_number": (3, 2),
    "bank_card": (4, 4),
    "phone": (3, 4),
}
