"""Faults of the endpoint: what is told, what is tried again, what it costs; documents lost 0."""

import inspect
import json
import os
import pickle
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from faulty_runs import (
    ANSWER,
    DOCUMENTS,
    EMPTY,
    EVENT,
    SECRET,
    again,
    asked,
    lines,
    make,
    results,
    run,
    start,
    without_an_answer,
)

from extractor import errors
from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint
from extractor.llm.cache import ReplyCache
from extractor.llm.live_errors import retry_after
from extractor.runs.summary import RunSummary


def fenced(*answers: dict[str, Any]) -> str:
    return "\nor\n".join(f"```json\n{json.dumps(answer)}\n```" for answer in answers)


LITERAL = '{{"entities": [], "events": [{{"figures": {}}}], "relations": []}}'
CUT_PROMPT = {"prompt_tokens": 2048, "completion_tokens": 5, "total_tokens": 2053}
# Row and fault -> (what is answered for ever, class, what the failure says, requests).
FAILURES: dict[str, tuple[Any, str, tuple[str, ...], int]] = {
    "4: 500 for ever": (faults.status(500, "out of luck"), "ServerFault", ("(500)", "out of luck", '"attempts": 3', '"status": 500'), 3),
    "11: 400": (faults.status(400, "x" * 900), "RequestRejected", ("(400)", f'"reason": "{"x" * 300}"'), 1),
    "12: 413, too short to be halved": (faults.status(413, "9 MB, at most 1 MB"), "RequestRejected", ("(413)", "at most 1 MB"), 1),
    "21: HTML": (faults.not_a_completion("html"), "BadEnvelope", ("not JSON: text/html", '"attempts": 3'), 3),
    "22: an error inside a 200": (faults.not_a_completion("error"), "ServerFault", ('"code": "server_error"', "upstream is down"), 3),
    "23a: nothing": (faults.not_a_completion("empty"), "BadEnvelope", ("an empty body (status 200)",), 3),
    "23b: 204": (faults.not_a_completion("no_content"), "BadEnvelope", ("an empty body (status 204)",), 3),
    "23c: an array": (faults.not_a_completion("array"), "BadEnvelope", ("a JSON array, not an object",), 3),
    "24: no choices": (faults.not_a_completion("no_choices"), "BadEnvelope", ("0 choices",), 3),
    "25: a bomb": (faults.Fault(how="bomb", bomb=1 << 26), "ReplyTooLarge", ("more than 8,388,608 bytes",), 1),
    "28: filtered": (faults.content_filter(ANSWER), "ContentFiltered", ("filter",), 1),
    "29: refused": (faults.refusal("I would rather not."), "Refused", ("I would rather not.",), 1),
    "30: null": (faults.not_a_completion("null_content"), "BadEnvelope", ("content null",), 3),
    "31a: no JSON": (faults.malformed(), "Unreadable", ("not valid JSON",), 2),
    "31b: a great deal of no JSON": (faults.malformed('{"entities": [' + "[1, " * 40_000), "Unreadable", ("no JSON object",), 2),
    "31c: not of the schema": ('{"events": []}', "Unreadable", ("entities",), 2),
    "33: two tool calls": (faults.tool_calls("answer", "answer"), "BadEnvelope", ("2 tool calls",), 3),
    "34: another tool": (faults.tool_calls("other"), "BadEnvelope", ("'other'",), 3),
    "36: two answers": (fenced(ANSWER, EMPTY), "Unreadable", ("more than one JSON object",), 2),
    "37a: a key twice": ('{"entities": [], "entities": [], "events": [], "relations": []}', "Unreadable", ("entities",), 2),
    "37b: NaN": (LITERAL.format("NaN"), "Unreadable", (), 2),
    "37c: 1e999": (LITERAL.format("1e999"), "Unreadable", (), 2),
    "37d: 5,000 digits": (LITERAL.format("9" * 5000), "Unreadable", (), 2),
    "37e: 100,000 brackets": (LITERAL.format("[" * 100_000), "Unreadable", (), 2),
    "41: a cut prompt": (faults.Fault(answer=ANSWER, usage=CUT_PROMPT), "PromptTruncated", ("2,048", '"expected_at_least": '), 1),
    "42a: blanks to the limit": (faults.cut_at_length('{"entities":' + " " * 16_000), "Truncated", ("length limit",), 1),
    "42b: blanks that end by themselves": (faults.malformed('{"entities":' + " " * 16_000), "Truncated", ("length limit",), 1),
}  # fmt: skip


@dataclass(frozen=True)
class Faulty:
    """One run over a document for each fault, and a healthy one before each; then the same with a healthy server."""

    code: int
    said: str
    failures: dict[str, dict[str, Any]]
    bodies: dict[str, list[bytes]]
    mended: RunSummary
    mended_results: bytes


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    place = tmp_path_factory.mktemp("faulty")
    folder, out = make(place / "in", 2 * len(FAILURES)), place / "run"
    odd = {f"Marker-{2 * n + 1:03}:": name for n, name in enumerate(FAILURES)}
    with FakeEndpoint({marker: FAILURES[name][0] for marker, name in odd.items()} | {"": ANSWER}) as endpoint:
        reader, writer = os.pipe()
        os.close(reader)
        process = start(folder, out, endpoint, "--concurrency", "4", stdout=writer)
        os.close(writer)
        said = process.communicate(timeout=60)[1].decode()
        failures = {odd[f"Marker-{one['document'][1:4]}:"]: one for one in lines(out, "failures.jsonl")}
        bodies: dict[str, list[bytes]] = {name: [] for name in FAILURES}
        for request in endpoint.requests:
            marker = f"Marker-{request.json['messages'][1]['content'].partition('Marker-')[2][:3]}:"
            if marker in odd:
                bodies[odd[marker]].append(request.body)
    with FakeEndpoint(ANSWER) as endpoint:
        mended = run(folder, out, endpoint, retry_failed=True)
    return Faulty(process.returncode, said, failures, bodies, mended, results(out))


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_what_it_was_and_costs_what_it_may(name: str, faulty: Faulty) -> None:
    """Class, cause and attempts stand in failures.jsonl; nothing is repeated that cannot help, and a repair stays short."""
    _, kind, words, requests = FAILURES[name]
    failure, bodies = faulty.failures[name], faulty.bodies[name]
    told = json.dumps(failure, ensure_ascii=False)
    assert (failure["class"], failure["stage"], len(bodies)) == (kind, "extract", requests)
    assert not [word for word in words if word not in told], told
    assert len(failure["message"]) < 600 and SECRET not in told
    assert sum(map(len, bodies)) <= (requests if requests != 2 else 2.5) * len(bodies[0])


def test_failures_stay_out_of_the_terminal_and_in_the_exit_code(faulty: Faulty) -> None:
    """I6, I7, F75 and F85: exit 3 and the way to try again, also where nobody reads stdout; no document, refusal or key."""
    assert faulty.code == 3 and f"{len(FAILURES)} failed" in faulty.said and "--retry-failed" in faulty.said
    assert f"{2 * len(FAILURES)} documents: {len(FAILURES)} done, {len(FAILURES)} failed." in faulty.said
    unwanted = ("Traceback", SECRET, "Marker-", "condemned", "I would rather not", "JSONDecodeError")
    assert not [word for word in unwanted if word in faulty.said]


def test_failed_documents_tried_again_give_a_clean_run_s_bytes(faulty: Faulty, clean: bytes) -> None:
    """I2 and I3: after every kind of failure, with no reply that was of no use served again."""
    assert (faulty.mended.states, faulty.mended.exit_code) == ({"done": 2 * len(FAILURES)}, 0)
    assert faulty.mended.calls == len(FAILURES)
    assert faulty.mended_results.splitlines() == clean.splitlines()[: 2 * len(FAILURES)]


@pytest.mark.parametrize(
    ("called", "words"), [(["other"], "'other'"), (["", ""], "2 tool calls")], ids=["34: another", "33: two"]
)
def test_only_one_call_of_the_tool_that_was_asked_for_is_an_answer(
    called: list[str], words: str, tmp_path: Path
) -> None:
    """33 and 34 where the endpoint was asked by a tool: whatever the arguments hold, they are not taken."""

    def answer(request: dict[str, Any]) -> faults.Fault:
        right = request["tools"][0]["function"]["name"]
        return faults.tool_calls(*(name or right for name in called), arguments=json.dumps(ANSWER))

    with FakeEndpoint(answer) as endpoint:
        summary = run(make(tmp_path / "in", 1), tmp_path / "run", endpoint, mode="tools")
    assert (summary.states, len(endpoint.requests)) == ({"failed": 1}, 3)
    assert words in lines(tmp_path / "run", "failures.jsonl")[0]["message"]


# -- what stops a run

NO_PLACE = "http://127.0.0.1:9/v1/chat/completions"
STOPS: dict[str, tuple[Any, tuple[str, ...], tuple[str, ...]]] = {
    "7: 429 for an hour": (faults.rate_limited("3600"), ("takes no more requests for now (429)",), ("quota",)),
    "9: quota": (faults.out_of_quota(), ("quota", "Add credit"), ("rate limit",)),
    "10a: 401": (faults.status(401, f"Incorrect API key provided: {SECRET}"), ("(401)", "OPENAI_API_KEY"), (SECRET,)),
    "10b: 403": (faults.status(403), ("(403)", "OPENAI_API_KEY"), (SECRET,)),
    "10c: 404": (faults.unknown_model("m"), ("does not know the model 'm' (404)",), ("API_KEY",)),
    "45: 307": (faults.redirect(NO_PLACE), ("redirect refused",), (NO_PLACE,)),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "words", "not_words"), STOPS.values(), ids=STOPS)
def test_what_the_next_document_would_meet_too_stops_the_run_and_is_told_as_what_it_is(
    fault: faults.Fault, words: tuple[str, ...], not_words: tuple[str, ...], tmp_path: Path
) -> None:
    """F11 and F81: from the eleventh document on all meet it; no more than `concurrency` do, none fails, the rest is pending."""
    folder, out = make(tmp_path / "in", 24), tmp_path / "run"
    with FakeEndpoint({f"Marker-{n:03}:": fault for n in range(10, 24)} | {"": ANSWER}) as endpoint:
        summary = run(folder, out, endpoint, concurrency=4)
        found = endpoint.statuses[200]
        assert 0 < len(endpoint.requests) - found <= 4
    assert (summary.exit_code, summary.states) == (4, {"done": found, "pending": 24 - found})
    told = str(summary.stopped).lower()
    assert all(word.lower() in told for word in words) and not [word for word in not_words if word.lower() in told]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


# -- what is tried again, and how often

TRIED_AGAIN = (408, 409, 423, 425, 500, 502, 503, 504, 529)
NOT_TRIED_AGAIN = (400, 405, 406, 410, 411, 413, 415, 416, 422, 451)


def test_each_status_is_tried_again_or_not(tmp_path: Path) -> None:
    """F10: what may pass by itself is asked a second time; what is refused as it stands is not."""
    folder = make(tmp_path / "in", len(TRIED_AGAIN) + len(NOT_TRIED_AGAIN))
    first = [faults.status(code) for code in (*TRIED_AGAIN, *NOT_TRIED_AGAIN)]
    with FakeEndpoint({f"Marker-{n:03}:": [one, ANSWER] for n, one in enumerate(first)}) as endpoint:
        summary = run(folder, tmp_path / "run", endpoint, concurrency=2)
    assert summary.states == {"done": len(TRIED_AGAIN), "failed": len(NOT_TRIED_AGAIN)}
    assert list(asked(endpoint).values()).count(2) == summary.retries == len(TRIED_AGAIN)
    assert {one["class"] for one in lines(tmp_path / "run", "failures.jsonl")} == {"RequestRejected"}


def test_documents_that_fail_side_by_side_do_not_count_each_other_s_attempts(
    folder: Path, tmp_path: Path, clean: bytes
) -> None:
    """3 and F08: the n-th fails n mod 4 times, and takes just n mod 4 + 1 requests, one whole reply among them."""
    answers = {f"Marker-{n:03}:": [faults.status(500)] * (n % 4) + [ANSWER] for n in range(DOCUMENTS)}
    with FakeEndpoint(answers) as endpoint:
        summary = run(folder, tmp_path / "run", endpoint, attempts=4, concurrency=16)
    assert asked(endpoint) == {f"{n:03}": n % 4 + 1 for n in range(DOCUMENTS)}
    assert (summary.retries, endpoint.statuses[200]) == (DOCUMENTS * 6 // 4, DOCUMENTS)
    assert results(tmp_path / "run") == clean


CUTS = {
    "13: reset before the headers": ("reset", 0),
    "14: closed before the headers": ("close", 1),
    "15: cut in the body, with a length": ("cut", 1),
    "16: cut in the body, without": ("cut_unsized", 1),
}


@pytest.mark.parametrize(("how", "counted"), CUTS.values(), ids=CUTS)
def test_connections_that_broke_are_counted_as_what_they_may_have_cost(
    how: Any, counted: int, folder: Path, tmp_path: Path, clean: bytes
) -> None:
    """I4: as many possible charges as the server counts; each document is asked once more, and no whole reply comes twice."""
    broken = {f"Marker-{n:03}:": [faults.Fault(answer=ANSWER, how=how), ANSWER] for n in range(0, DOCUMENTS, 10)}
    with FakeEndpoint(broken | {"": ANSWER}) as endpoint:
        summary = run(folder, tmp_path / "run", endpoint)
    assert (summary.states, summary.exit_code, without_an_answer(endpoint)) == ({"done": DOCUMENTS}, 0, 6)
    assert (summary.possible_duplicate_charges, summary.retries, again(endpoint)) == (6 * counted, 6, 6)
    assert results(tmp_path / "run") == clean


def test_a_server_that_dies_with_requests_in_it_is_counted_by_those(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """20 and I4: started again on its port, it is asked just those once more, and their number is told."""
    done: list[RunSummary] = []
    with FakeEndpoint(ANSWER, latency=0.05) as first:
        settings = {"attempts": 9, "retry_wait": 0.1, "concurrency": 4}
        thread = threading.Thread(target=lambda: done.append(run(folder, tmp_path / "run", first, **settings)))
        thread.start()
        while len(first.requests) < 20:
            time.sleep(0.005)
    with FakeEndpoint(ANSWER, port=first.port) as second:
        thread.join(30)
    assert (done[0].states, done[0].exit_code) == ({"done": DOCUMENTS}, 0)
    assert 0 < without_an_answer(first) <= done[0].possible_duplicate_charges <= 4
    assert len(first.requests) + len(second.requests) == DOCUMENTS + without_an_answer(first)
    assert results(tmp_path / "run") == clean


def test_deadlines_end_documents_in_time(tmp_path: Path) -> None:
    """17, 18, F14 and I8: a hang and a drip are over a second after their deadline, after one request each."""
    drip = faults.Fault(answer=ANSWER, how="drip", drip=5, interval=0.1)
    answers = {"Marker-001:": faults.Fault(how="hang"), "Marker-002:": drip, "": ANSWER}
    with FakeEndpoint(answers) as endpoint:
        summary = run(make(tmp_path / "in", 6), tmp_path / "run", endpoint, timeout=0.5, attempts=1)
    assert (summary.states, summary.exit_code) == ({"done": 4, "failed": 2}, 3)
    assert 0.5 <= summary.seconds < 1.5 and set(asked(endpoint).values()) == {1}
    assert summary.possible_duplicate_charges == 2


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HEADERS: dict[str, tuple[dict[str, str], float | None]] = {
    "seconds": ({"retry-after": "2"}, 2),
    "a part of a second": ({"retry-after": "0.5"}, 0.5),
    "at once": ({"retry-after": "0"}, 0),
    "milliseconds": ({"retry-after-ms": "250"}, 0.25),
    "milliseconds win": ({"retry-after-ms": "250", "retry-after": "60"}, 0.25),
    "a date": ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30),
    "a date that is over": ({"retry-after": "Sun, 01 Mar 2026 11:59:30 GMT"}, None),
    "negative": ({"retry-after": "-5"}, None),
    "not a number": ({"retry-after": "NaN"}, None),
    "for ever": ({"retry-after": "inf"}, None),
    "a power": ({"retry-after": "1e9"}, None),
    "words": ({"retry-after": "soon"}, None),
    "nothing": ({"retry-after": ""}, None),
    "no header": ({}, None),
}


@pytest.mark.parametrize(("headers", "seconds"), HEADERS.values(), ids=HEADERS)
def test_how_long_to_wait_is_read_or_taken_for_absent(headers: dict[str, str], seconds: float | None) -> None:
    """8 and F12: seconds, milliseconds, a date; what makes no sense is no wait."""
    assert retry_after(headers, NOW) == seconds


def test_rate_limits_are_pauses_whatever_their_header_says(tmp_path: Path) -> None:
    """6 and 8: nobody fails, nothing counts as an attempt, and nobody waits longer than a moment for a header without sense."""
    heads = [headers for headers, seconds in HEADERS.values() if seconds is None]
    busy = [faults.Fault(status=429, headers=headers, body=b"{}") for headers in heads]
    with FakeEndpoint({f"Marker-{n:03}:": [one, ANSWER] for n, one in enumerate(busy)} | {"": ANSWER}) as endpoint:
        summary = run(make(tmp_path / "in", 20), tmp_path / "run", endpoint, concurrency=20, attempts=1)
    assert (summary.states, summary.retries, endpoint.statuses[429]) == ({"done": 20}, 0, len(heads))
    assert summary.pauses == len(heads) and summary.seconds < 5


def test_a_limit_of_requests_counts_those_that_failed_too(tmp_path: Path) -> None:
    """61 and F80: retries and repairs are requests; the limit is looked at before each."""
    answers = {f"Marker-{n:03}:": [faults.status(500), faults.malformed(), ANSWER] for n in range(20)}
    with FakeEndpoint(answers) as endpoint:
        summary = run(make(tmp_path / "in", 20), tmp_path / "run", endpoint, max_requests=16)
        assert (summary.exit_code, len(endpoint.requests), summary.failed) == (4, 16, 0)
        assert "limit of 16 requests" in str(summary.stopped)
        assert run(tmp_path / "in", tmp_path / "run", endpoint).states == {"done": 20}
    assert set(asked(endpoint).values()) == {3}


# -- answers


def test_a_repair_is_one_more_reply_and_counted(folder: Path, tmp_path: Path) -> None:
    """32: ten documents take two replies each, the others one."""
    answers = {f"Marker-{n:03}:": [faults.malformed(), ANSWER] for n in range(0, DOCUMENTS, 6)}
    with FakeEndpoint(answers | {"": ANSWER}) as endpoint:
        summary = run(folder, tmp_path / "run", endpoint)
    assert (summary.states, summary.repairs, summary.calls) == ({"done": DOCUMENTS}, 10, DOCUMENTS + 10)
    assert Counter(line["usage"]["requests"] for line in lines(tmp_path / "run")) == {1: 50, 2: 10}


def wrapped(answer: str) -> list[str]:
    """Twelve ways to say something around an answer."""
    fences = [f"{fence}{name}\n{answer}\n{fence}" for fence in ("```", "~~~", "````") for name in ("json", "")]
    around = [f"Here it is: {answer}", f"{answer}\nI hope this helps.", f"Sure!\n\n{fences[0]}\n\nAnything else?"]
    thought = [f"<think>Who {{did}} what?</think>{answer}", f"<think>Hm.</think>\n{fences[0]}"]
    return [*fences, *around, *thought, f"\ufeff{answer}"]


def test_what_an_answer_is_wrapped_in_is_taken_off_and_counted(tmp_path: Path) -> None:
    """35: twelve wrappings, one request each, and the facts of the bare answer."""
    ways = wrapped(json.dumps(ANSWER))
    with FakeEndpoint({f"Marker-{n:03}:": way for n, way in enumerate(ways)} | {"": ANSWER}) as endpoint:
        summary = run(make(tmp_path / "in", len(ways) + 1), tmp_path / "run", endpoint)
    assert (len(ways), summary.recovered, summary.repairs, len(endpoint.requests)) == (12, 12, 0, 13)
    assert {line["events"][0]["evidence"]["text"] for line in lines(tmp_path / "run")} == {"condemned the attack"}


def test_a_413_is_halved_until_it_is_taken_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    """12: facts of all parts, no request twice, no more splits than it takes."""
    (tmp_path / "in").mkdir()
    said = [f"Minister {name} condemned the attack in {name}." for name in ("Ardo", "Bessa", "Corin", "Delta")]
    (tmp_path / "in/long.txt").write_text(
        "\n\n".join(one + " The talks went on." * 12 for one in said), encoding="utf-8"
    )

    def answer(request: dict[str, Any]) -> Any:
        text = request["messages"][-1]["content"].partition("<<<")[2]
        if len(text) > 700:
            return faults.status(413, "the request has more bytes than the limit of 700")
        found = [one.partition(" ")[2].removesuffix(".") for one in said if one in text]
        quotes = [f"condemned the attack in {words.split()[0]}" for words in found]
        return {**EMPTY, "events": [{**EVENT, "evidence": quote} for quote in quotes]}

    with FakeEndpoint(answer) as endpoint:
        summary = run(tmp_path / "in", tmp_path / "run", endpoint)
    assert (summary.states, summary.exit_code, summary.events) == ({"done": 1}, 0, 4)
    bodies = [request.body for request in endpoint.requests]
    assert len(bodies) == len(set(bodies)) == 2 * summary.splits + 1
    quotes = [event["evidence"]["text"].split()[-1] for event in lines(tmp_path / "run")[0]["events"]]
    assert quotes == ["Ardo", "Bessa", "Corin", "Delta"]


def test_each_result_tells_which_model_answered(tmp_path: Path) -> None:
    """F20: where the endpoint puts another one in its place half-way, the lines say so."""
    other = faults.Fault(answer=ANSWER, model="m-mini")
    with FakeEndpoint({f"Marker-{n:03}:": other for n in range(5, 10)} | {"": ANSWER}) as endpoint:
        run(make(tmp_path / "in", 10), tmp_path / "run", endpoint)
    about = [line["provenance"] for line in lines(tmp_path / "run")]
    assert {one["model"] for one in about} == {"m"}
    assert [one["models_answered"] for one in about] == [["m"]] * 5 + [["m-mini"]] * 5


def test_what_is_kept_is_what_the_server_said(tmp_path: Path) -> None:
    """I5 and F65: replies stand in the cache letter for letter, and a new run over them asks nothing and writes the same."""
    folder = make(tmp_path / "in", 10)
    said = {f"Marker-{n:03}:": json.dumps(ANSWER, indent=n) for n in range(10)}
    with FakeEndpoint(said) as endpoint:
        run(folder, tmp_path / "run", endpoint)
        summary = run(folder, tmp_path / "new", endpoint)
    cache = ReplyCache(tmp_path / "cache")
    kept = [cache.get(line["provenance"]["fingerprints"][0]) for line in lines(tmp_path / "run")]
    cache.close()
    assert [reply.text for reply in kept if reply] == list(said.values())
    assert (summary.calls, summary.cache_hits, len(endpoint.requests)) == (0, 10, 10)
    assert results(tmp_path / "new") == results(tmp_path / "run")


# -- what a run says

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ExtractorError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_crosses_processes(kind: type[errors.ExtractorError]) -> None:
    """F18: with its class, words, detail and exit code."""
    error = kind("What happened.", hint="What to do.", status=500, reply_text="\u202e\ud83d")
    told = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own error, to show that it crosses processes)
    assert (type(told), told.record(), told.exit_code) == (kind, error.record(), error.exit_code)
