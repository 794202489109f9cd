"""Bad input to `run` with a chain, and errors for programs (`--json`)."""

from __future__ import annotations

from bad_input_kit import Case, begun, db, say

RUN = begun("run")

CASES: dict[str, Case] = {
    "no steps": RUN("chain_empty.yaml"),
    "steps by name": RUN("chain_map.yaml"),
    "steps that are words": RUN("chain_words.yaml"),
    "nearly right fields": RUN("chain_near.yaml"),
    "a budget below 0": RUN("chain_cost.yaml"),
    "a step without a name": RUN("chain_nameless.yaml"),
    "a step twice": RUN("chain_twice.yaml"),
    "steps in a circle": RUN("chain_cycle.yaml"),
    "a step that needs itself": RUN("chain_itself.yaml"),
    "an unknown step": RUN("chain_unknown.yaml"),
    "a recipe that takes nothing": RUN("chain_no_input.yaml"),
    "a field that the recipe cannot use": RUN("chain_field.yaml"),
    "a step of wrong types": RUN("chain_step_types.yaml"),
    "an import of wrong fields": RUN("chain_import.yaml"),
    "an unknown recipe": RUN("chain_recipe.yaml"),
    "a task's recipe that is a list": RUN("recipe_list.yaml"),
    "a recipe that is a list": RUN("chain_recipe_list.yaml"),
    "a feedback step": RUN("chain_feedback.yaml"),
    "a lost file": RUN("chain_lost_file.yaml"),
    "a lost template": RUN("chain_lost_template.yaml"),
    "a name too long": RUN("n" * 300),
    "an option of tasks": RUN("chain.yaml", "--count", 3),
    "a seed that is none": RUN("chain.yaml", "--seed", "lucky"),
    "a budget that is none": RUN("chain.yaml", "--max-cost", "cheap"),
    "an unknown connection": RUN("chain.yaml", "--connection", "nowhere"),
    "again for a task": RUN("good.yaml", "--again"),
    "references to references": RUN("bomb.yaml"),
    "a template's file": RUN("free.yaml"),
    "database locked": db("locked.db", "run", "chain.yaml"),
    "database newer": db("newer.db", "run", "chain.yaml"),
    # for programs: one object each
    "json: file not there": say("--json", "run", "nowhere.yaml"),
    "json: fields": say("--json", "templates", "add", "wrong_types.yaml"),
    "json: options": say("--json", "selfplay", "--num_entries", 0, "--temperature", "nan"),
    "json: option unknown": say("--json", "rounds", "run", "--zebra"),
    "json: option missing": say("--json", "rounds", "prepare"),
    "json: command unknown": say("--json", "domains", "frobnicate"),
    "json: a step": say("--json", "run", "chain_unknown.yaml"),
    "json: a step's fields": say("--json", "run", "chain_step_types.yaml"),
    "json: not found": say("--json", "templates", "show", "nowhere"),
    "json: rows": say("--json", "import", "prose.jsonl", "--dataset", "x"),
    "json: feedback": say("--json", "feedback", "--feedback-file", "feedback_other.jsonl"),
    "json: rubric": say(
        *("--json", "evaluate", "--input", "good.jsonl", "--rubric", "rubric_lacks.yaml"),
        *("--connection", "stored"),
    ),
    "json: sample": say("--json", "ratio", "sample_sum.yaml"),
    "json: nobody to ask": say("--json", "templates", "delete", "stored template"),
    "json: database newer": db("newer.db", "--json", "import", "alpaca.jsonl", "--dataset", "x"),
    "json: terminal signs": say("--json", "templates", "show", "red \x1b[31mpaint"),
}
