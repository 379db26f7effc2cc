"""The seeds, through their recorded replies: every document done, every quote in its place, offline."""

import json
import re
from pathlib import Path

import pytest

from extractor import Extraction
from extractor.evaluation.evaluate import read_results
from extractor.runs.run import batch
from extractor.runs.summary import RunSummary


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    out = tmp_path_factory.mktemp("seeds") / "run"
    root = Path(__file__).parent.parent
    return out, batch(root / "seeds", out=out, replay=root / "cassettes", cache=False)


@pytest.fixture(scope="module")
def extractions(run: tuple[Path, RunSummary]) -> list[Extraction]:
    return list(read_results(run[0]))


def test_there_are_the_seeds_that_there_should_be(root: Path) -> None:
    """8 Persian, 7 Arabic, 4 English and another; of 1,500 to 6,000 characters, and one of 30,000."""
    index = json.loads((root / "seeds" / "index.json").read_text(encoding="utf-8"))
    texts = {item["id"]: (root / "seeds" / f"{item['id']}.txt").read_text(encoding="utf-8") for item in index}
    kinds = [item.get("variant", item["language"]) for item in index]
    assert (kinds.count("fa"), kinds.count("ar"), kinds.count("en") >= 4, kinds.count("prs"), kinds.count("ru")) == (
        8,
        7,
        True,
        1,
        1,
    )
    assert max(len(text) for text in texts.values()) >= 30_000
    assert all(1_500 <= len(text) <= 6_000 for text in texts.values() if len(text) < 30_000)
    assert all(texts[item["id"]].startswith(item["title"]) for item in index)


def test_every_seed_is_done(run: tuple[Path, RunSummary]) -> None:
    """None failed, none missing, in the order of the folder; nothing was called."""
    out, summary = run
    assert (summary.states, summary.exit_code, summary.calls) == ({"done": 22}, 0, 0)
    assert (out / "failures.jsonl").read_bytes() == b""
    names = [json.loads(line)["document"]["id"] for line in (out / "results.jsonl").read_bytes().splitlines()]
    assert names == sorted(names)


def test_every_quote_stands_where_it_is_said_to_stand(extractions: list[Extraction]) -> None:
    """`text[start:end]` is the quote, for evidence, triggers, times and names."""
    for extraction in extractions:
        text = extraction.document.text
        mentions = [m for e in extraction.entities for m in e.mentions]
        facts = [*extraction.events, *extraction.relations]
        mentions += (
            [f.evidence for f in facts]
            + [f.time.mention for f in facts if f.time]
            + [e.trigger for e in extraction.events if e.trigger]
        )
        assert all(text[m.span.start : m.span.end] == m.text for m in mentions)
        assert extraction.events and extraction.relations


def test_references_lead_to_entities_and_ids_are_unique(extractions: list[Extraction]) -> None:
    """No actor, place or source points nowhere."""
    for extraction in extractions:
        known = {entity.id for entity in extraction.entities}
        for event in extraction.events:
            assert {
                *event.actors,
                *event.recipients,
                *(p.entity for p in event.participants),
                *filter(None, (event.place, event.source)),
            } <= known
        assert all({r.subject, r.object} <= known for r in extraction.relations)
        ids = [item.id for item in (*extraction.entities, *extraction.events, *extraction.relations)]
        assert len(set(ids)) == len(ids)


def test_most_times_are_intervals_near_the_report(extractions: list[Extraction]) -> None:
    """Three in four resolve; none lies beyond two years after the report."""
    times = [(x.document.published, e.time) for x in extractions for e in x.events if e.time]
    resolved = [(published, time.interval) for published, time in times if time.interval]
    assert len(resolved) / len(times) > 0.7
    assert all(published is not None and interval.start.year <= published.year + 1 for published, interval in resolved)


def test_the_long_document_has_its_chunks_and_joined_entities(extractions: list[Extraction]) -> None:
    """Four requests; who is met in several chunks is one entity."""
    long = next(x for x in extractions if len(x.document.text) >= 30_000)
    assert (long.provenance.chunks, long.usage.requests) == (5, 5) or long.provenance.chunks == long.usage.requests == 4
    names = [entity.name_en for entity in long.entities]
    assert names.count("Israel") == 1 and names.count("Badr Albusaidi") == 1


def test_cassettes_hold_no_secret_and_name_their_origin(root: Path) -> None:
    """Header with model, day and origin; no key, header or host."""
    for path in (root / "cassettes").rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"api_key|Authorization|Bearer|\bsk-\w{12}|127\.0\.0\.1|localhost", text)
        if path.name != "_shared.json":
            header = json.loads(text)["header"]
            assert (
                header["model"]
                and header["recorded"]
                and "large language model behind a loopback endpoint" in header["note"]
            )
