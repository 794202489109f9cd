"""Bad input to checks and their options, `check`, `review` and `report`."""

from __future__ import annotations

from bad_input_kit import Case, begun, say

MAKE = begun("generate", "--dataset", "full", "--count", 1, "--connection", "stored")
CHECK = begun("check", "full")
FILE = begun("check", "./rows.jsonl")
SET = begun("review", "set", "full", "--reviewer", "ann", "--yes")
START = begun("review", "start", "full", "--reviewer", "ann")
REPORT = begun("report", "full")

CASES: dict[str, Case] = {
    # options of checks
    "a check that is none": MAKE("--check", "beauty"),
    "a check without a name": MAKE("--check", ":max_chars=3"),
    "an option that the check has not": MAKE("--check", "length:longest=3"),
    "an option without a value": MAKE("--check", "length:max_chars"),
    "a length that is none": MAKE("--check", "length:max_chars=long"),
    "a length below nothing": MAKE("--check", "length:min_chars=-1"),
    "a shortest longer than the longest": MAKE("--check", "length:min_chars=9,max_chars=3"),
    "a threshold above one": MAKE("--check", "near_duplicates:threshold=1.5"),
    "a scope that is none": MAKE("--check", "near_duplicates:scope=world"),
    "an action that is none": MAKE("--check", "personal_data:action=burn"),
    "an action for no kind of data": MAKE("--check", 'personal_data:action={"shoe": "mask"}'),
    "word lists that are not there": MAKE("--check", "sensitive:lists=nowhere.txt"),
    "a word list that is binary": MAKE("--check", "sensitive:lists=plain.png"),
    "a rubric that is none": MAKE("--check", "judge:rubric=taste"),
    "a score beyond the scale": MAKE("--check", "judge:min_score=9"),
    "a test set that is not there": MAKE("--check", "contamination:files=nowhere.jsonl"),
    "grounding by a share above one": MAKE("--check", "grounding:support=7"),
    # check
    "check of nothing": say("check"),
    "check of an unknown name": say("check", "nowhere"),
    "check of a file that is not there": say("check", "./nowhere.jsonl"),
    "check of a folder": say("check", "./a folder"),
    "check of a picture": say("check", "./plain.png"),
    "check of prose": say("check", "./prose.json"),
    "check of an empty file": say("check", "./nothing.json"),
    "check of a dataset and a task": CHECK("--task", 1),
    "check without records": say("check", "empty"),
    "check by a check that is none": CHECK("--checks", "beauty"),
    "check applied somehow": CHECK("--apply", "burn"),
    "check that removes from a file": FILE("--apply", "remove"),
    "check that masks a file nowhere": FILE("--apply", "mask"),
    "check of a dataset into a file": CHECK("--output", "x.jsonl"),
    "check of a file onto itself": FILE("--output", "./rows.jsonl"),
    "check of a file's scenario": FILE("--scenario", "日常对话"),
    "check against a file that is not there": CHECK("--against", "nowhere.jsonl"),
    "check against prose": CHECK("--against", "prose.json"),
    "check in no language": FILE("--language", "fr"),
    "a judge without a connection": CHECK("--checks", "judge"),
    "check against half a test set": CHECK("--against", "halves.jsonl"),
    "check against no text": CHECK("--against", "numbers.jsonl"),
    "undo of no removal": say("datasets", "restore", "full"),
    "undo of an unknown removal": say("datasets", "restore", 99),
    # review
    "review of nothing": say("review", "start"),
    "review of an unknown dataset": say("review", "start", "nowhere"),
    "review of a dataset without records": say("review", "start", "empty", "--reviewer", "ann"),
    "review in a queue that is none": START("--queue", "fun"),
    "review of a sample without a size": START("--queue", "sample", "--percent", "most"),
    "review of more than all": START("--queue", "sample", "--percent", 101),
    "review by nobody": say("review", "start", "full", "--reviewer", " "),
    "a review that says nothing": SET(),
    "a review of two minds": SET("--approve", "--reject"),
    "a rating of six": SET("--rate", 6),
    "a rating of a word": SET("--rate", "good"),
    "a tag without a word": SET("--approve", "--add-tag", " "),
    "a review of an unknown record": say(
        *("review", "set", "--record", 999999, "--approve", "--reviewer", "ann", "--yes")
    ),
    "undo of nothing": say("review", "undo", "--reviewer", "nobody"),
    "history of an unknown record": say("review", "history", 999999),
    "history of a word": say("review", "history", "first"),
    "an edit that is not JSON": say("review", "edit", 1, "--content", "prose.json"),
    "an edit of another shape": say("review", "edit", 1, "--content", "array.json"),
    "an edit of an unknown record": say("review", "edit", 999999, "--content", "array.json"),
    "a version that is none": say("review", "restore", 1, 7),
    "agreement of nobody": say("review", "agreement", "full"),
    "scores of an unknown evaluation": say("review", "scores", 99),
    # report
    "report of nothing": say("report"),
    "report of an unknown dataset": say("report", "nowhere"),
    "report of a dataset and a task": REPORT("--task", 1),
    "report in no format": REPORT("--format", "pdf", "-o", "x.pdf"),
    "report into an unknown ending": REPORT("-o", "x.docx"),
    "report into a folder": REPORT("-o", "a folder"),
    "report into a folder that is not there": REPORT("-o", "no such/x.html"),
    "report with a seed that is none": REPORT("--seed", "lucky"),
    "report of scores upside down": REPORT("--min-score", 4, "--max-score", 2),
}
