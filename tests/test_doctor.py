"""What stands in the way of a run is told once."""

import asyncio
from pathlib import Path

from extractor.config import Settings
from extractor.doctor import check
from extractor.fake_endpoint import FakeEndpoint


def test_a_missing_key_is_told_once(tmp_path: Path) -> None:
    """What keeps every mode from being asked is one finding about the endpoint."""
    settings = Settings(api_key=None, base_url=None, replay=None, cache=False)
    endpoint = [f for f in asyncio.run(check(settings, ask=True)) if f.what.startswith("endpoint")]
    assert [(f.what, f.good, f.exit_code) for f in endpoint] == [("endpoint", False, 2)]
    assert "OPENAI_API_KEY" in endpoint[0].detail


def test_modes_that_differ_are_told_apart() -> None:
    """An endpoint that can do one of three ways is told of in three lines."""
    with FakeEndpoint('{"word": "ready"}', modes=("tools",)) as fake:
        settings = Settings(base_url=fake.base_url, cache=False)
        findings = asyncio.run(check(settings, ask=True))
    assert [f.what for f in findings if f.what.startswith("endpoint")] == [
        "endpoint, json_schema",
        "endpoint, tools",
        "endpoint, json",
    ]


def test_what_a_run_could_use_is_no_fault() -> None:
    """One mode where one is set; an answer in a fence."""
    fenced = '```json\n{"word": "ready"}\n```'
    with FakeEndpoint(fenced, modes=("json",)) as endpoint:
        settings = Settings(base_url=endpoint.base_url, cache=False, mode="json")
        findings = asyncio.run(check(settings, ask=True))
    assert [finding.what for finding in findings if finding.what.startswith("endpoint")] == ["endpoint, json"]
    assert all(finding.good for finding in findings), findings
