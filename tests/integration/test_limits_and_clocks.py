"""What waits is not late, what is not asked proves nothing, and what was paid counts: limits over every start of a run."""

from pathlib import Path
from typing import Any

import pytest

from extractor import fake_faults as faults
from extractor.fake_endpoint import FakeEndpoint
from extractor.models import Document
from extractor.runs.entries import entries_of
from extractor.runs.run import batch

EMPTY = {"entities": [], "events": [], "relations": []}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def documents(number: int) -> list[Document]:
    return [Document(id=f"d{n:03}", text=f"Report {n} of a meeting in Mersa.") for n in range(number)]


def test_who_waits_for_the_pace_is_not_late(tmp_path: Path) -> None:
    """Twelve documents at one in 0.3 s take longer than the limit of any of them."""
    with FakeEndpoint(EMPTY) as endpoint:
        found = batch(documents(12), out=tmp_path / "run", base_url=endpoint.base_url, rpm=200, document_timeout=1.0)
    assert found.states == {"empty": 12}


def test_a_pause_is_no_failed_document(tmp_path: Path) -> None:
    """A rate limit of a second, against a limit of less for a document."""
    limited = faults.status(429, "slow down", headers={"Retry-After": "1"})
    with FakeEndpoint({"Report 0 ": [limited, EMPTY], "": EMPTY}) as endpoint:
        found = batch(documents(4), out=tmp_path / "run", base_url=endpoint.base_url, document_timeout=0.7)
    assert found.states == {"empty": 4}


def test_an_endpoint_that_is_down_is_not_excused_by_the_cache(tmp_path: Path) -> None:
    """Replies that are kept say nothing of it: what has none stays pending."""
    everything = documents(60)
    settings: dict[str, Any] = {"cache_dir": tmp_path / "cache", "patience": 0.0, "attempts": 1}
    with FakeEndpoint(EMPTY) as endpoint:
        batch(everything[::2], out=tmp_path / "half", base_url=endpoint.base_url, **settings)
    found = batch(everything, out=tmp_path / "run", base_url=endpoint.base_url, concurrency=4, **settings)
    assert found.exit_code == 4
    assert found.failed == 0 and found.states["pending"] >= 30 and sum(found.states.values()) == 60


def test_equal_texts_over_a_limit_leave_nothing_pending(tmp_path: Path) -> None:
    """The call that is cut for the one is made again for the other."""
    twice = [Document(id=name, text="The same report of a meeting.") for name in ("a", "b")] + documents(3)
    with FakeEndpoint({"The same report": faults.slow(3.0, EMPTY), "": EMPTY}) as endpoint:
        found = batch(twice, out=tmp_path / "run", base_url=endpoint.base_url, concurrency=1, document_timeout=1.0)
    assert found.states.get("pending", 0) == 0 and found.states["empty"] == 3


def test_a_limit_that_a_later_start_sets_holds_for_earlier_ones(tmp_path: Path) -> None:
    """Ten were asked without one: ten more is one too many under nineteen."""
    with FakeEndpoint(EMPTY) as endpoint:
        batch(documents(10), out=tmp_path / "run", base_url=endpoint.base_url)
        found = batch(documents(30), out=tmp_path / "run", base_url=endpoint.base_url, max_requests=19)
        assert found.stopped
        assert len(endpoint.requests) == 19


def test_refusals_are_paid_for_and_count(tmp_path: Path) -> None:
    """By the endpoint's own count."""
    with FakeEndpoint(faults.refusal()) as endpoint:
        found = batch(
            documents(60), out=tmp_path / "run", base_url=endpoint.base_url, max_tokens_total=60_000, concurrency=1
        )
        assert 0 < len(endpoint.requests) < 30
    assert 0 < found.spent_tokens <= 60_000 + 10_000


def test_documents_in_memory_have_keys_of_their_own() -> None:
    """Also where an id looks like a numbered one."""
    ids = ("a", "a", "a#2", "a")
    keys = [entry.key for entry in entries_of([Document(id=name, text="x") for name in ids])]
    assert len(set(keys)) == len(ids)
