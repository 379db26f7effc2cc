"""Runs that are stopped, killed, damaged and starved, through the real command: documents lost 0, finished ones never paid again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint

EMPTY = {"entities": [], "events": [], "relations": []}
COMMAND = [sys.executable, "-c", "from extractor.cli import main; main()", "batch"]


def make(folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    for n in range(number):
        (folder / f"r{n:03}.txt").write_text(f"Marker-{n:03}: the minister met the ambassador.", encoding="utf-8")
    return folder


def start(folder: Path, out: Path, endpoint: FakeEndpoint, *more: str) -> subprocess.Popen[bytes]:
    env = os.environ | {"OPENAI_BASE_URL": endpoint.base_url, "EXTRACTOR_CACHE_DIR": str(out.parent / "cache")}
    return subprocess.Popen(
        [*COMMAND, str(folder), "--out", str(out), "--no-report", *more], env=env, stderr=subprocess.PIPE
    )


def finish(folder: Path, out: Path, endpoint: FakeEndpoint, *more: str) -> tuple[int, str]:
    """Exit code and what it said."""
    process = start(folder, out, endpoint, *more)
    said = process.communicate(timeout=90)[1].decode()
    assert "Traceback" not in said and "Marker-" not in said, said
    return process.returncode, said


def results(out: Path) -> bytes:
    return (out / "results.jsonl").read_bytes()


def clean(folder: Path, place: Path) -> bytes:
    place.mkdir()
    with FakeEndpoint(EMPTY) as endpoint:
        assert finish(folder, place / "run", endpoint)[0] == 0
    return results(place / "run")


def asked(endpoint: FakeEndpoint) -> Counter[str]:
    """How often each document was asked about."""
    return Counter(r.json["messages"][1]["content"].partition("Marker-")[2][:3] for r in endpoint.requests)


def wait_for(endpoint: FakeEndpoint, requests: int, process: subprocess.Popen[bytes]) -> None:
    while len(endpoint.requests) < requests and process.poll() is None:
        time.sleep(0.005)


@pytest.mark.parametrize("moment", [1, 9])
def test_a_second_sigint_stops_at_once(moment: int, tmp_path: Path) -> None:
    """48: without waiting for what is in flight; the next run finishes, and says what may be paid twice."""
    folder, out = make(tmp_path / "in", 30), tmp_path / "run"
    with FakeEndpoint({f"Marker-{moment:03}:": faults.slow(30, EMPTY), "": EMPTY}, latency=0.02) as endpoint:
        process = start(folder, out, endpoint, "--concurrency", "2")
        wait_for(endpoint, moment + 2, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None, "one document is still in flight"
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=5)[1].decode()
    assert process.returncode == 130 and "run the same command again" in said.lower()
    assert "30 documents:" in said and "pending" in said
    with FakeEndpoint(EMPTY) as endpoint:
        assert finish(folder, out, endpoint)[0] == 0
    assert results(out) == clean(folder, tmp_path / "clean")


def test_a_stopped_run_keeps_the_results_of_an_earlier_one(tmp_path: Path) -> None:
    """Old results stay until they are replaced, also where a stop comes before their documents are come to."""
    folder, out = make(tmp_path / "in", 40), tmp_path / "run"
    with FakeEndpoint(EMPTY) as endpoint:
        assert finish(folder, out, endpoint)[0] == 0
    before = results(out)
    (folder / "a-new-one.txt").write_text("Marker-new: the minister left.", encoding="utf-8")
    with FakeEndpoint(faults.status(401)) as endpoint:
        code, said = finish(folder, out, endpoint, "--concurrency", "1")
        assert (code, results(out)) == (4, before) and "41 documents: 40 empty, 1 pending" in said
        code, said = finish(folder, out, endpoint, "--concurrency", "1", "--model", "another")
        assert (code, results(out)) == (4, before) and "41 documents: 41 pending" in said


def test_what_a_limit_leaves_is_pending_and_a_restart_does_not_pass_it(tmp_path: Path) -> None:
    """61: the limit is the run's, however often it is started; a higher one goes on."""
    folder, out = make(tmp_path / "in", 60), tmp_path / "run"
    with FakeEndpoint(EMPTY) as endpoint:
        code, said = finish(folder, out, endpoint, "--max-requests", "20")
        assert (code, len(endpoint.requests)) == (4, 20) and "20 empty, 40 pending" in said
        assert finish(folder, out, endpoint, "--max-requests", "20")[0] == 4
        assert len(endpoint.requests) == 20
        assert finish(folder, out, endpoint, "--max-requests", "100")[0] == 0
    assert len(endpoint.requests) == 60


HOSTILE: dict[str, Any] = {
    "loop": lambda p: (p / "loop").symlink_to(p),
    "pipe": lambda p: os.mkfifo(p / "pipe.txt"),
    "device": lambda p: (p / "zero.txt").symlink_to("/dev/zero"),
    "empty": lambda p: (p / "empty.txt").write_text(""),
    "binary": lambda p: (p / "binary.txt").write_bytes(bytes(range(256))),
    "bad name": lambda p: (Path(os.fsdecode(os.fsencode(p) + b"/bad\xff.txt"))).write_text("Marker-bad: words."),
    "escape": lambda p: (p / "e\x1b]0;x\x07\n.txt").write_bytes(b"\x00\x01"),
    "socket": lambda p: (p / "sub").mkdir(),
}


def test_a_hostile_folder_costs_only_its_own_documents(tmp_path: Path) -> None:
    """60: what cannot be read is a failure with its reason; nothing of a file's name reaches the terminal as it is."""
    folder, out = make(tmp_path / "in", 10), tmp_path / "run"
    for plant in HOSTILE.values():
        plant(folder)
    (folder / "sub" / "r000.txt").write_text("Marker-000: the minister met the ambassador.", encoding="utf-8")
    with FakeEndpoint(EMPTY) as endpoint:
        code, said = finish(folder, out, endpoint)
    lines = [json.loads(line) for line in (out / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (code, len(endpoint.requests)) == (3, 11), "two texts are equal"
    assert {line["document"] for line in lines} == {
        "pipe.txt",
        "zero.txt",
        "empty.txt",
        "binary.txt",
        "e\x1b]0;x\x07\n.txt",
        "loop/",
    }
    assert len(results(out).splitlines()) == 12 and "\x1b" not in said and "\x07" not in said


DAMAGE: dict[str, Any] = {
    "garbage": lambda p: p.write_bytes(b"garbage" * 1000),
    "cut": lambda p: p.write_bytes(p.read_bytes()[:5000]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_ledger_is_told_and_a_new_one_costs_nothing(damage: Any, tmp_path: Path) -> None:
    """54: exit 5 with its path and what to do; replies are cached."""
    folder, out = make(tmp_path / "in", 12), tmp_path / "run"
    with FakeEndpoint(EMPTY) as endpoint:
        finish(folder, out, endpoint)
        whole = results(out)
        for beside in out.glob("ledger.sqlite-*"):
            beside.unlink()
        damage(out / "ledger.sqlite")
        code, said = finish(folder, out, endpoint)
        assert code == 5 and "ledger.sqlite" in said and "Move it away" in said
        (out / "ledger.sqlite").unlink()
        assert finish(folder, out, endpoint)[0] == 0
    assert (len(endpoint.requests), results(out)) == (12, whole)


def test_a_folder_that_cannot_be_written_is_told_before_the_first_call(tmp_path: Path) -> None:
    """53: exit 2."""
    folder = make(tmp_path / "in", 3)
    (tmp_path / "run").write_text("")
    with FakeEndpoint(EMPTY) as endpoint:
        code, said = finish(folder, tmp_path / "run", endpoint)
    assert (code, len(endpoint.requests)) == (2, 0) and "--out" in said


def test_always_empty_answers_are_flagged(tmp_path: Path) -> None:
    """44: found nothing is no failure, but everywhere it is suspicious."""
    with FakeEndpoint(EMPTY) as endpoint:
        code, said = finish(make(tmp_path / "in", 12), tmp_path / "run", endpoint)
    assert code == 0 and "empty: 100 %" in said


def test_equal_texts_are_paid_once_also_without_the_shared_cache(tmp_path: Path) -> None:
    """Replies are then kept in the run folder; each document has a line of its own, also when it is run again."""
    folder, out = make(tmp_path / "in", 4), tmp_path / "run"
    for name in ("x", "y", "z"):
        (folder / f"{name}.txt").write_text("Marker-000: the minister met the ambassador.", encoding="utf-8")
    with FakeEndpoint(EMPTY) as endpoint:
        assert finish(folder, out, endpoint, "--no-cache")[0] == 0
        (folder / "zz.txt").write_text("Marker-000: the minister met the ambassador.", encoding="utf-8")
        assert finish(folder, out, endpoint, "--no-cache")[0] == 0
    assert (len(endpoint.requests), len(results(out).splitlines())) == (4, 8)
    assert (out / "replies").is_dir()


def test_tables_are_written_beside_the_results(tmp_path: Path) -> None:
    """--format csv and parquet: three tables with their columns, also where nothing was found."""
    folder = make(tmp_path / "in", 2)
    with FakeEndpoint(EMPTY) as endpoint:
        for kind in ("csv", "parquet"):
            out = tmp_path / kind / "run"
            out.parent.mkdir()
            assert finish(folder, out, endpoint, "--format", kind)[0] == 0
            assert {path.stem for path in out.glob(f"*.{kind}")} == {"events", "relations", "entities"}
    assert (tmp_path / "csv/run/events.csv").read_text(encoding="utf-8").startswith("document_id,")
