"""Runs that are stopped or killed: by signals, by a second start, at any moment; documents lost 0."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faulty_runs import (
    ANSWER,
    DOCUMENTS,
    EMPTY,
    again,
    asked,
    environment,
    finish,
    heard,
    lines,
    make,
    results,
    run,
    start,
    wait_for,
    without_an_answer,
)

from extractor import errors
from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint

# A suite that a shell runs in the background has children to whom Ctrl-C says nothing.
HEEDING = "import signal, sys, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
COMMANDS = "from extractor.cli import app, batch\n"


def test_a_run_tells_its_counts_and_the_same_again_asks_nothing(folder: Path, tmp_path: Path) -> None:
    """1, 2, 44 and F27: calls, tokens, cost; half of the documents empty by their nature is no warning."""
    empty = {f"Marker-{n:03}:": EMPTY for n in range(0, DOCUMENTS, 2)}
    with FakeEndpoint(empty | {"": ANSWER}) as endpoint:
        code, said = finish(folder, tmp_path / "run", endpoint, "--model", "gpt-5-mini")
        tokens = sum(json.loads(request.sent)["usage"]["total_tokens"] for request in endpoint.requests)
        before = results(tmp_path / "run")
        assert (code, len(endpoint.requests)) == (0, DOCUMENTS)
        assert "60 documents: 30 done, 30 empty." in said and "30 events" in said and "Warning" not in said
        assert f"60 calls, 0 from the cache, 0 documents skipped as finished; {tokens:,} tokens, $0." in said
        code, said = finish(folder, tmp_path / "run", endpoint, "--model", "gpt-5-mini")
    assert (code, len(endpoint.requests), results(tmp_path / "run")) == (0, DOCUMENTS, before)
    assert "0 calls, 0 from the cache, 60 documents skipped as finished" in said


# -- signals and kills


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_lets_what_is_in_flight_finish_and_asks_no_more(name: str, code: int, tmp_path: Path) -> None:
    """47, 49, F71 and F72: no further request, none paid twice, and the next start goes on from there.

    All processes of the run hear it, as at Ctrl-C in a terminal; by then another one grounds the facts.
    """
    folder, out, quick = make(tmp_path / "in", 120), tmp_path / "run", random.Random(name).randint(70, 95)
    late = {f"Marker-{n:03}:": faults.slow(0.4, ANSWER) for n in range(quick, 120)}
    with FakeEndpoint(late | {"": ANSWER}, latency=0.02) as endpoint:
        process = start(folder, out, endpoint, "--concurrency", "6", new_session=True)
        wait_for(endpoint, quick + 6, process)
        os.killpg(process.pid, getattr(signal, name))
        said = heard(process)
        assert process.returncode == code and f"{name}: finishing what is in flight" in said
        assert f"Stopped: {name}" in said and "Run the same command again" in said
        assert len(endpoint.requests) == len(lines(out)) == quick + 6
        stopped = results(out)
        summary = run(folder, out, endpoint, concurrency=64)
        run(folder, tmp_path / "clean", endpoint)
    assert (summary.states, summary.possible_duplicate_charges) == ({"done": 120}, 0)
    assert set(asked(endpoint).values()) == {1}
    assert results(out) == results(tmp_path / "clean") and results(out).startswith(stopped)


def test_a_second_signal_does_not_wait_and_counts_what_it_cut_off(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """48: it does not wait for what is in flight; all that was in flight is in the count of possible charges."""
    out, slow = tmp_path / "run", faults.slow(30, ANSWER)
    with FakeEndpoint({"Marker-005:": slow, "Marker-006:": slow, "": ANSWER}, latency=0.01) as endpoint:
        process = start(folder, out, endpoint, "--concurrency", "2")
        wait_for(endpoint, 7, process)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert process.poll() is None, "two documents are still in flight"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said = heard(process)
        assert (process.returncode, time.monotonic() - began < 15) == (143, True), "not the 30 s of the slow answers"
        cut = int(said.partition("possible_duplicate_charges=")[2].partition(":")[0])
        assert without_an_answer(endpoint) == 2 <= cut
    assert clean.startswith(results(out)) and len(lines(out)) == 5


def test_a_document_that_never_ends_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    """49 and I8: what is in flight has its time (here shortened), and then stays pending; also where the terminal hung up."""
    command = [sys.executable, "-c", "from extractor.cli import batch, main\nbatch.GRACE = 0.3\nmain()", "batch"]
    with FakeEndpoint({"Marker-002:": faults.Fault(how="hang"), "": ANSWER}) as endpoint:
        process = start(make(tmp_path / "in", 6), tmp_path / "run", endpoint, command=command)
        wait_for(endpoint, 6, process)
        began = time.monotonic()
        process.send_signal(signal.SIGHUP)
        said = heard(process)
    assert process.returncode == 129 and time.monotonic() - began < 15 and "SIGHUP: finishing" in said
    assert "6 documents: 5 done, 1 pending" in said and "possible_duplicate_charges=1" in said


def test_ctrl_c_in_a_program_that_calls_batch_ends_it_at_once(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """F09 and F72: KeyboardInterrupt surfaces, nothing is tried again for it, and no request follows."""
    code = HEEDING + "from extractor.runs.run import batch\nbatch(sys.argv[1], out=sys.argv[2], concurrency=4)"
    out = tmp_path / "run"
    with FakeEndpoint(ANSWER, latency=0.2) as endpoint:
        command = [sys.executable, "-c", code, str(folder), str(out)]
        process = subprocess.Popen(command, env=environment(out, endpoint), stderr=subprocess.PIPE)
        at = wait_for(endpoint, 9, process)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[1]
        assert b"KeyboardInterrupt" in said and process.returncode != 0 and len(endpoint.requests) - at <= 4
        assert run(folder, out, endpoint).states == {"done": DOCUMENTS}
    assert again(endpoint) <= 4 and results(out) == clean


def test_ctrl_c_outside_of_a_run_is_told_and_is_no_success(folder: Path, tmp_path: Path) -> None:
    """So that nothing goes on behind `&&` as if it had been done."""
    report = next(folder.iterdir())
    with FakeEndpoint(ANSWER, latency=30) as endpoint:
        command = [sys.executable, "-c", HEEDING + COMMANDS + "app.run()", "extract", str(report)]
        process = subprocess.Popen(command, env=environment(tmp_path, endpoint), stderr=subprocess.PIPE, text=True)
        wait_for(endpoint, 1, process)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[1]
    assert (process.returncode, said.strip()) == (130, "extractor: interrupted")


def test_ctrl_c_while_the_page_is_written_tells_what_the_run_came_to(tmp_path: Path) -> None:
    """The data set is whole by then."""
    slow = "batch._report = lambda *_: (print('writing', flush=True), time.sleep(30))\n"
    with FakeEndpoint(ANSWER) as endpoint:
        command = [
            sys.executable,
            "-c",
            HEEDING + COMMANDS + slow + "app.run()",
            "batch",
            str(make(tmp_path / "in", 6)),
        ]
        process = subprocess.Popen(
            [*command, "--out", str(tmp_path / "run")], env=environment(tmp_path, endpoint),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout and process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[1]
    assert process.returncode == 130 and "6 documents: 6 done" in said and "report.html" not in said


def test_ten_kills_at_any_moment_of_five_hundred_documents_lose_nothing(tmp_path: Path) -> None:
    """50 and F79: while it starts, resumes, asks or writes; after each, the results are the beginning of a clean run's."""
    folder, out, dice, concurrency = make(tmp_path / "in", 500), tmp_path / "run", random.Random(50), 8
    with FakeEndpoint(EMPTY) as endpoint:
        run(folder, tmp_path / "clean/run", endpoint, concurrency=64)
        clean = results(tmp_path / "clean/run")
    with FakeEndpoint(EMPTY, latency=0.02) as endpoint:
        for kill in range(10):
            begun, most = len(endpoint.requests), dice.randint(20, 30) if kill == 9 else dice.randint(1, 30)
            process = start(folder, out, endpoint, "--concurrency", str(concurrency), "--quiet")
            deadline = time.monotonic() + (30 if kill % 2 else dice.uniform(0, 0.6))
            while time.monotonic() < deadline and len(endpoint.requests) < begun + most:
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 0.03))
            assert process.poll() is None, "it is killed while it runs"
            process.kill()
            process.communicate()
            assert clean.startswith(results(out) if (out / "results.jsonl").exists() else b"")
        before = again(endpoint)
        summary = run(folder, out, endpoint, concurrency=64)
    assert (summary.states, summary.exit_code, len(asked(endpoint))) == ({"empty": 500}, 0, 500)
    assert again(endpoint) <= 10 * concurrency
    assert again(endpoint) - before <= summary.possible_duplicate_charges, "what the last kill cut off is told"
    assert results(out) == clean


def test_a_kill_in_the_middle_of_a_long_document_costs_the_part_that_was_in_flight(tmp_path: Path) -> None:
    """50 and I4: parts that were answered are kept one by one, and not paid for again."""
    folder, out = tmp_path / "in", tmp_path / "run"
    folder.mkdir()
    parts = (f"Paragraph {n}: the minister met the ambassador and went home." for n in range(90))
    (folder / "long.txt").write_text("\n\n".join(parts), encoding="utf-8")
    small = {"chunk_size": 500, "chunk_overlap": 0}
    with FakeEndpoint(EMPTY, latency=0.05) as endpoint:
        process = start(
            folder, out, endpoint, settings={f"EXTRACTOR_{name.upper()}": str(n) for name, n in small.items()}
        )
        wait_for(endpoint, 5, process)
        time.sleep(0.02)
        process.kill()
        process.communicate()
        killed_at = len(endpoint.requests)
        summary = run(folder, out, endpoint, **small)
    bodies = [request.body for request in endpoint.requests]
    assert (summary.states, killed_at) == ({"empty": 1}, 5) and len(set(bodies)) > 8
    assert len(bodies) - len(set(bodies)) == 1 == summary.possible_duplicate_charges
    assert summary.cache_hits == 4


# -- disks


def test_a_second_start_on_one_folder_is_told_who_works_there(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """56 and F67: exit 2 with the process and since when; the first one is not disturbed, and no document is asked twice."""
    out = tmp_path / "run"
    with FakeEndpoint(ANSWER, latency=0.05) as endpoint:
        first = start(folder, out, endpoint, "--concurrency", "4")
        wait_for(endpoint, 1, first)
        with pytest.raises(errors.RunLocked, match=rf"process {first.pid}, since 20\d\d-") as caught:
            run(folder, out, endpoint)
        assert (first.poll(), caught.value.exit_code) == (None, 2)
        assert "60 documents: 60 done." in heard(first)
    assert (first.returncode, len(endpoint.requests), results(out)) == (0, DOCUMENTS, clean)
