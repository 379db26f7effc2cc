"""Faults of disks, files and folders: full, closed, cut, tampered with, moved about; documents lost 0."""

import json
import os
import pickle
import random
import sqlite3
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from faulty_runs import (
    ANSWER,
    COMMAND,
    EMPTY,
    RIGHTLESS,
    TEXT,
    again,
    finish,
    lines,
    make,
    results,
    run,
    start,
    wait_for,
)

from extractor import errors
from extractor.fake_endpoint import FakeEndpoint
from extractor.llm.cache import ReplyCache
from extractor.runs.ledger import Ledger
from extractor.runs.results import ResultsFile


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("needs the right to mount a file system of one megabyte, which root has and this user has not")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def bulky(request: dict[str, Any]) -> dict[str, Any]:
    """Eighty names that do not compress, always the same for the same document."""
    dice = random.Random(request["messages"][1]["content"].partition("Marker-")[2][:3])
    person = {"type": "person", "name": "minister", "aliases": [], "country": None, "sector": None}
    names = [{**person, "id": n, "name_en": f"{dice.getrandbits(1600):x}"} for n in range(80)]
    return {**ANSWER, "entities": names}


@pytest.fixture(scope="module")
def bulky_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Thirty documents, and what a run over them writes where there is room for it."""
    place = tmp_path_factory.mktemp("bulky")
    folder = make(place / "in", 30)
    with FakeEndpoint(bulky) as endpoint:
        run(folder, place / "run", endpoint)
    return folder, results(place / "run")


@pytest.mark.parametrize("where", ["run", "cache", "both"])
def test_a_disk_that_fills_up_in_the_middle_stops_the_run_and_loses_nothing(
    where: str, bulky_run: tuple[Path, bytes], tmp_path: Path
) -> None:
    """52, F59 and F70: exit 5 with the place and what to do; with room it goes on, and pays at most for what it then counts."""
    folder, wanted = bulky_run
    with small_disk(tmp_path / "disk") as disk, FakeEndpoint(bulky) as endpoint:
        out = (tmp_path if where == "cache" else disk) / "run"
        cache = (tmp_path if where == "run" else disk) / "cache"
        code, said = finish(folder, out, endpoint, "--concurrency", "4", "--cache-dir", str(cache))
        assert code == 5 and "ake room" in said and str(disk) in said, said
        stopped_at = len(endpoint.requests)
        assert 0 < stopped_at < 30
        assert set(results(out).split(b"\n")[:-1]) <= set(wanted.splitlines())
        assert not (out / "run.json").exists() or json.loads((out / "run.json").read_bytes())
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        summary = run(folder, out, endpoint, cache_dir=cache)
        assert (summary.states, summary.exit_code) == ({"done": 30}, 0)
        assert again(endpoint) <= summary.possible_duplicate_charges <= 8
        assert results(out) == wanted


@pytest.mark.parametrize("what", ["parent", "results"])
def test_a_run_folder_that_may_not_be_written_is_told_before_the_first_call(what: str, tmp_path: Path) -> None:
    """53: exit 2 with the path, nothing asked, and nothing of an earlier run is touched."""
    folder, out = make(tmp_path / "in", 3), tmp_path / "own" / "run"
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint, cache_dir=tmp_path / "cache")
        before = results(out)
        make(folder, 5)
        out = out if what == "results" else out.parent / "another"
        closed = out / "results.jsonl" if what == "results" else out.parent
        closed.chmod(0o444 if what == "results" else 0o555)
        more = ("--cache-dir", str(tmp_path / "cache"))
        code, said = finish(folder, out, endpoint, *more, command=[*RIGHTLESS, *COMMAND])
        closed.chmod(0o755)
    assert (code, len(endpoint.requests)) == (2, 3) and str(out) in said and "Permission denied" in said
    assert results(tmp_path / "own/run") == before


def test_results_cut_at_every_byte_of_the_last_line_come_back_out_of_the_ledger(tmp_path: Path) -> None:
    """55 and F68: whatever a kill left of it is cut off and told, and the line is written anew; earlier lines stay."""
    out = tmp_path / "run"
    with FakeEndpoint(EMPTY) as endpoint:
        run(make(tmp_path / "in", 3), out, endpoint)
    path, whole = out / "results.jsonl", results(out)
    last = whole.rfind(b"\n", 0, -1) + 1
    ledger = Ledger(out)
    known = [(row.key, row.identity or "") for row in ledger.rows()]
    for end in range(last, len(whole) + 1):
        path.write_bytes(whole[:end])
        file = ResultsFile(path, ledger)
        kept = path.read_bytes()
        for line in known:
            file.add(*line)
        file.close()
        assert file.dropped == (0 if end == len(whole) else end - last), end
        assert kept == (whole if end == len(whole) else whole[:last]) and path.read_bytes() == whole, end
    ledger.close()


@pytest.mark.parametrize("tail", ["zeros", "noise", "another line"])
def test_an_end_of_the_results_that_nobody_wrote_is_dropped(tail: str, tmp_path: Path) -> None:
    """F68: what a power cut leaves: zeros or noise where the last line was, or more than was ever noted."""
    folder, out = make(tmp_path / "in", 5), tmp_path / "run"
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint)
        whole = results(out)
        damaged = {
            "zeros": whole[:-700] + bytes(700),
            "noise": whole[:-700] + random.Random(5).randbytes(699) + b"x",
            "another line": whole + b'{"document": {"id": "x"}}\n',
        }
        (out / "results.jsonl").write_bytes(damaged[tail])
        summary = run(folder, out, endpoint)
        assert (results(out), len(endpoint.requests), summary.exit_code) == (whole, 5, 0)
    assert summary.dropped_bytes > 0


def verify(run: Path, *more: str) -> tuple[int, str]:
    """Through the real command: exit code and what it said."""
    done = subprocess.run([*COMMAND[:-1], "verify", str(run), *more], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_damage_in_the_middle_of_the_results_is_found_and_mended_by_a_command(tmp_path: Path) -> None:
    """F68: exit 5 with the line; mended, the bytes are the old ones, and the next start drops and asks nothing."""
    folder, out = make(tmp_path / "in", 150), tmp_path / "run"
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint)
        whole = results(out)
        assert verify(out) == (0, "The results are what the ledger keeps.\n")
        (out / "results.jsonl").write_bytes(whole[:5000] + b"?" + whole[5001:])
        summary = run(folder, out, endpoint)
        assert (summary.dropped_bytes, results(out) == whole) == (0, False), "a start looks at the end alone"
        at = whole[:5000].count(b"\n")
        told = f"results.jsonl:{at + 1}: d{at:03}.txt is not what the ledger keeps\n1 findings.\n"
        assert verify(out) == (5, told)
        code, said = verify(out, "--repair")
        assert (code, said.startswith(told), said.endswith("The results are what the ledger keeps.\n")) == (
            0,
            True,
            True,
        )
        assert results(out) == whole
        summary = run(folder, out, endpoint)
        assert (summary.dropped_bytes, summary.skipped, len(endpoint.requests), results(out)) == (0, 150, 150, whole)


def test_a_run_that_cannot_be_checked_is_told_and_left_alone(tmp_path: Path) -> None:
    """Exit 2 for a folder without a run, and for one that another process works on; 5 for a ledger that is none."""
    assert verify(tmp_path)[0] == 2 and "no ledger" in verify(tmp_path)[1] and not list(tmp_path.iterdir())
    ledger = Ledger(tmp_path / "run")
    assert verify(tmp_path / "run")[0] == 2
    ledger.close()
    (tmp_path / "run/ledger.sqlite").write_bytes(b"no database" * 1000)
    code, said = verify(tmp_path / "run", "--repair")
    assert code == 5 and str(tmp_path / "run/ledger.sqlite") in said


def test_a_killed_run_is_checked_without_being_started(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """What has no line yet is told; what was in flight stays so, and the next start counts it."""
    with FakeEndpoint(ANSWER, latency=0.03) as endpoint:
        process = start(folder, tmp_path / "run", endpoint, "--concurrency", "4")
        wait_for(endpoint, 20, process)
        process.kill()
        process.communicate()
        code, said = verify(tmp_path / "run")
        assert code == 5 and said.count("run the batch again") == 2, said
        summary = run(folder, tmp_path / "run", endpoint)
    assert again(endpoint) <= summary.possible_duplicate_charges <= 4
    assert (results(tmp_path / "run"), verify(tmp_path / "run")[0]) == (clean, 0)


def test_a_ledger_damaged_anywhere_gives_the_right_results_or_none(tmp_path: Path) -> None:
    """54 and F58: exit 5 with its path, or the very bytes; never a call, a wrong line or a foreign exception."""
    folder, out, dice = make(tmp_path / "in", 20), tmp_path / "run", random.Random(54)
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint)
        whole, ledger = results(out), (out / "ledger.sqlite").read_bytes()
        told = 0
        for place in [0, *(dice.randrange(16, len(ledger) - 600) for _ in range(6))]:
            for beside in out.glob("ledger.sqlite*"):
                beside.unlink()
            (out / "ledger.sqlite").write_bytes(ledger[:place] + dice.randbytes(512) + ledger[place + 512 :])
            (out / "results.jsonl").write_bytes(whole[: len(whole) // 2])
            try:
                run(folder, out, endpoint)
                assert results(out) == whole, place
            except errors.StorageError as exc:
                told += 1
                assert exc.exit_code == 5 and str(out / "ledger.sqlite") in str(exc), place
        assert told and len(endpoint.requests) == 20
        for beside in out.glob("ledger.sqlite*"):
            beside.unlink()
        (out / "ledger.sqlite").write_bytes(ledger)
        with sqlite3.connect(out / "ledger.sqlite") as raw:
            raw.execute("UPDATE results SET body = ? WHERE key = 'd015.txt'", (zlib.compress(b'{"forged": 1}'),))
        raw.close()
        (out / "results.jsonl").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(errors.StorageError, match=r"d015.txt.*ledger.sqlite.*damaged"):
            run(folder, out, endpoint)
        assert set(results(out).splitlines()) <= set(whole.splitlines())
        for beside in out.glob("ledger.sqlite*"):
            beside.unlink()
        assert (run(folder, out, endpoint).calls, results(out)) == (0, whole)


class Explosive:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_tampered_replies_cost_their_own_documents_a_call_and_do_nothing(tmp_path: Path) -> None:
    """54, F53 and F64: a pickle, a way out of the folder, a changed letter: asked anew, not run, not followed, not served."""
    folder = make(tmp_path / "in", 10)
    outside, trace = tmp_path / "outside.val", tmp_path / "trace"
    outside.write_text("mine")
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, tmp_path / "run", endpoint)
        with sqlite3.connect(tmp_path / "cache/cache.db") as raw:
            one, two, three = (key for (key,) in raw.execute("SELECT rowid FROM Cache ORDER BY rowid LIMIT 3"))
            raw.execute("UPDATE Cache SET mode = 4, value = ? WHERE rowid = ?", (pickle.dumps(Explosive(trace)), one))
            raw.execute("UPDATE Cache SET mode = 2, filename = '../outside.val' WHERE rowid = ?", (two,))
            raw.execute("UPDATE Cache SET value = replace(value, 'ACCUSE', 'ASSAULT') WHERE rowid = ?", (three,))
        raw.close()
        with pytest.warns(UserWarning, match="asked anew"):
            summary = run(folder, tmp_path / "new", endpoint)
    assert (summary.calls, summary.cache_hits, summary.states) == (3, 7, {"done": 10})
    assert results(tmp_path / "new") == results(tmp_path / "run")
    assert not trace.exists() and outside.read_text() == "mine"


def test_what_was_paid_for_is_forced_to_the_disk(tmp_path: Path) -> None:
    """F66: synchronous is FULL for replies and results; power may go at any moment."""
    ledger, cache = Ledger(tmp_path / "run"), ReplyCache(tmp_path / "cache")
    levels = [
        ledger._durable.execute("PRAGMA synchronous").fetchone()[0],
        cache._cache._sql("PRAGMA synchronous").fetchone()[0],
    ]
    ledger.close()
    cache.close()
    assert levels == [2, 2]


# -- folders


def test_a_folder_that_was_moved_about_costs_only_what_is_new_in_it(tmp_path: Path) -> None:
    """59 and F76: renamed, swapped, inserted, deleted: the results are those of a clean run over what is there now."""
    folder, out = make(tmp_path / "in", 20), tmp_path / "run"
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint)
        (folder / "d003.txt").rename(folder / "z003.txt")
        (folder / "sub").mkdir()
        (folder / "d004.txt").rename(folder / "sub/d005.txt")
        (folder / "d007.txt").unlink()
        (folder / "d010.txt").rename(folder / "x")
        (folder / "d011.txt").rename(folder / "d010.txt")
        (folder / "x").rename(folder / "d011.txt")
        for name in ("a", "d012-and-more", "zz"):
            (folder / f"{name}.txt").write_text(f"Marker-{name[:3]}: {TEXT}", encoding="utf-8")
        summary = run(folder, out, endpoint)
        assert (summary.calls, summary.states, len(endpoint.requests)) == (3, {"done": 22}, 23)
        assert summary.missing == ["d003.txt", "d004.txt", "d007.txt"]
        run(folder, tmp_path / "clean/run", endpoint)
    assert results(out) == results(tmp_path / "clean/run")


def test_a_file_that_changes_while_it_is_asked_about_is_asked_again_next_time(tmp_path: Path) -> None:
    """F77: the line tells the text that was asked; the next run takes the new one, and only that."""
    folder, out = make(tmp_path / "in", 6), tmp_path / "run"
    file = folder / "d003.txt"

    def answer(request: dict[str, Any]) -> Any:
        if "Marker-003: the" in request["messages"][1]["content"]:
            file.write_text(f"Marker-003: On Tuesday {TEXT}", encoding="utf-8")
        return ANSWER

    with FakeEndpoint(answer) as endpoint:
        run(folder, out, endpoint)
        assert lines(out)[3]["document"]["text"] == f"Marker-003: {TEXT}"
        summary = run(folder, out, endpoint)
        assert (summary.calls, summary.skipped, len(endpoint.requests)) == (1, 5, 7)
        assert lines(out)[3]["document"]["text"] == f"Marker-003: On Tuesday {TEXT}"
        assert run(folder, out, endpoint).calls == 0


UNREADABLE: dict[str, tuple[Any, str]] = {
    "no right.txt": (lambda p: (p.write_text("Secret words."), p.chmod(0)), "Permission denied"),
    "link out.txt": (lambda p: p.symlink_to("/etc/passwd"), "no regular file"),
    "link to nothing.txt": (lambda p: p.symlink_to("nowhere"), "no regular file"),
    "link to itself.txt": (lambda p: p.symlink_to(p.name), "no regular file"),
    "pipe.txt": (lambda p: os.mkfifo(p), "no regular file"),
    "blank.txt": (lambda p: p.write_text(" \n\t\u00a0\n"), "is empty"),
    "program.txt": (lambda p: p.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(500)), "binary"),
    "archive.txt": (lambda p: p.write_bytes(b"PK\x03\x04" + random.Random(1).randbytes(500)), "binary"),
    "cut.txt.gz": (lambda p: p.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc"), "gz"),
    "no.pdf": (lambda p: p.write_bytes(b"%PDF-1.4 and no more"), "PDF"),
    "no.docx": (lambda p: p.write_bytes(b"PK\x03\x04 and no more"), "DOCX"),
    "no.json": (lambda p: p.write_text('{"text": '), "JSON"),
    "name\x1b]0;x\x07\n[ERROR] gone.txt": (lambda p: p.write_bytes(b"\x00"), "binary"),
}


def test_each_thing_that_is_no_document_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    """60, F82 and F83: nothing of it is asked, nothing outside the folder is read, and its name cannot write to the terminal."""
    folder, out = make(tmp_path / "in", 3), tmp_path / "run"
    for name, (plant, _) in UNREADABLE.items():
        plant(folder / name)
    (folder / "folder.txt").mkdir()
    (folder / ("n" * 250 + ".txt")).write_text(f"Marker-003: {TEXT}", encoding="utf-8")
    with FakeEndpoint(ANSWER) as endpoint:
        code, said = finish(folder, out, endpoint, command=[*RIGHTLESS, *COMMAND])
        (folder / "no right.txt").chmod(0o600)
    failures = {one["document"].removesuffix("#1"): one for one in lines(out, "failures.jsonl")}
    assert (code, set(failures), len(endpoint.requests)) == (3, set(UNREADABLE), 4)
    for name, (_, reason) in UNREADABLE.items():
        assert reason in failures[name]["message"] and failures[name]["stage"] == "read", failures[name]
    assert f"{4 + len(UNREADABLE)} documents: 4 done, {len(UNREADABLE)} failed." in said
    assert not [character for character in "\x1b\x07" if character in said]
    assert "\n[ERROR]" not in said and "root:" not in (out / "failures.jsonl").read_text()


# -- batches of a provider
