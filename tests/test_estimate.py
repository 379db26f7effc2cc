"""What a run would come to, told without a call."""

from pathlib import Path
from typing import Any

import pytest

from extractor.api import Extractor
from extractor.fake_endpoint import FakeEndpoint
from extractor.runs.estimate import estimate
from extractor.runs.reading.walking import SourceOptions
from extractor.runs.run import batch

LONG = "The minister met the ambassador in Mersa on Tuesday. " * 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A short report, one of several chunks, and a file that nobody can read."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("The minister met the ambassador.", encoding="utf-8")
    (tmp_path / "in/b.txt").write_text(LONG, encoding="utf-8")
    (tmp_path / "in/c.txt").write_bytes(b"\x00\x01\x02" * 100)
    return tmp_path / "in"


@pytest.mark.parametrize("passes", [1, 3])
def test_a_dry_run_tells_the_requests_that_the_run_then_makes(folder: Path, passes: int) -> None:
    """Chunks and passes both count; the run asks just so often, and the dry run not at all."""
    with FakeEndpoint({"entities": [], "events": [], "relations": []}) as endpoint:
        given: dict[str, Any] = {
            "base_url": endpoint.base_url, "chunk_size": 1000, "chunk_overlap": 100, "passes": passes, "cache": False
        }  # fmt: skip
        told = estimate(folder, Extractor(**given), SourceOptions())
        assert endpoint.requests == []
        summary = batch(folder, out=folder.parent / "run", **given)
        asked = len(endpoint.requests)
    assert (told.documents, told.unreadable, told.requests) == (2, 1, asked) and asked == summary.calls > 4 * passes


def test_a_price_makes_a_cost_of_it_and_passes_multiply_it(folder: Path) -> None:
    """Money in the currency of the prices, per million tokens."""
    priced: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "price_input": 1.0, "price_output": 2.0}
    one = estimate(folder, Extractor(**priced), SourceOptions())
    three = estimate(folder, Extractor(**priced, passes=3), SourceOptions())
    assert one.cost == pytest.approx((one.prompt_tokens + 2 * one.completion_tokens) / 1e6)
    assert three.cost == pytest.approx(3 * one.cost, rel=1e-3)
