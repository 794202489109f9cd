"""Files that are wrong in one way each: templates, ratios, chains, domains, rubrics, rows, papers.

Owns: writing them once. Does not own: the cases (`bad_input_*.py`), endpoints and databases
(`bad_input_world.py`).
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pypdf import PdfWriter

Fields = dict[str, Any]

REVIEW: Fields = {
    "name": "review",
    "prompt": 'Write about {topic}, {tone}: {"text": "..."}',
    "vars": {"tone": "kind"},
}
FREE: Fields = {"name": "free", "prompt": "Write about {topic}."}
ENDPOINT = {"connection": "stored"}
LEFT = {"name": "left", "share": "40%", "vars": {"topic": "tea"}}
RIGHT = {"name": "right", "share": "60%", "vars": {"topic": "rice"}}
RATIO: Fields = {**ENDPOINT, "template": "free.yaml", "total": 10, "categories": [LEFT, RIGHT]}
FROM_FULL = {"name": "a", "share": "50%", "dataset": "full"}
FROM_TASK = {"name": "b", "share": "50%", "task": 1}
SAMPLE: Fields = {"total": 2, "seed": 1, "categories": [FROM_FULL, FROM_TASK]}
RUBRIC: Fields = {
    "judged": "The answer.",
    "dimensions": [
        {"name": "right", "description": "Is it true?", "score_1": "No.", "score_5": "Yes."}
    ],
}
DOMAIN: Fields = {
    "version": 1,
    "name": "tea",
    "language": "en",
    "axes": {"topic": ["leaves", "water"]},
    "prompts": {
        "learner": {"user": "Ask about {topic}."},
        "expert": {"user": "{question}"},
        "judge": {"user": "{question} {answer}"},
        "refine": {"user": "{question} {answer} {critique}"},
    },
}
IMPORT = {"name": "seeds", "recipe": "import", "file": "good.csv", "dataset": "seeds"}
ASK = {"name": "ask", "template": "free.yaml", "input": "step:seeds"}
CHAIN: Fields = {**ENDPOINT, "steps": [IMPORT, ASK]}
TRIPLE = {"question": "Why?", "answer": "So.", "correction": "Because."}


def with_prompt(role: str, text: str) -> Fields:
    return {**DOMAIN, "prompts": {**DOMAIN["prompts"], role: {"user": text}}}


def with_steps(*steps: Fields) -> Fields:
    return {**CHAIN, "steps": list(steps)}


def with_dimension(**fields: Any) -> Fields:
    return {**RUBRIC, "dimensions": [{**RUBRIC["dimensions"][0], **fields}]}


def with_categories(*categories: Any) -> Fields:
    return {**RATIO, "categories": list(categories)}


def from_datasets(*categories: Any, **fields: Any) -> Fields:
    return {**SAMPLE, "categories": list(categories), **fields}


FIELDS: dict[str, Fields] = {
    # templates
    "review.yaml": REVIEW,
    "free.yaml": FREE,
    "no_prompt.yaml": {"name": "empty", "type": "qa"},
    "no_variables.yaml": {"prompt": "Write something."},
    "near_fields.yaml": {**REVIEW, "promt": "x", "shema": {}, "tempreature": 1},
    "wrong_types.yaml": {
        "name": 7,
        "description": ["a"],
        "type": "poem",
        "language": "fr",
        "prompt": {"a": 1},
        "system": False,
        "schema": "object",
        "vars": ["topic"],
        "keep": 3,
        "preset": "slow",
        "model": "",
        "temperature": "warm",
        "top_p": 0,
        "max_tokens": 2.5,
    },
    "odd_numbers.yaml": {
        **REVIEW,
        "temperature": float("nan"),
        "top_p": float("inf"),
        "max_tokens": -1,
    },
    "unused_default.yaml": {**REVIEW, "vars": {"tone": "kind", "topics": "tea"}},
    "built_in_default.yaml": {**REVIEW, "vars": {"current_date": "today"}},
    "keep_own.yaml": {**REVIEW, "keep": ["text"]},
    "no_schema.yaml": {**REVIEW, "schema": {"type": "objekt", "properties": {}}},
    "list_of_types.yaml": {**REVIEW, "schema": {"type": ["object", "null"]}},
    "number_schema.yaml": {**REVIEW, "schema": {"type": "integer"}},
    "remote_schema.yaml": {
        **REVIEW,
        "schema": {"type": "object", "properties": {"a": {"$ref": "http://example.org/a.json"}}},
    },
    "lost_reference.yaml": {
        **REVIEW,
        "schema": {"type": "object", "properties": {"a": {"$ref": "#/$defs/nowhere"}}},
    },
    "broken_pattern.yaml": {
        **REVIEW,
        "schema": {"type": "object", "properties": {"a": {"type": "string", "pattern": "(["}}},
    },
    "empty_list.yaml": {**REVIEW, "vars": {"tone": []}},
    "zero_weight.yaml": {**REVIEW, "vars": {"tone": {"kind": 0, "cross": 1}}},
    "nested_value.yaml": {**REVIEW, "vars": {"tone": [["kind"]]}},
    "path_name.yaml": {**REVIEW, "name": "../../etc/review"},
    "escape_name.yaml": {**REVIEW, "name": "red \x1b[31mpaint"},
    "long_name.yaml": {**REVIEW, "name": "n" * 201},
    # ratio tasks
    "ratio.yaml": RATIO,
    "sum_90.yaml": with_categories(LEFT, {**RIGHT, "share": "50%"}),
    "mixed_shares.yaml": with_categories(LEFT, {**RIGHT, "share": 60}),
    "word_share.yaml": with_categories(LEFT, {**RIGHT, "share": "half"}),
    "negative_share.yaml": with_categories(LEFT, {**RIGHT, "share": "-60%"}),
    "list_share.yaml": with_categories(LEFT, {**RIGHT, "share": [60]}),
    "same_category.yaml": with_categories(LEFT, LEFT),
    "nameless_category.yaml": with_categories(LEFT, {"share": "60%"}),
    "word_category.yaml": with_categories(LEFT, "right"),
    "categories_map.yaml": {**RATIO, "categories": {"left": 40}},
    "no_categories.yaml": {**RATIO, "categories": []},
    "no_total.yaml": {name: one for name, one in RATIO.items() if name != "total"},
    "no_template.yaml": {name: one for name, one in RATIO.items() if name != "template"},
    "near_ratio.yaml": with_categories(LEFT, {**RIGHT, "tempature": 1, "vras": {}}),
    "lost_template.yaml": {**RATIO, "template": "nowhere.yaml"},
    "missing_value.yaml": with_categories(LEFT, {"name": "right", "share": "60%"}),
    "models_twice.yaml": with_categories(LEFT, {**RIGHT, "model": "a", "models": ["b"]}),
    # samples of datasets
    "sample.yaml": SAMPLE,
    "sample_sum.yaml": from_datasets(FROM_FULL, {**FROM_TASK, "share": "40%"}),
    "sample_mixed.yaml": from_datasets(FROM_FULL, {**FROM_TASK, "share": 3}),
    "sample_zero.yaml": from_datasets({**FROM_FULL, "share": 0}),
    "sample_word.yaml": from_datasets({**FROM_FULL, "share": "much"}),
    "sample_both.yaml": from_datasets({**FROM_FULL, "task": 1}, FROM_TASK),
    "sample_twice.yaml": from_datasets(FROM_FULL, {**FROM_TASK, "name": "a"}),
    "sample_lost.yaml": from_datasets({**FROM_FULL, "dataset": "nowhere"}, FROM_TASK),
    "sample_lost_task.yaml": from_datasets(FROM_FULL, {**FROM_TASK, "task": 99}),
    "sample_state.yaml": from_datasets({**FROM_FULL, "where": {"state": "good"}}, FROM_TASK),
    "sample_field.yaml": from_datasets({**FROM_FULL, "where": {"colour": "red"}}, FROM_TASK),
    "sample_onto.yaml": from_datasets(FROM_FULL, FROM_TASK, dataset="full"),
    "sample_full.yaml": from_datasets({**FROM_TASK, "share": "100%"}, dataset="full"),
    "sample_strict.yaml": from_datasets(FROM_FULL, FROM_TASK, total=500, strict=True),
    "sample_no_total.yaml": {"categories": [FROM_FULL, FROM_TASK]},
    "sample_types.yaml": {**SAMPLE, "total": "all", "seed": -1, "strict": "so", "dataset": ""},
    # task files of the new recipes
    "rounds_types.yaml": {
        **{"recipe": "rounds", "input": 3, "map": ["q"], "sample": "some", "rounds": 0},
        **{"context_messages": 0, "context_tokens": "many", "output_dir": "", "count": 5},
    },
    "rounds_near.yaml": {"recipe": "rounds", "inputt": "x", "round": 2, "output_dri": "y"},
    "selfplay_types.yaml": {
        **{"recipe": "selfplay", "num_entries": 0, "refinement_iterations": -1, "domain": 3},
        **{"max_tokens": 100, "satisfied_score": 11, "models": ["big"]},
    },
    "selfplay_near.yaml": {"recipe": "selfplay", "num_entrys": 3, "refinement_iteration": 2},
    "evaluate_types.yaml": {
        **{"recipe": "evaluate", "of": {"path": "good.jsonl", "sample": 0}, "rubric": 3},
        **{"judges": [{"conection": "stored"}], "max_row_tokens": 1},
    },
    "evaluate_count.yaml": {"recipe": "evaluate", "of": "good.jsonl", "count": 3},
    "evaluate_nothing.yaml": {"recipe": "evaluate", "rubric": "general"},
    "feedback_types.yaml": {
        **{"recipe": "feedback", "feedback_file": 3, "min_rating": 9, "formats": ["xml"]},
        **{"map": "prompt", "pairs": "so", "pairs_choose": "luck", "kto_max": 0},
    },
    "feedback_near.yaml": {"recipe": "feedback", "feedback_fil": "x", "min_ratin": 3},
    "feedback_run.yaml": {"recipe": "feedback", "feedback_file": "feedback.jsonl"},
    # chains
    "chain.yaml": CHAIN,
    "chain_empty.yaml": {"steps": []},
    "chain_map.yaml": {"steps": {"one": IMPORT}},
    "chain_words.yaml": {"steps": ["import", 3]},
    "chain_near.yaml": {**CHAIN, "conection": "x", "max_csot": 1},
    "chain_cost.yaml": {**CHAIN, "max_cost": -1},
    "chain_nameless.yaml": with_steps({**IMPORT, "name": ""}),
    "chain_twice.yaml": with_steps(IMPORT, IMPORT),
    "chain_cycle.yaml": with_steps({**ASK, "input": "step:more"}, {**ASK, "name": "more"}),
    "chain_itself.yaml": with_steps({**ASK, "input": "step:ask"}),
    "chain_unknown.yaml": with_steps(IMPORT, {**ASK, "input": "step:seed"}),
    "chain_no_input.yaml": with_steps(
        IMPORT, {"name": "play", "recipe": "selfplay", "input": "step:seeds"}
    ),
    "chain_field.yaml": with_steps(
        IMPORT, {"name": "go", "recipe": "rounds", "input": {"step": "seeds", "limit": 2}}
    ),
    "chain_step_types.yaml": with_steps(
        IMPORT, {**ASK, "count": "ten", "per_request": 0, "vasr": {}}
    ),
    "chain_import.yaml": with_steps({"name": "seeds", "recipe": "import", "fiel": "x", "limit": 0}),
    "chain_recipe.yaml": with_steps({"name": "song", "recipe": "sing"}),
    "chain_recipe_list.yaml": with_steps({"name": "song", "recipe": ["sing"]}),
    "chain_lost_file.yaml": with_steps({**IMPORT, "file": "nowhere.csv"}),
    "chain_lost_template.yaml": with_steps({"name": "ask", "template": "nowhere.yaml", "count": 1}),
    "recipe_list.yaml": {"recipe": ["template"], "count": 3},
    "chain_feedback.yaml": with_steps({"name": "f", "recipe": "feedback", "feedback_file": "x"}),
    # domains
    "domain.yaml": DOMAIN,
    "domain_types.yaml": {
        **{"version": 2, "name": "a/b", "language": "fr", "output": "../x", "axes": ["topic"]},
        **{"prompts": {"learner": "Ask.", "expert": {"usr": "x"}}, "marks": 3},
    },
    "domain_near.yaml": {**DOMAIN, "axis": {}, "prompt": {}},
    "domain_place.yaml": with_prompt("learner", "Ask about {topics}."),
    "domain_stranger.yaml": with_prompt("expert", "{question} {zebra}"),
    "domain_lacks.yaml": with_prompt("judge", "{question}"),
    "domain_unused.yaml": {**DOMAIN, "axes": {**DOMAIN["axes"], "level": ["new"]}},
    "domain_list_name.yaml": {**DOMAIN, "axes": {"question": ["a"], "topic": ["b"]}},
    "domain_empty_list.yaml": {**DOMAIN, "axes": {"topic": []}},
    "domain_twice.yaml": {**DOMAIN, "axes": {"topic": ["a", "b", "a"]}},
    "domain_weight.yaml": {**DOMAIN, "axes": {"topic": [{"text": "a", "weight": 1000}]}},
    "domain_spread.yaml": {**DOMAIN, "spread": "level"},
    "domain_no_lists.yaml": {**DOMAIN, "axes": {}},
    # rubrics
    "rubric.yaml": RUBRIC,
    "rubric_types.yaml": {"judged": 3, "dimensions": {"right": 1}, "language": "fr"},
    "rubric_near.yaml": {**RUBRIC, "judge": "x", "dimension": []},
    "rubric_empty.yaml": {**RUBRIC, "dimensions": []},
    "rubric_comment.yaml": with_dimension(name="Comment"),
    "rubric_weight.yaml": with_dimension(weight=0),
    "rubric_lacks.yaml": {"judged": "x", "dimensions": [{"name": "right"}]},
    "rubric_twice.yaml": {**RUBRIC, "dimensions": RUBRIC["dimensions"] * 2},
    "rubric_many.yaml": {
        "judged": "x",
        "dimensions": [{**RUBRIC["dimensions"][0], "name": f"d{n}"} for n in range(21)],
    },
}
"""By file name; JSON is YAML too."""


def _tenfold(name: str, next_name: str) -> str:
    """A line of YAML that stands for ten times what the one before it stands for."""
    return f"{next_name}: &{next_name} [{', '.join([f'*{name}'] * 10)}]"


TEXTS: dict[str, str] = {
    "bomb.yaml": "\n".join(["a: &a [x, x]", *map(_tenfold, "abcdefg", "bcdefgh")]),
    "loop.yaml": "prompt: hello\nvars: &all\n  topic: *all\n",
    "python.yaml": "prompt: !!python/object/apply:os.system ['true']\n",
    "own_tag.yaml": "prompt: !mine hello\n",
    "no_date.yaml": "prompt: about {when}\nvars: {when: 2025-02-30}\n",
    "truth.yaml": "prompt: !!bool perhaps\n",
    "large_number.yaml": f"prompt: hello\nvars: {{n: {10**20}}}\n",
    "huge_number.yaml": f"prompt: hello\nmax_tokens: {'9' * 5000}\n",
    "deep.yaml": "prompt: " + "[" * 500 + "]" * 500 + "\n",
    "twice.template.yaml": "prompt: one\nname: x\nprompt: two\n",
    "two_documents.yaml": "prompt: one\n---\nprompt: two\n",
    "tab.yaml": "vars:\n\ttopic: tea\n",
    "open_quote.yaml": 'name: x\nprompt: "hello\n',
    "open_bracket.yaml": "keep: [a, b\nprompt: hello\n",
    "zero_byte.yaml": 'prompt: "a\\0b"\n',
    "cut.json": '{"prompt": "hello", "vars": {"topic": ',
    "number.yaml": "42\n",
    "numbered.yaml": "1: one\n2: two\n",
    # rows
    "good.jsonl": '{"id": "1", "text": "tea"}\n',
    "good.csv": "topic,tone\ntea,kind\n",
    "blank.csv": "topic,tone\ntea,\n",
    "header.csv": "topic,tone\n",
    "twice.csv": "topic,topic\na,b\n",
    "nameless.csv": "topic,\na,b\n",
    "quotes.csv": 'topic,tone\n"tea,kind\n',
    "cells.csv": "topic,tone\na,b,c\n",
    "prose.csv": "\n\n",
    "prose.jsonl": "This is no JSON.\nNor is this.\n",
    "cut.rows.json": '[{"topic": "tea"}, {"topic": "ri',
    "scalars.json": "[1, 2, 3]",
    "empty_array.json": "[]",
    "empty.jsonl": "",
    "fake.parquet": "PAR1 and nothing else",
    "fake.pq": "no Parquet at all",
    "fake.xlsx": "a spreadsheet",
    # documents
    "blank.txt": " \n\n ",
    "blank.html": "<html><script>1</script></html>",
    "fake.pdf": "%PDF-1.7\nand then nothing",
    "fake.docx": "no Word file",
    "paper.rtf": "{\\rtf1}",
    # triples and histories
    "triples.jsonl": json.dumps(TRIPLE),
    "lacking.jsonl": "\n".join(
        json.dumps(one)
        for one in (
            {"question": "Why?", "answer": "So."},
            {**TRIPLE, "answer": "  "},
            {**TRIPLE, "question": 7},
            "no object",
        )
    ),
    "history_id.jsonl": json.dumps({"rounds": [TRIPLE]}),
    "history_rounds.jsonl": json.dumps({"id": "r1-000001", "rounds": {}}),
    "history_round.jsonl": json.dumps({"id": "r1-000001", "rounds": [{"question": "Why?"}]}),
    "history_twice.jsonl": f"{json.dumps({'id': 'r1', 'rounds': [TRIPLE]})}\n" * 2,
    "history_cut.jsonl": '{"id": "r1-000001", "rounds": [',
    "history_uneven.jsonl": "\n".join(
        json.dumps({"id": f"r1-{n}", "rounds": [TRIPLE] * n}) for n in (1, 2)
    ),
    # feedback
    "feedback.jsonl": json.dumps(
        {"id": 1, "user_input": "Why?", "model_response": "So.", "rating": 5, "model_name": "m"}
    ),
    "feedback_other.jsonl": json.dumps({"prompt": "Why?", "reply": "So.", "stars": 5}),
    "feedback_ratings.jsonl": json.dumps({"user_input": "a", "model_response": "b", "rating": 9}),
    "existing.json": '[{"instruction": "a", "output": "b"}, {"instruction": 3}]',
    "existing_cut.jsonl": '{"instruction": "a", "output": "b"}\n{"instr',
    # imports
    "alpaca.jsonl": json.dumps({"instruction": "a", "output": "b"}),
    "shareless.jsonl": json.dumps({"conversations": []}),
}


def make_files(folder: Path) -> None:
    for name, fields in FIELDS.items():
        (folder / name).write_text(json.dumps(fields, indent=1), "utf-8")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, "utf-8")
    for name, data in BYTES.items():
        (folder / name).write_bytes(data())
    (folder / "loop.jsonl").symlink_to("loop.jsonl")
    (folder / "empty folder").mkdir()
    _make_rounds(folder)
    _make_state(folder)


def _make_rounds(folder: Path) -> None:
    """Later rounds than anybody wants to write now."""
    later = folder / "later" / "round4"
    later.mkdir(parents=True)
    history = {"id": "r1-000001", "rounds": [TRIPLE] * 4}
    (later / "round4_history.jsonl").write_text(json.dumps(history), "utf-8")
    (folder / "unprepared").mkdir()


def _make_state(folder: Path) -> None:
    """An output folder whose memory of earlier runs is damaged."""
    (folder / "damaged").mkdir()
    (folder / "damaged" / ".feedback.seen").write_text("{cut", "utf-8")


def _encrypted_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("pass", algorithm="RC4-128")
    return _written(writer)


def _scanned_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    return _written(writer)


def _written(writer: PdfWriter) -> bytes:
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


def _docx_without_text() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("readme.txt", "no document")
    return data.getvalue()


BYTES: dict[str, Callable[[], bytes]] = {
    "gbk.yaml": lambda: "prompt: 请写一段话\n".encode("gbk"),
    "picture.yaml": lambda: b"\x89PNG\r\n\x1a\n" + bytes(40),
    "picture.jsonl": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "cut.jsonl.gz": lambda: gzip.compress(b'{"topic": "tea"}\n' * 50, mtime=0)[:-12],
    "closed.pdf": _encrypted_pdf,
    "scan.pdf": _scanned_pdf,
    "zip.docx": _docx_without_text,
    "old.doc": lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "latin.txt": lambda: b"caf\xe9 \xff\xfe\x81\x8d " * 20,
}
