"""Chunks of documents with answers, and whether the chunk bears the answer out.

Written by hand, as models answer: in other words, with figures in other notations, with a fact
swapped, with knowledge from elsewhere. The last of each chunk are what no lexical check can see.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    question: str
    answer: str
    supported: bool


FERRY_ZH = (
    "渡船从三月十五日开到十月底。头班早上六点从青石渡开出，末班晚上九点从南岸开回。逢集的日子是每月初三、"
    "十三、二十三，二十分钟一班；平日四十分钟一班。水面平静的时候，过一趟河要十一分钟。开春化冻之后的几个星期，"
    "水流比平时急一倍，过一趟最多要十八分钟。渡船能载四十个人，或者二十四个人加两辆板车。牲口拴在船头，不能靠近"
    "机舱盖，那里太热，马会不安。七岁以下的孩子、接生婆和送信的人不收钱。"
)
TEA_ZH = (
    "该茶园海拔850米，2019年种下第一批茶树，品种为“福鼎大白”。2023年春茶产量约1.2万斤，比2022年增长15%。"
    "采摘标准是一芽一叶，鲜叶须在四小时内摊晾，摊晾厚度不超过3厘米。杀青温度控制在200℃左右，时间五到六分钟。"
    "成品茶含水量低于6%方可装箱，装箱后存放在阴凉干燥处，避免与有异味的物品放在一起。"
)
FERRY_EN = """
The ferry runs from the fifteenth of March to the end of October. The first crossing leaves
Oldbank at six in the morning, the last one leaves Marsh End at nine in the evening. On market
days, which are Tuesday and Saturday, it leaves every twenty minutes; on all other days, every
forty. One crossing takes eleven minutes when the water is calm. In the weeks after the thaw a
crossing takes up to eighteen minutes. The ferry takes forty passengers, or twenty-four
passengers and two carts. Animals travel in the bow, tied, and never next to the engine hatch,
because the heat makes horses restless. Children under seven, the midwife and the postwoman
pay nothing.
"""
LAPTOP_EN = """
The Aster 14 weighs 1.35 kg and has a 72 Wh battery rated for 11 hours of video playback. It
ships with 16 GB of memory, soldered and not upgradable, and a 512 GB drive that can be
replaced. The lid is made of recycled aluminium. In "quiet mode" the fan stays off below 45 °C.
Sales began on 3 May 2024 at $1,299; the warranty covers two years, but not the battery, which
is covered for one.
"""

CASES: list[tuple[str, list[Case]]] = [
    (
        FERRY_ZH,
        [
            Case("渡船一次能坐多少人？", "最多能坐40人；如果带两辆板车，就只能坐24人。", True),
            Case("过一趟河要多久？", "水面平静时过河需要11分钟，开春化冻后最多18分钟。", True),
            Case("渡船什么时候开航？", "从3月15日一直开到10月底。", True),
            Case("哪些人坐船不用交钱？", "七岁以下的孩子、接生婆和送信的人都不收钱。", True),
            Case("牲口为什么不能靠近机舱盖？", "因为机舱盖那里太热，马会变得不安。", True),
            Case("逢集时多久一班？", "逢集的日子每二十分钟一班。", True),
            Case("头班船几点开？", "头班早上6点从青石渡出发。", True),
            Case("渡船一次能坐多少人？", "渡船一次最多能载60人。", False),
            Case("过一趟河要多久？", "平静的时候大约需要25分钟。", False),
            Case("渡船什么时候开航？", "从4月1日开到11月底。", False),
            Case(
                "牲口为什么不能上船？",
                "为了防止传染病扩散，当地政府规定乘客必须出示检疫证明，否则将被处以罚款。",
                False,
            ),
            Case(
                "渡船用什么发动机？",
                "采用进口涡轮增压柴油机，配备卫星导航和自动避障雷达，安全性能处于行业领先水平。",
                False,
            ),
            Case("船上有什么规定？", "手册《内河航运安全条例》要求全员穿救生衣。", False),
            Case("头班船从哪里开？", "头班早上六点从南岸开出。", False),
            Case("坐船收钱吗？", "七岁以下的孩子、接生婆和送信的人也要收钱。", False),
        ],
    ),
    (
        TEA_ZH,
        [
            Case("2023年春茶产了多少？", "约12000斤，同比增长15%。", True),
            Case("茶树是什么品种？", "品种是“福鼎大白”。", True),
            Case("鲜叶怎样摊晾？", "鲜叶要在4小时内摊晾，厚度不超过3厘米。", True),
            Case(
                "成品茶怎样存放？",
                "含水量低于6%才能装箱，装箱后放在阴凉干燥的地方，远离有异味的物品。",
                True,
            ),
            Case("杀青要注意什么？", "温度保持在200℃左右，杀青时间为5到6分钟。", True),
            Case("文中提到茶叶的价格了吗？", "文中没有提到价格。", True),
            Case("2023年春茶产了多少？", "约1.8万斤，增长了20%。", False),
            Case("茶树是什么品种？", "品种是“龙井43”。", False),
            Case(
                "茶园在哪里？",
                "茶园位于福建省宁德市太姥山脚下，属亚热带季风气候，雨量充沛，土壤肥沃。",
                False,
            ),
            Case("杀青要注意什么？", "杀青温度不能超过180℃。", False),
            Case(
                "喝茶有什么好处？",
                "经常饮用可以降低血脂、延缓衰老，并且有助于预防多种慢性疾病。",
                False,
            ),
        ],
    ),
    (
        FERRY_EN,
        [
            Case(
                "How many people fit on it?",
                "It carries 40 passengers, or 24 with two carts.",
                True,
            ),
            Case(
                "How long is a crossing?",
                "Eleven minutes in calm water, up to 18 after the thaw.",
                True,
            ),
            Case(
                "When does the season start?",
                "It starts on March 15 and lasts until October.",
                True,
            ),
            Case("Who travels free?", "Children under seven, the midwife and the postwoman.", True),
            Case(
                "Where do animals stand?",
                "They are tied in the bow, away from the engine hatch.",
                True,
            ),
            Case("How often on market days?", "Every 20 minutes, on Tuesdays and Saturdays.", True),
            Case("How many people fit on it?", "Up to 60 passengers can board.", False),
            Case(
                "How long is a crossing?", "Roughly half an hour, or 35 minutes in winter.", False
            ),
            Case("When does the season start?", "It opens on April 1 every year.", False),
            Case(
                "Who owns the ferry?",
                "A private shipping company founded by Norwegian investors after the war.",
                False,
            ),
            Case(
                "What about life jackets?",
                "National regulations require certified flotation devices for everybody aboard.",
                False,
            ),
            Case(
                "Where does the first crossing leave?",
                "The first crossing leaves Marsh End.",
                False,
            ),
        ],
    ),
    (
        LAPTOP_EN,
        [
            Case("How heavy is it?", "The Aster 14 weighs 1.35 kg.", True),
            Case(
                "Can I add memory?",
                "No. The 16 GB of memory is soldered and cannot be upgraded.",
                True,
            ),
            Case(
                "How long is the warranty?",
                "Two years, but the battery is covered for only one.",
                True,
            ),
            Case("When did it go on sale?", "Sales began on 2024-05-03, at $1299.", True),
            Case("When does the fan run?", 'In "quiet mode" it stays off below 45 °C.', True),
            Case("How long does the battery last?", "About 11 hours of video playback.", True),
            Case("How heavy is it?", "It weighs about 1.1 kg.", False),
            Case("How long does the battery last?", "Up to 20 hours.", False),
            Case("Is there a silent setting?", 'Yes, it is called "whisper mode".', False),
            Case(
                "Which processor does it use?",
                "An eight-core chip made by a Taiwanese foundry with integrated graphics.",
                False,
            ),
            Case(
                "Is the drive replaceable?", "The drive is soldered and cannot be replaced.", False
            ),
        ],
    ),
]
