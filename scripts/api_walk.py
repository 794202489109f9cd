"""Sends one request after the other to a real server and keeps what came back.

Owns: the order, the requests, and taking out of the answers what is another one each time. Does not
own: the page (`api_page.py`).
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

ROOT = Path(__file__).resolve().parents[1]
MOMENT = "2026-01-02T03:04:05Z"
VOLATILE = {
    **dict.fromkeys(("latency_s", "elapsed_s", "took_s", "records_per_s", "remaining_s"), 0.01),
    **dict.fromkeys(("last_used_at",), None),
    "disk_free_bytes": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request, and what was answered. `answer` None: no JSON."""

    operation: str
    method: str
    path: str
    body: Any
    file: str | None
    status: int
    kind: str
    answer: Any
    bytes: int


class Walk:
    """One server, asked in one language."""

    def __init__(self, port: int, simulator: str, language: str) -> None:
        self._port, self._simulator, self.language = port, simulator, language
        self.found: dict[str, Example] = {}
        self._names: dict[str, str] = {}
        self.token: str | None = None

    def say(self, zh: str, en: str) -> str:
        """In the walk's language."""
        return zh if self.language == "zh" else en

    def do(
        self,
        operation: str,
        where: str,
        body: Any = None,
        *,
        file: tuple[str, bytes] | None = None,
        field: str = "file",
        key: str | None = None,
        **query: Any,
    ) -> Any:
        """Send it, keep the first of each operation, and give the answer as it came."""
        method, _, path = where.partition(" ")
        path = "/".join(quote(one, safe="@") for one in path.split("|"))
        place = f"/api/v1/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept-Language": self.language}
        data = None
        if file is not None:
            named = f'form-data; name="{field}"; filename="{file[0]}"'
            head = f"--x\r\nContent-Disposition: {named}\r\n\r\n".encode()
            data = head + file[1] + b"\r\n--x--\r\n"
            headers["Content-Type"] = "multipart/form-data; boundary=x"
        elif body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, place, data, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        kind = (answer.headers.get("Content-Type") or "").partition(";")[0]
        told = json.loads(text) if kind == "application/json" and text else None
        if kind in ("text/event-stream", "application/yaml", "text/plain", "application/x-ndjson"):
            told = text.decode()
        if operation not in self.found:
            self.found[operation] = Example(
                operation=operation,
                method=method,
                path=self._fixed(place.removeprefix("/api/v1")),
                body=self.fixed(body),
                file=file and field + "=@" + file[0],
                status=answer.status,
                kind=kind,
                answer=self.fixed(told),
                bytes=len(text),
            )
        if answer.status >= 400:
            raise SystemExit(f"{where}: {answer.status} {text[:600].decode()}")
        return told

    # ------------------------------------------------------------ what is another one each time

    def fixed(self, value: Any) -> Any:
        """With fixed times and numbers in place of those of this walk."""
        if isinstance(value, dict):
            return {
                self._fixed(name): (
                    VOLATILE[name] if name in VOLATILE and one is not None else self.fixed(one)
                )
                if not (name == "created_at" and isinstance(one, float))
                else 1767323045.0
                for name, one in value.items()
            }
        if isinstance(value, list):
            return [self.fixed(one) for one in value]
        return self._fixed(value) if isinstance(value, str) else value

    def _fixed(self, text: str) -> str:
        text = re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(Z|[+-]\d\d:\d\d)?", MOMENT, text)
        text = re.sub(r"batch_\d{8}_\d{6}", "batch_20260102_030405", text)
        text = re.sub(r"\b([a-z]+)-20\d{6}-\d{6}", r"\1-20260102-030405", text)
        text = re.sub(r"csm_[\w-]+", "csm_…", text)
        text = text.replace(self._simulator, "http://127.0.0.1:8099")
        text = re.sub(r"\b\d+\.\d+(?= ?(s|秒)\b)", "0.01", text)
        return re.sub(r"\b[0-9a-f]{18,64}\b|(?<=ticket=)[\w-]+", self._number, text)

    def _number(self, found: re.Match[str]) -> str:
        text = found[0]
        made = f"{len(self._names) + 1:0{min(len(text), 64)}x}"
        return self._names.setdefault(text, made)


@contextmanager
def served(language: str) -> Iterator[Walk]:
    """A server with a worker over an empty database, and a simulator."""
    import uvicorn

    from corpusmith.api.app import create_app
    from corpusmith.api.serving import Serving
    from corpusmith.service.studio import Studio
    from corpusmith.service.worker import Worker
    from corpusmith.simulator.config import SimulatorConfig
    from corpusmith.simulator.thread import run_in_thread
    from corpusmith.store.open import open_store

    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="corpusmith-api-")))
        before = {name: os.environ.get(name) for name in ("CORPUSMITH_HOME", "CORPUSMITH_REVIEWER")}
        os.environ.update(CORPUSMITH_HOME=str(home), CORPUSMITH_REVIEWER="ann")
        stack.callback(_restored, before)
        simulator = stack.enter_context(run_in_thread(SimulatorConfig(seed=3)))
        url = f"sqlite:///{home}/store.db"
        store = open_store(url)
        stack.callback(store.close)
        spoken: Any = language
        app = create_app(Serving(store=store, language=spoken))
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()

        def stop() -> None:
            app.state.hub.close()
            server.should_exit = True
            thread.join(20)

        stack.callback(stop)
        while not server.started:
            time.sleep(0.01)
        held: dict[str, Any] = {}
        ready = threading.Event()

        async def work() -> None:
            with Studio(url) as studio:
                held.update(worker=Worker(studio, tasks_at_once=1), loop=asyncio.get_running_loop())
                ready.set()
                await held["worker"].run()

        working = threading.Thread(target=asyncio.run, args=(work(),), daemon=True)
        working.start()
        ready.wait(20)

        def rest() -> None:
            held["loop"].call_soon_threadsafe(held["worker"].stop)
            working.join(20)

        stack.callback(rest)
        yield Walk(listening.getsockname()[1], simulator.url, language)


def _restored(before: dict[str, str | None]) -> None:
    for name, one in before.items():
        if one is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = one


def ended(walk: Walk, number: int) -> None:
    """Waits for a task."""
    until = time.monotonic() + 60
    while walk.do("get_task", f"GET tasks|{number}")["task"]["state"] in ("queued", "running"):
        if time.monotonic() > until:
            raise SystemExit(f"task {number} does not end")
        time.sleep(0.1)
    walk.found.pop("get_task", None)


def recorded(language: str) -> dict[str, Example]:
    """Every request that can be shown, by its operation."""
    with served(language) as walk:
        _nouns(walk)
        _tasks(walk)
        _data(walk)
        _rest(walk)
        return walk.found


def _nouns(w: Walk) -> None:
    s, do = w.say, w.do
    spoken = w.language
    do("health", "GET health")
    do("me", "GET me")
    do("get_workers", "GET tasks|workers")
    base = f"{w._simulator}/v1"
    local = s("本机", "local")
    do("connection_presets", "GET shipped|endpoints")
    made = {"name": local, "base_url": base, "model": "any", "rpm": 600}
    do("add_connection", "POST connections", made)
    do("list_connections", "GET connections")
    do("get_connection", f"GET connections|{local}")
    do("change_connection", f"PATCH connections|{local}", {"concurrency": 8})
    do("test_connection", f"POST connections|{local}|test")
    base_only = {"base_url": base, "model": "any"}
    do("test_unsaved_connection", "POST connections|test", base_only)
    hello = [{"role": "user", "content": s("你好", "Hello")}]
    do("chat_with_model", f"POST connections|{local}|chat", {"messages": hello})
    do("connection_models", f"GET connections|{local}|models")
    do("models_of_unsaved_connection", "POST connections|models", {"base_url": base})
    do("set_connection_key", f"PUT connections|{local}|key", {"key": "sk-…"})
    do("delete_connection_key", f"DELETE connections|{local}|key")
    who, night = s("老周", "The Ferryman"), s("雨夜书店", "The last bus")
    do("shipped_characters", "GET shipped|characters", language=spoken)
    do(
        "add_character",
        "POST characters",
        {"name": who, "personality": s("沉默寡言，心软。", "Quiet, kind."), "language": spoken},
    )
    do("list_characters", "GET characters", limit=2)
    do("get_character", f"GET characters|{who}")
    do("change_character", f"PATCH characters|{who}", {"tags": [s("老城", "river")]})
    do("copy_character", f"POST characters|{who}|copy", {"name": who + " 2"})
    do("get_character_original", f"GET characters|{who}|original")
    do("get_character_card", f"GET characters|{who}|card", form="v2")
    picture = (ROOT / "examples/cards/wren.png").read_bytes()
    do("set_character_picture", f"PUT characters|{who} 2|picture", file=("face.png", picture))
    do("get_character_picture", f"GET characters|{who} 2|picture")
    do("delete_character_picture", f"DELETE characters|{who} 2|picture")
    do("delete_character", f"DELETE characters|{who} 2")
    card = (ROOT / "examples/cards" / s("lin.json", "nora.json")).read_bytes()
    do("import_characters", "POST characters|import", file=("card.json", card), field="files")
    scene = {"name": night, "description": s("避雨的客人。", "Nobody else waits."), "weight": 2.0}
    do("shipped_scenarios", "GET shipped|scenarios", language=spoken)
    do("add_scenario", "POST scenarios", {**scene, "language": spoken})
    do("list_scenarios", "GET scenarios", limit=2)
    do("get_scenario", f"GET scenarios|{night}")
    do("change_scenario", f"PATCH scenarios|{night}", {"weight": 1.0})
    preview = {"character": {"name": who}, "scenario": {"name": night}}
    do("preview_character", "POST characters|preview", preview)
    talk = {"character": who, "connection": local, "messages": hello}
    do("chat_with_character", "POST characters|chat", talk)
    prompt = s(
        '就{topic}写一个问答，返回 JSON：{"question": "…", "answer": "…"}',
        'Ask and answer about {topic}, as JSON: {"question": "…", "answer": "…"}',
    )
    ask, topics = s("问答", "qa"), [s("茶", "tea"), s("书法", "rain")]
    do("shipped_templates", "GET shipped|templates", language=spoken)
    do("check_template", "POST templates|check", {"prompt": prompt})
    do("add_template", "POST templates", {"name": ask, "prompt": prompt, "language": spoken})
    do("list_templates", "GET templates", limit=2)
    do("change_template", f"PATCH templates|{ask}", {"vars": {"topic": topics}})
    do("get_template", f"GET templates|{ask}")
    do("test_template", f"POST templates|{ask}|test", {"connection": local, "seed": 1})
    unsaved = {"template": {"name": ask + "0", "prompt": s("写一句诗。", "Write a line.")}}
    do("test_unsaved_template", "POST templates|test", {**unsaved, "connection": local, "seed": 1})
    do("restore_template", f"POST templates|{ask}|restore", {"version": 1})
    do("schema_of_sample", "POST templates|schema", {"sample": '{"question": "…"}'})
    do("template_versions", f"GET templates|{ask}|versions")
    do("template_diff", f"GET templates|{ask}|diff")
    do("template_about", f"GET templates|{ask}|about")
    do("template_file", f"GET templates|{ask}|file")
    do("copy_template", f"POST templates|{ask}|copy", {"name": ask + "2"})
    do("rename_template", f"POST templates|{ask}2|rename", {"name": ask + "3"})
    do("delete_template", f"DELETE templates|{ask}3")
    for name in ("recipes", "checks", "formats", "domains", "rubrics"):
        do(f"list_{name}", f"GET {name}")
    do("recipe_fields", "GET recipes|dialogue|fields")
    do("get_domain", "GET domains|short_video")
    do("domain_starter", "GET starters|domain", name="my_domain")
    do("get_rubric", "GET rubrics|general")
    do("get_rubric_file", "GET rubrics|general|file")
    do("list_settings", "GET settings")
    do("change_settings", "PATCH settings", {"journal_days": 90})


def _tasks(w: Walk) -> None:
    s, do = w.say, w.do
    night, who, local = s("雨夜书店", "The last bus"), s("老周", "The Ferryman"), s("本机", "local")
    data = s("夜晚", "nights")
    do(
        "add_dataset",
        "POST datasets",
        {"name": data, "characters": [who], "scenarios": {night: 1.0}, "language": w.language},
    )
    given = {
        "recipe": "dialogue",
        "connection": local,
        "dataset": data,
        "count": 4,
        "turns": 1,
        "seed": 7,
        "commit": False,
    }
    do("preview_task", "POST tasks|preview", given)
    made = do(
        "add_task", "POST tasks", {**given, "name": s("试一下", "a try"), "start": False}, key="k-1"
    )
    n = made["id"]
    do("change_task", f"PATCH tasks|{n}", {"max_calls": 100, "concurrency": 1})
    do("run_task", f"POST tasks|{n}|run")
    ended(w, n)
    do("get_task", f"GET tasks|{n}")
    do("list_tasks", "GET tasks", limit=2)
    for name in (
        "quotas",
        "executions",
        "records",
        "missing",
        "misses",
        "items",
        "calls",
        "events",
    ):
        do(f"task_{name}", f"GET tasks|{n}|{name}")
    call = do("task_calls", f"GET tasks|{n}|calls")["items"][0]["id"]
    do("get_call", f"GET tasks|{n}|calls|{call}")
    do("commit_task", f"POST tasks|{n}|commit", {"dataset": data})
    do("extend_task", f"POST tasks|{n}|extend", {"count": 5, "start": False})
    do("retry_task", f"POST tasks|{n}|retry", {"kinds": ["failed"], "start": False})
    other = do("", "POST tasks", {**given, "start": False})["id"]
    do("cancel_task", f"POST tasks|{other}|cancel")
    do("discard_task", f"POST tasks|{other}|discard")
    do("bulk_tasks", "POST tasks|bulk", {"action": "run", "ids": [other]})
    do("delete_task", f"DELETE tasks|{other}")
    scoring = {"recipe": "evaluate", "of": f"dataset:{data}", "connection": local, "seed": 1}
    scored = do("", "POST tasks", scoring)["id"]
    ended(w, scored)
    do("get_task", f"GET tasks|{n}")
    do("get_evaluation", f"GET evaluations|{scored}")
    do("evaluation_scores", f"GET evaluations|{scored}|scores", limit=1)
    do("take_scores", f"POST evaluations|{scored}|take", wait=30)
    do("get_overview", "GET overview", most=2)
    do("list_datasets", "GET datasets", limit=2)
    do("get_dataset", f"GET datasets|{data}")
    do(
        "change_dataset",
        f"PATCH datasets|{data}",
        {"description": s("夜里的对话", "Talks at night")},
    )
    do("dataset_statistics", f"GET datasets|{data}|statistics")
    do("dataset_counts", f"GET datasets|{data}|counts")
    scene = s("日常对话", "Everyday talk")
    do("bind", f"POST datasets|{data}|bind", {"scenarios": {scene: 2.0}})
    do("unbind", f"POST datasets|{data}|unbind", {"scenarios": [scene]})
    do("set_bindings", f"PUT datasets|{data}|bindings", {"scenarios": {night: 1.0}})


def _data(w: Walk) -> None:
    s, do = w.say, w.do
    rows = [
        {
            "instruction": s(f"第{n}个问题？", f"Question {n}?"),
            "input": "",
            "output": s("回答。", "Answer.") * n,
        }
        for n in range(1, 7)
    ]
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows).encode()
    upload = do("add_upload", "POST uploads", file=("rows.jsonl", text))["id"]
    do("list_uploads", "GET uploads")
    do("get_upload", f"GET uploads|{upload}")
    data, wish = s("客服问答", "answers"), {"upload": f"upload:{upload}"}
    do("preview_import", "POST imports|preview", {**wish, "first": 1})
    done = do("import_upload", "POST imports", {**wish, "dataset": data}, wait=30)["result"]
    q = {"dataset": data}
    ids = [one["id"] for one in do("list_records", "GET records", **q, limit=2)["items"]]
    first, second = ids[:2]
    do("count_records", "GET records|count", **q, min_length=20)
    do("record_facets", "GET records|facets", **q)
    do("get_record", f"GET records|{first}", **q)
    do("record_calls", f"GET records|{first}|calls")
    content = {**rows[0], "output": s("更好的回答。", "A better answer.")}
    do("edit_record", f"PATCH records|{first}", {"content": content, "version": 1})
    do("edit_content", f"PUT reviews|records|{first}|content", {"content": rows[0], "version": 2})
    do("version_diff", f"GET reviews|records|{first}|diff", old=1, new=2)
    do("restore_version", f"POST reviews|records|{first}|restore", {"version": 2})
    do("review_queue", "GET reviews|queue", **q, kind="pending", limit=2)
    said = {"state": "approved", "rating": 4, "note": s("很清楚", "Clear")}
    do("review_record", f"POST reviews|records|{first}", said)
    do("look_at_record", f"GET reviews|records|{first}")
    do("record_history", f"GET reviews|records|{first}|history")
    do("review_many", "POST reviews|apply", {"where": q, "add_tags": ["v1"]}, wait=30)
    do("last_action", "GET reviews|last")
    do("undo_review", "POST reviews|undo", {})
    for name in ("progress", "statistics", "agreement"):
        do(f"review_{name}", f"GET reviews|{name}", **q)
    bulk = {"action": "delete", "ids": [second], "expected": 1}
    gone = do("change_records", "POST records|bulk", bulk, wait=30)["result"]["removals"][0][
        "number"
    ]
    do("list_removals", "GET removals", **q)
    do("restore_removal", f"POST removals|{gone}|restore")
    do("", "POST records|bulk", {"action": "approve", "ids": [second]}, wait=30)
    do("undo_records", "POST records|undo", {})
    do("broken_records", f"GET datasets|{data}|broken")
    do("clean_records", f"POST datasets|{data}|broken", {"dry_run": True}, wait=30)
    look = {**q, "format": "messages"}
    do("preview_export", "POST exports|preview", {**look, "first": 1})
    do("export", "POST exports", {**look, "container": "jsonl"})
    ticket = do("export_ticket", "POST exports|ticket", look)["url"].rpartition("=")[2]
    do("download_export", "GET exports|download", ticket=ticket)
    run = do(
        "run_checks", "POST checks|runs", {**q, "checks": {"length": {"min_chars": 20}}}, wait=30
    )
    do("check_findings", f"GET checks|runs|{run['id']}|findings", limit=1)
    made = do("make_report", "POST reports", q, wait=60)
    job = made["id"]
    do("get_job", f"GET jobs|{job}", wait=5)
    do("list_jobs", "GET jobs")
    do("job_files", f"GET jobs|{job}|files")
    do("job_file", f"GET jobs|{job}|files|report.md")
    do("cancel_job", f"POST jobs|{job}|cancel")
    wish = {"total": 2, "seed": 1, "categories": [{"name": "all", "share": 1, "dataset": data}]}
    do("preview_sample", "POST samples|preview", wish, wait=30)
    do("make_sample", "POST samples", {**wish, "dataset": s("抽样", "few")}, wait=30)
    do("make_feedback", "POST feedback", {**q, "pairs": True}, wait=30)
    triples = (ROOT / f"examples/triples.{w.language}.jsonl").read_bytes()
    sent = do("", "POST uploads", file=("triples.jsonl", triples))["id"]
    do("prepare_rounds", "POST rounds|prepare", {"input": f"upload:{sent}", "sample": 2}, wait=30)
    do("undo_import", f"POST imports|{done['task']}|undo", wait=30)
    do("delete_upload", f"DELETE uploads|{upload}")
    do("delete_dataset", f"DELETE datasets|{data}")


def _rest(w: Walk) -> None:
    s, do = w.say, w.do
    step = {
        "name": "draw",
        "recipe": "sample",
        "total": 2,
        "categories": [{"name": "all", "share": 1, "dataset": s("夜晚", "nights")}],
    }
    chain = do(
        "add_chain", "POST chains", {"chain": {"name": s("抽样链", "draws"), "steps": [step]}}
    )
    do("list_chains", "GET chains")
    do("get_chain", f"GET chains|{chain['id']}")
    do("stop_chain", f"POST chains|{chain['id']}|stop")
    token = do("add_token", "POST tokens", {"name": s("夜间导出", "nightly"), "days": 30})
    do("list_tokens", "GET tokens")
    do("get_token", f"GET tokens|{token['token']['id']}")
    do("revoke_token", f"DELETE tokens|{token['token']['id']}")
    do("list_audit", "GET audit", limit=2)
    do("delete_scenario", f"DELETE scenarios|{s('日常对话', 'Everyday talk')}")
    do("delete_connection", f"DELETE connections|{s('本机', 'local')}")
    do("run_chain", f"POST chains|{chain['id']}|run", {"steps": "next"})
    do("stop_chain", f"POST chains|{chain['id']}|stop")
    do("download_backup", "GET backup")
    w.token = do("", "POST tokens", {"name": "all", "scope": "admin"})["secret"]
    anna, word = s("林晓", "anna"), "correct horse battery"
    do("add_user", "POST users", {"name": anna, "password": word})
    other = s("小罗", "rosa")
    do("", "POST users", {"name": other, "password": word})
    do("list_users", "GET users")
    do("get_user", f"GET users|{other}")
    do("change_user", f"PATCH users|{other}", {"role": "editor"})
    do("log_user_out", f"POST users|{other}|logout")
    do("delete_user", f"DELETE users|{other}")
    do("login", "POST login", {"name": anna, "password": word})
    do("logout", "POST logout")
