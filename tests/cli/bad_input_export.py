"""Bad input to `export` and `push`."""

from __future__ import annotations

from bad_input_kit import Case, begun, db, say

EXPORT = begun("export", "--dataset", "full", "-o", "e.jsonl", "--format", "messages")
PAIRS = begun("export", "--dataset", "full", "-o", "e.jsonl", "--format", "dpo", "--pairs")
FOLDER = begun("export", "--dataset", "full", "-o", "hub folder", "--format", "hf")
PUSH = begun("push", "full", "--token-env", "GOOD_KEY", "--repo")

CASES: dict[str, Case] = {
    # what and how
    "a task and a dataset": EXPORT("--task", 1),
    "an unknown dataset": say("export", "--dataset", "nowhere", "-o", "e.json"),
    "an option of another format": EXPORT("--bom"),
    "a format's option with a wrong value": EXPORT("--greeting", "shout"),
    "own words without text": EXPORT("--system", "own"),
    "a good rating that is the worst": say(
        *("export", "--dataset", "full", "-o", "e.jsonl", "--format", "kto", "--good", 1)
    ),
    "half of a pair of fields": EXPORT("--prompt-field", "q"),
    "on refused": EXPORT("--on-refused", "maybe"),
    "records that make no such row": say(
        "export", "--dataset", "full", "-o", "e.jsonl", "--format", "dpo"
    ),
    "all skipped": say(
        *("export", "--dataset", "full", "-o", "e.jsonl", "--format", "dpo"),
        *("--on-refused", "skip"),
    ),
    # which records
    "a state that is none": EXPORT("--state", "fine"),
    "a rating that is none": EXPORT("--min-rating", "high"),
    # pairs of different records
    "pairs by what nobody gives": PAIRS("mood"),
    "pairs of a format of chats": EXPORT("--pairs", "rating"),
    "pairs of what nobody rated": PAIRS("rating"),
    "pairs chosen somehow": PAIRS("rating", "--pairs-choose", "some"),
    "a margin that is none": PAIRS("rating", "--pairs-margin", "wide"),
    "a margin too wide": PAIRS("rating", "--pairs-margin", 5),
    "a margin without pairs": EXPORT("--pairs-margin", 1),
    "pairs and a balance": PAIRS("rating", "--balance", "category"),
    # parts
    "a split that is none": EXPORT("--split", "mostly"),
    "a split of too much": EXPORT("--split", "train=0.9,test=0.2"),
    "a split of too little": EXPORT("--split", "train=0.5,test=0.2"),
    "a part twice": EXPORT("--split", "a=0.1,a=0.2"),
    "a part with a path in it": EXPORT("--split", "../a=0.1"),
    "a split and a validation": EXPORT("--split", "a=0.1", "--validation", "10%"),
    "a validation that is none": EXPORT("--validation", "some"),
    "a part without records": EXPORT("--split", "tiny=0.0000001"),
    "a split of nothing": say(
        "export", "--dataset", "empty", "-o", "e.jsonl", "--validation", "10%"
    ),
    "a balance that is none": EXPORT("--balance", "mood"),
    "a balance of nobody": EXPORT("--balance", "scenario=0"),
    "a seed that is none": EXPORT("--seed", "lucky"),
    "a seed too large": EXPORT("--seed", "9" * 30),
    # files
    "a split onto standard output": say(
        "export", "--dataset", "full", "-o", "-", "--validation", "10%"
    ),
    "a manifest on standard output": say("export", "--dataset", "full", "-o", "-", "--manifest"),
    "an entry for what LLaMA-Factory cannot read": say(
        "export", "--dataset", "full", "-o", "e.json", "--dataset-info"
    ),
    "an entry into a broken file": EXPORT("--dataset-info-file", "prose.json"),
    "an entry into a list": EXPORT("--dataset-info-file", "array.json"),
    "an entry into a folder": EXPORT("--dataset-info-file", "a folder"),
    # the folder for a hub
    "a folder that is a file": say(
        "export", "--dataset", "full", "-o", "good.yaml", "--format", "hf"
    ),
    "a folder that is standard output": say(
        "export", "--dataset", "full", "-o", "-", "--format", "hf"
    ),
    "a folder of nothing": say("export", "--dataset", "empty", "-o", "hub", "--format", "hf"),
    "a folder with dataset_info.json": FOLDER("--dataset-info"),
    "a shape that is none": FOLDER("--shape", "poem"),
    "a licence without a word": FOLDER("--licence", " "),
    "a card in no language": FOLDER("--card-language", "fr"),
    "a folder's option for a file": EXPORT("--licence", "mit"),
    # a hub
    "push of nothing": say("push", "--repo", "a/b"),
    "push to nowhere": say("push", "full"),
    "push to no name": PUSH("nobody"),
    "push to a path": PUSH("a/../b"),
    "push to no branch": PUSH("a/b", "--branch", "../main"),
    "push in the clear": PUSH("a/b", "--endpoint", "http://hub.example.com"),
    "push to no address": PUSH("a/b", "--endpoint", "hub"),
    "push with a name in the address": PUSH("a/b", "--endpoint", "https://me:secret@h.example"),
    "push without a token": say("push", "full", "--repo", "a/b", "--token-env", "UNSET_KEY"),
    "push with a token that is none": say(
        "push", "full", "--repo", "a/b", "--token-env", "BAD_KEY"
    ),
    "push of an unknown dataset": say(
        "push",
        "nowhere",
        "--repo",
        "a/b",
        "--token-env",
        "GOOD_KEY",
        "--endpoint",
        "https://h.example",
    ),
    # for programs
    "json: refused": say(
        "--json", "export", "--dataset", "full", "-o", "e.jsonl", "--format", "dpo"
    ),
    "json: push without a token": say(
        "--json", "push", "full", "--repo", "a/b", "--token-env", "UNSET_KEY"
    ),
    "database newer": db("newer.db", "export", "--dataset", "full", "-o", "e.json"),
}
