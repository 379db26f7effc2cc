"""Faults between us and the endpoint: few descriptors, long waits, budgets, models that change, several processes at once."""

import json
import re
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faulty_runs import ANSWER, COMMAND, EMPTY, environment, finish, heard, make, provider, run, start, through_batches

from extractor import fake_faults as faults
from extractor.errors import ConnectionFailed, Refused, SettingsError, Unreadable
from extractor.fake_endpoint import FakeEndpoint
from extractor.llm.descriptors import connections
from extractor.llm.live_errors import Border
from extractor.llm.live_secrets import Redactor
from extractor.runs.breaker import Breaker


def limited(soft: int, hard: int) -> list[str]:
    """A command before the command: with so few file descriptors."""
    code = f"import os, resource, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\nos.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-S", "-c", code]


# -- descriptors


@pytest.mark.parametrize(("hard", "warned"), [(64, True), (4096, False)])
def test_few_file_descriptors_make_it_slower_and_fail_nobody(hard: int, warned: bool, tmp_path: Path) -> None:
    """F19: the soft limit is raised where that is allowed; where not, fewer are asked at once, and one line says so."""
    with FakeEndpoint(EMPTY, latency=0.1) as endpoint:
        source = make(tmp_path / "in", 200)
        code, said = finish(source, tmp_path / "run", endpoint, "--concurrency", "400", command=[*limited(64, hard), *COMMAND])  # fmt: skip
    assert (code, len(endpoint.requests), said.count("16 connections at once instead of 400")) == (0, 200, warned)


def test_no_descriptor_for_a_connection_is_waited_for_and_not_the_endpoint_s_fault(tmp_path: Path) -> None:
    """F19: somebody else in the process has them all for a second."""
    code = """
import os, resource, sys, threading, time
from extractor import Extractor
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
extractor = Extractor(cache=False, attempts=1)
extractor.extract("Warm: the minister met the ambassador.")  # what is opened once is open
extractor.close()
extractor = Extractor(cache=False, attempts=1)
taken = []
def hold():
    for file in taken: os.close(file)
from extractor.llm.live_client import Line
post = Line.post
async def starved(line, body):
    if not taken:
        try:
            while True: taken.append(os.dup(0))
        except OSError: pass
        threading.Timer(0.6, hold).start()
    return await post(line, body)
Line.post = starved
extractor.extract("The minister condemned the attack.")
print(len(taken) > 100, extractor.meter.errors)
"""
    with FakeEndpoint(ANSWER) as endpoint:
        env = environment(tmp_path / "run", endpoint)
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("True {}\n", 0), done.stderr


def test_a_shortage_that_stays_is_told_as_ours() -> None:
    """The message names the limit; the request did not leave."""
    border = Border("host:1", Redactor(()))
    error = border.connection(OSError(24, "Too many open files"), answer_began=False)
    assert isinstance(error, ConnectionFailed) and "ulimit -n" in str(error) and not error.detail["possibly_billed"]


def test_what_there_are_descriptors_for_is_not_cut() -> None:
    """No limit is touched where it is high enough."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert connections(8) == 8
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == before[1]


# -- waits, limits


def test_a_long_rate_limit_tells_when_to_go_on(tmp_path: Path) -> None:
    """7: seconds, and the time of day, as a sentence."""
    with FakeEndpoint(faults.rate_limited("3600")) as endpoint:
        summary = run(make(tmp_path / "in", 3), tmp_path / "run", endpoint)
    told = r"\(429\): Rate limit reached for requests\. It asks to wait 3,600 s: from (\d{4}-\d\d-\d\d )?\d\d:\d\d UTC on\.$"
    assert re.search(told, str(summary.stopped)) and summary.states == {"pending": 3}


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        ("3600", "slow down. It asks to wait 3,600 s: from 15:05 UTC on."),
        ("3601", "slow down. It asks to wait 3,601 s: from 15:06 UTC on."),
        ("43200", "slow down. It asks to wait 43,200 s: from 2025-05-02 02:05 UTC on."),
        ("999999999", " UTC on."),
        ("30", "slow down. It asks to wait 30 s."),
        (None, "slow down."),
    ],
)
def test_the_time_is_never_too_early(wait: str | None, told: str) -> None:
    """Rounded up to the minute; the day is told where it is another."""
    border = Border("host:1", Redactor(()), now=lambda: datetime(2025, 5, 1, 14, 5, 0, tzinfo=UTC))
    headers = {} if wait is None else {"retry-after": wait}
    assert str(border.error(429, {"message": "slow down"}, headers, "m")).endswith(told)


def test_a_limit_of_requests_counts_those_that_were_too_fast(tmp_path: Path) -> None:
    """61: each request that is sent counts once, in this process as after a restart."""
    answers = {f"Marker-{n:03}:": [faults.rate_limited("0.01"), ANSWER] for n in range(20)}
    with FakeEndpoint(answers) as endpoint:
        folder, out = make(tmp_path / "in", 20), tmp_path / "run"
        first = run(folder, out, endpoint, max_requests=10, concurrency=2)
        assert (first.exit_code, len(endpoint.requests), first.calls) == (4, 10, 10)
        second = run(folder, out, endpoint, max_requests=16, concurrency=2)
        assert (second.exit_code, len(endpoint.requests), second.calls) == (4, 16, 6)


REFUSING = {"json_schema refused": ("tools",), "two refused": ("json",), "three refused": ("plain",)}


@pytest.mark.parametrize("modes", REFUSING.values(), ids=REFUSING)
@pytest.mark.parametrize("at_once", [1, 8])
def test_a_limit_of_requests_counts_those_that_ask_in_a_mode_that_is_refused(
    modes: tuple[str, ...], at_once: int, tmp_path: Path
) -> None:
    """F80: no more are sent than the limit says, wherever on the ladder it falls; with more, the run goes on and ends."""
    folder, sent = make(tmp_path / "in", 8), 0
    for limit in (1, 2, 3, 5):
        with FakeEndpoint(ANSWER, modes=modes) as endpoint:
            summary = run(folder, tmp_path / "run", endpoint, max_requests=limit, concurrency=at_once)
        sent += len(endpoint.requests)
        assert (summary.exit_code, summary.failed, sent) == (4, 0, limit), limit
    with FakeEndpoint(ANSWER, modes=modes) as endpoint:
        assert run(folder, tmp_path / "run", endpoint, max_requests=60).states == {"done": 8}


# -- batches


def test_a_batch_whose_output_is_gone_is_asked_again(tmp_path: Path) -> None:
    """63 and F86: only what is missing is sent again, and counted; the file does not hold up the run for ever."""
    with provider() as (endpoint, batches):
        gone = faults.status(404, "No such File object: file-1")
        batches.on = lambda step, when: gone if (step, when, len(batches.orders)) == ("fetch", "before", 1) else None
        summary = through_batches(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert (summary.states, len(batches.orders), summary.possible_duplicate_charges) == ({"done": 4}, 2, 4)
    assert not list((tmp_path / "run/batches").glob("part-*"))


def test_a_gone_file_of_answers_leaves_the_file_of_errors(tmp_path: Path) -> None:
    """63: what the other file tells is kept."""
    with provider({"Marker-001:": faults.status(400, "no such thing"), "": ANSWER}) as (endpoint, batches):
        gone = [faults.status(404, "No such File object: file-1")]
        batches.replies["fetch"] = gone
        summary = through_batches(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert (summary.states, len(batches.orders)) == ({"done": 3, "failed": 1}, 2)
    assert summary.possible_duplicate_charges == 3


def test_a_batch_that_the_provider_does_not_know_is_told_as_that(tmp_path: Path) -> None:
    """63: nothing is asked, and paid, anew without a word; with the right key the run goes on."""
    folder, out = make(tmp_path / "in", 4), tmp_path / "run"
    with provider() as (endpoint, batches):
        batches.replies["look"] = [faults.status(404, "No batch found with id 'batch_0'.")]
        summary = through_batches(folder, out, endpoint)
        assert (summary.exit_code, summary.states) == (4, {"pending": 4})
        assert "does not know the batch batch_0 (404): No batch found" in str(summary.stopped)
        assert "key" in str(summary.stopped) and "model" not in str(summary.stopped)
        assert through_batches(folder, out, endpoint).states == {"done": 4} and len(batches.orders) == 1


# -- who answers, and how


def test_replies_are_counted_by_the_model_that_gave_them(tmp_path: Path) -> None:
    """F20: a model that changes inside a run is in run.json, whether it answered now or out of the cache."""
    folder = make(tmp_path / "in", 6)
    other = {f"Marker-{n:03}:": faults.Fault(answer=ANSWER, model="m-2") for n in (4, 5)}
    for out in ("a", "b"):
        with FakeEndpoint(other | {"": ANSWER}) as endpoint:
            run(folder, tmp_path / out, endpoint)
        written = json.loads((tmp_path / out / "run.json").read_text())
        assert written["calls"]["models"] == {"m": 4, "m-2": 2}
    with provider(other | {"": ANSWER}) as (endpoint, _):
        through_batches(folder, tmp_path / "c", endpoint, cache_dir=tmp_path / "other")
    assert json.loads((tmp_path / "c/run.json").read_text())["calls"]["models"].keys() == {"m", "m-2"}


def unreadable(breaker: Breaker, number: int) -> list[bool]:
    return [breaker.failure(str(n), Unreadable("not of the schema")) for n in range(number)]


def test_answers_that_cannot_be_read_from_the_beginning_blame_the_endpoint() -> None:
    """43: the eighth in a row opens the breaker for good; the message says what to do."""
    breaker = Breaker()
    assert unreadable(breaker, 9) == [False] * 7 + [True] * 2
    assert breaker.suspects == [str(n) for n in range(9)] and not breaker.blamed()
    verdict = breaker.verdict(Unreadable("not of the schema"))
    assert isinstance(verdict, SettingsError) and "extractor doctor" in str(verdict) and "--mode" in str(verdict)
    refused = Refused("no")
    assert breaker.verdict(refused) is refused


@pytest.mark.parametrize("between", ["a success", "another answer", "an earlier start"])
def test_one_answer_that_can_be_read_clears_the_endpoint(between: str) -> None:
    """43: then it is the documents, and each fails alone."""
    breaker = Breaker(proven=lambda: between == "an earlier start")
    assert not any(unreadable(breaker, 7))
    if between == "a success":
        breaker.success()
    elif between == "another answer":
        assert not breaker.failure("x", Refused("no"))
    assert not any(unreadable(breaker, 7 if between == "another answer" else 20))


# -- several processes

ASK = "import sys\nfrom extractor import extract\nprint(flush=True)\nsys.stdin.readline()\nextract('The minister condemned the attack.')"


def askers(number: int, out: Path, endpoint: FakeEndpoint, **more: str) -> list[subprocess.Popen[bytes]]:
    """Processes that are ready to ask the same at the same moment."""
    env = environment(out, endpoint) | more
    many = [
        subprocess.Popen([sys.executable, "-c", ASK], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(number)
    ]
    for one in many:
        assert one.stdout is not None
        one.stdout.readline()
    return many


def go(one: subprocess.Popen[bytes]) -> None:
    assert one.stdin is not None
    one.stdin.write(b"\n")
    one.stdin.flush()


def ended(many: list[subprocess.Popen[bytes]]) -> list[int]:
    for one in many:
        one.communicate(timeout=60)
    return [one.returncode for one in many]


def test_one_document_from_four_processes_is_one_call(tmp_path: Path) -> None:
    """57 and F63."""
    with FakeEndpoint(ANSWER, latency=1.0) as endpoint:
        many = askers(4, tmp_path / "run", endpoint)
        for one in many:
            go(one)
        assert ended(many) == [0] * 4
    assert len(endpoint.requests) == 1


def test_whoever_is_killed_while_it_asks_holds_up_nobody(tmp_path: Path) -> None:
    """57: its claim dies with it, and the next one asks."""
    with FakeEndpoint([faults.slow(60, ANSWER), ANSWER]) as endpoint:
        first, second = askers(2, tmp_path / "run", endpoint)
        go(first)
        wait(endpoint, 1)
        go(second)
        time.sleep(0.5)
        assert len(endpoint.requests) == 1
        first.kill()
        assert ended([first, second]) == [-9, 0]
    assert len(endpoint.requests) == 2


def test_a_claim_that_is_held_too_long_is_not_waited_for(tmp_path: Path) -> None:
    """57: no longer than a call may take; a process that is stopped in the middle of one stops no other."""
    with FakeEndpoint([faults.slow(60, ANSWER), ANSWER]) as endpoint:
        first, second = askers(2, tmp_path / "run", endpoint, EXTRACTOR_TIMEOUT="1.0")
        go(first)
        wait(endpoint, 1)
        first.send_signal(19)
        go(second)
        assert ended([second]) == [0]
        first.kill()
        first.communicate()
    assert len(endpoint.requests) == 2


def test_two_runs_over_the_same_documents_share_their_calls(tmp_path: Path) -> None:
    """57: side by side, with one cache."""
    folder = make(tmp_path / "in", 40)
    with FakeEndpoint(ANSWER, latency=0.1) as endpoint:
        both = [start(folder, tmp_path / name, endpoint, "--concurrency", "4") for name in ("a", "b")]
        for process in both:
            heard(process)
    assert [process.returncode for process in both] == [0, 0]
    assert len(endpoint.requests) == 40
    assert (tmp_path / "a/results.jsonl").read_bytes() == (tmp_path / "b/results.jsonl").read_bytes()


def wait(endpoint: FakeEndpoint, requests: int) -> None:
    until = time.monotonic() + 30
    while len(endpoint.requests) < requests and time.monotonic() < until:
        time.sleep(0.01)


def test_an_endpoint_that_ignores_the_schema_is_not_paid_for_every_document(tmp_path: Path) -> None:
    """43: all are pending, the advice is told, and a mode that works finishes the run."""
    folder, out = make(tmp_path / "in", 60), tmp_path / "run"
    with FakeEndpoint('{"summary": "The minister spoke."}') as endpoint:
        summary = run(folder, out, endpoint, concurrency=4)
        assert (summary.exit_code, summary.states) == (2, {"pending": 60}) and len(endpoint.requests) <= 40
    assert "extractor doctor" in str(summary.stopped) and "--mode" in str(summary.stopped)
    with FakeEndpoint(ANSWER) as endpoint:
        assert run(folder, out, endpoint).states == {"done": 60}


def test_answers_that_cannot_be_read_fail_their_documents_once_others_could_be(tmp_path: Path) -> None:
    """43: a run with results behind it is not stopped by new documents of a bad kind; a few bad ones fail alone."""
    folder, out = make(tmp_path / "in", 10), tmp_path / "run"
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint)
    make(folder, 30)
    with FakeEndpoint('{"summary": "The minister spoke."}') as endpoint:
        summary = run(folder, out, endpoint, concurrency=4)
        assert (summary.exit_code, summary.states) == (3, {"done": 10, "failed": 20})
        few = run(make(tmp_path / "few", 5), tmp_path / "other", endpoint, cache_dir=tmp_path / "empty")
        assert (few.exit_code, few.states) == (3, {"failed": 5})
