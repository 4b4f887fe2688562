"""A model hub on this machine: the endpoints for files and commits of the real one, with its failures on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
COMMIT = re.compile(r"/api/models/([^/]+/[^/]+)/commit/(.+)")
PREUPLOAD = re.compile(r"/api/models/([^/]+/[^/]+)/preupload/(.+)")


@dataclass
class Hub:
    """What the hub holds, and how it behaves.

    Attributes:
        url: Its address.
        revisions: Commit by (repository, branch or tag or commit).
        files: Content by (repository, commit), by name.
        private: Repositories that only `token` opens.
        gated: Repositories whose owner has to grant access.
        cuts: By name of a file, after how many bytes of the answer the connection breaks, one for each next request.
        requests: (method, path, range) of everything that was asked for.
    """

    url: str = ""
    token: str = "the-right-token"  # noqa: S105  # of no real hub
    revisions: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    gated: set[str] = field(default_factory=set)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)

    def commit(self, repository: str, files: Mapping[str, bytes], *names: str) -> str:
        """Put files into a repository, on top of what it holds, under branches or tags."""
        before = self.files.get((repository, self.revisions.get((repository, "main"), "")), {})
        content = before | dict(files)
        digest = hashlib.sha1(repository.encode(), usedforsecurity=False)
        for name, data in sorted(content.items()):
            digest.update(name.encode() + data)
        commit = digest.hexdigest()
        self.files[repository, commit] = content
        for name in (*(names or ("main",)), commit):
            self.revisions[repository, name] = commit
        return commit

    def asked(self, method: str, name: str) -> list[str | None]:
        """The ranges of the requests of one kind for one file."""
        return [part for kind, path, part in self.requests if kind == method and path.endswith(name)]


class Handler(BaseHTTPRequestHandler):
    """Answers as the hub does."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self.answer_file(body=False)

    def do_GET(self) -> None:
        self.answer_file(body=True)

    def answer_file(self, *, body: bool) -> None:
        self.note()
        found = FILE.fullmatch(self.path)
        repository, revision, name = found.groups() if found else ("", "", "")
        commit = self.hub.revisions.get((repository, revision))
        data = self.hub.files.get((repository, commit or ""), {}).get(name)
        if not self.may_enter(repository):
            self.refuse(401, "RepoNotFound")
        elif repository in self.hub.gated:
            self.refuse(403, "GatedRepo")
        elif not any(owner == repository for owner, _ in self.hub.files):
            self.refuse(404, "RepoNotFound")
        elif commit is None:
            self.refuse(404, "RevisionNotFound")
        elif data is None:
            self.refuse(404, "EntryNotFound", commit)
        else:
            self.send_file(data, name, commit, body=body)

    def send_file(self, data: bytes, name: str, commit: str, *, body: bool) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        first = int(asked[1]) if asked and body else 0
        self.send_response(206 if first else 200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if body:
            cuts = self.hub.cuts.get(name, [])
            self.wfile.write(data[first : first + cuts[0]] if cuts else data[first:])
            if cuts:
                cuts.pop(0)
                self.close_connection = True
                self.wfile.flush()
                self.connection.close()

    def do_POST(self) -> None:
        self.note()
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/api/validate-yaml":
            return self.send_json({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self.refuse(401, "RepoNotFound")
        if self.path == "/api/repos/create":
            wanted = json.loads(text)
            name = f"{wanted['organization']}/{wanted['name']}"
            if wanted.get("private") or wanted.get("visibility") == "private":
                self.hub.private.add(name)
            return self.send_json({"url": f"{self.hub.url}/{name}"})
        if PREUPLOAD.fullmatch(self.path):
            names = [file["path"] for file in json.loads(text)["files"]]
            return self.send_json(
                {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
            )
        repository, revision = COMMIT.fullmatch(self.path.partition("?")[0]).groups()  # type: ignore[union-attr]
        lines = [json.loads(line) for line in text.splitlines()]
        files = {
            line["value"]["path"]: base64.b64decode(line["value"]["content"]) for line in lines if line["key"] == "file"
        }
        commit = self.hub.commit(repository, files, revision)
        return self.send_json({"commitUrl": f"{self.hub.url}/{repository}/commit/{commit}", "commitOid": commit})

    def may_enter(self, repository: str) -> bool:
        allowed = self.headers.get("Authorization") == f"Bearer {self.hub.token}"
        return allowed or repository not in self.hub.private

    def note(self) -> None:
        self.hub.requests.append((self.command, self.path, self.headers.get("Range")))

    def send_json(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status: int, code: str, commit: str | None = None) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        if commit is not None:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests say what they need."""


@contextmanager
def serve() -> Iterator[Hub]:
    """A hub for the time of a test."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
