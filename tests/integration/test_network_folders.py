"""F60: on a network file system the databases keep a rollback journal; runs are as safe there, and go on wherever they are moved.

Only what the kernel tells of the mounts is made up; databases, runs and kills are real.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_runs import ANSWER, DOCUMENTS, again, finish, make, provider, results, run, start, through_batches, wait_for

from extractor import fake_faults as faults
from extractor import file_systems
from extractor.fake_endpoint import FakeEndpoint
from extractor.llm.cache import ReplyCache
from extractor.llm.journal import in_wal
from extractor.runs.finished import pack
from extractor.runs.ledger import Ledger, Yield

NOTHING = Yield(entities=0, events=0, relations=0, rejections={}, prompt_tokens=0, completion_tokens=0, cost=0.0)


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    """A list of mounts in which the test's own folder is a network file system."""
    path = tmp_path / "mountinfo"
    path.write_text(f"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / {tmp_path} rw - nfs4 server:/export rw\n")
    return path


@pytest.fixture
def network(mounts: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process is told so, and what it warns of is looked at by one test."""
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*network file system")
        yield


def command(mounts: Path) -> list[str]:
    """The real command, told so too."""
    code = (
        "from pathlib import Path; from extractor import file_systems\n"
        f"file_systems.MOUNTS = Path({str(mounts)!r})\nfrom extractor.cli import main; main()"
    )
    return [sys.executable, "-c", code, "batch"]


def databases(out: Path) -> list[Path]:
    return [out / "ledger.sqlite", out.parent / "cache/cache.db"]


def beside(out: Path) -> list[str]:
    """What only WAL leaves beside a database."""
    return [path.name for place in (out, out.parent / "cache") for path in place.glob("*-[sw][ha][ml]")]


def test_a_run_there_is_the_same_without_wal_and_is_told(
    folder: Path, mounts: Path, tmp_path: Path, clean: bytes
) -> None:
    """Through the command: equal bytes, the warning once, a note in run.json; and the same again asks nothing."""
    with FakeEndpoint(ANSWER) as endpoint:
        code, said = finish(folder, tmp_path / "run", endpoint, command=command(mounts))
        assert (code, results(tmp_path / "run")) == (0, clean)
        assert said.count(f"{tmp_path} is a network file system (nfs4)") == 1
        assert finish(folder, tmp_path / "run", endpoint, command=command(mounts))[0] == 0
    assert len(endpoint.requests) == DOCUMENTS
    assert [in_wal(path) for path in databases(tmp_path / "run")] == [False, False] and not beside(tmp_path / "run")
    told = json.loads((tmp_path / "run/run.json").read_bytes())
    assert told["network_file_systems"] == {str(tmp_path): "nfs4"}


def test_kills_there_lose_nothing(folder: Path, mounts: Path, tmp_path: Path, clean: bytes) -> None:
    """kill -9 three times, then to the end: equal bytes, and what was paid again is in the count."""
    out = tmp_path / "run"
    with FakeEndpoint(ANSWER, latency=0.03) as endpoint:
        for _ in range(3):
            process = start(folder, out, endpoint, "--concurrency", "4", command=command(mounts))
            wait_for(endpoint, len(endpoint.requests) + 12, process)
            process.kill()
            process.communicate()
        assert finish(folder, out, endpoint, command=command(mounts))[0] == 0
    assert results(out) == clean
    told = json.loads((out / "run.json").read_bytes())["summary"]["possible_duplicate_charges"]
    assert again(endpoint) <= told <= 12, "a reply may have been kept just before the kill"
    assert [in_wal(path) for path in databases(out)] == [False, False]


def test_a_killed_run_goes_on_there_and_back_here(
    folder: Path, mounts: Path, tmp_path: Path, clean: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kill left in the WAL is read first; each move is a database of the other kind with everything in it."""
    out = tmp_path / "run"
    with FakeEndpoint(ANSWER, latency=0.03) as endpoint:
        for there in (False, True, False, True):
            how = {"command": command(mounts)} if there else {}
            process = start(folder, out, endpoint, "--concurrency", "4", **how)
            wait_for(endpoint, len(endpoint.requests) + 10, process)
            process.kill()
            process.communicate()
            assert [in_wal(path) for path in databases(out)] == [not there] * 2
        summary = run(folder, out, endpoint)
    assert (summary.states, results(out)) == ({"done": DOCUMENTS}, clean)
    assert again(endpoint) <= summary.possible_duplicate_charges <= 16, (
        "a reply may have been kept just before the kill"
    )
    assert [in_wal(path) for path in databases(out)] == [True, True]


@pytest.mark.usefixtures("network")
def test_nothing_that_is_being_read_keeps_the_ledger_from_writing(tmp_path: Path) -> None:
    """Every iterator is open, in its middle, while everything is written; what it writes is forced to the disk."""
    ledger = Ledger(tmp_path / "run")
    for n in range(6):
        ledger.add(str(n), n, None, None, None, "pending")
        ledger.fail(str(n), {"stage": "read"})
    ledger.note_written([(n, str(n), "i", n) for n in range(4)])
    reading = [ledger.rows(), ledger.written(), ledger.failures()]
    cursor = ledger._quick.execute("SELECT key FROM documents")
    for one in (*reading, cursor):
        next(one)

    async def work() -> None:
        await ledger.begin("a", 9, None, "d", "i")
        await ledger.finish("a", "i", b"line", pack(b"line"), NOTHING)

    asyncio.run(work())
    ledger.met([("1", 1)])
    ledger.fail("2", {"stage": "read"})
    ledger.back_to_pending("3", forgive=True)
    ledger.forget_written(2)
    assert [len(list(one)) for one in reading] == [6, 3, 5] and len(cursor.fetchall()) >= 5
    assert ledger._durable.execute("PRAGMA synchronous").fetchone()[0] == 3
    ledger.close()
    assert not in_wal(tmp_path / "run/ledger.sqlite")


@pytest.mark.usefixtures("network")
def test_a_cache_in_wal_leaves_it_before_it_is_read_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what another process left in the log when it was killed; its settings say the new mode, and say it back here."""
    code = (
        "import os, sys; from pathlib import Path; from extractor.llm.base import Reply; from extractor.llm.cache import ReplyCache\n"
        "ReplyCache(Path(sys.argv[1])).set('ab' * 32, Reply('kept'))\nos.kill(os.getpid(), 9)"
    )
    place = tmp_path / "cache"
    assert subprocess.run([sys.executable, "-c", code, str(place)], check=False).returncode == -9
    assert in_wal(place / "cache.db") and (place / "cache.db-wal").stat().st_size
    for there in (True, True, False, True):
        with monkeypatch.context() as told:
            if not there:
                told.setattr(file_systems, "MOUNTS", tmp_path / "none")
            cache = ReplyCache(place)
            found = cache.get("ab" * 32)
            assert found is not None and found.text == "kept"
            assert cache._cache._sql("PRAGMA synchronous").fetchone()[0] == (3 if there else 2)
            cache.close()
        assert in_wal(place / "cache.db") is not there
    with sqlite3.connect(place / "cache.db") as raw:
        assert raw.execute("SELECT value FROM Settings WHERE key = 'sqlite_journal_mode'").fetchone() == ("delete",)
    raw.close()


def test_two_runs_there_share_a_cache(folder: Path, mounts: Path, tmp_path: Path, clean: bytes) -> None:
    """Both write to it at once; no reply is lost, and no document fails."""
    with FakeEndpoint(ANSWER, latency=0.01) as endpoint:
        both = [start(folder, tmp_path / name, endpoint, command=command(mounts)) for name in ("a", "b")]
        assert [process.communicate() and process.returncode for process in both] == [0, 0]
        assert finish(folder, tmp_path / "c", endpoint, command=command(mounts))[0] == 0
    assert [results(tmp_path / name) for name in ("a", "b", "c")] == [clean] * 3
    assert len(endpoint.requests) <= 2 * DOCUMENTS


@pytest.mark.usefixtures("network")
def test_batches_of_a_provider_go_through_there(tmp_path: Path) -> None:
    """The outbox is a database as well; a document that fails is told as everywhere."""
    with provider({"Marker-001:": faults.status(400, "no such thing"), "": ANSWER}) as (endpoint, _):
        summary = through_batches(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert summary.states == {"done": 3, "failed": 1}
    assert not in_wal(tmp_path / "run/batches/outbox.sqlite")


def test_a_folder_elsewhere_keeps_wal(tmp_path: Path, mounts: Path) -> None:
    """The machine's own disk, by what its kernel really tells."""
    Ledger(tmp_path / "run").close()
    ReplyCache(tmp_path / "cache").close()
    assert [in_wal(path) for path in databases(tmp_path / "run")] == [True, True]
