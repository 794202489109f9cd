"""A store in which everything that can hold text holds hostile text, what models said included.

Owns: the payloads and the store. Does not own: what must hold of its pages (`test_web_hostile`).
What a payload would make, were it ever taken for markup, has `pwn` in its name: so it is found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import web_store as plain
from answering import Answer, answering, chat
from corpusmith.nouns import Character, Scenario
from corpusmith.service.passwords import Passwords
from corpusmith.service.studio import Studio
from corpusmith.store.access_values import Deed
from corpusmith.store.store import SqlStore
from corpusmith.values import Selection

PAYLOADS = (
    "<script>pwned()</script>",
    "<img src=x onerror=pwned() data-pwn>",
    '"><svg/onload=pwned() class=pwn>',
    "' autofocus onfocus=pwned() data-pwn='",
    '" data-pwn="1" style="color:red',
    "<a href=javascript:pwned() data-pwn>click</a>",
    "javascript:pwned()//pwn",
    "data:text/html,<script>pwned()</script>",
    '<div hx-get="/pwn" hx-trigger="load" data-pwn>',
    '<p hx-on:load="pwned()" hx-on::load="pwned()" data-pwn>',
    '<form action="https://pwn.example/" data-draft="pwn"><input name=pwn autofocus>',
    '<span data-opens="pwn" data-forget-draft="scenario" data-sends data-pwn>',
    "{{ 7*7 }}{{ config }}{% raw %}pwn",
    "{% include 'layout.html' %}{# pwn #}",
    "<!-- pwn --><!--[if IE]>pwn<![endif]--><!--",
    "</script><script>pwned()</script>",
    "</textarea><img src=x data-pwn onerror=pwned()>",
    "</title></head><body data-pwn onload=pwned()>",
    "</option></select><b data-pwn>",
    "</template></dialog><dialog open data-pwn>",
    "<style>*{display:none!important}</style><link rel=stylesheet href=//pwn.example/x>",
    "x;}*{display:none}</style><i data-pwn>",
    "<iframe srcdoc='<script>parent.pwned()</script>' data-pwn></iframe>",
    "<base href=//pwn.example/><meta http-equiv=refresh content='0;url=//pwn.example/'>",
    "${pwned()} `${alert(1)}` #{7*7} <%= 7*7 %> pwn",
    '\\u003cimg src=x data-pwn\\u003e \\"};pwned();// ',
    '"}]};pwned();var pwn=[{"',
    "=cmd|'/c calc'!A0 pwn",
    "https://pwn.example/?a=1&b=2#frag",
    "&lt;b data-pwn&gt; &amp;amp; &#60;i data-pwn&#62;",
    "../../../../etc/passwd%2e%2e%2f%00 pwn",
    "سلام <b data-pwn> עברית pwn",
    "👩🏽😈🏴 pwn 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 " + "Z" * 120,
    "%0d%0aSet-Cookie:%20pwn=1 %s %(pwn)s {0.__class__}",
    "__proto__ constructor toString pwn",
)
"""Each is 1 to 200 visible characters: a name, too."""
WILD = (
    "bidi \u202epwn\u202c \u2066x\u2069 zero\u200bwidth\u200d\ufeff \u2028\u2029",
    "esc \x1b[2J\x1b]0;pwn\x07 del \x7f c1 \x9b bell \x01 cr \r\n tab \t pwn",
    "zalgo p\u0337\u0300\u0301w\u0336n" + "\u0301" * 60,
)
"""What no name may hold, but texts and replies do."""
LONG = "W" * 100_000
TEXTS = (*PAYLOADS, *WILD)
EVERYTHING = "\n".join(TEXTS)
PASSWORD = "correct horse battery"

NAME = "</script><img src=x onerror=pwned() data-pwn>\"'{{7*7}}/../a b?c=d#e&f;%2F<!--"
"""Of one of each kind: all that breaks out, and all that parts an address."""
TEMPLATE = NAME.replace("/", "|")
"""A template's name looks like no file."""
ADDRESSES: Mapping[str, str] = {
    quote(old, safe=safe): quote(TEMPLATE if old == plain.TEMPLATE else NAME, safe="")
    for old in (plain.DATASET, plain.SCENARIO, plain.CHARACTER, plain.CONNECTION, plain.TEMPLATE)
    for safe in ("", "/")
}
"""Names in the addresses of `web_addresses`, and what they are here."""


def here(address: str) -> str:
    """An address of `web_addresses`, of this store."""
    for old, new in ADDRESSES.items():
        address = address.replace(old, new)
    return address


def cheap() -> Passwords:
    """Of tests: quick."""
    from argon2 import Parameters, Type

    sizes = {"salt_len": 16, "hash_len": 16, "time_cost": 1, "memory_cost": 8, "parallelism": 1}
    return Passwords(Parameters(type=Type.ID, version=19, **sizes))


def fill(store: SqlStore, folder: Path) -> list[str]:
    """Everything that there is to be had. The addresses of pages that are of what it made."""
    studio = Studio.over(store, "en", passwords=cheap())
    says = cycle(TEXTS)

    def say(_headers: Any, body: bytes) -> Answer:
        text = next(says)
        if b"AS-JSON" in body:
            return chat(
                json.dumps({"question": text, "answer": text, "comment": text, "dimension_1": 3})
            )
        return chat(text)

    with answering(say) as url:
        connection = {"base_url": f"{url}/v1", "model": NAME}
        _material(studio)
        _tasks(studio, connection)
        more = _records(studio, connection, folder)
    _people(studio)
    return more


def _material(studio: Studio) -> None:
    studio.scenarios.add(Scenario(name=NAME, description=EVERYTHING, weight=2))
    every = {"description": EVERYTHING, "personality": EVERYTHING, "background": EVERYTHING}
    studio.characters.add(
        Character(
            name=NAME,
            **every,
            speaking_style=EVERYTHING,
            example_dialogues=EVERYTHING,
            greeting=EVERYTHING,
            system_prompt=EVERYTHING,
            creator=NAME,
            tags=PAYLOADS[:8],
            language="en",
        )
    )
    prompt = EVERYTHING.replace("{", "{{").replace("}", "}}") + " {topic}"
    template = {
        "name": TEMPLATE,
        "description": EVERYTHING,
        "prompt": prompt,
        "system": prompt,
        "vars": {"topic": list(TEXTS)},
        "language": "en",
    }
    studio.templates.add(template)
    studio.templates.edit(TEMPLATE, prompt=prompt + PAYLOADS[1], description=PAYLOADS[0])
    studio.connections.add(NAME, base_url="https://models.example/v1", model=PAYLOADS[1])
    studio.datasets.add(
        NAME, description=EVERYTHING, characters=[NAME], scenarios={NAME: 1}, language="en"
    )
    for text in PAYLOADS:
        studio.scenarios.add(Scenario(name=text, description=text))
        studio.characters.add(Character(name=text, description=text, tags=(text[:40],)))
        studio.templates.add(
            {"name": text.replace("/", "|"), "description": text, "prompt": "{topic} pwn"}
        )
        studio.connections.add(text, base_url="https://models.example/v1", model=text)
        studio.datasets.add(text, description=text)


def _tasks(studio: Studio, connection: Mapping[str, Any]) -> None:
    given = {"connection": connection, "seed": 1}
    free = {"prompt": "say {topic}", "vars": {"topic": list(TEXTS)}}
    count = len(TEXTS)
    studio.generate(name=NAME, recipe="template", template=free, count=count, dataset=NAME, **given)
    strict = {
        **free,
        "schema": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
    }
    studio.generate(name=PAYLOADS[1], recipe="template", template=strict, count=count, **given)
    studio.generate(
        name=PAYLOADS[0],
        recipe="dialogue",
        mode="turns",
        characters=[NAME],
        scenarios={NAME: 1, PAYLOADS[1]: 1},
        count=4,
        turns=2,
        dataset=NAME,
        **given,
    )


def _records(studio: Studio, connection: Mapping[str, Any], folder: Path) -> list[str]:
    ids = [one.id for one in studio.records.page(Selection(dataset=NAME), limit=200).items]
    for place, text in enumerate(TEXTS):
        number = ids[place]
        said = {"state": "approved", "rating": place % 5 + 1, "note": text}
        studio.reviews.review(number, reviewer=PAYLOADS[place % 30][:90], **said)
    tags = [text.replace('"', "'").replace(",", ";").replace("\\", "|")[:40] for text in PAYLOADS]
    studio.reviews.apply(ids=ids[:3], reviewer=PAYLOADS[2], add_tags=tags[:12])
    studio.reviews.apply(ids=ids[3:6], reviewer=PAYLOADS[2], add_tags=tags[12:24])
    talk = next(one for one in ids if "dialogues" in _content(studio, one))
    content = _content(studio, talk)
    content["dialogues"][1]["content"] = "\n".join([*PAYLOADS, WILD[0], WILD[2], LONG])
    studio.reviews.edit(talk, content, reviewer=PAYLOADS[1])
    longer = {"text": _content(studio, ids[1])["text"] + LONG}
    studio.reviews.edit(ids[1], longer, reviewer=PAYLOADS[0])
    studio.records.bulk("delete", ids[-1:])
    studio.checking.records(
        Selection(dataset=NAME), apply="flag", checks={"length": {"max_chars": 20}}
    )
    return [
        *_imported(studio, folder),
        *_evaluated(studio, connection),
        *_reported(studio),
        f"/records/{talk}",
        f"/records/{talk}/edit",
        f"/records/{ids[0]}?dataset={quote(NAME, safe='')}",
        *(f"/tasks/{n}{tab}" for n in (2, 3) for tab in ("", "/results", "/failures")),
        "/tasks/2/export",
        f"/datasets/{quote(NAME, safe='')}/records?tag={quote(tags[1])}&scenario={quote(NAME)}",
    ]


def _content(studio: Studio, number: int) -> Any:
    return studio.reviews.get(number).content


def _imported(studio: Studio, folder: Path) -> list[str]:
    file = folder / "pwn <img src=x data-pwn>.jsonl"
    rows = [{"instruction": text, "output": text, NAME: text} for text in TEXTS]
    rows += [{"instruction": PAYLOADS[1]}, {PAYLOADS[0]: PAYLOADS[1]}]  # two that are refused
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    done = studio.imports.run(file, PAYLOADS[0], name=PAYLOADS[1])
    name = quote(PAYLOADS[0], safe="")
    return [f"/datasets/-/imports/{done.task_id}", f"/datasets/{name}", f"/datasets/{name}/records"]


def _evaluated(studio: Studio, connection: Mapping[str, Any]) -> list[str]:
    words = {f"score_{n}": PAYLOADS[n] for n in (1, 5)}
    rubric = {
        "judged": EVERYTHING + " AS-JSON",
        "dimensions": [{"name": PAYLOADS[1], "description": EVERYTHING, **words}],
    }
    task = studio.tasks.create(
        recipe="evaluate",
        name=PAYLOADS[2],
        of=f"dataset:{PAYLOADS[0]}",
        rubric=rubric,
        connection=connection,
    )
    studio.tasks.run(task)
    return [f"/evaluations/{task.id}", f"/tasks/{task.id}", f"/tasks/{task.id}/failures"]


def _reported(studio: Studio) -> list[str]:
    report = studio.reports.of(dataset=NAME)
    kept = studio.kept_reports.keep(NAME, report)
    return [f"/datasets/{quote(NAME, safe='')}/reports/{kept.id}"]


def _people(studio: Studio) -> None:
    for place, text in enumerate(PAYLOADS):
        studio.tokens.add(text[:90], days=None if place % 2 else 30)
        studio.audit.add(
            Deed(who=text[:90], via="session", action=text[:60], target=text, address=text[:40])
        )
