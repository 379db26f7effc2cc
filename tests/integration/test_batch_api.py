"""Runs through a provider's batches, against a loopback server that keeps files and batches: nothing lost, nothing uploaded twice."""

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
from faulty_runs import provider

from extractor import fake_faults as faults
from extractor.errors import SettingsError
from extractor.fake_batches import FakeBatches
from extractor.fake_endpoint import FakeEndpoint
from extractor.runs.run import batch
from extractor.runs.summary import RunSummary

FOUND = {
    "entities": [{"id": 1, "type": "person", "name": "the minister", "aliases": [], "name_en": "minister", "country": None, "sector": "GOV"}],
    "events": [], "relations": [],
}  # fmt: skip
COMMAND = [sys.executable, "-c", "from extractor.cli import main; main()", "batch"]


def make(folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    for n in range(number):
        (folder / f"r{n:03}.txt").write_text(f"Marker-{n:03}: the minister met the ambassador.", encoding="utf-8")
    return folder


def run(folder: Path, out: Path, endpoint: FakeEndpoint, **settings: Any) -> RunSummary:
    given = {"via": "batch-api", "batch_poll": 0.02, "retry_wait": 0.01, "cache": False, "base_url": endpoint.base_url}
    return batch(folder, out=out, **(given | settings))


def results(out: Path) -> bytes:
    return (out / "results.jsonl").read_bytes()


def asked(batches: FakeBatches) -> Counter[str]:
    """How often each document's question went out with a batch that was ordered."""
    texts = (batches.files[order.file][1].decode() for order in batches.orders.values())
    return Counter(line.partition("Marker-")[2][:3] for text in texts for line in text.splitlines())


def live(folder: Path, place: Path, answers: Any = FOUND) -> bytes:
    with FakeEndpoint(answers) as endpoint:
        batch(folder, out=place, base_url=endpoint.base_url, cache=False)
    return results(place)


def test_the_results_are_those_of_a_live_run_and_nothing_is_asked_live(tmp_path: Path) -> None:
    """Lines come back in any order and twice; each is matched by its custom_id. Byte-equal to asking one by one."""
    folder = make(tmp_path / "in", 25)
    with provider(FOUND, twice=True) as (endpoint, batches):
        summary = run(folder, tmp_path / "run", endpoint, batch_requests=10)
        assert not [r for r in endpoint.requests if r.path.endswith("/completions")]
    assert (summary.states, summary.calls, summary.exit_code) == ({"done": 25}, 25, 0)
    assert len(batches.uploads) == len(batches.orders) == 3 and set(asked(batches).values()) == {1}
    assert results(tmp_path / "run") == live(folder, tmp_path / "live")


def test_the_replies_are_in_the_cache_under_the_same_fingerprints(tmp_path: Path) -> None:
    """A live run afterwards asks nothing; and one through batches after a live run neither."""
    folder, cache = make(tmp_path / "in", 5), tmp_path / "cache"
    with provider(FOUND) as (endpoint, batches):
        run(folder, tmp_path / "a", endpoint, cache=True, cache_dir=cache)
        summary = run(folder, tmp_path / "b", endpoint, cache=True, cache_dir=cache, via="live")
        assert (summary.calls, summary.cache_hits) == (0, 5)
        summary = run(folder, tmp_path / "c", endpoint, cache=True, cache_dir=cache)
        assert (summary.calls, len(batches.uploads)) == (0, 1)


def test_files_keep_to_the_provider_s_limits(tmp_path: Path) -> None:
    """No file has more requests or bytes than are allowed; equal texts go out once."""
    folder = make(tmp_path / "in", 12)
    (folder / "same.txt").write_bytes((folder / "r003.txt").read_bytes())
    with provider(FOUND) as (endpoint, batches):
        summary = run(folder, tmp_path / "run", endpoint, batch_bytes=150_000)
    sizes = [len(batches.files[order.file][1]) for order in batches.orders.values()]
    assert len(sizes) > 2 and max(sizes) <= 150_000
    assert summary.states == {"done": 13} and set(asked(batches).values()) == {1} and len(asked(batches)) == 12


def test_the_file_says_what_the_provider_wants_to_read(tmp_path: Path) -> None:
    """custom_id, method, url and the very body that a live call would send, strict schema and all."""
    folder = make(tmp_path / "in", 1)
    with provider(FOUND) as (endpoint, batches):
        run(folder, tmp_path / "run", endpoint)
        run(folder, tmp_path / "live", endpoint, via="live")
        sent = next(r.json for r in endpoint.requests if r.path.endswith("/completions"))
    line = json.loads(next(iter(batches.files.values()))[1])
    assert (line["method"], line["url"], line["body"]) == ("POST", "/v1/chat/completions", sent)
    assert line["body"]["response_format"]["json_schema"]["strict"] is True
    assert len(line["custom_id"]) == 64


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_what_a_batch_left_is_taken_up_by_the_next(end: str, tmp_path: Path) -> None:
    """Half of the answers came: they are kept, and only the others are asked again."""
    folder = make(tmp_path / "in", 20)
    with provider(FOUND, ends=[end]) as (endpoint, batches):
        summary = run(folder, tmp_path / "run", endpoint)
        if end == "cancelled":
            assert summary.exit_code == 4 and "cancelled" in str(summary.stopped)
            summary = run(folder, tmp_path / "run", endpoint)
    assert summary.states == {"done": 20} and summary.exit_code == 0
    assert sorted(asked(batches).values()) == [1] * 10 + [2] * 10
    assert results(tmp_path / "run") == live(folder, tmp_path / "live")


def test_a_request_that_no_batch_answers_fails_alone(tmp_path: Path) -> None:
    """Its line is missing from every output; after some batches it is given up, and can be tried again."""
    folder = make(tmp_path / "in", 6)
    with provider(FOUND, drop="Marker-004") as (endpoint, batches):
        summary = run(folder, tmp_path / "run", endpoint, attempts=3)
        assert (summary.states, summary.exit_code) == ({"done": 5, "failed": 1}, 3)
        assert asked(batches) == {"000": 1, "001": 1, "002": 1, "003": 1, "004": 3, "005": 1}
        batches.drop = None
        assert run(folder, tmp_path / "run", endpoint, retry_failed=True).states == {"done": 6}
    assert results(tmp_path / "run") == live(folder, tmp_path / "live")


def test_errors_of_single_requests_are_those_of_their_documents(tmp_path: Path) -> None:
    """A filtered and a refused one fail alone; one that met a fault of the server is asked again."""
    folder = make(tmp_path / "in", 8)
    answers = {
        "Marker-001": faults.content_filter(),
        "Marker-002": faults.status(400, "this request is bad"),
        "Marker-003": [faults.status(500), FOUND],
        "Marker-004": [faults.malformed(), FOUND],
        "": FOUND,
    }
    with provider(answers) as (endpoint, batches):
        summary = run(folder, tmp_path / "run", endpoint)
    assert summary.states == {"done": 6, "failed": 2} and summary.repairs == 1
    failed = [json.loads(line) for line in (tmp_path / "run/failures.jsonl").read_text().splitlines()]
    assert {(one["document"], one["class"]) for one in failed} == {
        ("r001.txt", "ContentFiltered"),
        ("r002.txt", "RequestRejected"),
    }
    assert len(batches.orders) == 2, "the repair and the second try went out together"


def test_a_long_document_takes_a_round_for_each_part(tmp_path: Path) -> None:
    """The later parts are told the names of the earlier ones, as in a live run; the result is the same."""
    folder = make(tmp_path / "in", 2)
    text = "\n\n".join(f"Paragraph {n}: the minister met the ambassador and went home." for n in range(300))
    (folder / "long.txt").write_text(text, encoding="utf-8")
    with provider(FOUND) as (endpoint, batches):
        summary = run(folder, tmp_path / "run", endpoint)
    assert summary.states == {"done": 3} and len(batches.orders) == 3
    assert results(tmp_path / "run") == live(folder, tmp_path / "live")


def test_a_provider_that_has_no_room_yet_is_asked_again(tmp_path: Path) -> None:
    """Its token limit is full: the file that is up is ordered again, and not uploaded again."""
    full = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]
    with provider(FOUND, ends=["failed", "failed"], faults=[full, full]) as (endpoint, batches):
        summary = run(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert summary.states == {"done": 4} and (len(batches.uploads), len(batches.orders)) == (1, 3)


def test_single_lines_that_are_refused_do_not_hold_up_the_others(tmp_path: Path) -> None:
    """The provider names the line; its document fails alone."""
    bad = [{"code": "invalid_value", "message": "no such thing", "line": 2}]
    with provider(FOUND, ends=["failed"], faults=[bad]) as (endpoint, batches):
        summary = run(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert summary.states == {"done": 3, "failed": 1} and len(batches.orders) == 2


def test_a_batch_that_is_refused_as_a_whole_stops_the_run_and_says_why(tmp_path: Path) -> None:
    """Nothing is lost: the next start asks again."""
    bad = [{"code": "model_not_found", "message": "The model is not for batches"}]
    folder = make(tmp_path / "in", 4)
    with provider(FOUND, ends=["failed"], faults=[bad]) as (endpoint, _):
        summary = run(folder, tmp_path / "run", endpoint)
        assert summary.exit_code == 4 and "not for batches" in str(summary.stopped)
        assert summary.states == {"pending": 4}
        assert run(folder, tmp_path / "run", endpoint).states == {"done": 4}


@pytest.mark.parametrize("step", ["upload", "order", "look", "fetch"])
def test_passing_faults_of_each_step_are_tried_again(step: str, tmp_path: Path) -> None:
    """A 500, a 429 and a reset at each step: one upload and one order in the end."""
    trouble = [faults.status(500), faults.rate_limited("0"), faults.Fault(how="reset")]
    with provider(FOUND, replies={step: trouble}) as (endpoint, batches):
        summary = run(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert summary.states == {"done": 4} and (len(batches.uploads), len(batches.orders)) == (1, 1)


@pytest.mark.parametrize("step", ["upload", "order"])
def test_an_answer_that_is_lost_does_not_make_a_second_upload_or_order(step: str, tmp_path: Path) -> None:
    """The server did it and the connection broke before it could say so: what is there is found again."""
    lost: list[str] = []

    def lose(done: str, when: str) -> faults.Fault | None:
        if (done, when) != (step, "after") or lost:
            return None
        lost.append(done)
        return faults.Fault(how="reset")

    with provider(FOUND, on=lose) as (endpoint, batches):
        summary = run(make(tmp_path / "in", 4), tmp_path / "run", endpoint)
    assert lost and summary.states == {"done": 4}
    assert (len(batches.uploads), len(batches.orders)) == (1, 1)


def test_a_wrong_key_stops_at_once_and_says_so(tmp_path: Path) -> None:
    """Exit 4, all pending, the key in no message."""
    with provider(FOUND, replies={"upload": [faults.status(401, "Incorrect API key provided: sk-secret-1234567")]}) as (
        endpoint,
        _,
    ):
        summary = run(make(tmp_path / "in", 3), tmp_path / "run", endpoint, api_key="sk-secret-1234567")
    assert summary.exit_code == 4 and summary.states == {"pending": 3}
    assert "sk-secret" not in str(summary) + (tmp_path / "run/run.json").read_text()


def test_a_budget_is_kept_and_what_fits_into_it_is_asked(tmp_path: Path) -> None:
    """The run stops before it passes the limit, with the others pending; a higher limit goes on."""
    folder = make(tmp_path / "in", 10)
    with provider(FOUND) as (endpoint, batches):
        summary = run(folder, tmp_path / "run", endpoint, max_requests=4)
        assert (summary.states, summary.exit_code) == ({"done": 4, "pending": 6}, 4)
        assert sum(asked(batches).values()) == 4
        assert run(folder, tmp_path / "run", endpoint, max_requests=20).states == {"done": 10}
    assert set(asked(batches).values()) == {1}


def start(folder: Path, out: Path, endpoint: FakeEndpoint) -> subprocess.Popen[bytes]:
    env = os.environ | {"OPENAI_BASE_URL": endpoint.base_url, "EXTRACTOR_RETRY_WAIT": "0.01"}
    more = ["--via", "batch-api", "--poll", "0.05", "--no-cache", "--no-report"]
    return subprocess.Popen([*COMMAND, str(folder), "--out", str(out), *more], env=env, stderr=subprocess.PIPE)


STEPS = [(step, when) for step in ("upload", "order", "look", "fetch") for when in ("before", "after")]


@pytest.mark.parametrize(("step", "when"), STEPS)
def test_killed_at_each_step_it_goes_on_without_a_second_upload_or_order(step: str, when: str, tmp_path: Path) -> None:
    """kill -9 before the server does a step, and after it did and before it could say so."""
    folder, out = make(tmp_path / "in", 8), tmp_path / "run"
    running: list[subprocess.Popen[bytes]] = []
    killed: list[str] = []

    def kill(done: str, moment: str) -> faults.Fault | None:
        if (done, moment) != (step, when) or killed:
            return None
        killed.append(done)
        running[0].kill()
        running[0].wait()
        return faults.Fault(how="reset")

    with provider(FOUND, on=kill) as (endpoint, batches):
        running.append(start(folder, out, endpoint))
        running[0].communicate(timeout=60)
        assert killed and running[0].returncode == -signal.SIGKILL
        again = start(folder, out, endpoint)
        said = again.communicate(timeout=60)[1].decode()
    assert again.returncode == 0 and "8 documents: 8 done" in said, said
    assert len(batches.orders) == 1 and set(asked(batches).values()) == {1}
    assert len(batches.uploads) == 1
    assert results(out) == live(folder, tmp_path / "live")


def test_ctrl_c_while_waiting_leaves_the_batch_to_the_next_start(tmp_path: Path) -> None:
    """Exit 130 within moments, with the way to go on; the batch goes on at the provider."""
    folder, out = make(tmp_path / "in", 5), tmp_path / "run"
    with provider(FOUND, looks=10_000) as (endpoint, batches):
        process = start(folder, out, endpoint)
        while not any(order.looks > 2 for order in batches.orders.values()):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[1].decode()
        assert process.returncode == 130 and "5 pending" in said and "fetched next time" in said, said
        batches.looks = 1
        again = start(folder, out, endpoint)
        said = again.communicate(timeout=60)[1].decode()
    assert again.returncode == 0 and "5 done" in said and len(batches.uploads) == 1


def test_questions_that_nobody_asks_any_more_are_not_ordered(tmp_path: Path) -> None:
    """After a start that failed: of another model, and of documents that are gone."""
    folder = make(tmp_path / "in", 10)
    with provider(FOUND, replies={"upload": [faults.status(401)]}) as (endpoint, batches):
        assert run(folder, tmp_path / "run", endpoint, model="expensive").exit_code == 4
        for path in sorted(folder.iterdir())[4:]:
            path.unlink()
        found = run(folder, tmp_path / "run", endpoint, model="cheap")
        assert found.exit_code == 0 and asked(batches) == {f"{n:03}": 1 for n in range(4)}
    texts = [batches.files[order.file][1].decode() for order in batches.orders.values()]
    assert "expensive" not in "".join(texts)


def test_what_is_at_the_provider_is_not_asked_live_as_well(tmp_path: Path) -> None:
    """It would be paid twice; with the batches fetched, a live run goes on."""
    folder = make(tmp_path / "in", 5)
    with provider(FOUND, replies={"look": [faults.status(401)]}) as (endpoint, batches):
        assert run(folder, tmp_path / "run", endpoint).exit_code == 4
        with pytest.raises(SettingsError, match="5 questions of this run are at the provider's batch API"):
            run(folder, tmp_path / "run", endpoint, via="live")
        assert run(folder, tmp_path / "run", endpoint).exit_code == 0
        assert run(folder, tmp_path / "run", endpoint, via="live").skipped == 5
        assert asked(batches) == {f"{n:03}": 1 for n in range(5)}
