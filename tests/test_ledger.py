"""The ledger: what was finished is there after any death, and every document is in one state."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from extractor.errors import OutputError, RunLocked, StorageError
from extractor.runs.finished import pack
from extractor.runs.ledger import Ledger, Yield

GAVE = Yield(
    entities=1, events=2, relations=0, rejections={"no_evidence": 1}, prompt_tokens=10, completion_tokens=5, cost=0.5
)
NOTHING = Yield(entities=0, events=0, relations=0, rejections={}, prompt_tokens=10, completion_tokens=1, cost=0.1)


def finish(ledger: Ledger, *keys: str, gave: Yield = GAVE) -> None:
    async def one(place: int, key: str) -> None:
        await ledger.begin(key, place, "stamp", "digest", "identity")
        line = f'{{"id":"{key}"}}'.encode()
        await ledger.finish(key, "identity", line, pack(line), gave)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(place, key) for place, key in enumerate(keys)))

    asyncio.run(all_of_them())


def test_states_and_sums_add_up(tmp_path: Path) -> None:
    """Over the documents that this run met; found nothing is a state of its own."""
    ledger = Ledger(tmp_path)
    finish(ledger, "a", "b")
    finish(ledger, "c", gave=NOTHING)
    ledger.add("d", 3, None, None, None, "pending")
    ledger.fail("d", {"stage": "read", "class": "DocumentError", "message": "empty"})
    ledger.add_pending([("e", 4, "stamp")])
    assert ledger.counts() == {"done": 2, "empty": 1, "failed": 1, "pending": 1}
    assert ledger.totals() == {
        "prompt_tokens": 30, "completion_tokens": 11, "cost": 1.1, "entities": 2, "events": 4, "relations": 0,
    }  # fmt: skip
    assert ledger.rejections() == {"no_evidence": 2}
    assert [(key, error["stage"]) for key, _, error in ledger.failures()] == [("d", "read")]
    ledger.close()


def test_what_is_finished_is_on_the_disk_when_finish_returns(tmp_path: Path) -> None:
    """A process killed right after it finds all of it there, and the next one counts what was in flight."""
    code = f"""
import asyncio, os, signal
from extractor.runs.finished import pack
from extractor.runs.ledger import Ledger, Yield
async def main():
    ledger = Ledger({str(tmp_path)!r} and __import__("pathlib").Path({str(tmp_path)!r}))
    await asyncio.gather(*(ledger.begin(str(n), n, None, "d", "i") for n in range(20)))
    await asyncio.gather(*(ledger.finish(str(n), "i", b"line", pack(b"line"), Yield(0, 0, 0, {{}}, 1, 1, 0.0)) for n in range(15)))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent).returncode == -signal.SIGKILL
    ledger = Ledger(tmp_path)
    assert [ledger.result(str(n)) for n in range(15)] == [b"line"] * 15
    assert ledger.interrupted == 5
    row = ledger.get("17")
    assert row is not None and (row.state, row.attempts) == ("pending", 0), "who gets something done is not to blame"
    ledger.close()


def test_attempts_stay_with_the_question(tmp_path: Path) -> None:
    """A document that is asked about otherwise starts anew; a process that got nothing done blames what it worked on."""
    for expected in (1, 2, 3):
        ledger = Ledger(tmp_path)
        asyncio.run(ledger.begin("a", 0, None, "digest", "identity"))
        row = ledger.get("a")
        assert row is not None and row.attempts == expected
        ledger.close()
    ledger = Ledger(tmp_path)
    asyncio.run(ledger.begin("a", 0, None, "digest", "another"))
    row = ledger.get("a")
    assert row is not None and row.attempts == 1
    ledger.close()


def test_ranges_and_single_documents_are_met_again(tmp_path: Path) -> None:
    """Documents that are gone are told, also where another took their place."""
    ledger = Ledger(tmp_path)
    finish(ledger, "a", "b", "c", "d")
    ledger.close()
    ledger = Ledger(tmp_path)
    ledger.met_again(0, 0)
    ledger.met([("c", 1), ("d", 2)])
    assert ledger.missing() == ["b"]
    ledger.close()
    ledger = Ledger(tmp_path)
    ledger.met_again(0, 2)
    assert (ledger.missing(), ledger.counts()) == (["b"], {"done": 3})
    assert list(ledger.left_over()) == [("b", "identity")]
    ledger.close()


def test_a_damaged_result_is_told_and_never_served(tmp_path: Path) -> None:
    """Each has its checksum."""
    ledger = Ledger(tmp_path)
    finish(ledger, "a")
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute("UPDATE results SET body = x'00' || body")
    raw.close()
    ledger = Ledger(tmp_path)
    with pytest.raises(StorageError, match="damaged"):
        ledger.result("a")
    with pytest.raises(StorageError, match="damaged"):
        ledger.result("nobody")
    ledger.close()


def test_the_lock_goes_with_the_process_that_holds_it(tmp_path: Path) -> None:
    """However it dies; until then a second one is told its number."""
    code = f"from extractor.runs.ledger import Ledger; from pathlib import Path; l = Ledger(Path({str(tmp_path)!r})); print(1, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=Path(__file__).parent.parent
    )
    assert process.stdout is not None and process.stdout.readline() == b"1\n"
    with pytest.raises(RunLocked, match=str(process.pid)):
        Ledger(tmp_path)
    process.kill()
    process.communicate()
    Ledger(tmp_path).close()


def test_a_ledger_of_another_format_is_left_alone(tmp_path: Path) -> None:
    """It is neither read nor changed."""
    ledger = Ledger(tmp_path)
    ledger.set_facts({"format": "99"})
    ledger.close()
    before = (tmp_path / "ledger.sqlite").read_bytes()
    with pytest.raises(StorageError, match="another format"):
        Ledger(tmp_path)
    assert (tmp_path / "ledger.sqlite").read_bytes() == before


def test_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--out"):
        Ledger(tmp_path / "file")


def test_only_the_owner_can_look_into_a_run(tmp_path: Path) -> None:
    """Results hold documents."""
    Ledger(tmp_path / "run").close()
    assert os.stat(tmp_path / "run").st_mode & 0o077 == 0
