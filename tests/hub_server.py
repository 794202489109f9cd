"""A stand-in of a Hugging Face hub: the HTTP interface by which `huggingface_hub` makes a dataset
repository and commits to it, with Git LFS for its files.

Owns: repositories in memory, changed by whole commits only; failures on demand. Does not own: the
client, which is the real one.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

PART_BYTES = 50_000
"""Larger files are asked for in parts of this size."""


@dataclass
class Repo:
    """A dataset repository: branch → (commit, path → bytes)."""

    private: bool
    branches: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Hub:
    """What the stand-in knows and has seen."""

    url: str = ""
    token: str = "hf_good"
    repos: dict[str, Repo] = field(default_factory=dict)
    storage: dict[str, bytes] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    seen: list[tuple[str, str, bool]] = field(default_factory=list)
    """(method, path, whether the token came with it)"""
    fail: Callable[[str, str], tuple[int, str] | None] = lambda method, path: None
    """Says of a request which status and message it gets; None: it is answered."""

    def add(self, name: str, *, private: bool = False, **files: bytes) -> Repo:
        repo = self.repos[name] = Repo(private=private)
        repo.branches["main"] = {path: data for path, data in files.items()}
        repo.commits["main"] = [_commit_id(name, 0)]
        return repo

    def files(self, name: str, branch: str = "main") -> dict[str, bytes]:
        return self.repos[name].branches[branch]


def _commit_id(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode()).hexdigest()


def _error(status: int, message: str, **headers: str) -> web.Response:
    return web.json_response({"error": message}, status=status, headers=headers)


class _App:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def routes(self) -> list[web.RouteDef]:
        repo = "/api/datasets/{user}/{name}"
        return [
            web.post("/api/repos/create", self.create),
            web.post("/api/validate-yaml", self.validate),
            web.get(repo + "/revision/{branch}", self.info),
            web.post(repo + "/branch/{branch}", self.branch),
            web.post(repo + "/preupload/{branch}", self.preupload),
            web.post(repo + "/commit/{branch}", self.commit),
            web.post("/datasets/{user}/{name}.git/info/lfs/objects/batch", self.batch),
            web.put("/storage/{oid}", self.put),
            web.put("/storage/{oid}/{part}", self.put_part),
            web.post("/complete/{oid}", self.complete),
            web.post("/verify", self.verify),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        hub = self.hub
        given = request.headers.get("Authorization") == f"Bearer {hub.token}"
        hub.seen.append((request.method, request.path, given))
        if found := hub.fail(request.method, request.path):
            status, message = found
            return _error(status, message, **{"X-Error-Message": message})
        if not given and not request.path.startswith(("/storage/", "/complete/")):
            await request.read()
            message = "Invalid credentials in Authorization header"
            return _error(401, message, **{"X-Error-Message": message})
        answer: web.StreamResponse = await handler(request)
        return answer

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body["type"] == "dataset"
        name = f"{body['organization']}/{body['name']}"
        page = {"url": f"{self.hub.url}/datasets/{name}"}
        if name in self.hub.repos:
            return web.json_response(page | {"error": "You already created this"}, status=409)
        self.hub.add(name, private=body.get("visibility") == "private" or bool(body.get("private")))
        return web.json_response(page)

    async def validate(self, request: web.Request) -> web.Response:
        import yaml

        content = (await request.json())["content"]
        front = yaml.safe_load(content.split("---")[1])
        assert {"license", "configs", "tags"} <= set(front)
        return web.json_response({"warnings": [{"message": "a remark"}], "errors": []})

    def _repo(self, request: web.Request) -> tuple[str, Repo | None]:
        name = f"{request.match_info['user']}/{request.match_info['name']}"
        return name, self.hub.repos.get(name)

    async def info(self, request: web.Request) -> web.Response:
        name, repo = self._repo(request)
        branch = request.match_info["branch"]
        if repo is None or branch not in repo.branches:
            code = "RepoNotFound" if repo is None else "RevisionNotFound"
            return _error(404, "not found", **{"X-Error-Code": code})
        siblings = [{"rfilename": path} for path in repo.branches[branch]]
        return web.json_response(
            {
                "_id": "1",
                "id": name,
                "sha": repo.commits[branch][-1],
                "private": repo.private,
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "tags": [],
                "siblings": siblings,
            }
        )

    async def branch(self, request: web.Request) -> web.Response:
        _, repo = self._repo(request)
        assert repo is not None
        branch = request.match_info["branch"]
        if branch in repo.branches:
            return _error(409, "Reference already exists")
        repo.branches[branch] = dict(repo.branches["main"])
        repo.commits[branch] = list(repo.commits["main"])
        return web.json_response({})

    async def preupload(self, request: web.Request) -> web.Response:
        files = (await request.json())["files"]
        answers = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["path"].endswith(".parquet") else "regular",
                "shouldIgnore": False,
            }
            for one in files
        ]
        return web.json_response({"files": answers})

    async def batch(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert (body["operation"], body["hash_algo"]) == ("upload", "sha256")
        return web.json_response(
            {"transfer": "multipart", "objects": [self._object(one) for one in body["objects"]]},
            content_type="application/vnd.git-lfs+json",
        )

    def _object(self, one: dict[str, Any]) -> dict[str, Any]:
        oid, size, url = one["oid"], one["size"], self.hub.url
        if oid in self.hub.storage:
            return {"oid": oid, "size": size}
        upload: dict[str, Any] = {"href": f"{url}/storage/{oid}"}
        if size > PART_BYTES:
            count = -(-size // PART_BYTES)
            urls = {f"{n:05}": f"{url}/storage/{oid}/{n}" for n in range(1, count + 1)}
            header = {"chunk_size": str(PART_BYTES), **urls}
            upload = {"href": f"{url}/complete/{oid}", "header": header}
        actions = {"upload": upload, "verify": {"href": f"{url}/verify"}}
        return {"oid": oid, "size": size, "actions": actions}

    async def put(self, request: web.Request) -> web.Response:
        self._keep(request.match_info["oid"], await request.read())
        return web.Response()

    async def put_part(self, request: web.Request) -> web.Response:
        oid, part = request.match_info["oid"], int(request.match_info["part"])
        self.hub.parts[oid, part] = await request.read()
        return web.Response(headers={"ETag": f'"{part}"'})

    async def complete(self, request: web.Request) -> web.Response:
        oid = request.match_info["oid"]
        told = (await request.json())["parts"]
        parts = [self.hub.parts[oid, one["partNumber"]] for one in told]
        assert all(len(part) == PART_BYTES for part in parts[:-1])
        self._keep(oid, b"".join(parts))
        return web.json_response({})

    def _keep(self, oid: str, data: bytes) -> None:
        assert hashlib.sha256(data).hexdigest() == oid
        self.hub.storage[oid] = data

    async def verify(self, request: web.Request) -> web.Response:
        body = await request.json()
        return web.Response(status=200 if body["oid"] in self.hub.storage else 404)

    async def commit(self, request: web.Request) -> web.Response:
        name, repo = self._repo(request)
        branch = request.match_info["branch"]
        assert repo is not None
        entries = [json.loads(line) for line in (await request.text()).splitlines()]
        header = entries[0]["value"]
        if header.get("parentCommit") != repo.commits[branch][-1]:
            return _error(412, "a commit has happened since")
        files = dict(repo.branches[branch])
        for entry in entries[1:]:
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.storage[value["oid"]]
                assert len(files[value["path"]]) == value["size"]
            else:
                assert entry["key"] == "deletedFile"
                del files[value["path"]]
        repo.branches[branch] = files
        repo.commits[branch].append(_commit_id(name, len(repo.commits[branch]), header["summary"]))
        oid = repo.commits[branch][-1]
        return web.json_response(
            {"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{oid}", "commitOid": oid}
        )


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A stand-in on a port of this machine, in a thread of its own."""
    hub, loop, ready = Hub(), asyncio.new_event_loop(), threading.Event()
    inside = _App(hub)
    app = web.Application(middlewares=[inside.guard], client_max_size=1 << 30)
    app.add_routes(inside.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        hub.url = f"http://127.0.0.1:{port}"

    def run() -> None:
        loop.run_until_complete(start())
        loop.call_soon(ready.set)
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield hub
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
