"""The `placeholders` check: no place that was left to be filled, no skeleton, no prompt repeated.

Owns: the signs of a text that is not finished. They are kept narrow: code with braces, sets,
formulas and a silent `……` between other words are ordinary text. And which prompts a draft was
made from. Does not own: finding a prompt's sentences (`leaks.py`), texts that are empty
(`format.py`). Reasons: placeholder, prompt_leak.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from corpusmith.contracts import CheckContext
from corpusmith.quality.actions import texts_option
from corpusmith.quality.leaks import Leaks, leaks_of_recipe
from corpusmith.quality.options import ACTIONS, Action, found_fault, one_of
from corpusmith.quality.shapes import texts, written
from corpusmith.values import PASS, Draft, Verdict

_I = re.IGNORECASE
_NO_INSERTION = r"(?!\s*[\]】]|排序|法|语|损耗|操作|键|符|点|物|式|图片\]|语句)"
# Who speaks of templates may show one.
_ABOUT_TEMPLATES = re.compile(
    r"\{%|\{\{[#/^!>]|模板|範本|占位符|变量|變數|插值"
    r"|\btemplat|\bplaceholders?\b|\bvariables?\b|\bf-strings?\b|\bJinja|\bVue\b|\bAngular\b"
    r"|\bHandlebars\b|\bMustache\b|\bDjango\b|\bAnsible\b|\bHelm\b|\bLiquid\b",
    _I,
)

# (sign that must be there at all, pattern). The sign makes the check cheap: a search for a fixed
# text costs 50 ns, and nearly every text ends there.
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    # {{char}}, {{ user }}
    (
        "{{",
        re.compile(
            r"(?<![>=\"'`$])\{\{\s*[A-Za-z_\u4e00-\u9fff][\w\u4e00-\u9fff]{1,29}\s*\}\}(?![<\"'`])"
        ),
    ),
    # {name}, {姓名}; but no sequence {an}, no LaTeX \text{ab} x_{ij}, no ${shell}, no f-string or
    # call around it
    (
        "{",
        re.compile(
            r"(?<![A-Za-z0-9\\$^_}{\"'`=(%#@\]>)/])\{(?:(?=[a-z0-9_]{3})(?![a-z]_[a-z0-9]{1,2}\})[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
            r"|[\u4e00-\u9fff]{2,8})\}(?![{\"'`=])"
        ),
    ),
    ("<", re.compile(r"<(?:START|USER|BOT|CHAR)>|<\|[a-z_]{3,20}\|>")),
    ("[INST]", re.compile(r"\[INST\]")),
    # [插入…], 【请填写…】, [insert …]; but not 【插入排序】
    (
        "[",
        re.compile(
            r"\[\s*(?:请?(?:在此|此处)?(?:插入|填入|填写)" + _NO_INSERTION + r"|insert )"
            r"[^\[\]\n]{0,60}\]",
            _I,
        ),
    ),
    (
        "【",
        re.compile(
            r"【\s*请?(?:在此|此处)?(?:插入|填入|填写)" + _NO_INSERTION + r"[^【】\n]{0,60}】"
        ),
    ),
    ("orem ipsum", re.compile(r"lorem ipsum dolor sit", _I)),
    # XXX or ×××; but not in a masked number 138-XXXX, nor the thirtieth Super Bowl
    ("XXX", re.compile(r"(?<![A-Za-z0-9_.\-*])(?<!Bowl )XXX+(?![A-Za-z0-9_\-*])(?! [A-Z][a-z])")),
    ("×××", re.compile(r"×{3,}")),
    # TODO: …, [TODO], a line of TODO; but not "my TODO list"
    ("TODO", re.compile(r"(?<![A-Za-z0-9_])TODO[:：]|[\[【(（]TODO\b|^\W*TODO\W*$", re.M)),
    # （此处省略…）, [以下内容略]
    (
        "略",
        re.compile(
            r"[（(\[【]\s*(?:此处|以下|下文|中间|后续|其余)[^（()）\[\]【】\n]{0,15}略"
            r"[^（()）\[\]【】\n]{0,20}[）)\]】]"
        ),
    ),
    (
        "omitted",
        re.compile(
            r"[(\[](?:the )?(?:rest|remainder|remaining)\b[^()\[\]\n]{0,40}omitted"
            r"[^()\[\]\n]{0,20}[)\]]",
            _I,
        ),
    ),
    # 第N轮对话内容, 第3轮用户消息
    (
        "轮",
        re.compile(
            r"第\s*[NnXx]\s*轮"
            r"|^\W*第\s*(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s*轮的?"
            r"(?:对话|用户|角色|助手)?的?(?:内容|消息|回复|提问|回答|问题)\W*$",
            re.M,
        ),
    ),
)

_BRACES = ("{{", "{")

# The whole text of a turn is a name for what should stand there, or dots.
_WHOLE = re.compile(
    r"\W*(?:(?:user|assistant|character|ai)(?:'s)?[ _](?:message|reply|response|input|content)"
    r"(?: (?:here|text|goes here|n|\d{1,2}))?"
    r"|(?:用户|角色|助手)的?(?:消息|回复|提问|回答|发言)(?:内容)?\d{0,2}"
    r"|(?:对话|消息|回复)内容\d{0,2}|string|content|placeholder|[xX]{2,}|n/a)\W*"
    r"|[\s.。…·⋯]+",
    _I,
)
_WHOLE_MAX = 40
# 我叫[你的名字], My name is [your name]: said by somebody. In a longer text it is a letter that was
# asked for, whose reader fills it in.
_OWN_NAME = re.compile(
    r"(?:我叫|我是|名字[是叫]|[你您]好[，,！!]?"
    r"|\b(?:hi|hello|hey),?|my name is|\bi am|\bi['’]m)[ \t]?"
    r"(?:\[[^\[\]\n]{0,12}|【[^【】\n]{0,12})(?:名字|姓名|名称|角色名|name)\s*[\]】]",
    _I,
)
_SAID_MAX = 120
_EXCERPT_CHARS = 60
_NO_LEAKS = Leaks(())


LEAKS: tuple[Action | Literal["off"], ...] = (*ACTIONS, "off")
_WITH_PROMPTS = ("dialogue", "rounds", "selfplay")
"""Recipes whose prompts are shipped, but for the words of the task."""


class Placeholders:
    """Fails a draft with a place left unfilled, or with a sentence of its own prompt.

    `words`: further texts that must not occur. `action`: reject or flag. `prompt_leak`: what is
    done with a repeated prompt: reject, flag, or off.
    """

    name: ClassVar[str] = "placeholders"

    def __init__(
        self,
        *,
        words: Sequence[str] = (),
        action: str = "reject",
        prompt_leak: str = "reject",
        context: CheckContext | None = None,
    ) -> None:
        self._words = texts_option(self.name, "words", words)
        self._action: Action = one_of(self.name, "action", action, ACTIONS)
        self._leak = one_of(self.name, "prompt_leak", prompt_leak, LEAKS)
        self._context = context
        self._template = Leaks(context.boilerplate if context else ())

    def __call__(self, draft: Draft) -> Verdict:
        contents = texts(written(draft))
        found = self._find(contents)
        if found is not None:
            excerpt = found.strip()[:_EXCERPT_CHARS]
            return found_fault(self._action, "placeholder", found=excerpt)
        return PASS if self._leak == "off" else self._of_leak(contents, draft, self._leak)

    def _of_leak(self, contents: list[str], draft: Draft, action: Action) -> Verdict:
        leaks = self._leaks(draft.provenance.get("recipe"))
        found = next((one for text in contents if (one := leaks.find(text))), None)
        if found is None:
            return PASS
        return found_fault(action, "prompt_leak", found=found[:_EXCERPT_CHARS])

    def _leaks(self, recipe: object) -> Leaks:
        """The prompt that a draft of a recipe was made with, as far as it is known."""
        if self._context is not None and recipe in _WITH_PROMPTS:
            return leaks_of_recipe(str(recipe), self._context.language)
        return self._template if recipe == "template" else _NO_LEAKS

    def _find(self, contents: list[str]) -> str | None:
        """The first sign of an unfilled place, or None."""
        for text in contents:
            if len(text) <= _WHOLE_MAX and text and _WHOLE.fullmatch(text):
                return text
            if len(text) <= _SAID_MAX and (match := _OWN_NAME.search(text)):
                return match[0]
        joined = "\n".join(contents)
        for sign, pattern in PATTERNS:
            if sign in joined and (match := pattern.search(_without_code(joined))):
                if sign in _BRACES and _ABOUT_TEMPLATES.search(joined):
                    continue
                return match[0]
        return next((word for word in self._words if word in joined), None)


_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)


def _without_code(text: str) -> str:
    """Braces in code are code."""
    return _CODE.sub(" ", text) if "`" in text else text
