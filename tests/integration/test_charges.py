"""What may have been paid twice is told by every summary, over all starts of a run folder, and each call of it once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from faulty_runs import (
    ANSWER,
    SECRET,
    again,
    finish,
    make,
    provider,
    run,
    start,
    through_batches,
    wait_for,
    without_an_answer,
)

from extractor import Extractor
from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint
from extractor.runs.run import run_folder

CUT = [faults.Fault(answer=ANSWER, how="cut"), ANSWER]
BROKEN: dict[str, Any] = {"Marker-001:": CUT, "Marker-004:": CUT, "Marker-007:": CUT, "": ANSWER}
STARTS = ((4, 1), (4, 1), (8, 2), (60, 3), (60, 3))


def extractor(endpoint: FakeEndpoint, place: Path) -> Extractor:
    return Extractor(
        base_url=endpoint.base_url, api_key=SECRET, model="m", concurrency=1, attempts=3, retry_wait=0.005,
        cache_dir=place / "cache",
    )  # fmt: skip


def told(out: Path) -> int:
    return int(json.loads((out / "run.json").read_bytes())["summary"]["possible_duplicate_charges"])


def test_every_start_tells_the_sum_of_all_through_the_api(tmp_path: Path) -> None:
    """Retries of earlier starts are in it, and starts that ask nothing add nothing."""
    folder, out = make(tmp_path / "in", 10), tmp_path / "run"
    with FakeEndpoint(BROKEN) as endpoint:
        for limit, charges in STARTS:
            summary = run(folder, out, endpoint, max_requests=limit, concurrency=1)
            assert summary.possible_duplicate_charges == charges == without_an_answer(endpoint) == told(out), limit
    assert (summary.states, again(endpoint)) == ({"done": 10}, 3)


def test_every_start_tells_the_sum_of_all_on_the_command_line(tmp_path: Path) -> None:
    """The same in processes of their own, on stderr and in run.json."""
    folder, out = make(tmp_path / "in", 10), tmp_path / "run"
    with FakeEndpoint(BROKEN) as endpoint:
        for limit, charges in STARTS[1:4]:
            _, said = finish(folder, out, endpoint, "--concurrency", "1", "--max-requests", str(limit))
            assert f"possible_duplicate_charges={charges}:" in said and told(out) == charges


def test_one_extractor_for_several_runs_and_starts_counts_each_call_once(tmp_path: Path) -> None:
    """Calls, charges and limits are the run's own; the extractor's meter has the sum over what it was used for."""
    folder, summaries = make(tmp_path / "in", 10), []
    with FakeEndpoint(BROKEN) as endpoint:
        one = extractor(endpoint, tmp_path)
        for limit, out in ((5, "a"), (20, "a"), (20, "b"), (20, "b")):
            limited = one.with_settings(max_requests=limit)
            summaries.append(asyncio.run(run_folder(folder, tmp_path / out, limited)))
    assert [(s.calls, s.cache_hits, s.possible_duplicate_charges) for s in summaries] == [
        (5, 0, 1), (8, 0, 3), (0, 10, 0), (0, 0, 0),
    ]  # fmt: skip
    assert (one.meter.calls, one.meter.cache_hits, one.meter.possible_duplicate_charges) == (13, 10, 3)
    assert len(endpoint.requests) == 13


def test_calls_that_broke_off_before_a_kill_are_in_the_count(tmp_path: Path) -> None:
    """kill -9 while the last document hangs: the two that broke off before, and the one in flight."""
    folder, out = make(tmp_path / "in", 6), tmp_path / "run"
    hang = [faults.Fault(how="hang"), ANSWER]
    with FakeEndpoint({"Marker-001:": CUT, "Marker-004:": CUT, "Marker-005:": hang, "": ANSWER}) as endpoint:
        process = start(folder, out, endpoint, "--concurrency", "1")
        wait_for(endpoint, 8, process)
        process.kill()
        process.communicate()
        for _ in range(2):
            summary = run(folder, out, endpoint)
            assert (summary.states, summary.possible_duplicate_charges, again(endpoint)) == ({"done": 6}, 3, 3)


def test_a_kill_in_the_middle_of_tries_counts_each_of_them(tmp_path: Path) -> None:
    """The first try broke off, the second is in flight: two."""
    folder, out = make(tmp_path / "in", 1), tmp_path / "run"
    with FakeEndpoint({"Marker-000:": [CUT[0], faults.Fault(how="hang"), ANSWER]}) as endpoint:
        process = start(folder, out, endpoint, "--concurrency", "1")
        wait_for(endpoint, 2, process)
        process.kill()
        process.communicate()
        assert run(folder, out, endpoint).possible_duplicate_charges == 2 == again(endpoint)


@pytest.mark.parametrize("stopped", [False, True])
def test_answers_of_a_batch_that_are_gone_stay_in_the_count(stopped: bool, tmp_path: Path) -> None:
    """They were counted between two rounds, when no ledger is open; also where the run stops right there."""
    folder, out = make(tmp_path / "in", 4), tmp_path / "run"
    with provider() as (endpoint, batches):
        gone = faults.status(404, "No such File object: file-1")
        refused = faults.status(401, "no longer")

        def fault(step: str, when: str) -> faults.Fault | None:
            if (step, when, len(batches.orders)) == ("fetch", "before", 1):
                return gone
            return refused if stopped and (step, when, len(batches.orders)) == ("order", "before", 1) else None

        batches.on = fault
        first = through_batches(folder, out, endpoint)
        assert first.possible_duplicate_charges == 4
        batches.on = lambda step, when: None
        second = through_batches(folder, out, endpoint)
    assert (first.exit_code, second.states, second.possible_duplicate_charges) == (4 * stopped, {"done": 4}, 4)
