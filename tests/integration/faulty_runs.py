"""What runs under faults share: documents, commands, and what is looked at afterwards."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from extractor.fake_batches import FakeBatches
from extractor.fake_endpoint import FakeEndpoint
from extractor.runs.run import batch
from extractor.runs.summary import RunSummary

DOCUMENTS = 60
# Of no shape that a key is known by: what hides it has to know it.
SECRET = "planted0123456789abcdefXYZ"
EVENT: dict[str, Any] = {
    "evidence": "condemned the attack", "trigger": "condemned", "type": "ACCUSE", "modes": [], "contexts": [], "actors": [], "recipients": [],
    "participants": [], "place": None, "time": None, "modality": "asserted", "source": None, "figures": [],
}  # fmt: skip
EMPTY: dict[str, Any] = {"entities": [], "events": [], "relations": []}
ANSWER: dict[str, Any] = {**EMPTY, "events": [EVENT]}
TEXT = "the minister condemned the attack."
COMMAND = [sys.executable, "-c", "from extractor.cli import main; main()", "batch"]
# Root may read and write everything: without these two rights (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH) it is as others are.
RIGHTLESS = [
    sys.executable, "-S", "-c",
    "import ctypes, os, sys\nif sys.platform == 'linux':\n    [ctypes.CDLL(None).prctl(24, right, 0, 0, 0) for right in (1, 2)]\n"
    "os.execv(sys.argv[1], sys.argv[1:])",
]  # fmt: skip


def make(folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    for n in range(number):
        (folder / f"d{n:03}.txt").write_text(f"Marker-{n:03}: {TEXT}", encoding="utf-8")
    return folder


def run(folder: Path, out: Path, endpoint: FakeEndpoint, **settings: Any) -> RunSummary:
    """In this process."""
    given = {
        "base_url": endpoint.base_url, "api_key": SECRET, "model": "m", "concurrency": 16, "attempts": 3, "retry_wait": 0.005, "patience": 0.0,
        "cache_dir": out.parent / "cache",
    }  # fmt: skip
    return batch(folder, out=out, **(given | settings))


@contextmanager
def provider(answers: Any = ANSWER, **options: Any) -> Iterator[tuple[FakeEndpoint, FakeBatches]]:
    batches = FakeBatches(**options)
    with FakeEndpoint(answers, extra=batches) as endpoint:
        batches.endpoint = endpoint
        yield endpoint, batches


def through_batches(folder: Path, out: Path, endpoint: FakeEndpoint, **settings: Any) -> RunSummary:
    return run(folder, out, endpoint, via="batch-api", batch_poll=0.02, **settings)


def environment(out: Path, endpoint: FakeEndpoint) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("EXTRACTOR_", "OPENAI_"))}
    given = {
        "CACHE_DIR": str(out.parent / "cache"),
        "RETRY_WAIT": "0.005",
        "PATIENCE": "0",
        "ATTEMPTS": "3",
        "MODEL": "m",
    }
    return (
        own
        | {"OPENAI_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": SECRET}
        | {f"EXTRACTOR_{name}": value for name, value in given.items()}
    )


def start(
    folder: Path,
    out: Path,
    endpoint: FakeEndpoint,
    *more: str,
    command: list[str] = COMMAND,
    stdout: int | None = None,
    new_session: bool = False,
    settings: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """In a process of its own, through the real command."""
    arguments = [*command, str(folder), "--out", str(out), "--no-report", *more]
    return subprocess.Popen(
        arguments,
        env=environment(out, endpoint) | (settings or {}),
        stdout=stdout,
        stderr=subprocess.PIPE,
        start_new_session=new_session,
    )


def heard(process: subprocess.Popen[bytes]) -> str:
    """What it said until its end: no traceback, no key, nothing of a document."""
    said = process.communicate(timeout=60)[1].decode()
    assert not [word for word in ("Traceback", SECRET, "Marker-", "condemned") if word in said], said
    return said


def finish(folder: Path, out: Path, endpoint: FakeEndpoint, *more: str, **how: Any) -> tuple[int, str]:
    """Exit code and what it said."""
    process = start(folder, out, endpoint, *more, **how)
    said = heard(process)
    return process.returncode, said


def wait_for(endpoint: FakeEndpoint, requests: int, process: subprocess.Popen[bytes]) -> int:
    while len(endpoint.requests) < requests and process.poll() is None:
        time.sleep(0.002)
    return len(endpoint.requests)


def results(out: Path) -> bytes:
    return (out / "results.jsonl").read_bytes()


def lines(out: Path, name: str = "results.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / name).read_bytes().split(b"\n") if line]


def asked(endpoint: FakeEndpoint) -> Counter[str]:
    """How often each document was asked about."""
    return Counter(r.json["messages"][1]["content"].partition("Marker-")[2][:3] for r in endpoint.requests)


def again(endpoint: FakeEndpoint) -> int:
    """How many requests were about documents that had been asked about before."""
    return sum(number - 1 for number in asked(endpoint).values())


def without_an_answer(endpoint: FakeEndpoint) -> int:
    return sum(not request.whole for request in endpoint.requests)
