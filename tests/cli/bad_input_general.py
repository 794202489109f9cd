"""Bad input to the first commands: dialogues, cards, endpoints, databases, tasks, exports."""

from __future__ import annotations

from bad_input_kit import Case, db, say
from bad_input_world import CARD


def run(file: str) -> Case:
    return lambda world: ["run", world.file(file)]


def make(*more: object) -> Case:
    """A good command line for one record, with `more` at its end."""
    return lambda world: [
        "generate", "--character", CARD, "--scenario", "日常对话", "-n", 1, "--turns", 1,
        "--base-url", world.simulator, "--model", "any", *more,
    ]  # fmt: skip


def to(endpoint: str, *more: object) -> Case:
    """One record from an endpoint of the world."""
    return lambda world: [
        "generate", "--character", CARD, "--scenario", "日常对话", "-n", 1, "--turns", 1,
        "--base-url", getattr(world, endpoint, endpoint), *more,
    ]  # fmt: skip


def card(file: str) -> Case:
    return lambda world: ["characters", "show", world.file(file)]


CASES: dict[str, Case] = {
    # the task file
    "yaml: unknown fields": run("unknown.yaml"),
    "yaml: wrong types": run("types.yaml"),
    "yaml: not YAML": run("broken.yaml"),
    "yaml: not a mapping": run("list.yaml"),
    "yaml: nothing in it": run("empty.yaml"),
    "yaml: a field twice": run("twice.yaml"),
    "yaml: binary": run("binary.yaml"),
    "yaml: a folder": run("a folder"),
    "yaml: no such file": run("none.yaml"),
    "yaml: unknown recipe": run("recipe.yaml"),
    # numbers
    "count missing": say("generate", "--character", CARD, "--base-url", "http://127.0.0.1/v1"),
    "count 0": make("-n", 0),
    "count negative": make("-n", -5),
    "count not a number": make("-n", "ten"),
    "turns 21": make("--turns", 21),
    "turns 0": make("--turns", 0),
    "temperature 3": make("--temperature", 3),
    "temperature nan": make("--temperature", "nan"),
    "top-p 0": make("--top-p", 0),
    "max tokens 0": make("--max-tokens", 0),
    "concurrency 0": make("--concurrency", 0),
    "concurrency fast": make("--concurrency", "fast"),
    "seed negative": make("--seed", -1),
    "too many a request": make("--dialogues-per-request", 21),
    "attempts below the count": make("--max-attempts-multiplier", 0.5),
    "timeout 0": make("--timeout", 0),
    "several at once": make("-n", 0, "--mode", "both", "--share", "fair"),
    # what is missing or twice
    "no character": say("generate", "-n", 1, "--base-url", "http://127.0.0.1/v1", "--model", "x"),
    "no connection": say("generate", "--character", CARD, "-n", 1),
    "unknown character": make("--character", "nobody"),
    "character twice": make("--character", CARD),
    "scenario twice": make("--scenario", "日常对话=2"),
    "scenario weight not a number": make("--scenario", "争执=much"),
    "scenario weight negative": make("--scenario", "争执=-1"),
    "all weights 0": lambda world: [*make()(world)[:3], "--scenario", "争执=0", *make()(world)[5:]],
    "role malformed": make("--role", "writer"),
    "role unknown": make("--role", "judge=stored"),
    "connection unknown": lambda world: [*make()(world)[:9], "--connection", "nowhere"],
    "two endpoints": make("--connection", "stored"),
    "check unknown": make("--checks", "format,taste"),
    "format unknown": make("--format", "csv9"),
    "provider unknown": make("--provider", "acme"),
    "extra not JSON": make("--extra", "style=short"),
    "budget without a price": make("--max-cost", 1),
    "dataset binds no character": say(
        "generate", "--dataset", "empty", "-n", 1, "--connection", "stored"
    ),
    "variation not lists": lambda world: make("--variation", world.file("lists.yaml"))(world),
    # cards
    "card: no such file": card("none.json"),
    "card: empty": card("nothing.json"),
    "card: not JSON": card("prose.json"),
    "card: not an object": card("array.json"),
    "card: without a name": card("nameless.json"),
    "card: wrong type": card("typed.json"),
    "card: a JPEG": card("photo.jpg.json"),
    "card: PNG without a card": card("plain.png"),
    "card: PNG cut short": card("cut.png"),
    "card: no PNG at all": card("noise.png"),
    # endpoints
    "base URL without scheme": to("127.0.0.1:8000/v1", "--model", "x"),
    "base URL with a user": to("http://me:secret@127.0.0.1/v1", "--model", "x"),
    "base URL with a query": to("http://127.0.0.1/v1?key=secret", "--model", "x"),
    "proxy with a password": make("--proxy", "http://me:secret@proxy:1"),
    "CA file missing": lambda world: make("--ca-file", world.file("none.pem"))(world),
    "key variable unset": make("--api-key-env", "UNSET_KEY"),
    "key with Chinese signs": make("--api-key-env", "BAD_KEY"),
    "wrong key": to("locked", "--model", "x", "--api-key-env", "GOOD_KEY"),
    "wrong key, for the model list": to("locked", "--api-key-env", "GOOD_KEY"),
    "several models": to("simulator"),
    "nobody listens": to("closed"),
    "unknown host": to("http://nowhere.invalid/v1"),
    "certificate not trusted": to("untrusted"),
    "HTML instead of JSON": to("html"),
    "model list fails": to("not_found"),
    "unknown model": to("not_found", "--model", "wrong"),
    "no structured output": to("chatty", "--model", "x", "--max-attempts-multiplier", 1),
    # databases
    "database: of a newer version": db("newer.db", "tasks", "list"),
    "database: none at all": db("prose.db", "tasks", "list"),
    "database: a folder": db("a folder", "tasks", "list"),
    "database: folder cannot be made": say("tasks", "list", "--db", "sqlite:////proc/no/x.db"),
    "database: unknown kind": say("tasks", "list", "--db", "mysql://me:secret@127.0.0.1/x"),
    "database: server away": say("tasks", "list", "--db", "postgresql://me:secret@127.0.0.1:1/x"),
    # tasks
    "task unknown": say("tasks", "show", 99),
    "task not a number": say("tasks", "show", "last"),
    "task runs elsewhere": say("resume", 2),
    "task already ended": say("tasks", "pause", 1),
    "fewer records than before": say("resume", 1, "--count", 1),
    "no task yet": lambda world: ["resume", "--db", f"sqlite:///{world.file('fresh.db')}"],
    "status unknown": say("tasks", "list", "--status", "done"),
    "task without a dataset": say("tasks", "commit", 3),
    # stored things
    "name taken, connection": say("connections", "add", "stored", "--base-url", "http://x/v1"),
    "name taken, character": say("characters", "add", "林知秋"),
    "name of blanks": say("scenarios", "add", " "),
    "character in use": say("characters", "delete", "林知秋", "--yes"),
    "dataset with records": say("datasets", "delete", "full", "--yes"),
    "delete with nobody to ask": say("datasets", "delete", "empty"),
    "scenario unknown": say("scenarios", "show", "nowhere"),
    "dataset unknown": say("datasets", "stats", "nothing"),
    "nothing to edit": say("characters", "edit", "林知秋"),
    "empty key": say("connections", "set-key", "stored"),
    # exports
    "export of nobody's": say("export", "-o", "x.json"),
    "export to nowhere": say("export", "--task", 1),
    "export onto a folder": lambda world: ["export", "--task", 1, "-o", world.file("a folder")],
    "output is a folder": lambda world: make("-o", world.file("a folder"))(world),
    "export to a full disk": say("export", "--task", 1, "-o", "/dev/full"),
    "export below a file": lambda world: ["export", "--task", 1, "-o", world.file("good.yaml/x")],
    "export in no format": say("export", "--task", 1, "-o", "x", "--format", "csv9"),
    "export of nothing": lambda world: ["export", "--dataset", "empty", "-o", world.new("0.json")],
    "export of nothing over a file": lambda world: [
        *("export", "--dataset", "empty", "-o", world.file("full.json", '{"text": "kept"}')),
    ],
    "JSON and records at once": say("--json", "export", "--task", 1, "-o", "-"),
    "system for JSON": say("export", "--task", 1, "-o", "x.json", "--system", "character"),
    # the command line itself
    "unknown language": say("tasks", "list", "--lang", "fr"),
    "unknown command": say("frobnicate"),
    "command misspelt": say("genrate"),
    "command misspelt in a group": say("tasks", "lst"),
    "unknown option": say("tasks", "list", "--zebra"),
    "option misspelt": say("generate", "--scenaro", "x"),
    "option without its value": say("generate", "--count"),
    "argument missing": say("tasks", "cancel"),
    "argument too many": say("tasks", "show", 1, 2),
    "flag with a value": say("characters", "list", "--shipped=yes"),
    # the simulator
    "fault unknown": say("simulate", "--fault", "rain=0.5"),
    "fault above 1": say("simulate", "--fault", "html=2"),
    "port taken": lambda world: ["simulate", "--port", world.taken_port],
    "port not a number": say("simulate", "--port", "http"),
    "init over a file": lambda world: ["init", world.file(".")],
}
