"""Grounding in processes of their own: the same bytes, and a process that dies costs at most the document that kills it."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from extractor.fake_endpoint import FakeEndpoint
from extractor.runs import grounders
from extractor.runs.run import batch
from extractor.runs.summary import RunSummary

EVENT: dict[str, Any] = {
    "evidence": "condemned the attack", "trigger": "condemned", "type": "ACCUSE", "modes": [], "contexts": [], "actors": [], "recipients": [],
    "participants": [], "place": None, "time": "on Tuesday", "modality": "asserted", "source": None, "figures": [],
}  # fmt: skip
ANSWER: dict[str, Any] = {"entities": [], "events": [EVENT], "relations": []}


def make(folder: Path, number: int) -> Path:
    folder.mkdir()
    for n in range(number):
        text = f"Marker-{n:03}: the minister condemned the attack on Tuesday.\n"
        (folder / f"d{n:03}.txt").write_text(text + "x " * (n % 7), encoding="utf-8")
    return folder


def run(folder: Path, out: Path, endpoint: FakeEndpoint, **settings: Any) -> RunSummary:
    return batch(folder, out=out, base_url=endpoint.base_url, cache=False, **settings)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The other processes, as they are started, after few documents."""
    monkeypatch.setattr(grounders, "WARM", 5)
    found: list[Any] = []
    start = grounders.Grounder.start

    async def noting(self: grounders.Grounder) -> None:
        await start(self)
        found.append(self.process)

    monkeypatch.setattr(grounders.Grounder, "start", noting)
    return found


def test_the_bytes_are_the_same_with_and_without_another_process(tmp_path: Path, started: list[Any]) -> None:
    """Whoever grounds a document, its line is the same; counts and rejections too. The process ends with the run."""
    folder = make(tmp_path / "in", 150)
    with FakeEndpoint(ANSWER, latency=0.1) as endpoint:
        with_one = run(folder, tmp_path / "one", endpoint, concurrency=8)
        process = started[0]
        without = run(folder, tmp_path / "none", endpoint, concurrency=8, workers=0)
    assert len(started) == 1 and process.returncode is not None
    assert (tmp_path / "one/results.jsonl").read_bytes() == (tmp_path / "none/results.jsonl").read_bytes()
    assert (with_one.states, with_one.events, with_one.prompt_tokens) == (
        without.states,
        without.events,
        without.prompt_tokens,
    )


def test_a_process_that_is_killed_is_replaced_and_nothing_is_lost(tmp_path: Path, started: list[Any]) -> None:
    """kill -9 in the middle: the documents it had are done all the same."""
    folder = make(tmp_path / "in", 150)
    asked = 0

    def answer(request: dict[str, Any]) -> Any:
        nonlocal asked
        asked += 1
        if asked in (60, 100) and started and started[-1].returncode is None:
            os.kill(started[-1].pid, signal.SIGKILL)
        return ANSWER

    with FakeEndpoint(answer, latency=0.02) as endpoint:
        summary = run(folder, tmp_path / "run", endpoint, concurrency=8)
        clean = run(folder, tmp_path / "clean", endpoint, workers=0)
    assert started[0].returncode == -signal.SIGKILL
    assert summary.states == clean.states == {"done": 150}
    assert (tmp_path / "run/results.jsonl").read_bytes() == (tmp_path / "clean/results.jsonl").read_bytes()


def test_a_document_that_kills_it_twice_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[Any]
) -> None:
    """Its failure says so; the run goes on in this process and in a new one."""
    deadly = tmp_path / "deadly.py"
    deadly.write_text(
        "import os, sys\nfrom extractor.runs import grounding_worker as worker\nwhole = worker.answer\n"
        "def answer(frame, task):\n    if b'Marker-100' in frame:\n        os._exit(9)\n    return whole(frame, task)\n"
        "worker.answer = answer\nworker.main(*sys.argv[1:4])\n"
    )
    real = asyncio.create_subprocess_exec

    async def exec_deadly(program: str, *arguments: str, **options: Any) -> Any:
        return await real(sys.executable, str(deadly), *arguments[2:], **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", exec_deadly)
    monkeypatch.setattr(grounders, "SPARE", 1000)
    with FakeEndpoint(ANSWER, latency=0.05) as endpoint:
        summary = run(make(tmp_path / "in", 150), tmp_path / "run", endpoint, concurrency=4)
    assert (summary.states, summary.exit_code) == ({"done": 149, "failed": 1}, 3)
    assert "died twice" in (tmp_path / "run/failures.jsonl").read_text() and len(started) == 3


def test_the_other_process_is_not_told_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[Any]
) -> None:
    """It needs none: it asks nobody."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")
    seen: list[bytes] = []

    def answer(request: dict[str, Any]) -> Any:
        if started and not seen and sys.platform == "linux":
            seen.append(Path(f"/proc/{started[0].pid}/environ").read_bytes())
        return ANSWER

    with FakeEndpoint(answer, latency=0.05) as endpoint:
        run(make(tmp_path / "in", 60), tmp_path / "run", endpoint, concurrency=4)
    assert seen and b"sk-planted" not in seen[0]
