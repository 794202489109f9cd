"""Makes docs/api.md and docs/api.zh-CN.md of the OpenAPI, our texts, and recorded answers.

scripts/api-page            write both pages
scripts/api-page --check    say what differs, and write nothing
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from api_walk import Example, recorded

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ROOT / "docs/api"
PAGES = {"en": ROOT / "docs/api.md", "zh": ROOT / "docs/api.zh-CN.md"}
MOST_LINES = 28
MOST_TEXT = 70
MOST_ITEMS = 2
TITLES: Mapping[str, tuple[str, str]] = {
    "health": ("Health", "健康"),
    "overview": ("At a glance", "总览"),
    "connections": ("Connections", "模型连接"),
    "characters": ("Characters", "角色"),
    "scenarios": ("Scenarios", "场景"),
    "templates": ("Templates", "模板"),
    "shipped": ("What comes with Corpusmith", "自带的内容"),
    "recipes": ("Recipes", "生成方式"),
    "tasks": ("Tasks", "任务"),
    "chains": ("Chains", "任务链"),
    "datasets": ("Datasets", "数据集"),
    "records": ("Records", "记录"),
    "reviews": ("Reviews", "审核"),
    "checks": ("Checks", "检查"),
    "evaluations": ("Evaluations", "评估"),
    "reports": ("Reports", "报告"),
    "exports": ("Exports", "导出"),
    "imports": ("Imports", "导入"),
    "uploads": ("Uploads", "上传"),
    "samples": ("Samples", "抽样"),
    "feedback": ("Feedback", "反馈"),
    "rounds": ("Rounds", "多轮修正"),
    "domains": ("Domains", "领域"),
    "rubrics": ("Rubrics", "评分标准"),
    "jobs": ("Jobs in hand", "进行中的作业"),
    "login": ("Login", "登录"),
    "users": ("Users", "用户"),
    "tokens": ("Tokens", "令牌"),
    "audit": ("Log", "日志"),
    "settings": ("Settings", "设置"),
    "backup": ("Backup", "备份"),
}
"""Groups in the order of the page; a group that is not here comes last, by its own name."""
WORDS: Mapping[str, tuple[str, str]] = {
    "right": ("Right: {0}.", "权限：{0}。"),
    "anybody": ("anybody", "谁都可以"),
    "head": ("| field | where | type | meaning |", "| 字段 | 位置 | 类型 | 说明 |"),
    "query": ("address", "地址"),
    "path": ("path", "路径"),
    "header": ("header", "请求头"),
    "body": ("body", "请求体"),
    "file": ("file", "文件"),
    "integer": ("whole number", "整数"),
    "number": ("number", "数字"),
    "string": ("text", "文字"),
    "boolean": ("`true`, `false`", "`true`、`false`"),
    "array": ("list", "列表"),
    "object": ("object", "对象"),
    "any": ("anything", "任意"),
    "needed": ("**needed**", "**必填**"),
    "default": ("default `{0}`", "默认 `{0}`"),
    "most": ("at most {0} long", "最长 {0}"),
    "from": ("from {0}", "不小于 {0}"),
    "to": ("to {0}", "不大于 {0}"),
    "between": ("{0} to {1}", "{0} 到 {1}"),
    "filters": (
        "which records: see [Filters](#filters)",
        "哪些记录：见[筛选](#筛选)",
    ),
    "bytes": ("`{0}`, {1} of `{2}`.", "`{0}`，`{2}`（{1}）。"),
    "nothing": ("`{0}`, no body.", "`{0}`，没有内容。"),
    "file_words": ("a file", "一个文件"),
    "not_run": (
        "No answer is shown: it was not run while this page was made.",
        "没有展示应答：生成本页时没有运行它。",
    ),
}
FILTERS = (
    *("scenario", "character", "category", "state", "min_rating", "max_rating", "min_score"),
    *("max_score", "tag", "flag", "unflagged", "text", "model", "min_length", "max_length"),
    *("dataset", "task"),
)


def main() -> int:
    made = {language: page(language) for language in PAGES}
    if "--check" in sys.argv:
        stale = [one for one, text in made.items() if PAGES[one].read_text("utf-8") != text]
        print(*(PAGES[one] for one in stale), sep="\n")
        return bool(stale)
    for language, text in made.items():
        PAGES[language].write_text(text, "utf-8")
    return 0


def description() -> tuple[dict[str, Any], dict[str, str]]:
    """(the OpenAPI, operation → the right that it takes)"""
    from fastapi.routing import APIRoute, iter_route_contexts

    from corpusmith.api.access import scope_of
    from corpusmith.api.app import create_app
    from corpusmith.api.serving import Serving

    app = create_app(Serving(store=None, language="en"))  # type: ignore[arg-type]
    rights = {}
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            asked = [scope_of(one.dependency) for one in route.dependencies if one.dependency]
            rights[route.name] = next((one for one in asked if one), "")
    return app.openapi(), rights


def page(language: str) -> str:
    """The whole page."""
    spec, rights = description()
    return "\n".join(Page(language, spec, rights, recorded(language)).lines()).rstrip() + "\n"


class Page:
    def __init__(
        self,
        language: str,
        spec: Mapping[str, Any],
        rights: Mapping[str, str],
        examples: Mapping[str, Example],
    ) -> None:
        self._at = 1 if language == "zh" else 0
        self._spec, self._rights, self._examples = spec, rights, examples
        self._schemas = spec["components"]["schemas"]
        chinese = language == "zh"
        self._texts = json.loads((TEXTS / "operations.zh.json").read_text()) if chinese else None
        self._fields = json.loads((TEXTS / "fields.zh.json").read_text()) if chinese else None
        self._head = (TEXTS / f"head.{language}.txt").read_text("utf-8")

    def lines(self) -> Iterator[str]:
        yield self._head
        groups: dict[str, list[tuple[str, str, Any]]] = {}
        for path, methods in self._spec["paths"].items():
            for method, operation in methods.items():
                groups.setdefault(operation["tags"][0], []).append((method, path, operation))
        order = [*TITLES, *sorted(set(groups) - set(TITLES))]
        for tag in order:
            if tag in groups:
                yield f"## {TITLES[tag][self._at] if tag in TITLES else tag}\n"
                for method, path, operation in groups[tag]:
                    yield from self._operation(
                        method.upper(), path.removeprefix("/api/v1"), operation
                    )

    def _word(self, name: str, *given: object) -> str:
        return WORDS[name][self._at].format(*given)

    def _operation(self, method: str, path: str, operation: Any) -> Iterator[str]:
        name = operation["operationId"]
        text = operation["description"].replace("\n", " ")
        if self._texts is not None:
            if name not in self._texts:
                raise SystemExit(f"docs/api/operations.zh.json lacks: {name}")
            text = self._texts[name].replace("\n\n", "  ")
        right = self._rights.get(name, "")
        yield f"### {method} {path}\n"
        said = f"`{right}`" if right else self._word("anybody")
        between = " " if self._at == 0 else ""
        yield re.sub(r"  +", "\n\n", text) + between + self._word("right", said) + "\n"
        rows = list(self._rows(operation))
        if rows:
            yield self._word("head")
            yield "|---|---|---|---|"
            yield from rows
            yield ""
        yield from self._example(name)

    # ------------------------------------------------------------ parameters

    def _rows(self, operation: Any) -> Iterator[str]:
        given = [
            (one["name"], one["in"], one["schema"], one.get("required", False), one)
            for one in operation.get("parameters", ())
            if not (one["in"] == "path" and "description" not in one)
        ]
        body = operation.get("requestBody", {}).get("content", {})
        for kind, content in body.items():
            schema = self._resolved(content["schema"])
            needed = schema.get("required", ())
            where = "file" if kind == "multipart/form-data" else "body"
            for name, one in schema.get("properties", {}).items():
                given.append((name, where, one, name in needed, one))
        known = {name for name, *_ in given}
        folded = set(FILTERS) <= known
        if folded:
            where = self._word(self._where(given))
            yield f"| `dataset`, `task`, … | {where} | | {self._word('filters')} |"
        for name, where, schema, needed, told in given:
            if not (folded and name in FILTERS):
                yield self._row(name, where, schema, needed, told)

    def _where(self, given: Any) -> str:
        return str(next(where for name, where, *_ in given if name == "dataset"))

    def _row(self, name: str, where: str, schema: Any, needed: bool, told: Any) -> str:
        meaning = told.get("description") or schema.get("description") or ""
        if self._fields is not None and meaning:
            meaning = self._translated(meaning)
        meaning = meaning.replace("\n", " ").replace("|", "\\|")
        if needed and where != "path":
            meaning = f"{self._word('needed')} {meaning}".strip()
        return f"| `{name}` | {self._word(where)} | {self._type(schema)} | {meaning} |"

    def _translated(self, meaning: str) -> str:
        if meaning not in self._fields:
            raise SystemExit(f"docs/api/fields.zh.json lacks: {meaning}")
        return str(self._fields[meaning])

    def _resolved(self, schema: Any) -> Any:
        if "$ref" in schema:
            return self._resolved(self._schemas[schema["$ref"].rpartition("/")[2]])
        if len(schema.get("allOf", ())) == 1:
            return self._resolved(schema["allOf"][0])
        return schema

    def _type(self, schema: Any) -> str:
        default = schema.get("default")
        many = [one for one in schema.get("anyOf", (schema,)) if one.get("type") != "null"]
        found = " / ".join(dict.fromkeys(self._one(self._resolved(one)) for one in many))
        plain = isinstance(default, (str, int, float)) and default not in ("", None)
        if plain:
            shown = json.dumps(default, ensure_ascii=False).strip('"')
            found += ", " if self._at == 0 else "，"
            found += self._word("default", shown)
        return found

    def _one(self, schema: Any) -> str:
        if "enum" in schema or "const" in schema:
            words = schema.get("enum", [schema.get("const")])
            return ", ".join(f"`{one}`" for one in words)
        found = self._word(schema.get("type", "any"))
        least = schema.get("minimum", schema.get("exclusiveMinimum"))
        most = schema.get("maximum", schema.get("exclusiveMaximum"))
        most = None if most is not None and most >= 2**31 - 1 else most
        if least is not None and most is not None:
            return f"{found} {self._word('between', _digits(least), _digits(most))}"
        if most is not None:
            return f"{found} {self._word('to', _digits(most))}"
        if least is not None:
            return f"{found} {self._word('from', _digits(least))}"
        if schema.get("type") == "string" and "maxLength" in schema:
            return f"{found} {self._word('most', format(schema['maxLength'], ','))}"
        return found

    # ------------------------------------------------------------ examples

    def _example(self, name: str) -> Iterator[str]:
        example = self._examples.get(name)
        if example is None:
            yield self._word("not_run") + "\n"
            return
        yield "```sh"
        yield _curl(example)
        yield "```\n"
        if example.answer is None:
            words = ("nothing", example.status)
            if example.bytes:
                words = ("bytes", example.status, self._word("file_words"), example.kind)  # type: ignore[assignment]
            yield self._word(*words) + "\n"  # type: ignore[arg-type]
            return
        yield f"`{example.status}`\n"
        text = isinstance(example.answer, str)
        shown = example.answer.splitlines() if text else pretty(short(example.answer)).splitlines()
        shown = [line if len(line) <= 160 else line[:160] + "…" for line in shown]
        yield "```text" if text else "```json"
        yield "\n".join(shown[:MOST_LINES] + (["…"] if len(shown) > MOST_LINES else []))
        yield "```\n"


def _digits(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _curl(example: Example) -> str:
    usual = "POST" if example.body is not None or example.file else "GET"
    words = ["curl"]
    if example.method != usual:
        words += ["-X", example.method]
    words.append(f'"$API{example.path}"')
    if example.file:
        words += ["-F", example.file]
    if example.operation == "add_task":
        words += ["-H", "'Idempotency-Key: k-1'"]
    if example.body is None:
        return " ".join(words)
    body = pretty(example.body).replace("'", "'\\''")
    return " ".join([*words, "--json", f"'{body}'"])


def short(value: Any) -> Any:
    """Lists of two items, texts of a line."""
    if isinstance(value, dict):
        return {name: short(one) for name, one in value.items()}
    if isinstance(value, list):
        more = ["…"] if len(value) > MOST_ITEMS else []
        return [short(one) for one in value[:MOST_ITEMS]] + more
    if isinstance(value, str) and len(value) > MOST_TEXT:
        return value[:MOST_TEXT] + "…"
    return value


def pretty(value: Any, indent: int = 0) -> str:
    """JSON, a short part on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= 96 or not isinstance(value, (dict, list)) or not value:
        return line
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(k, ensure_ascii=False)}: {pretty(v, indent + 2)}"
            for k, v in value.items()
        ]
        return "{\n" + ",\n".join(inner + one for one in parts) + "\n" + outer + "}"
    return "[\n" + ",\n".join(inner + pretty(one, indent + 2) for one in value) + "\n" + outer + "]"


if __name__ == "__main__":
    raise SystemExit(main())
