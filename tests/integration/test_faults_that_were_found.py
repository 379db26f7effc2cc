"""What went wrong once under faults, and does not any more: outages in mid-run, closed folders and terminals, kills that add up."""

import signal
import time
from pathlib import Path

import pytest
from faulty_runs import (
    ANSWER,
    COMMAND,
    DOCUMENTS,
    RIGHTLESS,
    again,
    finish,
    heard,
    lines,
    make,
    results,
    run,
    start,
    wait_for,
)

from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint


def test_an_outage_in_the_middle_fails_nobody(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """From the eleventh document on the server is down for good: all that are not done are pending, whoever was in flight too."""
    broken = {f"Marker-{n:03}:": faults.status(500) for n in range(10, DOCUMENTS)}
    with FakeEndpoint(broken | {"": ANSWER}) as endpoint:
        summary = run(folder, tmp_path / "run", endpoint, concurrency=4, retry_wait=0.1)
        found = endpoint.statuses[200]
    assert (summary.exit_code, summary.states) == (4, {"done": found, "pending": DOCUMENTS - found})
    with FakeEndpoint(ANSWER) as endpoint:
        assert run(folder, tmp_path / "run", endpoint).states == {"done": DOCUMENTS}
    assert results(tmp_path / "run") == clean


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_is_heard_where_nobody_reads_stderr_any_more(
    name: str, code: int, folder: Path, tmp_path: Path
) -> None:
    """The terminal is gone, and it was that which sent the signal."""
    with FakeEndpoint(ANSWER, latency=0.1) as endpoint:
        process = start(folder, tmp_path / "run", endpoint, "--concurrency", "2")
        at = wait_for(endpoint, 6, process)
        assert process.stderr is not None
        process.stderr.close()
        process.send_signal(getattr(signal, name))
        assert process.wait(30) == code
    assert len(endpoint.requests) <= at + 2


def test_nobody_reading_stderr_changes_no_exit_code(tmp_path: Path) -> None:
    """A failed document is 3, whether or not anybody hears of it."""
    with FakeEndpoint({"Marker-001:": faults.refusal(), "": ANSWER}) as endpoint:
        process = start(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
        assert process.stderr is not None
        process.stderr.close()
        assert process.wait(30) == 3


def test_a_folder_inside_that_cannot_be_read_is_a_failure_and_not_silence(tmp_path: Path) -> None:
    """What is in it is not lost without a word."""
    folder = make(tmp_path / "in", 2)
    make(folder / "closed", 2)
    (folder / "closed").chmod(0)
    with FakeEndpoint(ANSWER) as endpoint:
        code, _ = finish(folder, tmp_path / "run", endpoint, command=[*RIGHTLESS, *COMMAND])
    (folder / "closed").chmod(0o755)
    failures = lines(tmp_path / "run", "failures.jsonl")
    assert code == 3 and "closed" in failures[0]["document"] and "Permission denied" in failures[0]["message"]
    with FakeEndpoint(ANSWER) as endpoint:
        assert run(folder, tmp_path / "run", endpoint).states == {"done": 4}, "opened, its documents are there"


def test_what_each_kill_cut_off_is_in_the_count_of_the_run_that_ends(folder: Path, tmp_path: Path) -> None:
    """Killed three times, the last run tells all charges that the server counts twice, and no more than were in flight.

    A question counts from just before it leaves: one that a kill kept from leaving is counted too.
    """
    out = tmp_path / "run"
    with FakeEndpoint(ANSWER, latency=0.05) as endpoint:
        for _ in range(3):
            process = start(folder, out, endpoint, "--concurrency", "4")
            wait_for(endpoint, len(endpoint.requests) + 10, process)
            process.kill()
            process.communicate()
        summary = run(folder, out, endpoint)
    assert again(endpoint) <= summary.possible_duplicate_charges <= 3 * 4


def test_a_second_signal_counts_the_requests_in_flight_and_not_the_documents_at_work(
    folder: Path, tmp_path: Path
) -> None:
    """Two were asked about, and as many more were read ahead."""
    slow = faults.slow(30, ANSWER)
    with FakeEndpoint({"Marker-005:": slow, "Marker-006:": slow, "": ANSWER}, latency=0.01) as endpoint:
        process = start(folder, tmp_path / "run", endpoint, "--concurrency", "2")
        wait_for(endpoint, 7, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said = heard(process)
    assert "possible_duplicate_charges=2:" in said


def test_a_run_folder_that_became_read_only_is_told_as_that(tmp_path: Path) -> None:
    """Exit 2, and not the advice to move the ledger away; nothing is asked."""
    folder, out = make(tmp_path / "in", 3), tmp_path / "run"
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint)
        make(folder, 5)
        out.chmod(0o555)
        code, said = finish(folder, out, endpoint, command=[*RIGHTLESS, *COMMAND])
        out.chmod(0o755)
    assert (code, len(endpoint.requests), "Move it away" in said) == (2, 3, False)


def test_another_model_that_answers_in_the_middle_is_told(tmp_path: Path) -> None:
    """Asked for one, answered by two: the summary says how many replies came from which."""
    other = {f"Marker-{n:03}:": faults.Fault(answer=ANSWER, model="another") for n in range(3)}
    with FakeEndpoint({**other, "": ANSWER}) as endpoint:
        code, said = finish(make(tmp_path / "in", 10), tmp_path / "run", endpoint, "--model", "asked")
    assert code == 0 and "The model that answered changed in this run: another 3, asked 7 replies." in said
