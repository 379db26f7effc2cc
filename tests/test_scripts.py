"""The scripts that make and use gold: adjudication by one rule, and what planted instructions did."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from extractor import extract
from extractor.evaluation.gold import Gold, check_gold, load_gold
from extractor.llm.scripted import ScriptedLLM
from extractor.models import Document
from extractor.ontology import load_ontology

ROOT = Path(__file__).parent.parent
TEXT = "Police detained 14 dock workers in Mersa on Tuesday. The union condemned the arrests."


@pytest.fixture(scope="module")
def adjudicate(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("adjudicate")


def annotation(who: str, *, first: int = 1, **event: Any) -> Gold:
    """Police, workers and a union, numbered from `first`; one event of detention, and one of the union's."""
    names = (("government_body", "Police"), ("group", "14 dock workers"), ("organization", "union"))
    entities = [{"id": first + n, "type": kind, "name": name} for n, (kind, name) in enumerate(names)]
    detained = {
        "type": "COERCE", "modes": ["arrest"], "actors": [first], "recipients": [first + 1], "trigger": "detained",
        "evidence": "Police detained 14 dock workers", "time": {"text": "on Tuesday", "start": "2024-05-14", "end": "2024-05-14"},
    }  # fmt: skip
    return Gold.model_validate_json(json.dumps({
        "document": "d", "annotators": [who], "entities": entities, "events": [detained | event], "relations": [],
    }))  # fmt: skip


def joined(adjudicate: ModuleType, a: Gold, b: Gold, decisions: dict[str, Any] | None = None) -> Gold:
    gold: Gold = adjudicate.adjudicated(a, b, Document(id="d", text=TEXT), decisions or {})
    assert check_gold(gold, TEXT, load_ontology("plover")) == []
    return gold


def test_what_both_annotators_say_is_gold_whatever_their_numbers(adjudicate: ModuleType) -> None:
    """Nothing of it is optional or arguable."""
    gold = joined(adjudicate, annotation("A"), annotation("B", first=7))
    assert [(e.name, e.optional) for e in gold.entities] == [
        ("Police", False),
        ("14 dock workers", False),
        ("union", False),
    ]
    (event,) = gold.events
    assert (event.optional, event.arguable, event.arguable_parts) == (False, (), ())
    assert (event.actors, event.recipients) == ((1,), (2,))


def test_what_they_differ_on_within_an_event_is_arguable(adjudicate: ModuleType) -> None:
    """Modes, day, source and arguments: neither demanded nor punished; a decision settles a field."""
    other = annotation("B", modes=[], time=None, source=3, recipients=[])
    gold = joined(adjudicate, annotation("A"), other)
    (event,) = gold.events
    assert set(event.arguable) == {"modes", "time", "source"}
    assert [(part.role, part.entity) for part in event.arguable_parts] == [("recipient", 2)]
    settled = joined(adjudicate, annotation("A"), other, {"Police detained 14 dock workers": {"source": 3}})
    assert (settled.events[0].source, set(settled.events[0].arguable)) == (3, {"modes", "time"})


def test_what_only_one_of_them_has_is_optional(adjudicate: ModuleType) -> None:
    """An event, and an entity: found or not, it counts for nothing."""
    more = annotation("B").model_dump(mode="json")
    more["entities"].append({"id": 4, "type": "place", "name": "Mersa"})
    more["events"].append({
        "type": "ACCUSE", "actors": [3], "trigger": "condemned", "evidence": "The union condemned the arrests",
    })  # fmt: skip
    gold = joined(adjudicate, annotation("A"), Gold.model_validate_json(json.dumps(more)))
    assert [(e.name, e.optional) for e in gold.entities][-1] == ("Mersa", True)
    assert [(e.type, e.optional) for e in gold.events] == [("COERCE", False), ("ACCUSE", True)]


def test_everything_is_demanded_where_annotators_are_compared(adjudicate: ModuleType) -> None:
    """Optional and arguable items of an annotator count like all others; an annotator agrees with himself wholly."""
    document, mine = Document(id="d", text=TEXT), annotation("A")
    theirs = annotation("B", optional=True, arguable=["type", "modes"], type="ASSAULT", modes=[])
    facts = adjudicate.demanded(adjudicate.facts_of_gold(mine, document))
    counts = adjudicate.held_against(facts, theirs, document).counts
    assert (counts["events"].hits, counts["typed"].misses, counts["modes"].inventions) == (1, 1, 1)
    alike = adjudicate.held_against(facts, mine, document)
    assert {count.f1 for count in alike.counts.values()} <= {1.0, None} and alike.slips == []


def test_planted_says_that_a_run_is_of_other_documents(
    script: Callable[[str], ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message with the document and exit code 2, and no traceback; the same for a file that is not there."""
    planted = script("planted")
    answer = {"entities": [], "events": [], "relations": []}
    extraction = extract(Document(id="else.txt", text=TEXT), llm=ScriptedLLM(lambda r: answer))
    (tmp_path / "results.jsonl").write_text(extraction.model_dump_json() + "\n", encoding="utf-8")
    assert planted.main(str(tmp_path)) == 2
    assert "Nothing is expected of 'else.txt'" in capsys.readouterr().err
    assert planted.main(str(tmp_path), str(tmp_path / "nowhere.json")) == 2
    assert "Cannot read what is expected" in capsys.readouterr().err


def test_the_gold_of_the_seeds_is_what_the_rule_makes_of_both_annotations(adjudicate: ModuleType) -> None:
    """No gold file was changed by hand, and each passes the check against its text."""
    folder, index = ROOT / "seeds", json.loads((ROOT / "seeds/index.json").read_text(encoding="utf-8"))
    decisions_file = folder / "annotations/decisions.json"
    decisions = json.loads(decisions_file.read_text(encoding="utf-8")) if decisions_file.exists() else {}
    for item in index:
        a, b = (load_gold(folder / "annotations" / who / f"{item['id']}.gold.json") for who in "AB")
        text = (folder / f"{item['id']}.txt").read_text(encoding="utf-8")
        gold = adjudicate.adjudicated(a, b, Document(id=item["id"], text=text), decisions.get(item["id"], {}))
        path = folder / f"{item['id']}.gold.json"
        assert path.read_text(encoding="utf-8") == adjudicate.written(gold), path.name
        assert check_gold(load_gold(path), text, load_ontology("plover")) == []
        published = date.fromisoformat(item["published"])
        days = [event.time.start for event in gold.events if event.time and event.time.start]
        assert all(abs((day - published).days) < 40 * 366 for day in days)
