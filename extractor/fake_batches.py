"""Files and batches for a fake endpoint, with faults to order: the public double for a provider's batch API.

batches = FakeBatches()
with FakeEndpoint({"entities": [], ...}, extra=batches) as endpoint:
    batches.endpoint = endpoint
    ...  # run with via="batch-api"; then look at batches.uploads and batches.orders
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from extractor.fake_endpoint import FakeEndpoint, Received
from extractor.fake_faults import Fault, status

Step = Callable[[str, str], Fault | None]


@dataclass(slots=True)
class Order:
    """One batch: how often it was looked at, and what it came to."""

    id: str
    file: str
    metadata: Mapping[str, str]
    looks: int = 0
    status: str = "validating"
    output: str | None = None
    errors: str | None = None
    faults: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    done: int = 0


@dataclass(slots=True)
class FakeBatches:
    """Answers /files and /batches as OpenAI does; each request of a batch is answered as `endpoint` would answer it alone.

    A batch is over after `looks` looks at it. `ends` are the statuses of the batches in the order in
    which they are made (completed where there is none left): completed, failed, expired, cancelled.
    An expired or cancelled one has answered the `share` of its requests. `drop` names a piece of the
    requests whose lines are left out, `shuffle` turns the order of the lines round, `twice` doubles
    them, `faults` are the errors of batches that failed. `on(step, when)` is told of each step
    (upload, order, look, fetch), before it is done and after, so that a test can kill the client there,
    and may return a fault to be answered instead; `replies` are HTTP faults by step, used up one
    after the other.
    """

    looks: int = 2
    ends: list[str] = field(default_factory=list)
    share: float = 0.5
    drop: str | None = None
    shuffle: bool = True
    twice: bool = False
    faults: list[list[dict[str, Any]]] = field(default_factory=list)
    replies: dict[str, list[Fault]] = field(default_factory=dict)
    on: Step = lambda step, when: None
    endpoint: FakeEndpoint | None = None
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)

    def __call__(self, received: Received) -> Fault | None:
        path = received.path.partition("?")[0].removeprefix("/v1")
        step = _step(received.method, path)
        if step is None:
            return None
        if self.replies.get(step):
            return self.replies[step].pop(0)
        instead = self.on(step, "before")
        if instead is not None:
            return instead
        answer = self._do(step, path, received)
        return self.on(step, "after") or answer

    def _do(self, step: str, path: str, received: Received) -> Fault:
        if step == "upload":
            return self._upload(received)
        if step == "files":
            return _json({"object": "list", "data": [self._file(one) for one in self.files], "has_more": False})
        if step == "order":
            return self._order(received.json)
        if step == "orders":
            return _json({"object": "list", "data": [_shown(one) for one in self.orders.values()], "has_more": False})
        if step == "fetch":
            found = self.files.get(path.split("/")[2])
            return (
                Fault(body=found[1], content_type="application/octet-stream") if found else status(404, "no such file")
            )
        order = self.orders.get(path.split("/")[2])
        return self._look(order) if order else status(404, "no such batch")

    def _upload(self, received: Received) -> Fault:
        name, content = _uploaded(received)
        made = self._keep(name, content)
        self.uploads.append(name)
        return _json(self._file(made))

    def _keep(self, name: str, content: bytes) -> str:
        made = f"file-{len(self.files)}"
        self.files[made] = (name, content)
        return made

    def _file(self, made: str) -> dict[str, Any]:
        name, content = self.files[made]
        about = {"object": "file", "created_at": 1700000000, "purpose": "batch", "status": "processed"}
        return {"id": made, "filename": name, "bytes": len(content), **about}

    def _order(self, asked: dict[str, Any]) -> Fault:
        if asked.get("input_file_id") not in self.files:
            return status(400, "no such input file")
        made = Order(f"batch_{len(self.orders)}", asked["input_file_id"], asked.get("metadata") or {})
        self.orders[made.id] = made
        return _json(_shown(made))

    def _look(self, order: Order) -> Fault:
        order.looks += 1
        if order.status in ("validating", "in_progress"):
            order.status = "in_progress"
            if order.looks >= self.looks:
                self._finish(order)
        return _json(_shown(order))

    def _finish(self, order: Order) -> None:
        order.status = self.ends.pop(0) if self.ends else "completed"
        lines = self.files[order.file][1].splitlines()
        order.total = len(lines)
        if order.status == "failed":
            order.faults = self.faults.pop(0) if self.faults else [{"code": "invalid", "message": "told to fail"}]
            return
        answered = lines if order.status == "completed" else lines[: int(len(lines) * self.share)]
        good, bad = self._answers(answered)
        order.done = len(answered)
        order.output = self._keep("output.jsonl", b"".join(good)) if good else None
        order.errors = self._keep("errors.jsonl", b"".join(bad)) if bad else None

    def _answers(self, lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Lines of the output and of the error file."""
        good: list[bytes] = []
        bad: list[bytes] = []
        for line in lines:
            if self.drop is not None and self.drop in line.decode():
                continue
            asked = json.loads(line)
            answer = self._ask(asked["body"])
            shown = {"status_code": answer.status, "request_id": "r", "body": json.loads(answer.body or b"null")}
            one = {"id": "line", "custom_id": asked["custom_id"], "response": shown, "error": None}
            text = json.dumps(one, ensure_ascii=False).encode() + b"\n"
            (good if answer.status == 200 else bad).append(text)
        if self.shuffle:
            good.reverse()
        return good * (1 + self.twice), bad

    def _ask(self, body: dict[str, Any]) -> Fault:
        assert self.endpoint is not None, "set FakeBatches.endpoint to the endpoint that it is the extra of"
        return self.endpoint.answered(body)


def _step(method: str, path: str) -> str | None:
    if path == "/files":
        return "upload" if method == "POST" else "files"
    if path == "/batches":
        return "order" if method == "POST" else "orders"
    if re.fullmatch(r"/files/[^/]+/content", path):
        return "fetch"
    return "look" if re.fullmatch(r"/batches/[^/]+", path) else None


def _uploaded(received: Received) -> tuple[str, bytes]:
    """Name and content of the file in a multipart body."""
    mark = re.search(r'boundary="?([^";]+)', received.headers.get("content-type", ""))
    pieces = received.body.split(b"--" + (mark.group(1).encode() if mark else b"?"))
    for piece in pieces:
        head, _, content = piece.partition(b"\r\n\r\n")
        name = re.search(rb'filename="([^"]+)"', head)
        if name:
            return name.group(1).decode(), content.removesuffix(b"\r\n")
    return "", b""


def _shown(order: Order) -> dict[str, Any]:
    return {
        "id": order.id, "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": order.file,
        "completion_window": "24h", "created_at": 1700000000, "status": order.status, "metadata": dict(order.metadata),
        "output_file_id": order.output, "error_file_id": order.errors,
        "errors": {"object": "list", "data": order.faults} if order.faults else None,
        "request_counts": {"total": order.total, "completed": order.done, "failed": 0},
    }  # fmt: skip


def _json(value: dict[str, Any]) -> Fault:
    return Fault(body=json.dumps(value, ensure_ascii=False).encode())
