"""The rows of the fault matrix that need more than sixty plain documents: odd answers, dying processes, clocks and keys."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from faulty_runs import ANSWER, COMMAND, EVENT

from extractor import Document, extract
from extractor import fake_faults as faults
from extractor.config import load_settings
from extractor.fake_endpoint import FakeEndpoint
from extractor.runs.run import batch
from extractor.runs.summary import RunSummary


def make(folder: Path, number: int, text: str = "the minister condemned the attack.") -> Path:
    folder.mkdir(exist_ok=True)
    for n in range(number):
        (folder / f"d{n:02}.txt").write_text(f"Marker-{n:02}: {text}", encoding="utf-8")
    return folder


def run(folder: Path, out: Path, endpoint: FakeEndpoint, **settings: Any) -> RunSummary:
    given = {
        "base_url": endpoint.base_url,
        "concurrency": 4,
        "attempts": 3,
        "retry_wait": 0.005,
        "patience": 0.0,
        "cache_dir": out / "cache",
    }
    return batch(folder, out=out, **(given | settings))


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "results.jsonl").read_bytes().split(b"\n") if line]


def test_a_healthy_run_and_the_same_again(tmp_path: Path) -> None:
    """1 and 2: sixty calls with their counts; then none at all."""
    folder = make(tmp_path / "in", 60)
    with FakeEndpoint(ANSWER) as endpoint:
        first = run(folder, tmp_path / "run", endpoint)
        again = run(folder, tmp_path / "run", endpoint)
    assert (first.states, first.calls, first.events, len(endpoint.requests)) == ({"done": 60}, 60, 60, 60)
    assert (again.states, again.calls, again.skipped) == ({"done": 60}, 0, 60)


def test_a_request_that_is_too_long_is_halved_and_never_repeated(tmp_path: Path) -> None:
    """12: refused whole, taken in parts; one that cannot be halved fails alone, with what was refused."""
    folder = make(tmp_path / "in", 6)
    (folder / "long.txt").write_text("Marker-long. " + "The minister condemned the attack. " * 60, encoding="utf-8")

    def answer(asked: dict[str, Any]) -> Any:
        text = asked["messages"][1]["content"]
        if "Marker-03" in text or len(text) > 1600:
            return faults.status(
                400, "This model's maximum context length is 100 tokens", error_code="context_length_exceeded"
            )
        return ANSWER

    with FakeEndpoint(answer) as endpoint:
        summary = run(folder, tmp_path / "run", endpoint)
        bodies = [request.body for request in endpoint.requests]
    assert (summary.states, summary.exit_code) == ({"done": 6, "failed": 1}, 3) and summary.splits >= 1
    assert len(bodies) == len(set(bodies)), "no request was sent twice"
    assert "maximum context" in (tmp_path / "run/failures.jsonl").read_text()


def test_a_whole_answer_at_the_length_limit_counts_as_cut(tmp_path: Path) -> None:
    """27: closed JSON under finish_reason=length is not trusted; the text is asked about in halves."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("The minister condemned the attack. " * 60, encoding="utf-8")
    with FakeEndpoint([faults.cut_at_length(ANSWER), ANSWER]) as endpoint:
        summary = run(tmp_path / "in", tmp_path / "run", endpoint)
    assert (summary.states, summary.splits, len(endpoint.requests)) == ({"done": 1}, 1, 3)


def test_two_answers_in_one_are_no_answer(tmp_path: Path) -> None:
    """36: two fenced objects are asked for once more, and then fail; neither is picked."""
    two = f"```json\n{json.dumps(ANSWER)}\n```\nor\n```json\n{json.dumps({**ANSWER, 'events': []})}\n```"
    with FakeEndpoint(two) as endpoint:
        summary = run(make(tmp_path / "in", 1), tmp_path / "run", endpoint)
    assert (summary.states, summary.exit_code, len(endpoint.requests)) == ({"failed": 1}, 3, 2)


@pytest.mark.parametrize("when", ["2021", "1400", "0", "86400", "20240101", "Q3 2021", "1403/02/14", "12"])
def test_numbers_do_not_become_days_of_1970(when: str) -> None:
    """38: years and bare numbers are the days they name, or none."""
    text = f"In {when} the minister condemned the attack."
    found = extract(
        Document(id="d", text=text, published=date(2024, 5, 21), language="en"),
        llm=_Says({**ANSWER, "events": [{**EVENT, "time": when}]}),
    )
    interval = found.events[0].time.interval if found.events[0].time else None
    assert interval is None or interval.start.year >= 2000


class _Says:
    """One answer for all."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    async def complete(self, request: Any) -> Any:
        from extractor.llm.base import Reply

        return Reply(json.dumps(self.answer, ensure_ascii=True))

    def forget(self, request: Any) -> None: ...

    async def aclose(self) -> None: ...


def test_what_is_not_in_the_text_is_left_out_and_counted(tmp_path: Path) -> None:
    """39: one call each; the invented half stands among the rejections by its reason, and in the summary."""
    invented = {**EVENT, "evidence": "the president bombed the harbour", "trigger": "bombed", "type": "ASSAULT"}
    with FakeEndpoint({**ANSWER, "events": [EVENT, invented]}) as endpoint:
        summary = run(make(tmp_path / "in", 10), tmp_path / "run", endpoint)
    assert (summary.events, summary.rejections, summary.calls, summary.exit_code) == (10, {"not_in_text": 10}, 10, 0)


ODD = {"surrogate": "\ud83d", "NUL": "\x00", "line separator": "\u2028", "override": "\u202e", "next line": "\x85"}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_odd_characters_in_answers_leave_the_files_whole(odd: str, tmp_path: Path) -> None:
    """40: whatever comes of the document, each line of the results is one JSON object, in valid UTF-8."""
    answer = {**ANSWER, "entities": [{"id": 1, "type": "person", "name": f"min{odd}ister", "aliases": [odd], "name_en": f"A{odd}B",
                                      "country": None, "sector": None}]}  # fmt: skip
    text = json.dumps(answer, ensure_ascii=True)
    with FakeEndpoint({"Marker-01": text, "": ANSWER}) as endpoint:
        summary = run(make(tmp_path / "in", 3), tmp_path / "run", endpoint)
    assert summary.exit_code in (0, 3) and sum(summary.states.values()) == 3
    raw = (tmp_path / "run/results.jsonl").read_bytes().decode("utf-8")
    assert len(raw.splitlines()) == len(lines(tmp_path / "run")) == summary.states["done"]


def test_an_endpoint_that_ignores_the_schema_is_found_out(tmp_path: Path) -> None:
    """43: answers of another shape fail with what was wrong, one repair each and no more; none counts as empty."""
    with FakeEndpoint('{"summary": "The minister spoke."}') as endpoint:
        summary = run(make(tmp_path / "in", 5), tmp_path / "run", endpoint)
    assert (summary.states, summary.exit_code, len(endpoint.requests)) == ({"failed": 5}, 3, 10)
    assert "Unreadable" in (tmp_path / "run/failures.jsonl").read_text()


def test_a_document_that_kills_the_process_fails_alone_in_the_end(tmp_path: Path) -> None:
    """51: started again and again, the run gets past it; it is told as what it is."""
    folder = make(tmp_path / "in", 6)
    code = (
        "import os, sys\nfrom extractor import pipeline\nwhole = pipeline.chunk_text\n"
        "def deadly(text, **sizes):\n    if 'Marker-03' in text:\n        os._exit(9)\n    return whole(text, **sizes)\n"
        "pipeline.chunk_text = deadly\nfrom extractor.cli import main\nmain()"
    )
    with FakeEndpoint(ANSWER) as endpoint:
        env = os.environ | {"OPENAI_BASE_URL": endpoint.base_url, "EXTRACTOR_CACHE_DIR": str(tmp_path / "cache")}
        command = [sys.executable, "-c", code, "batch", str(folder), "--out", str(tmp_path / "run"), "--no-report"]
        codes: list[int] = []
        while (not codes or codes[-1] == 9) and len(codes) < 15:
            codes.append(subprocess.run(command, env=env, capture_output=True, check=False).returncode)
    assert codes[-1] == 3 and codes.count(9) >= 5, codes
    failed = [json.loads(line) for line in (tmp_path / "run/failures.jsonl").read_text().splitlines()]
    assert [one["document"] for one in failed] == ["d03.txt"] and "died 5 times" in failed[0]["message"]
    assert len(lines(tmp_path / "run")) == 5


def test_a_document_that_failed_often_is_not_taken_for_one_that_kills(tmp_path: Path) -> None:
    """Tried again and again, it fails each time for what it failed of."""
    folder = make(tmp_path / "in", 1)
    with FakeEndpoint(faults.content_filter(ANSWER)) as endpoint:
        for _ in range(7):
            run(folder, tmp_path / "run", endpoint, retry_failed=True)
    assert len(endpoint.requests) == 7
    assert json.loads((tmp_path / "run/failures.jsonl").read_text())["class"] == "ContentFiltered"


def test_results_cut_at_any_byte_are_made_whole_without_a_call(tmp_path: Path) -> None:
    """55: wherever the file ends, the next start brings it back, byte for byte."""
    folder, out = make(tmp_path / "in", 3), tmp_path / "run"
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, out, endpoint)
        whole = (out / "results.jsonl").read_bytes()
        for end in range(0, len(whole), max(1, len(whole) // 40)):
            (out / "results.jsonl").write_bytes(whole[:end])
            summary = run(folder, out, endpoint)
            assert (out / "results.jsonl").read_bytes() == whole, f"cut at byte {end}"
            assert summary.dropped_bytes == end - (whole[:end].rfind(b"\n") + 1)
        assert len(endpoint.requests) == 3


def test_one_document_from_twenty_threads_is_one_call(tmp_path: Path) -> None:
    """57: equal requests at the same moment share a reply."""
    with FakeEndpoint(ANSWER, latency=0.2) as endpoint:
        settings = load_settings(base_url=endpoint.base_url, cache_dir=tmp_path / "cache")
        ready = threading.Barrier(20)

        def one(_: int) -> int:
            ready.wait()
            return len(extract("The minister condemned the attack.", settings=settings).events)

        with ThreadPoolExecutor(20) as pool:
            assert list(pool.map(one, range(20))) == [1] * 20
    assert len(endpoint.requests) == 1


def test_another_key_does_not_make_another_question(tmp_path: Path) -> None:
    """58: keys rotate; what was paid for under the old one is not paid again."""
    folder = make(tmp_path / "in", 5)
    with FakeEndpoint(ANSWER) as endpoint:
        run(folder, tmp_path / "run", endpoint, api_key="sk-the-old-one")
        (folder / "d99.txt").write_text("Marker-99: the minister condemned the attack.")
        run(folder, tmp_path / "run", endpoint, api_key="sk-the-new-one")
        run(folder, tmp_path / "other", endpoint, api_key="sk-the-new-one", cache_dir=tmp_path / "run/cache")
    assert len(endpoint.requests) == 6


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_clock_that_jumps_stops_nothing(jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """62: waits are measured on the monotonic clock; the day's clock may be set back or forth in the middle of a pause."""
    began = time.time()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + (jump if real() - began > 0.1 else 0.0))
    with FakeEndpoint({"Marker-01": [faults.rate_limited("0.3"), ANSWER], "": ANSWER}, latency=0.02) as endpoint:
        summary = run(make(tmp_path / "in", 20), tmp_path / "run", endpoint)
    assert (summary.states, summary.exit_code) == ({"done": 20}, 0), summary


WORST: dict[str, Any] = {
    "entities": [
        {"id": 1, "type": "person", "name": "minister", "aliases": ["<script>alert(1)</script>"], "name_en": "=HYPERLINK(\"http://x\")",
         "country": "../", "sector": "GOV"},
        {"id": 1, "type": "person", "name": "minister", "aliases": [], "name_en": "\x1b[2J", "country": None, "sector": None},
    ],
    "events": [{**EVENT, "actors": [1, 2, 99], "source": 98}] * 400,
    "relations": [{"evidence": "condemned", "subject": 1, "predicate": "relative", "object": 1, "time": None, "modality": "asserted", "source": None}],
}  # fmt: skip


def test_the_worst_answer_that_is_valid_does_no_harm(tmp_path: Path) -> None:
    """64: markup, formulas, escapes, paths, hundreds of facts out of one sentence: kept out, counted, and inert in every output."""
    folder = make(tmp_path / "in", 3)
    with FakeEndpoint(WORST) as endpoint:
        env = os.environ | {"OPENAI_BASE_URL": endpoint.base_url, "EXTRACTOR_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [*COMMAND, str(folder), "--out", str(tmp_path / "run"), "--format", "csv"],
            env=env,
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0 and b"\x1b" not in done.stderr, done.stderr
    kept = lines(tmp_path / "run")
    assert all(len(one["events"]) <= 21 for one in kept)
    reasons = {rejection["reason"] for one in kept for rejection in one["rejections"]}
    assert {"over_limit", "unknown_entity", "duplicate_id", "same_entity", "not_iso3"} <= reasons
    assert "<script>alert(1)" not in (tmp_path / "run/report.html").read_text(encoding="utf-8")
    tables = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "run").rglob("*.csv"))
    assert "HYPERLINK" in tables and ",=HYPERLINK" not in tables and '"=HYPERLINK' not in tables


def test_a_refused_connection_leaves_all_pending_and_names_the_place(tmp_path: Path) -> None:
    """19: exit 4, host and port in the message."""
    with FakeEndpoint(ANSWER) as endpoint:
        pass
    summary = run(make(tmp_path / "in", 6), tmp_path / "run", endpoint)
    assert (summary.states, summary.exit_code) == ({"pending": 6}, 4)
    assert f"127.0.0.1:{endpoint.port}" in str(summary.stopped)


@pytest.fixture(autouse=True)
def _no_loop_is_left() -> Iterator[None]:
    yield
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
