"""The `language` check, and telling languages apart, on texts that are easily taken for another."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from checks_kit import EN, ZH, chat, dialogue, failed, refined, rounds, row

from corpusmith.contracts import CheckContext
from corpusmith.errors import SpecError
from corpusmith.presets.load import characters, templates
from corpusmith.quality.language import Language
from corpusmith.quality.languages import language_of, plainly, script_of, weighed
from corpusmith.values import PASS, Draft

ROOT = Path(__file__).parents[2]

# What a person says of each text; None: nobody could tell.
TABLE: dict[str | None, list[str]] = {
    "zh": [
        "今天下雨了，你带伞了吗？",
        "用 Python 写一个 for 循环",
        "在 React 中使用 useEffect hook 的 cleanup function",
        "好的，我明天下午三点到。",
        "GPU 显存不够时，可以调小 batch size，或者开启 gradient checkpointing。",
        "這個問題很難回答，請給我一點時間。",
        "他用英文说了一句“I love you”，然后转身走了。",
        "《Harry Potter》的作者是谁？",
        "日语里“ありがとう”是谢谢的意思，平时和朋友说的时候可以更随便一些。",
        "DNA（脱氧核糖核酸）是一种生物大分子。",
        "请把 `SELECT * FROM users WHERE id = 1` 改成参数化查询。",
        "安装：pip install numpy，然后 import numpy as np。",
        "我们公司的 KPI 和 OKR 都由 HR 和 PM 一起定。",
        "臣本布衣，躬耕于南阳，苟全性命于乱世。",
        "香港嘅茶餐廳真係好好食，你去過未呀？",
        "勾股定理：$a^2+b^2=c^2$，其中 c 是斜边。",
        "打开 https://example.com/a/very/long/path/to/the/page 就行",
        "iPhone 15 Pro Max 和 Samsung Galaxy S24 Ultra 哪个好？",
        "把下面的句子翻译成英文。",
        "答：选 B。",
    ],
    "en": [
        "It is raining today. Did you bring an umbrella?",
        "Write a for loop in Python that prints the numbers from 1 to 10.",
        "The word 你好 means hello and 谢谢 means thanks.",
        "I don't think that's what she meant.",
        "What time will you be home?",
        "In 1905, Einstein published four papers on physics.",
        "You can use `用户` as the key of this dictionary.",
        "Sure, I can help you with that.",
        "To be, or not to be, that is the question.",
        "Beijing (北京) is the capital of China.",
        "My grandmother's recipe has been in the family for years.",
        "Why don't we go to the beach this weekend?",
        "The café was full, so we took the pâté and croissants to the park.",
        "This is how you say thank you in Japanese: ありがとう.",
    ],
    "ja": [
        "今日は雨が降っていますが、傘を持っていますか。",
        "東京大学の入学試験は二月に行われる。",
        "コーヒーを飲みながら本を読む。",
        "Pythonでforループを書く方法を教えてください。",
        "ありがとうございます。",
        "日本国憲法第九条は戦争放棄を定めている。",
    ],
    "ko": [
        "오늘 비가 오는데 우산을 가져왔어요?",
        "파이썬으로 for 문을 작성하세요.",
        "감사합니다. 내일 뵙겠습니다.",
    ],
    "ru": [
        "Сегодня идёт дождь, ты взял зонт?",
        "Напишите цикл for на языке Python.",
        "Это не моя книга.",
    ],
    "uk": [
        "Сьогодні йде дощ, ти взяв парасольку?",
    ],
    "ar": [
        "هل أحضرت المظلة اليوم؟",
    ],
    "fa": [
        "امروز باران می\u200cبارد، چتر آوردی؟ گفتم که بگیر.",
    ],
    "th": [
        "วันนี้ฝนตก คุณเอาร่มมาหรือเปล่า",
    ],
    "hi": [
        "आज बारिश हो रही है, क्या तुम छाता लाए हो?",
    ],
    "el": [
        "Σήμερα βρέχει, έφερες ομπρέλα;",
    ],
    "he": [
        "יורד גשם היום, הבאת מטרייה?",
    ],
    "fr": [
        "Il pleut aujourd'hui, est-ce que tu as pris un parapluie avec toi ?",
        "Je ne sais pas où est la gare, mais nous allons la trouver.",
    ],
    "de": [
        "Es regnet heute, hast du einen Schirm mit?",
        "Ich weiß nicht, wo der Bahnhof ist, aber wir finden ihn.",
    ],
    "es": [
        "Hoy llueve, ¿has traído el paraguas que te di?",
        "No sé dónde está la estación, pero la vamos a encontrar.",
    ],
    "pt": [
        "Hoje está chovendo, você trouxe o guarda-chuva?",
        "Não sei onde fica a estação, mas ela não é longe.",
    ],
    "it": [
        "Oggi piove, hai portato l'ombrello che ti ho dato?",
        "Non so dove sia la stazione, ma non è lontana da qui.",
    ],
    "nl": [
        "Het regent vandaag, heb je een paraplu bij je?",
    ],
    "vi": [
        "Hôm nay trời mưa, bạn có mang ô không?",
    ],
    "id": [
        "Hari ini hujan, apakah anda membawa payung yang saya beri?",
    ],
    "tr": [
        "Bugün yağmur yağıyor, bu şemsiye senin için çok büyük değil mi?",
    ],
    "pl": [
        "Dzisiaj pada deszcz i nie wiem, czy to jest mój parasol.",
    ],
    None: [
        "",
        "OK",
        "42",
        "……",
        "https://example.com/你好",
        "$E = mc^2$",
        "😀👍",
        "```python\nfor i in range(10):\n    print(i)\n```",
        "NullPointerException",
        "A. B. C. D.",
        "嗯",
        "Johann Sebastian Bach",
    ],
}
ROWS = [(code, text) for code, texts in TABLE.items() for text in texts]
ENGLISH = "Sure, I can help you with that. What would you like to know about the trip?"
CHINESE = "当然可以，你想了解这趟旅行的哪些方面呢？"
JAPANESE = "もちろんです。旅行についてどんなことを知りたいですか。"


@pytest.mark.parametrize(("code", "text"), ROWS)
def test_the_language_of_a_text_is_found(code: str | None, text: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(("code", "text"), ROWS)
def test_what_is_told_at_a_glance_is_never_another_language(code: str | None, text: str) -> None:
    glance = {one for one in ("zh", "en") if plainly(text, one)}
    assert glance <= {code} or code is None


def test_the_pages_of_this_project_are_in_their_language() -> None:
    """Many lines of code and tables among little prose: whatever is not clear must be None."""
    found = {}
    for page in sorted((ROOT / "docs").rglob("*.md")):
        wanted = "zh" if page.name.endswith(".zh-CN.md") else "en"
        found[page.name] = (language_of(page.read_text("utf-8")), wanted)
    assert [name for name, (is_, wanted) in found.items() if is_ not in (wanted, None)] == []
    assert sum(is_ == wanted for is_, wanted in found.values()) > 0.9 * len(found)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_cards_and_templates_are_in_their_language(code: Any) -> None:
    texts = [card.background or card.description for card in characters(code)]
    texts += [one.prompt for one in templates(code)]
    assert {language_of(text) for text in texts} == {code}


def test_how_much_of_a_language_there_is_is_told() -> None:
    assert weighed("今天下雨了") == ("zh", 5)
    assert weighed("It is raining today in the city.") == ("en", 7)
    assert weighed("") == (None, 0)


def test_a_long_text_is_looked_at_in_its_beginning_middle_and_end() -> None:
    assert language_of(CHINESE * 40 + ENGLISH * 400) == "en"
    assert language_of(ENGLISH * 4 + CHINESE * 400) == "zh"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("這個問題很難回答，請給我一點時間。", "traditional"),
        ("这个问题很难回答，请给我一点时间。", "simplified"),
        ("皇后在里屋干活。", None),
        ("他的台湾朋友叫陈志豪，住在台北。", "simplified"),
        ("hello", None),
        ("", None),
    ],
)
def test_traditional_and_simplified_characters_are_told_apart(text: str, script: str) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("context", "draft", "path", "language"),
    [
        (ZH, dialogue(CHINESE, ENGLISH), "$.dialogues[1].content", "en"),
        (ZH, row(question=CHINESE, answer=ENGLISH), "$.answer", "en"),
        (ZH, row(text=JAPANESE), "$.text", "ja"),
        (ZH, rounds((CHINESE, CHINESE, ENGLISH)), "$.rounds[0].correction", "en"),
        (ZH, chat(("user", CHINESE), ("assistant", ENGLISH)), "$.messages[1].content", "en"),
        (ZH, dialogue("How are you?", "This is fine.", "What is it?", "It is you."), "$", "en"),
        (EN, dialogue(ENGLISH, CHINESE), "$.dialogues[1].content", "zh"),
        (EN, refined(ENGLISH, ENGLISH, CHINESE), "$.refinement_process[1].answer", "zh"),
    ],
)
def test_a_text_in_another_language_fails(
    context: CheckContext, draft: Draft, path: str, language: str
) -> None:
    verdict = Language(context=context)(draft)
    assert (verdict.passed, verdict.reason) == (False, "wrong_language")
    assert (verdict.detail["path"], verdict.detail["language"]) == (path, language)


@pytest.mark.parametrize(
    ("context", "draft"),
    [
        (
            ZH,
            dialogue(
                "用 Python 写一个 for 循环", "```python\nfor i in range(9):\n    print(i)\n```"
            ),
        ),
        (ZH, dialogue("你会说 OK 吗？", "OK, no problem!")),
        (
            ZH,
            row(
                question="怎么用英语道歉？",
                answer="I am so sorry about what I said to you last night.",
            ),
        ),
        (ZH, row(source=CHINESE, target=ENGLISH, task="翻译")),
        (ZH, row(["text"], text=ENGLISH, summary=CHINESE)),
        (ZH, rounds((ENGLISH, ENGLISH, ENGLISH), (CHINESE, CHINESE, CHINESE), given=1)),
        (ZH, row(code="def add(a, b):\n    return a + b\n", note="加法")),
        (ZH, row(label="positive", text="好吃！")),
        (EN, row(question="What does 你好 mean?", answer="It is the usual way to say hello.")),
        (EN, dialogue("Bonjour!", "Hello! What can I do for you?")),
        (EN, refined(ENGLISH, ENGLISH, ENGLISH)),
        (EN, Draft(content={"judges": [{"comment": "Clear and to the point."}]})),
        (ZH, Draft(content=None)),
    ],
)
def test_names_code_lessons_and_given_texts_pass(context: CheckContext, draft: Draft) -> None:
    assert Language(context=context)(draft) is PASS


def test_the_languages_and_fields_are_options() -> None:
    both = row(question=CHINESE, answer=ENGLISH)
    assert Language(context=ZH, expect=["zh", "en"])(both) is PASS
    assert Language(context=ZH, fields="question")(both) is PASS
    assert Language(context=ZH, expect="en", fields=["answer"])(both) is PASS
    assert Language(context=ZH, least=100)(both) is PASS
    assert Language(context=ZH, expect="ja")(row(text=JAPANESE)) is PASS
    assert Language(context=ZH, action="flag")(both).action == "flag"


def test_the_script_of_chinese_is_an_option() -> None:
    draft = dialogue("這個問題很難回答。", "請給我一點時間。")
    assert Language(context=ZH)(draft) is PASS
    assert Language(context=ZH, script="traditional")(draft) is PASS
    assert Language(context=ZH, script="simplified")(draft) == failed(
        "wrong_script", script="traditional", expected="simplified"
    )
    assert Language(context=ZH, script="simplified")(dialogue("好", "ok")) is PASS


@pytest.mark.parametrize(
    ("options", "reason", "option"),
    [
        ({"expect": "klingon"}, "check_word", "expect"),
        ({"expect": ["zh", 3]}, "check_fields", "expect"),
        ({"script": "old"}, "check_word", "script"),
        ({"least": 0}, "check_whole", "least"),
        ({"fields": [""]}, "check_fields", "fields"),
        ({"action": "mask"}, "check_word", "action"),
    ],
)
def test_options_that_make_no_sense_are_named(options: Any, reason: str, option: str) -> None:
    with pytest.raises(SpecError) as caught:
        Language(context=ZH, **options)
    assert (caught.value.reason, caught.value.data["option"]) == (reason, option)


def test_an_address_ends_where_chinese_begins() -> None:
    text = "请发邮件到a@b.com，我们会在两个工作日之内回复您的问题，谢谢您的支持和理解。"
    assert language_of(text) == "zh"
    assert language_of(f"见https://example.com/help，{text}") == "zh"


@pytest.mark.parametrize("piece", ["a@", "\\[", "\\(x", "字", "$$x", "http://"])
def test_signs_of_what_is_no_prose_cost_no_search_to_the_end_each(piece: str) -> None:
    began_s = time.monotonic()
    weighed(piece * 20_000 + "@")
    assert time.monotonic() - began_s < 3
