"""Sixty documents through an endpoint with faults: none lost, none paid twice, results byte-equal to a clean run's.

Each case runs a batch against a faulty endpoint, then again against a healthy one, and checks the same invariants.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint
from extractor.runs.run import batch
from extractor.runs.summary import RunSummary

DOCUMENTS = 60
EVENT = {
    "evidence": "condemned the attack", "trigger": "condemned", "type": "ACCUSE", "modes": [], "contexts": [], "actors": [], "recipients": [],
    "participants": [], "place": None, "time": None, "modality": "asserted", "source": None, "figures": [],
}  # fmt: skip
ANSWER = {"entities": [], "events": [EVENT], "relations": []}
SECRET = "sk-planted-0123456789"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reports")
    for number in range(DOCUMENTS):
        (place / f"d{number:02}.txt").write_text(
            f"Marker-{number:02}: the minister condemned the attack.", encoding="utf-8"
        )
    return place


def run(folder: Path, out: Path, endpoint: FakeEndpoint, **settings: Any) -> RunSummary:
    defaults: dict[str, Any] = {
        "base_url": endpoint.base_url, "api_key": SECRET, "model": "m", "concurrency": 4, "attempts": 4, "retry_wait": 0.005, "timeout": 3.0,
        "patience": 0.0, "cache_dir": out / "cache", "max_wait": 5.0,
    }  # fmt: skip
    return batch(folder, out=out, retry_failed=True, **(defaults | settings))


@pytest.fixture(scope="module")
def clean(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("clean")
    with FakeEndpoint(ANSWER) as endpoint:
        summary = run(folder, out, endpoint)
    assert (summary.states, summary.exit_code, len(endpoint.requests)) == ({"done": DOCUMENTS}, 0, DOCUMENTS)
    return (out / "results.jsonl").read_bytes()


def some(share: int, *answers: Any) -> dict[str, Any]:
    """The first answers of every `share`-th document are faults; then all is well."""
    return {f"Marker-{n:02}:": [*answers, ANSWER] for n in range(0, DOCUMENTS, share)} | {"": ANSWER}


def one(*answers: Any) -> dict[str, Any]:
    """One document meets these, the last of them for ever."""
    return {"Marker-07:": list(answers), "": ANSWER}


WRAPPED = "Here it is:\n```json\n" + json.dumps(ANSWER) + "\n```"
# Name -> (answers, exit code, failed documents, pending documents may remain, the most requests).
CASES: dict[str, tuple[Any, int, int, bool, int]] = {
    "3: 500 twice, then ok": (some(6, faults.status(500), faults.status(500)), 0, 0, False, 80),
    "4: 500 for ever, one document": (one(faults.status(500)), 3, 1, False, 63),
    "5: 500 for ever, all": (faults.status(500), 4, 0, True, 60),
    "6: 429 with Retry-After": (some(2, faults.rate_limited("0.02")), 0, 0, False, 90),
    "7: 429 for an hour": ({"Marker-1": [faults.rate_limited("3600")], "": ANSWER}, 4, 0, True, 30),
    "9: quota": ({"Marker-1": [faults.out_of_quota()], "": ANSWER}, 4, 0, True, 30),
    "10a: 401": (faults.status(401), 4, 0, True, 4),
    "10b: 403": (faults.status(403), 4, 0, True, 4),
    "10c: 404 model": (faults.unknown_model(), 4, 0, True, 4),
    "11: 400 for one document": (one(faults.status(400, "x" * 900)), 3, 1, False, 60),
    "13: reset before headers": (some(5, faults.Fault(how="reset")), 0, 0, False, 72),
    "14: closed before headers": (some(5, faults.Fault(how="close")), 0, 0, False, 72),
    "15: cut in the body, with a length": (some(10, faults.Fault(answer=ANSWER, how="cut")), 0, 0, False, 66),
    "16: cut in the body, without": (some(10, faults.Fault(answer=ANSWER, how="cut_unsized")), 0, 0, False, 66),
    "21: HTML with status 200": (one(faults.not_a_completion("html")), 3, 1, False, 63),
    "22: an error in a 200": (one(faults.not_a_completion("error"), ANSWER), 0, 0, False, 61),
    "23: empty, 204, array": (
        {"Marker-03:": [faults.not_a_completion("empty")], "Marker-04:": [faults.not_a_completion("no_content")],
         "Marker-05:": [faults.not_a_completion("array")], "": ANSWER}, 3, 3, False, 69),
    "24: no choices": (one(faults.not_a_completion("no_choices")), 3, 1, False, 63),
    "26: cut at the length limit": (one(faults.cut_at_length()), 3, 1, False, 60),
    "28: content filter with JSON": (one(faults.content_filter(ANSWER)), 3, 1, False, 60),
    "29: refusal": (one(faults.refusal()), 3, 1, False, 60),
    "30: null content": (one(faults.not_a_completion("null_content")), 3, 1, False, 63),
    "31: invalid JSON always": (one(faults.malformed()), 3, 1, False, 61),
    "32: invalid, then valid": (some(6, faults.malformed()), 0, 0, False, 70),
    "33: two tool calls": (one(faults.tool_calls("answer", "answer")), 3, 1, False, 63),
    "34: another tool's name": (one(faults.tool_calls("other")), 3, 1, False, 63),
    "35: fences": (some(5, WRAPPED), 0, 0, False, 60),
    "37: duplicate keys, NaN, huge numbers, brackets": (
        {"Marker-03:": ['{"entities": [], "entities": [], "events": [], "relations": []}'], "Marker-04:": ['{"entities": NaN}'],
         "Marker-05:": ["[" * 100_000], "Marker-06:": ['{"entities": [' + "9" * 5000 + '], "events": [], "relations": []}'], "": ANSWER}, 3, 4, False, 64),
    "41: usage says that the prompt was cut": (one(faults.Fault(answer=ANSWER, usage={"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17})), 3, 1, False, 60),
    "42: white space to the limit": (one(faults.Fault(answer='{"entities":' + " " * 16_000, finish_reason="length")), 3, 1, False, 60),
}  # fmt: skip


@pytest.mark.parametrize(("answers", "code", "failed", "may_remain", "most"), CASES.values(), ids=CASES)
def test_no_fault_loses_a_document_or_pays_twice(
    answers: Any, code: int, failed: int, may_remain: bool, most: int, folder: Path, tmp_path: Path, clean: bytes
) -> None:
    """I1 counts add up; I2 and I3 a healthy run afterwards gives a clean run's bytes; I4 no whole reply twice; I6 no secret in files."""
    with FakeEndpoint(answers) as endpoint:
        summary = run(folder, tmp_path, endpoint)
    assert summary.exit_code == code, summary
    assert sum(summary.states.values()) == summary.documents
    assert summary.failed == failed
    assert summary.documents == DOCUMENTS or may_remain
    assert len(endpoint.requests) <= most
    assert len((tmp_path / "failures.jsonl").read_bytes().splitlines()) == failed
    paid = whole_replies(endpoint)
    with FakeEndpoint(ANSWER) as healthy:
        again = run(folder, tmp_path, healthy)
    assert (again.states, again.exit_code) == ({"done": DOCUMENTS}, 0)
    assert_same_facts((tmp_path / "results.jsonl").read_bytes(), clean)
    kept = {document for document, number in paid.items() if number}
    assert not kept & set(whole_replies(healthy)), "a document whose reply was whole was asked again"
    assert all(SECRET.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def whole_replies(endpoint: FakeEndpoint) -> Counter[str]:
    """Documents whose plain, whole answer was handed to the socket, and how often."""
    return Counter(
        request.json["messages"][1]["content"].partition("Marker-")[2][:2]
        for request in endpoint.requests
        if request.whole
        and request.status == 200
        and b"condemned" in request.sent
        and b'"stop"' in request.sent
        and b'"prompt_tokens": 12,' not in request.sent
    )


def assert_same_facts(found: bytes, clean: bytes) -> None:
    """Byte for byte, where a document took one question; where it took a repair, in all but what that leaves in its provenance."""

    def facts(line: bytes) -> Any:
        extraction = json.loads(line)
        return {name: extraction[name] for name in ("document", "entities", "events", "relations", "rejections")}

    lines, wanted = found.splitlines(), clean.splitlines()
    assert [facts(line) for line in lines] == [facts(line) for line in wanted]
    plain = [
        (a, b)
        for a, b in zip(lines, wanted, strict=True)
        if json.loads(a)["usage"]["requests"] == 1 and b"recovered" not in a
    ]
    assert all(a == b for a, b in plain)


def test_a_hang_and_a_drip_end_at_their_deadline(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """17 and 18: one document each fails, with the deadline in its message."""
    answers = {
        "Marker-03:": [faults.Fault(how="hang")],
        "Marker-04:": [faults.Fault(answer=ANSWER, how="drip", drip=5, interval=0.1)],
        "": ANSWER,
    }
    with FakeEndpoint(answers) as endpoint:
        summary = run(folder, tmp_path, endpoint, timeout=0.5, attempts=1)
    failures = [json.loads(line) for line in (tmp_path / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (summary.exit_code, [f["class"] for f in failures]) == (3, ["CallTimeout", "CallTimeout"])
    assert all("0.5 seconds" in f["message"] for f in failures)


def test_a_bomb_is_not_unpacked(folder: Path, tmp_path: Path) -> None:
    """25: memory stays far below what it would unpack to."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with FakeEndpoint(one(faults.Fault(how="bomb", bomb=1 << 30))) as endpoint:
        summary = run(folder, tmp_path, endpoint)
    assert (summary.exit_code, summary.failed) == (3, 1)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 200


def test_redirects_leak_nothing(folder: Path, tmp_path: Path) -> None:
    """45: the other place sees no request; the run stops as resumable."""
    with FakeEndpoint(ANSWER) as trap, FakeEndpoint(faults.redirect(trap.base_url + "/chat/completions")) as endpoint:
        summary = run(folder, tmp_path, endpoint)
    assert (summary.exit_code, len(trap.requests), summary.failed) == (4, 0, 0)


def test_a_server_that_restarts_in_the_middle_loses_nothing(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """20: killed and started again on its port, the run goes on by itself."""
    import threading
    import time

    first = FakeEndpoint(ANSWER, latency=0.05)
    with first:
        port = first.port
        done: list[RunSummary] = []
        thread = threading.Thread(target=lambda: done.append(run(folder, tmp_path, first, attempts=8, retry_wait=0.2)))
        thread.start()
        while len(first.requests) < 20:
            time.sleep(0.01)
    with FakeEndpoint(ANSWER, port=port):
        thread.join(30)
    assert (done[0].states, done[0].exit_code) == ({"done": DOCUMENTS}, 0)
    assert (tmp_path / "results.jsonl").read_bytes() == clean


def test_a_rate_limit_is_a_pause_for_all_and_loses_nobody(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """13 and 6: at half the offered rate, few answers are 429, and the headers are obeyed."""
    with FakeEndpoint(ANSWER, rpm=3000, bucket=1.0, retry_after="0.1") as endpoint:
        summary = run(folder, tmp_path, endpoint, concurrency=16)
    assert (summary.states, summary.exit_code) == ({"done": DOCUMENTS}, 0)
    assert endpoint.statuses[429] <= 6
    assert (tmp_path / "results.jsonl").read_bytes() == clean


@pytest.mark.parametrize(("limit", "value"), [("max_requests", 20), ("max_tokens_total", 40_000), ("budget", 0.02)])
def test_a_limit_stops_the_run_before_it_is_passed(
    limit: str, value: float, folder: Path, tmp_path: Path, clean: bytes
) -> None:
    """61: resumable, with exit 4; the next run pays only for what is left."""
    usage = {"prompt_tokens": 15_000, "completion_tokens": 100, "total_tokens": 15_100}
    plain = faults.Fault(answer=ANSWER, usage=usage)
    with FakeEndpoint(plain) as endpoint:
        summary = run(folder, tmp_path, endpoint, price_input=0.1, price_output=0.1, **{limit: value})
        assert (summary.exit_code, summary.failed) == (4, 0)
        asked = len(endpoint.requests)
        assert 0 < asked <= {"max_requests": 20, "max_tokens_total": 3, "budget": 14}[limit]
        again = run(folder, tmp_path, endpoint)
    assert (again.exit_code, len(endpoint.requests)) == (0, DOCUMENTS)


def test_concurrency_changes_nothing_in_the_results(folder: Path, tmp_path: Path, clean: bytes) -> None:
    """Byte-equal at 1, 4 and 32."""
    for concurrency in (1, 32):
        with FakeEndpoint(ANSWER, latency=0.002) as endpoint:
            run(folder, tmp_path / str(concurrency), endpoint, concurrency=concurrency)
        assert (tmp_path / str(concurrency) / "results.jsonl").read_bytes() == clean


def test_renamed_and_reordered_documents_are_not_paid_again(tmp_path: Path) -> None:
    """59 and 78: the question is the text's; two copies are one call and two lines."""
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a", "b"):
        (source / f"{name}.txt").write_text("The minister condemned the attack.", encoding="utf-8")
    with FakeEndpoint(ANSWER) as endpoint:
        run(source, out, endpoint)
        (source / "a.txt").rename(source / "z.txt")
        summary = run(source, out, endpoint, api_key="sk-rotated-key-000000")
    assert len(endpoint.requests) == 1
    assert summary.missing == ["a.txt"]
    assert [json.loads(line)["document"]["id"] for line in (out / "results.jsonl").read_bytes().splitlines()] == [
        "b.txt",
        "z.txt",
    ]


async def test_the_asynchronous_iterator_gives_each_document_its_outcome(folder: Path) -> None:
    """In the order of the input; errors are outcomes, not ends."""
    from extractor import Document, Extraction, Extractor, errors

    documents = [Document(id=str(n), text=f"Marker-{n:02}: the minister condemned the attack.") for n in range(30)]
    with FakeEndpoint(one(faults.refusal())) as endpoint:
        async with Extractor(base_url=endpoint.base_url, model="m", cache=False, concurrency=3) as extractor:
            outcomes = [(document.id, type(outcome)) async for document, outcome in extractor.batch(documents)]
    assert outcomes == [(str(n), errors.Refused if n == 7 else Extraction) for n in range(30)]
