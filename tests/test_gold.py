"""Gold that is sound is scored against, by the document that it names; gold that is broken is refused before any figure."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_gold import EVENTS, TEXT, event, found, gold, write_gold

from extractor import errors
from extractor.evaluation.evaluate import (
    evaluate,
)
from extractor.evaluation.gold import check_gold, load_gold
from extractor.evaluation.gold_folder import GoldFolder
from extractor.llm.cassette import file_name
from extractor.models import Document
from extractor.ontology import load_ontology


def test_gold_is_checked_against_its_document() -> None:
    """Quotes that are not verbatim, unknown codes, dangling ids, ends that do not fit."""
    bad = [event("PRAISE", "thanked him", [9]), EVENTS[0] | {"modes": ["riot"]}]
    relations = [{"evidence": "met Sara Noury", "subject": 3, "predicate": "relative", "object": 2}]
    problems = "\n".join(check_gold(gold(bad, relations), TEXT, load_ontology("plover")))
    for words in (
        "'thanked him' is not verbatim",
        "'PRAISE' is not in the ontology",
        "no entity 9",
        "'riot'",
        "does not join place -> person",
    ):
        assert words in problems
    assert check_gold(gold(), TEXT, load_ontology("plover")) == []


def test_a_broken_gold_file_is_told_with_its_field(tmp_path: Path) -> None:
    """And a folder without gold too."""
    (tmp_path / "x.gold.json").write_text('{"document": "x", "events": [{"type": 1}]}', encoding="utf-8")
    with pytest.raises(errors.DocumentError, match=r"events\.0"):
        load_gold(tmp_path / "x.gold.json")
    with pytest.raises(errors.DocumentError, match=r"no \*.gold.json"):
        evaluate([], tmp_path / "nowhere")


def half(**days: str | None) -> dict[str, Any]:
    return {"events": [EVENTS[0] | {"time": {"text": "On Tuesday", "start": "2024-05-14", "end": None} | days}]}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "evidence that is not in the text": (
        {"events": [event("SUPPORT", "thanked him", [2])]},
        "d.gold.json: event 0: 'thanked him' is not verbatim",
    ),
    "a name that is not": (
        {"entities": [{"id": 1, "type": "person", "name": "Reza Karimi"}], "events": []},
        "entity 1: 'Reza Karimi' is not verbatim",
    ),
    "a time that is not": (
        {"events": half(text="On Monday", end="2024-05-14")["events"]},
        "'On Monday' is not verbatim",
    ),
    "a name of no letter": (
        {"entities": [{"id": 1, "type": "person", "name": " "}], "events": []},
        "entity 1: ' ' is not verbatim",
    ),
    "a trigger outside of its evidence": (
        {"events": [EVENTS[0] | {"trigger": "thanked"}]},
        "event 0: 'thanked' is not in its evidence",
    ),
    "an unknown type": ({"events": [EVENTS[0] | {"type": "PRAISE"}]}, "'PRAISE' is not in the ontology plover@1"),
    "an unknown mode": ({"events": [EVENTS[0] | {"modes": ["riot"]}]}, "event 0: 'riot' is not in the ontology"),
    "an unknown role": (
        {"events": [EVENTS[0] | {"arguable_parts": [{"role": "hero", "entity": 1}]}]},
        "event 0: 'hero' is not in the ontology",
    ),
    "an unknown predicate": (
        {"relations": [{"subject": 1, "predicate": "likes", "object": 2, "evidence": "thanked Karimi"}]},
        "relation 0: 'likes' is not in the ontology",
    ),
    "an entity that is not there": ({"events": [EVENTS[0] | {"source": 9}]}, "event 0: no entity 9"),
    "an id that is used twice": (
        {"entities": [{"id": 1, "type": "place", "name": "Mersa"}] * 2, "events": []},
        "entity id 1 is used twice",
    ),
    "half an interval": (half(), "event 0: the time has one of start and end"),
    "an interval that ends first": (half(end="2024-05-13"), "ends on 2024-05-13, before it starts on 2024-05-14"),
    "another document": ({"document": "e"}, "d.gold.json names the document 'e', expected 'd'"),
    "a field that is none": ({"colour": "red"}, "d.gold.json: colour: Extra inputs"),
}


@pytest.mark.parametrize(("change", "words"), BROKEN.values(), ids=BROKEN)
def test_broken_gold_is_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    """With the file, the item and what is wrong: a figure against it would mean nothing."""
    raw = gold().model_dump(mode="json") | change
    (tmp_path / "d.gold.json").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(errors.DocumentError) as caught:
        evaluate([found()], tmp_path)
    assert f"The gold in {tmp_path} has 1 mistake: " in str(caught.value) and words in str(caught.value)


def test_of_many_mistakes_a_few_are_listed(tmp_path: Path) -> None:
    """Those of all files together, and how many more there are."""
    write_gold(tmp_path, *"abcdefgh", events=[EVENTS[0] | {"type": "PRAISE"}])
    with pytest.raises(errors.DocumentError, match="has 8 mistakes") as caught:
        evaluate([], tmp_path)
    assert str(caught.value).count("'PRAISE'") == 5 and "; and 3 more." in str(caught.value)


def test_two_files_for_one_document_are_refused(tmp_path: Path) -> None:
    """With and without .txt is the same."""
    write_gold(tmp_path, "d")
    (tmp_path / "d.txt.gold.json").write_text(gold(document="d.txt").model_dump_json(), encoding="utf-8")
    with pytest.raises(
        errors.DocumentError, match=r"d\.txt\.gold\.json names the document 'd\.txt', as d\.gold\.json does"
    ):
        evaluate([], tmp_path)


def test_gold_is_checked_against_its_own_ontology(root: Path, tmp_path: Path) -> None:
    """A type that only another ontology has is no mistake under that one."""
    shipped = (root / "extractor/ontologies/plover.v1.yaml").read_text(encoding="utf-8")
    (tmp_path / "own.yaml").write_text(shipped.replace("  SUPPORT:", "  PRAISE:", 1), encoding="utf-8")
    write_gold(tmp_path, "d", events=[EVENTS[2] | {"type": "PRAISE"}])
    assert evaluate([found()], tmp_path, load_ontology(tmp_path / "own.yaml")).f1("events") is not None
    with pytest.raises(errors.DocumentError, match="PRAISE"):
        evaluate([found()], tmp_path)


@pytest.mark.parametrize("name", ["seeds", "tests/heldout", "tests/unread"])
def test_the_gold_of_the_repository_is_sound(name: str, root: Path) -> None:
    """All of it, and every file is of the document that it names."""
    place = root / name
    golds = GoldFolder.read(place, load_ontology("plover"))
    texts = [Document(id=path.name, text=path.read_text(encoding="utf-8")) for path in place.glob("*.txt")]
    fits = [fit for text in texts if (fit := golds.fit(text))]
    assert len(golds.settle(fits)) == len(golds.files) == len(texts) and all(fit.exact for fit in fits)


def test_gold_belongs_to_the_document_that_it_names(tmp_path: Path) -> None:
    """Not to another of the same name, whichever comes first; that one is told as without gold."""
    write_gold(tmp_path, "b/r.txt")
    both = [found(document="a/r.txt"), found(EVENTS[:1], document="b/r.txt")]
    for run in (both, both[::-1]):
        evaluated = evaluate(run, tmp_path)
        assert [card.document for card in evaluated.cards] == ["b/r.txt"]
        assert (evaluated.without_gold, evaluated.absent) == (("a/r.txt",), ())
    assert evaluate(both[:1], tmp_path).absent == ("r",)


def test_gold_that_fits_two_documents_is_refused(tmp_path: Path) -> None:
    """A bare name may be of either; of one alone it is enough."""
    write_gold(tmp_path, "r")
    both = [found(document="a/r.txt"), found(document="b/r.txt")]
    with pytest.raises(
        errors.DocumentError, match=r"r\.gold\.json fits 2 documents, such as 'a/r\.txt' and 'b/r\.txt'"
    ):
        evaluate(both, tmp_path)
    assert evaluate(both[1:], tmp_path).f1("events") == 1.0


def test_gold_that_was_imported_is_found(tmp_path: Path) -> None:
    """`import-gold` names files so that they are safe in any folder; the document stands in them."""
    (tmp_path / f"{file_name('a/r.txt')}.gold.json").write_text(
        gold(document="a/r.txt").model_dump_json(), encoding="utf-8"
    )
    assert evaluate([found(document="a/r.txt")], tmp_path).f1("events") == 1.0
