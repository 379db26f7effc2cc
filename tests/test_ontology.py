"""The ontology is data: complete, checked when it is loaded, and a mistake is told with file and line."""

from pathlib import Path

import pytest

from extractor.errors import OntologyError
from extractor.ontology import FOLDER, load_ontology

SOURCE = (FOLDER / "plover.v1.yaml").read_text(encoding="utf-8")


def test_scores_are_those_of_the_most_extreme_mode() -> None:
    """Else the type's own; quads come with the type."""
    plover = load_ontology("plover")
    assert plover.score("ASSAULT") == -9
    assert plover.score("ASSAULT", ["beat", "drone"]) == -9.5
    assert plover.score("CONSULT", ["third-party", "visit"]) == 4
    assert plover.score("RETREAT", ["resign", "disarm"]) == 10
    assert [plover.quad(name) for name in ("SUPPORT", "AID", "REJECT", "PROTEST")] == [1, 2, 3, 4]


def test_it_is_found_by_name_version_and_path(tmp_path: Path) -> None:
    """A copy that a user changed is another ontology, with another digest."""
    copy = tmp_path / "mine.yaml"
    copy.write_text(SOURCE.replace("id: plover", "id: mine"), encoding="utf-8")
    assert load_ontology("plover").ref == load_ontology("plover@1").ref == "plover@1"
    assert load_ontology(copy).ref == "mine@1"
    assert load_ontology(copy).digest != load_ontology("plover").digest


def test_wikidata_and_ends_of_predicates() -> None:
    """Properties where Wikidata has one; `any` stands for all entity types."""
    predicates = load_ontology("plover").predicates
    assert predicates["head_of_state"].wikidata == "P35" and predicates["hostile_to"].wikidata is None
    assert predicates["relative"].symmetric and not predicates["employer"].symmetric
    assert predicates["owned_by"].subject == frozenset(load_ontology("plover").entity_types)


MISTAKES = {
    "a key that is missing": (
        '    quad: 1\n    score: 2.5\n    definition: "Promises',
        '    score: 2.5\n    definition: "Promises',
        "'quad' is missing",
    ),
    "a key that is unknown": ("  AGREE:\n", "  AGREE:\n    colour: red\n", "unknown 'colour'"),
    "a name that is there twice": ("  GOV:", '  LEG: "x"\n  GOV:', "'LEG' is there twice"),
    "a score beyond the scale": (
        'score: -9.5, definition: "assassination',
        'score: -19.5, definition: "assassination',
        "between -10 and 10",
    ),
    "a score that is no number": ("    score: 5\n", "    score: five\n", "type float"),
    "a quad beyond four": ("    quad: 4\n    score: -5\n", "    quad: 5\n    score: -5\n", "a quad is"),
    "a property that is none": ("wikidata: P35,", "wikidata: Q35,", "like P39"),
    "an end of an unknown type": (
        'subject: [country], object: [person], definition: "the person is (or was)',
        'subject: [realm], object: [person], definition: "the person is (or was)',
        "'realm' is no entity type",
    ),
    "no YAML at all": ("id: plover", "id: [plover", "not valid YAML"),
    "a section that is gone": ("roles:", "rolls:", "'roles' is missing"),
}


@pytest.mark.parametrize(("before", "after", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_file_and_line(before: str, after: str, words: str, tmp_path: Path) -> None:
    """On one line, and what was expected."""
    assert before in SOURCE
    path = tmp_path / "mine.yaml"
    path.write_text(SOURCE.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(OntologyError, match=words) as caught:
        load_ontology(path)
    assert str(caught.value).startswith("mine.yaml:") and str(caught.value).split(":")[1].isdigit()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nosuch", "plover@9", "../plover", ""])
def test_an_unknown_name_is_told_with_those_that_exist(name: str) -> None:
    """Not a file outside the folder."""
    with pytest.raises(OntologyError, match="plover@1"):
        load_ontology(name)
