# ruff: noqa: E501  a text stands on one line
"""Texts of models that are stuck, and texts that repeat by design: poems, songs, laughter, forms.

Each is (text, reason), or a text that passes.
"""

from __future__ import annotations

_ZH = "昨天我去了城西那家旧书店，老板说他三十年前就在这条街上摆摊了，后来搬过四次家。"
_EN = "Yesterday I went to the old bookshop on the west side of the town and stayed for an hour. "

FOUND = [
    (_ZH + "然后他笑了。" * 20, "loop"),
    ("我知道了，" * 60, "loop"),
    ("的" * 200, "loop"),
    ("非常" * 100, "loop"),
    ("谢谢！" * 50, "loop"),
    (_EN + "and then " * 40, "loop"),
    ("I love you. " * 30, "loop"),
    ("the the the the " * 30, "loop"),
    ("a" * 500, "loop"),
    ("1, 2, 3, a, " * 40, "loop"),
    ("😀好" * 80, "loop"),
    (_ZH * 6, "loop"),
    (_EN * 6, "loop"),
    ("您好，请问有什么可以帮您？\n" * 12, "loop"),
    ("答案是42。因此，" * 15, "loop"),
    ("<p>你好</p>" * 30, "loop"),
    ("我们要努力，我们要奋斗，" * 15, "loop"),
    ("ありがとうございます。" * 12, "loop"),
    ("감사합니다. " * 20, "loop"),
    ("這個問題很重要，" * 20, "loop"),
    ("\n".join(f"{n}. 多喝水，早点睡觉，保持心情愉快。" for n in range(1, 11)), "repeated_lines"),
    ("\n".join(f"{n}. Drink more water every day." for n in range(1, 11)), "repeated_lines"),
    ("\n".join(f"- 第{n}步：\n  打开设置并点击确定按钮。" for n in range(1, 10)), "repeated_lines"),
    (
        _ZH + "\n换个话题。\n" + _ZH + "\n再换一个。\n" + _ZH + "\n最后，\n" + _ZH,
        "repeated_phrases",
    ),
    (
        "\n".join(
            f"{who}认为，人工智能技术的发展为社会带来了巨大的机遇和挑战，我们应当理性看待。"
            for who in ("张三", "李四", "王五", "赵六", "孙七", "周八")
        ),
        "repeated_phrases",
    ),
    (
        " ".join(
            f"In {year}, the company continued to grow and to invest in new products and markets."
            for year in range(2010, 2019)
        ),
        "repeated_phrases",
    ),
    ("好的好的好的好的" * 30, "loop"),
    ("哈" * 300, "loop"),
    ("……好。" * 60, "loop"),
    ("他走啊走，走啊走，" * 15, "loop"),
]

FINE = [
    # 诗词、歌、民谣
    "床前明月光，疑是地上霜。举头望明月，低头思故乡。",
    "寻寻觅觅，冷冷清清，凄凄惨惨戚戚。乍暖还寒时候，最难将息。三杯两盏淡酒，怎敌他、晚来风急！",
    "鹅，鹅，鹅，曲项向天歌。白毛浮绿水，红掌拨清波。",
    "采采芣苢，薄言采之。采采芣苢，薄言有之。采采芣苢，薄言掇之。采采芣苢，薄言捋之。采采芣苢，薄言袺之。采采芣苢，薄言襭之。",
    "蒹葭苍苍，白露为霜。所谓伊人，在水一方。溯洄从之，道阻且长。溯游从之，宛在水中央。\n"
    "蒹葭萋萋，白露未晞。所谓伊人，在水之湄。溯洄从之，道阻且跻。溯游从之，宛在水中坻。\n"
    "蒹葭采采，白露未已。所谓伊人，在水之涘。溯洄从之，道阻且右。溯游从之，宛在水中沚。",
    "两只老虎，两只老虎，跑得快，跑得快。一只没有耳朵，一只没有尾巴，真奇怪，真奇怪。",
    "祝你生日快乐，祝你生日快乐，祝你生日快乐，祝你永远快乐！",
    "门前大桥下，游过一群鸭，快来快来数一数，二四六七八。咕嘎咕嘎，真呀真多呀，数不清到底多少鸭，数不清到底多少鸭。",
    "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is"
    " but a dream.",
    "Happy birthday to you, happy birthday to you, happy birthday, dear Anna, happy birthday to you!",
    "Jingle bells, jingle bells, jingle all the way! Oh, what fun it is to ride in a one-horse open"
    " sleigh. Jingle bells, jingle bells, jingle all the way!",
    "Do not go gentle into that good night. Rage, rage against the dying of the light.",
    "The rain fell.\nAnd the river rose.\n\nThe dogs barked.\nAnd the river rose.\n\nThe bells rang.\n"
    "And the river rose.",
    "Water, water, every where, and all the boards did shrink; water, water, every where, nor any"
    " drop to drink.",
    # 说话
    "哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈，笑死我了",
    "啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊我中奖了！！！！！！！！！！！！！！！！",
    "不不不不不，不是你想的那样，你听我解释。",
    "快快快快快！车要开了！",
    "对对对对对对，就是这个意思，就是这个意思。",
    "hahahahahahahahahahahahaha that is so funny",
    "No, no, no, no, no! I said left, not right. Left, left, left!",
    "呜呜呜呜呜呜呜呜，妈妈，妈妈，妈妈，你在哪里？",
    "汪！汪！汪！汪！小狗冲着门外叫了起来，怎么喊都不停。",
    "嘀嗒，嘀嗒，嘀嗒，嘀嗒，墙上的钟走得比平时慢。",
    "5、4、3、2、1，发射！",
    # 数、表、代码、公式
    "1+1=2\n2+2=4\n3+3=6\n4+4=8\n5+5=10\n6+6=12\n7+7=14\n8+8=16\n9+9=18",
    "圆周率约为3.1415926535897932384626433832795028841971693993751058209749445923078164",
    "0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765",
    "姓名：张三\n年龄：20\n籍贯：北京\n\n姓名：李四\n年龄：22\n籍贯：上海\n\n姓名：王五\n年龄：25\n籍贯：广州",
    "| 日期 | 天气 |\n|---|---|\n| 周一 | 晴 |\n| 周二 | 晴 |\n| 周三 | 晴 |\n| 周四 | 晴 |\n| 周五 | 晴 |\n| 周六 | 晴 |",
    "```python\nprint('a')\nprint('a')\nprint('a')\nprint('a')\nprint('a')\nprint('a')\nprint('a')\n```",
    "[[0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]]",
    "00000000 00000000 00000000 00000001 00000000 00000000 00000000 00000010",
    "A(1,2) B(1,2) C(1,2) D(1,2)",
    "def f(x):\n    return x\n\ndef g(x):\n    return x\n\ndef h(x):\n    return x\n\ndef k(x):\n    return x\n",
    "<ul>\n<li>苹果</li>\n<li>香蕉</li>\n<li>橘子</li>\n<li>西瓜</li>\n<li>葡萄</li>\n<li>荔枝</li>\n</ul>",
    "SELECT a.id, a.name, b.id, b.name FROM a JOIN b ON a.id = b.id WHERE a.id > 0 AND b.id > 0;",
    '{"a": null, "b": null, "c": null, "d": null, "e": null, "f": null, "g": null, "h": null}',
    "ACGTACGTTTGACCAATGCCGATTACAGGTACCATGGACCTTAGA",
    # 说理与列举
    "为什么要早睡？因为早睡能长高。为什么要运动？因为运动能强身。为什么要读书？因为读书能明理。",
    "首先，准备食材。其次，清洗食材。再次，切好食材。然后，翻炒食材。最后，装盘上桌。",
    "选项A是正确的。选项B是错误的。选项C是错误的。选项D是错误的。",
    "他不说话。她也不说话。孩子不说话，猫也不说话。屋子里只有钟在说话。",
    "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer.",
    "Buffalo buffalo Buffalo buffalo buffalo buffalo Buffalo buffalo.",
    "施氏食狮史：石室诗士施氏，嗜狮，誓食十狮。氏时时适市视狮。十时，适十狮适市。是时，适施氏适市。",
    "吃葡萄不吐葡萄皮，不吃葡萄倒吐葡萄皮。吃葡萄不吐葡萄皮，不吃葡萄倒吐葡萄皮。",
    "道可道，非常道；名可名，非常名。无名，天地之始，有名，万物之母。",
    "",
    "好",
    "\n\n\n\n\n\n\n\n",
    "。" * 500,
    "- " * 200,
]
