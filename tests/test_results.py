"""results.jsonl: what is noted of it is on the disk, what stands in it is what the ledger keeps, and damage is found."""

import asyncio
import os
import random
import shutil
import sqlite3
import tracemalloc
from pathlib import Path

import pytest

from extractor.runs.finished import pack
from extractor.runs.ledger import Ledger, Yield
from extractor.runs.results import LOOK_AT, NOTE_EVERY, ResultsFile
from extractor.runs.verify import findings, ledger_of, repair

GAVE = Yield(entities=1, events=2, relations=0, rejections={}, prompt_tokens=1, completion_tokens=1, cost=0.0)
LINES = 200


def line(number: int, size: int = 200) -> bytes:
    """Of the same length for every number, so that lines could change places unseen by a length."""
    filler = random.Random(number).randbytes(size // 2).hex()
    return f'{{"id":"{number:05}","text":"{filler}"}}'.encode()


def fill(ledger: Ledger, numbers: range, size: int = 200, identity: str = "i") -> None:
    async def one(n: int) -> None:
        body = line(n, size)
        await ledger.begin(f"{n:05}", n, None, "d", identity)
        await ledger.finish(f"{n:05}", identity, body, pack(body), GAVE)

    async def all_of_them() -> None:
        await asyncio.gather(*map(one, numbers))

    asyncio.run(all_of_them())


def write(ledger: Ledger, numbers: range) -> ResultsFile:
    """All lines of these documents, as a run writes them."""
    file = ResultsFile(ledger.folder / "results.jsonl", ledger)
    for n in numbers:
        file.add(f"{n:05}", "i")
    file.close()
    return file


def whole(numbers: range) -> bytes:
    return b"".join(line(n) + b"\n" for n in numbers)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Two hundred results, and their lines."""
    made = Ledger(tmp_path / "run")
    fill(made, range(LINES))
    write(made, range(LINES))
    return made


class Disk:
    """Notes, behind the real calls, how much of the file is forced to the disk, and copies the folder at each note."""

    def __init__(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        self.forced, self.cuts = 0, list[Path]()
        force, note, folder = os.fsync, ledger.note_written, ledger.folder

        def fsync(file: int) -> None:
            force(file)
            self.forced = os.fstat(file).st_size

        def note_written(lines: list[tuple[int, str, str, int]]) -> None:
            note(lines)
            self.cuts.append(shutil.copytree(folder, folder.parent / f"cut-{len(self.cuts)}"))
            results = self.cuts[-1] / "results.jsonl"
            results.write_bytes(results.read_bytes()[: self.forced] + bytes(700))

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(ledger, "note_written", note_written)


def test_no_line_that_is_noted_is_lost_to_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F68: whenever lines were noted, what was forced to the disk until then holds them; the zeros behind are dropped."""
    number = 3 * NOTE_EVERY + 10
    ledger = Ledger(tmp_path / "run")
    fill(ledger, range(number))
    with monkeypatch.context() as context:
        disk = Disk(ledger, context)
        write(ledger, range(number))
    ledger.close()
    assert len(disk.cuts) == 4
    for at, cut in enumerate(disk.cuts, 1):
        after = Ledger(cut)
        noted = min(at * NOTE_EVERY, number)
        file = ResultsFile(cut / "results.jsonl", after)
        assert (file.dropped, len(list(after.written()))) == (700, noted)
        assert (cut / "results.jsonl").read_bytes() == whole(range(noted))
        os.close(file._file)
        write(after, range(number))
        assert (cut / "results.jsonl").read_bytes() == whole(range(number))
        after.close()


SIZE = len(line(0)) + 1
DAMAGES = {
    "nothing": (lambda data: None, LINES),
    "one bit of the last line": (lambda data: data.__setitem__(-20, data[-20] ^ 1), LINES - 1),
    "its line end": (lambda data: data.__setitem__(-1, 0), LINES - 1),
    "the first line that is looked at": (lambda data: data.__setitem__(-LOOK_AT * SIZE, 0), LINES - LOOK_AT),
    "two lines": (lambda data: [data.__setitem__(-at * SIZE + 9, 0) for at in (30, 5)], LINES - 30),
    "two lines that changed places": (
        lambda data: data.__setitem__(slice(-2 * SIZE, None), data[-SIZE:] + data[-2 * SIZE : -SIZE]),
        LINES - 2,
    ),
    "a page of zeros": (lambda data: data.__setitem__(slice(-4096, None), bytes(4096)), LINES - 1 - 4096 // SIZE),
    "more than is looked at": (
        lambda data: data.__setitem__(slice(100 * SIZE + 7, None), bytes(100 * SIZE - 7)),
        100,
    ),
    "all of it": (lambda data: data.__setitem__(slice(None), bytes(len(data))), 0),
}


@pytest.mark.parametrize(("damage", "good"), DAMAGES.values(), ids=DAMAGES)
def test_an_end_that_is_not_what_the_ledger_keeps_is_written_anew(damage: object, good: int, ledger: Ledger) -> None:
    """F68: from the first wrong line on, whatever its size; what is dropped is told to the byte, what stands before it stays."""
    path = ledger.folder / "results.jsonl"
    data = bytearray(path.read_bytes())
    damage(data)  # type: ignore[operator]
    assert len(data) == LINES * SIZE
    path.write_bytes(data)
    file = ResultsFile(path, ledger)
    assert (file.dropped, path.read_bytes()) == ((LINES - good) * SIZE, whole(range(good)))
    for n in range(LINES):
        file.add(f"{n:05}", "i")
    file.close()
    assert path.read_bytes() == whole(range(LINES))
    ledger.close()


def test_lines_that_cannot_be_compared_stay_until_their_documents_come(ledger: Ledger) -> None:
    """One whose document has a newer result, and one whose result in the ledger is damaged, are not an earlier stop's fault."""
    fill(ledger, range(LINES - 3, LINES - 2), identity="newer")
    ledger._durable.execute("UPDATE results SET checksum = 0 WHERE key = '00190'")
    file = ResultsFile(ledger.folder / "results.jsonl", ledger)
    assert (file.dropped, (ledger.folder / "results.jsonl").read_bytes()) == (0, whole(range(LINES)))
    os.close(file._file)
    ledger.close()


def told(folder: Path) -> list[str]:
    with ledger_of(folder) as ledger:
        return list(findings(ledger))


def test_the_whole_of_the_results_is_checked_and_written_anew(ledger: Ledger) -> None:
    """Damage of the same size in the middle is told by its line, and is gone after a repair; a repaired file has its rights."""
    ledger.close()
    path = ledger.folder / "results.jsonl"
    assert told(ledger.folder) == []
    data = bytearray(path.read_bytes())
    data[10 * SIZE + 50] ^= 1
    data[20 * SIZE : 22 * SIZE] = data[21 * SIZE : 22 * SIZE] + data[20 * SIZE : 21 * SIZE]
    path.write_bytes(data)
    assert told(ledger.folder) == [
        f"results.jsonl:{n + 1}: {n:05} is not what the ledger keeps" for n in (10, 20, 21)
    ]  # fmt: skip
    with ledger_of(ledger.folder) as file:
        repair(file)
    assert (told(ledger.folder), path.read_bytes()) == ([], whole(range(LINES)))
    assert path.stat().st_mode & 0o077 == 0
    assert not list(ledger.folder.glob(".results*"))


def test_what_is_missing_too_much_or_not_written_is_told(ledger: Ledger) -> None:
    """Each in a line of its own; the next start mends it as well."""
    path = ledger.folder / "results.jsonl"
    fill(ledger, range(LINES, LINES + 4))
    ledger.close()
    path.write_bytes(whole(range(LINES)) + b"{}\n")
    assert told(ledger.folder) == [
        "results.jsonl: 3 bytes behind the last line belong to nothing: run the batch again",
        "results.jsonl: 4 finished documents have no line yet: run the batch again",
    ]
    path.write_bytes(whole(range(150)))
    assert told(ledger.folder)[0] == "results.jsonl:151: 00150 and all lines behind it are missing"
    path.unlink()
    assert told(ledger.folder)[0] == "results.jsonl:1: 00000 and all lines behind it are missing"
    with ledger_of(ledger.folder) as file:
        repair(file)
    assert path.read_bytes() == whole(range(LINES)) and len(told(ledger.folder)) == 1
    again = Ledger(ledger.folder)
    assert write(again, range(LINES + 4)).dropped == 0
    again.close()
    assert told(ledger.folder) == [] and path.read_bytes() == whole(range(LINES + 4))


def test_newer_results_and_damaged_ones_are_told_apart(ledger: Ledger) -> None:
    """A repair takes the newer one; nothing can be repaired out of a damaged one, and the file is left as it is."""
    fill(ledger, range(5, 6), size=90, identity="newer")
    ledger.close()
    assert told(ledger.folder) == ["results.jsonl:6: 00005 is older than what the ledger keeps"]
    with ledger_of(ledger.folder) as file:
        repair(file)
    assert told(ledger.folder) == []
    repaired = (ledger.folder / "results.jsonl").read_bytes()
    assert repaired == whole(range(5)) + line(5, 90) + b"\n" + whole(range(6, LINES))
    with sqlite3.connect(ledger.folder / "ledger.sqlite") as raw:
        raw.execute("UPDATE results SET body = x'00' || body WHERE key = '00007'")
    raw.close()
    assert [one[:44] for one in told(ledger.folder)] == ["results.jsonl:8: 00007 cannot be compared: t"]
    with ledger_of(ledger.folder) as file, pytest.raises(Exception, match=r"00007.*damaged"):
        repair(file)
    assert (ledger.folder / "results.jsonl").read_bytes() == repaired
    assert not list(ledger.folder.glob(".results*"))


def test_a_check_and_a_repair_hold_few_lines_at_a_time(tmp_path: Path) -> None:
    """Twenty megabytes of results in two."""
    ledger = Ledger(tmp_path / "run")
    for first in range(0, 1000, 100):
        fill(ledger, range(first, first + 100), size=20_000)
    write(ledger, range(1000))
    ledger.close()
    path = tmp_path / "run/results.jsonl"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    del data
    tracemalloc.start()
    assert len(told(tmp_path / "run")) == 1
    with ledger_of(tmp_path / "run") as file:
        repair(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told(tmp_path / "run") == [] and peak < 2_000_000 < path.stat().st_size / 8
