"""The `language` check: what is written is in the language that was asked for.

Owns: which language is wanted, and when another one is fine. Does not own: telling languages apart
(`languages.py`). Reasons: wrong_language, wrong_script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Literal

from corpusmith.contracts import CheckContext
from corpusmith.quality.languages import (
    LANGUAGES,
    Script,
    language_of,
    plainly,
    prose_of,
    script_of,
    weighed,
)
from corpusmith.quality.options import (
    ACTIONS,
    Action,
    chosen,
    field_names,
    found_fault,
    one_of,
    whole,
)
from corpusmith.quality.shapes import Passage, passages
from corpusmith.values import PASS, Draft, Verdict

SCRIPTS: tuple[Literal["any"] | Script, ...] = ("any", "simplified", "traditional")

# A record that speaks of languages may well hold another one: a translation, a lesson, a quotation.
_ABOUT_LANGUAGES = re.compile(
    r"翻译|翻譯|译成|译为|译文|外语|外文|双语|母语|语言|單詞|单词|词汇|拼写|字母|例句"
    r"|[中英日韩韓法德俄西葡意泰越]文|[汉漢英日韩韓法德俄泰]语|[漢英日韓法德俄泰]語|西班牙|葡萄牙|意大利|阿拉伯|印地|越南语"
    r"|\btranslat|\blanguages?\b|\bbilingual|\bvocabulary|\bspelling"
    r"|\b(?:Chinese|English|Japanese|Korean|French|German|Spanish|Portuguese|Italian|Russian|Arabic"
    r"|Hindi|Dutch|Turkish|Polish|Vietnamese|Thai|Greek|Hebrew|Latin|Mandarin|Cantonese)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"“[^“”\n]{1,400}”|\"[^\"\n]{1,400}\"|「[^「」\n]{1,400}」|『[^『』\n]{1,400}』|《[^《》\n]{1,80}》"
)
_LEAST_AROUND = 4
"""Characters or words around a quotation that say in which language it is quoted."""
_EXCERPT_CHARS = 60


class Language:
    """Fails a draft with a text, or as a whole, in a language that was not asked for.

    `expect`: a language's code, or several; the task's own if there is none. `script`: of Chinese,
    `simplified` or `traditional`. `fields`: look at these only. `least`: how much of a language is
    enough to judge by, in characters of Chinese or words of English. `action`: reject or flag.
    """

    name: ClassVar[str] = "language"

    def __init__(
        self,
        *,
        context: CheckContext,
        expect: str | Sequence[str] = (),
        script: str = "any",
        fields: str | Sequence[str] = (),
        least: int = 10,
        action: str = "reject",
    ) -> None:
        wanted = field_names(self.name, "expect", expect) or (context.language,)
        self._expected = tuple(one_of(self.name, "expect", one, LANGUAGES) for one in wanted)
        self._script = one_of(self.name, "script", script, SCRIPTS)
        self._fields = field_names(self.name, "fields", fields)
        self._least = whole(self.name, "least", least, 1, 1000)
        self._action: Action = one_of(self.name, "action", action, ACTIONS)

    def __call__(self, draft: Draft) -> Verdict:
        every = passages(draft)
        found = chosen(every, self._fields)
        doubtful = [one for one in found if not self._is_plain(one.text)]
        if any(self._is_another(self._weighed(one.text)[0]) for one in doubtful):
            verdict = self._of_all(found, every)
            if verdict is not PASS:
                return verdict
        return PASS if self._script == "any" else self._of_script(found)

    def _is_plain(self, text: str) -> bool:
        return any(plainly(text, language) for language in self._expected)

    def _is_another(self, language: str | None) -> bool:
        return language is not None and language not in self._expected

    def _weighed(self, text: str) -> tuple[str | None, int]:
        """The language and its amount; of a text that quotes another one, those of what is around
        the quotation."""
        language, amount = weighed(text)
        if self._is_another(language) and _QUOTED.search(text):
            around = weighed(_QUOTED.sub(" ", text))
            if around[0] in self._expected and around[1] >= _LEAST_AROUND:
                return around
        return language, amount

    def _of_all(self, found: Sequence[Passage], every: Sequence[Passage]) -> Verdict:
        """Each text by itself, then all together: a dialogue may be all in short lines."""
        weighty = [(one, *self._weighed(one.text)) for one in found]
        amounts: Counter[str | None] = Counter()
        for one, language, amount in weighty:
            if amount >= self._least and self._is_another(language):
                return self._of_wrong(one.path, language, one.text, every)
            amounts[language] += amount
        main, amount = max(amounts.items(), key=lambda one: one[1])
        if amount < self._least or not self._is_another(main):
            return PASS
        text = next(one.text for one, language, _ in weighty if language == main)
        return self._of_wrong("$", main, text, every)

    def _of_wrong(
        self, path: str, language: str | None, text: str, every: Sequence[Passage]
    ) -> Verdict:
        if any(_ABOUT_LANGUAGES.search(one.text) for one in every):
            return PASS
        return found_fault(
            self._action,
            "wrong_language",
            path=path,
            language=language,
            expected=", ".join(self._expected),
            found=text.strip()[:_EXCERPT_CHARS],
        )

    def _of_script(self, found: Sequence[Passage]) -> Verdict:
        """By all of its Chinese together: one name or one quoted line does not decide."""
        chinese = (prose_of(one.text) for one in found if language_of(one.text) == "zh")
        script = script_of("\n".join(chinese))
        if script in (None, self._script):
            return PASS
        return found_fault(self._action, "wrong_script", script=script, expected=self._script)
