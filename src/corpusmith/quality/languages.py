"""The language that a text is mainly written in, by its scripts and its commonest words. Pure.

Owns: the guess, and what of a text is no language at all (code, formulas, addresses). Does not
own: which language is wanted (`language.py`).

Libraries were measured (docs/design/quality.md): they take 8 and 30 times as long, give every short
text some language, code and formulas too, and call technical Chinese with English words English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Literal

from corpusmith.presets.load import traditional

Script = Literal["simplified", "traditional"]

# What is read by machines, not by people; each with a sign without which it cannot be there. None
# may run on to the end of a text in vain, and start over: that is quadratic. An address ends
# before Chinese, which has no blanks, or its punctuation.
_NO_PROSE: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("```", re.compile(r"```.*?(?:```|\Z)", re.DOTALL)),
    ("`", re.compile(r"`[^`\n]+`")),
    ("$", re.compile(r"\$\$.+?\$\$|\$[^$\n]{1,200}\$", re.DOTALL)),
    ("\\", re.compile(r"\\\[(?:(?!\\\[).)+?\\\]|\\\((?:(?!\\\().)+?\\\)|\\[A-Za-z]+", re.DOTALL)),
    ("://", re.compile(r"[a-z]{2,6}://[^\s，。！？；：、“”（）]+")),
    ("@", re.compile(r"[\w.%+\-]{1,64}@[!-~]+", re.ASCII)),
    ("<", re.compile(r"</?[A-Za-z][^<>\n]{0,200}>")),
    ("SELECT", re.compile(r"\bSELECT\b[^\n]{1,300}?\bFROM\b[^\n]*")),
    # Lines of code outside a fence.
    (
        "\n",
        re.compile(
            r"^[ \t]*(?:(?:def|class|import|from|return|if|elif|else|for|while|try|except|with"
            r"|raise|print|function|var|let|const|public|private|static|void|int)\b[^\n]*[:;(){}=][^\n]*"
            r"|[^\n]*[;{}][ \t]*|(?:#|//)[^\n]*|[\w.\[\]]+ ?[+\-*]?= ?[^\n]+)$",
            re.MULTILINE,
        ),
    ),
)
# A run of letters of one script; the group's number says which one.
_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("han", r"[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"),
    ("latin", r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+(?:['’][A-Za-z]+)?"),
    ("kana", r"[\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f]+"),
    ("hangul", r"[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]+"),
    ("cyrillic", r"[\u0400-\u052f]+"),
    ("arabic", r"[\u0620-\u064a\u066e-\u06d3\u0750-\u077f]+"),
    ("el", r"[\u0370-\u03ff\u1f00-\u1fff]+"),
    ("he", r"[\u05d0-\u05ea]+"),
    ("th", r"[\u0e01-\u0e4e]+"),
    ("hi", r"[\u0900-\u0963\u0971-\u097f]+"),
    ("bn", r"[\u0980-\u09ff]+"),
    ("ta", r"[\u0b80-\u0bff]+"),
    ("my", r"[\u1000-\u109f]+"),
    ("km", r"[\u1780-\u17ff]+"),
)
_RUN = re.compile("|".join(f"({pattern})" for _, pattern in _SCRIPTS))
_NAMES = ("", *(name for name, _ in _SCRIPTS))
_LATIN = _NAMES.index("latin")
_UNSPACED = frozenset({"han", "kana", "hangul", "th", "my", "km"})
"""Scripts whose letters are counted; of all others the words are, since a Chinese character says
about as much as a word."""
_LETTERS_COUNT = frozenset(_NAMES.index(name) for name in _UNSPACED)
_ASCII_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")

# The commonest words of a language: articles, pronouns, prepositions. No content words.
_COMMON: dict[str, frozenset[str]] = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the of and to is in that it was for on are with as be this have from or by not but"
        " what which you your we they he she his her their can will would if when there at an"
        " my me do don't i i'm it's who how has had were so than then its into about",
        "fr": "le la les des et est une un du dans que qui pour pas sur au avec ce cette il elle"
        " nous vous ne se sont plus par mais ou comme je tu mon son ses c'est j'ai d'une l'eau en",
        "de": "der die das und ist nicht ein eine zu den mit von auf für im dem sich des ich sie es"
        " wir auch als an aus bei nach wie oder aber wird sind war haben kann einen einer ihr mir",
        "es": "el los las y es una que en por con para no se del al lo como más pero sus le ya está"
        " muy también son este esta yo tú mi ha si porque cuando donde hay ser qué un de la",
        "pt": "o os as e é uma que em por com para não se do da dos das no na ao como mais mas seu"
        " sua ele ela eu você são foi tem também muito está isso à pelo um de",
        "it": "il lo gli e è una che in per con non si del della dei al alla come più ma sono anche"
        " questo questa di da nel nella ho ha io tu mi ci se perché un le la",
        "nl": "de het een en is van in dat niet op te voor met zijn aan er ook als maar om ik je we"
        " ze hij naar bij uit dit die worden wordt heeft kan geen door over",
        "vi": "và của là có không được cho một các này với người trong đã để những từ khi đó tôi"
        " bạn như ở cũng nhưng sẽ nhiều về thì rất làm",
        "id": "yang dan di ini itu dengan untuk tidak dari dalam akan pada adalah ke juga saya anda"
        " bisa kami mereka ada oleh karena sudah seperti atau lebih",
        "tr": "ve bir bu için ile de da çok ne gibi daha olarak var ben sen o biz ama değil mi"
        " kadar sonra olan her en şey",
        "pl": "i w na z się nie do jest to że o jak ale po co tak za od czy ja jego są dla przez"
        " już tylko być oraz który która",
    }.items()
}
# Letters that no Chinese text needs, kana and all other scripts.
_FOREIGN = re.compile(
    r"[\u00c0-\u1fff\u2c00-\u2dff\u3040-\u318f\ua4d0-\uabff\uac00-\ud7ff\uff66-\uff9f]"
)
_CODES: dict[str, tuple[str, ...]] = {}
for _code, _words in _COMMON.items():
    for _word in _words:
        _CODES[_word] = (*_CODES.get(_word, ()), _code)

LANGUAGES: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *("zh", "en", "ja", "ko", "ru", "uk", "ar", "fa"),
            *_COMMON,
            *(name for name, _ in _SCRIPTS if len(name) == 2),
        ]
    )
)
"""All that are told apart."""

_WINDOW = 300  # characters
_ENOUGH_LETTERS = 2
_ENOUGH_WORDS = 3
_PLAIN_ENGLISH = 0.25
_LEAST_COMMON = 0.16
"""Of the words of a text in a European language, at least a quarter are among its commonest."""


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language that most of `text` is in; None: too little to tell, or
    unclear."""
    language, _ = weighed(text)
    return language


def plainly(text: str, language: str) -> bool:
    """Whether `text` is in Chinese or English beyond doubt, told at a tenth of the cost; False says
    nothing."""
    if language == "zh":
        narrow = len(text.encode("ascii", "ignore"))
        return 2 * narrow < len(text) and _FOREIGN.search(text) is None
    if language != "en" or not text.isascii():
        return False
    words = text.lower().split()
    return len(_COMMON["en"].intersection(words)) > _PLAIN_ENGLISH * len(words)


def weighed(text: str) -> tuple[str | None, int]:
    """The language, and how much of it there is: characters of Chinese, words of English.

    Of a long text its beginning, middle and end are looked at, and most of them decide.
    """
    parts = [_weighed(part) for part in _samples(prose_of(text))]
    said = Counter(language for language, _ in parts if language is not None)
    if not said:
        return None, sum(amount for _, amount in parts)
    language = said.most_common(1)[0][0]
    return language, sum(amount for one, amount in parts if one == language)


def _samples(text: str) -> list[str]:
    size = len(text)
    if size <= 3 * _WINDOW:
        return [text]
    starts = (0, (size - _WINDOW) // 2, size - _WINDOW)
    return [text[start : start + _WINDOW] for start in starts]


def _weighed(text: str) -> tuple[str | None, int]:
    counts, words = _counted(text)
    total = counts.total()
    latin = counts.pop(_LATIN, 0)
    if latin == total:
        return _of_latin(words), total
    if 2 * latin > total:
        # Chinese about programming may hold more Latin words than characters, but they are names:
        # without common words they are no English.
        language = _of_latin(words)
        if language is not None or latin > 4 * (total - latin):
            return language, latin
    return _of_script(counts, text), total - latin


def prose_of(text: str) -> str:
    """`text` without code, formulas, tags and addresses."""
    for sign, pattern in _NO_PROSE:
        if sign in text:
            text = pattern.sub(" ", text)
    return text


def script_of(text: str) -> Script | None:
    """Whether Chinese is written in traditional or simplified characters; None: nothing says so."""
    old, new = _told_apart()
    letters = Counter(text)
    as_before = sum(count for letter, count in letters.items() if letter in old)
    as_now = sum(count for letter, count in letters.items() if letter in new)
    if as_before == as_now:
        return None
    return "traditional" if as_before > as_now else "simplified"


@cache
def _told_apart() -> tuple[frozenset[str], frozenset[str]]:
    """Characters of traditional texts only, and of simplified texts only."""
    pairs = traditional()
    old = frozenset(pairs)
    # 后, 里 and 干 are characters of their own in traditional texts.
    both = frozenset("后里干面谷只台松斗丑了几于云制卷发历复板表系范舍致蒙余才冲别采回家向志周游")
    return old - both, frozenset(pairs.values()) - old - both


def _counted(text: str) -> tuple[Counter[int], list[str]]:
    """Script → how much of it there is; the Latin words."""
    if text.isascii():
        words = _ASCII_WORD.findall(text)
        return Counter({_LATIN: len(words)}), words
    counts: Counter[int] = Counter()
    words = []
    for match in _RUN.finditer(text):
        script = match.lastindex or 0
        if script == _LATIN:
            words.append(match[0])
        counts[script] += len(match[0]) if script in _LETTERS_COUNT else 1
    return counts, words


def _of_latin(words: list[str]) -> str | None:
    """The language whose commonest words are the commonest here."""
    # Single letters are names of things: w in 3*w, A. B. C.
    longer = [word.lower().replace("’", "'") for word in words if len(word) > 1]
    if len(longer) < _ENOUGH_WORDS:
        return None
    hits = Counter(code for word in longer for code in _CODES.get(word, ()))
    (code, most), (_, second) = (*hits.most_common(2), ("", 0), ("", 0))[:2]
    if most < max(2, _LEAST_COMMON * len(longer)) or most == second:
        return None
    return code


def _of_script(counts: Counter[int], text: str) -> str | None:
    """Of a text that is not mainly Latin."""
    by_name = {_NAMES[script]: count for script, count in counts.items()}
    han, kana = by_name.get("han", 0), by_name.pop("kana", 0)
    # Japanese has kana in every clause; a Chinese text may quote a Japanese word.
    if kana * 5 >= han + kana and kana >= _ENOUGH_LETTERS:
        by_name["ja"] = han + kana
        by_name.pop("han", None)
    name, most = max(by_name.items(), key=lambda one: one[1], default=("", 0))
    if most < (_ENOUGH_LETTERS if name in _UNSPACED or name == "ja" else 1):
        return None
    return _BY_SCRIPT[name](text) if name in _BY_SCRIPT else name


def _more(text: str, ours: str, theirs: str) -> bool:
    return sum(map(text.count, ours)) > sum(map(text.count, theirs))


_BY_SCRIPT: dict[str, Callable[[str], str]] = {
    "han": lambda text: "zh",
    "hangul": lambda text: "ko",
    "cyrillic": lambda text: "uk" if _more(text, "іїєґІЇЄҐ", "ыэъёЫЭЪЁ") else "ru",
    "arabic": lambda text: "fa" if _more(text, "پچژگکی", "كيىة") else "ar",
}
