"""Bad input to `rounds`, `selfplay` and `domains`."""

from __future__ import annotations

from bad_input_kit import Case, begun, db, say

PREPARED = begun("rounds", "prepare", "--output-dir", "prepared", "--input")
GONE_ON = begun(
    *("rounds", "build", "--connection", "stored", "--dry-run", "--output-dir", "unprepared"),
    "--history",
)
BUILT = begun("rounds", "build", "--connection", "stored", "--dry-run")
RUN = begun(
    *("rounds", "run", "--connection", "stored", "--dry-run", "--output-dir", "unprepared"),
    *("--input", "triples.jsonl"),
)
PLAYED = begun("selfplay", "--connection", "stored", "--dry-run", "--output-file", "played.json")
SHOWN = begun("domains", "show")

CASES: dict[str, Case] = {
    # triples
    "no input": say("rounds", "prepare"),
    "no such file": PREPARED("nowhere.jsonl"),
    "a folder without files": PREPARED("empty folder"),
    "unknown kind": PREPARED("fake.xlsx"),
    "empty": PREPARED("empty.jsonl"),
    "no triples at all": PREPARED("good.jsonl"),
    "triples that lack something": PREPARED("lacking.jsonl"),
    "no JSON": PREPARED("prose.jsonl"),
    "not Parquet": PREPARED("fake.parquet"),
    "a document": PREPARED("blank.txt"),
    "dataset unknown": PREPARED("dataset:nowhere"),
    "map malformed": PREPARED("triples.jsonl", "--map", "question"),
    "map of no field": PREPARED("triples.jsonl", "--map", "prompt=question"),
    "map to nothing there": PREPARED("triples.jsonl", "--map", "question=ask"),
    "sample 0": PREPARED("triples.jsonl", "--sample", 0),
    "sample a word": PREPARED("triples.jsonl", "--sample", "all"),
    "seed negative": PREPARED("triples.jsonl", "--seed", -1),
    "seed not whole": PREPARED("triples.jsonl", "--seed", 1.5),
    "output below a file": say(
        "rounds", "prepare", "--input", "triples.jsonl", "--output-dir", "free.yaml/data"
    ),
    "output is a file": say(
        "rounds", "prepare", "--input", "triples.jsonl", "--output-dir", "free.yaml"
    ),
    "output cannot be made": say(
        "rounds", "prepare", "--input", "triples.jsonl", "--output-dir", "/proc/no/data"
    ),
    "output holds other rounds": say(
        "rounds", "prepare", "--input", "triples.jsonl", "--output-dir", "later"
    ),
    # histories
    "nothing prepared": BUILT("--output-dir", "unprepared"),
    "history not there": GONE_ON("nowhere.jsonl"),
    "history cut off": GONE_ON("history_cut.jsonl"),
    "history without ids": GONE_ON("history_id.jsonl"),
    "history without rounds": GONE_ON("history_rounds.jsonl"),
    "history with half a round": GONE_ON("history_round.jsonl"),
    "history with an id twice": GONE_ON("history_twice.jsonl"),
    "history of another kind": GONE_ON("good.csv"),
    "later rounds are there": say(
        *("rounds", "run", "--input", "triples.jsonl", "--rounds", 1, "--output-dir", "later"),
        *("--connection", "stored"),
    ),
    # options
    "rounds 0": RUN("--rounds", 0),
    "rounds many": RUN("--rounds", 1001),
    "rounds a word": RUN("--rounds", "two"),
    "context 0": RUN("--context-messages", 0, "--context-tokens", 0),
    "max tokens 0": RUN("--max-tokens", 0),
    "temperature a word": RUN("--temperature", "hot"),
    "role unknown": RUN("--role", "judge=stored"),
    "role malformed": RUN("--role", "ask"),
    "role's connection unknown": RUN("--role", "ask=nowhere"),
    "no keys": say(
        *("rounds", "run", "--input", "triples.jsonl", "--output-dir", "unprepared"),
    ),
    "a number of records": RUN("--count", 3),
    "run: output is a file": say(
        *("rounds", "run", "--input", "triples.jsonl", "--output-dir", "free.yaml"),
        *("--connection", "stored"),
    ),
    "run: output below a file": say(
        *("rounds", "run", "--input", "triples.jsonl", "--output-dir", "free.yaml/data"),
        *("--connection", "stored"),
    ),
    "file with wrong types": say("run", "rounds_types.yaml"),
    "file with nearly right fields": say("run", "rounds_near.yaml"),
    "database newer": db("newer.db", "rounds", "prepare", "--input", "triples.jsonl"),
    # self-play
    "entries 0": PLAYED("--num_entries", 0),
    "entries negative": PLAYED("--num_entries", -3),
    "entries a word": PLAYED("--num_entries", "fifty"),
    "entries too many": PLAYED("--num_entries", 10**20),
    "iterations negative": PLAYED("--refinement_iterations", -1),
    "iterations 101": PLAYED("--refinement_iterations", 101),
    "iterations not whole": PLAYED("--refinement_iterations", 2.5),
    "temperature nan": PLAYED("--temperature", "nan"),
    "attempts below 1": PLAYED("--max_attempts_multiplier", 0),
    "tokens for all": PLAYED("--max_tokens", 100),
    "tokens of answers 0": PLAYED("--max_tokens_answer", 0, "--max_tokens_other", -5),
    "score alone": PLAYED("--satisfied_score", 8),
    "score 11": PLAYED("--stop_when_satisfied", "--satisfied_score", 11),
    "role of no kind": PLAYED("--role", "ask=stored"),
    "role's model malformed": PLAYED("--role_model", "judge"),
    "role's model of nobody": PLAYED("--role_model", "poet=big"),
    "option misspelt": PLAYED("--refinement_iteration", 3),
    "output into no folder": say(
        *("selfplay", "--connection", "stored", "--num_entries", 1, "--refinement_iterations", 0),
        *("--output_file", "free.yaml/x.json"),
    ),
    "output is a folder": PLAYED("--output_file", "a folder"),
    "self-play file with wrong types": say("run", "selfplay_types.yaml"),
    "self-play file with nearly right fields": say("run", "selfplay_near.yaml"),
    "self-play in a newer database": db(
        "newer.db", "selfplay", "--connection", "stored", "--num_entries", 1
    ),
    # domains
    "domain unknown": PLAYED("--domain", "short_vidoe"),
    "domain with a name too long": PLAYED("--domain", "n" * 300),
    "domain file not there": PLAYED("--domain", "nowhere.yaml"),
    "domain a folder": PLAYED("--domain", "a folder/"),
    "domain in another language": PLAYED("--domain", "domain.yaml", "--language", "zh"),
    "domain with wrong types": SHOWN("domain_types.yaml"),
    "domain with nearly right fields": SHOWN("domain_near.yaml"),
    "domain with a place misspelt": SHOWN("domain_place.yaml"),
    "domain with an unknown place": SHOWN("domain_stranger.yaml"),
    "domain that lacks a place": SHOWN("domain_lacks.yaml"),
    "domain with an unused list": SHOWN("domain_unused.yaml"),
    "domain with a list called like a place": SHOWN("domain_list_name.yaml"),
    "domain with an empty list": SHOWN("domain_empty_list.yaml"),
    "domain with an entry twice": SHOWN("domain_twice.yaml"),
    "domain with a weight too large": SHOWN("domain_weight.yaml"),
    "domain spread over no list": SHOWN("domain_spread.yaml"),
    "domain without lists": SHOWN("domain_no_lists.yaml"),
    "domain of another kind": SHOWN("free.yaml"),
    "domain with references to references": SHOWN("bomb.yaml"),
    "domain's name with a folder": say("domains", "init", "a/b"),
    "domain's name with terminal signs": say("domains", "init", "a\x1b[31m"),
    "domain's file there already": say("domains", "init", "domain"),
    "domain's language unknown": say("domains", "init", "mine", "--language", "fr"),
}
