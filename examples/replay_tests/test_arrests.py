"""Tests of `arrests.py`: no network, no key."""

from pathlib import Path

import pytest
from arrests import count_arrests

TEXTS = Path(__file__).parent / "texts"
ANSWER = {
    "entities": [],
    "events": [
        {"evidence": "Police detained 14 dock workers", "trigger": "detained", "type": "COERCE", "modes": ["arrest"], "contexts": [],
         "actors": [], "recipients": [], "participants": [], "place": None, "time": None, "modality": "asserted", "source": None,
         "figures": [{"kind": "arrested", "value": "14"}]},
    ],
    "relations": [],
}  # fmt: skip


@pytest.mark.cassette("tbilisi")
def test_arrests_of_a_real_report_are_counted(cassette):
    """The recorded reply counts five organisers and more than a thousand people since last year."""
    assert count_arrests(TEXTS / "tbilisi.txt") == 1005


def test_a_scripted_answer_is_enough_for_a_rule(scripted_llm, tmp_path):
    """What counts is the figure of the event."""
    scripted_llm({"dock workers": ANSWER})
    (tmp_path / "report.txt").write_text("Police detained 14 dock workers in Mersa.", encoding="utf-8")
    assert count_arrests(tmp_path / "report.txt") == 14


def test_a_failing_endpoint_is_tried_again(fake_endpoint, monkeypatch, tmp_path):
    """Through real sockets on this machine."""
    from extractor.fake_faults import status

    endpoint = fake_endpoint([status(500), ANSWER])
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.base_url)
    monkeypatch.setenv("EXTRACTOR_CACHE", "false")
    (tmp_path / "report.txt").write_text("Police detained 14 dock workers in Mersa.", encoding="utf-8")
    assert count_arrests(tmp_path / "report.txt") == 14
    assert len(endpoint.requests) == 2
