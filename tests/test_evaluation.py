"""Scores count what was found, missed and invented; optional items count for nothing; one thing matches one thing."""

import json
from pathlib import Path
from typing import Any

import pytest

from extractor import Extraction, errors, extract
from extractor.evaluation.evaluate import Evaluation, evaluate, score_document, write_json
from extractor.evaluation.gold import Gold, check_gold, load_gold
from extractor.evaluation.matching import match
from extractor.evaluation.render import confusion_sheet, html_page, main_sheet, markdown, sheets, unmet
from extractor.evaluation.scores import ASPECTS, Card, total
from extractor.llm.scripted import ScriptedLLM
from extractor.models import Document
from extractor.ontology import load_ontology
from extractor.prices import Price

TEXT = "On Tuesday Ali Karimi met Sara Noury in Mersa. He condemned the attack by the Dawn Front. Noury thanked Karimi and resigned."
NAMES = ["Ali Karimi", "Sara Noury", "Mersa", "Dawn Front"]
TYPES = ["person", "person", "place", "armed_group"]
BLANK: dict[str, Any] = {
    "modes": [],
    "contexts": [],
    "recipients": [],
    "participants": [],
    "place": None,
    "time": None,
    "modality": "asserted",
    "source": None,
}


def event(type: str, evidence: str, actors: list[int], **more: Any) -> dict[str, Any]:
    return BLANK | {"type": type, "evidence": evidence, "trigger": evidence.split()[0], "actors": actors} | more


EVENTS = [
    event("CONSULT", "met Sara Noury in Mersa", [1], recipients=[2], place=3, modes=["visit"]),
    event("ACCUSE", "condemned the attack by the Dawn Front", [1], recipients=[4]),
    event("SUPPORT", "thanked Karimi", [2], recipients=[1]),
]


def gold(events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None) -> Gold:
    entities = [{"id": n, "type": t, "name": name} for n, (t, name) in enumerate(zip(TYPES, NAMES, strict=True), 1)]
    raw = {"document": "d", "entities": entities, "events": events, "relations": relations or []}
    return Gold.model_validate_json(json.dumps(raw))


def found(events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None) -> Extraction:
    entities = [
        {"id": n, "type": t, "name": name, "aliases": [], "name_en": None, "country": None, "sector": None}
        for n, (t, name) in enumerate(zip(TYPES, NAMES, strict=True), 1)
    ]
    full = [e | {"figures": [], "time": e["time"]["text"] if e["time"] else None} for e in events]
    for item in full:
        item.pop("optional", None)
    answer = {"entities": entities, "events": full, "relations": relations or []}
    return extract(Document(id="d", text=TEXT), published="2024-05-16", llm=ScriptedLLM(lambda r: answer))


def card(events: list[dict[str, Any]], wanted: list[dict[str, Any]] = EVENTS, **more: Any) -> Card:
    return score_document(found(events, more.get("relations")), gold(wanted, more.get("gold_relations")), {"relative"})


def test_the_same_is_perfect() -> None:
    """Every aspect that has anything in it is 1."""
    scored = card(EVENTS)
    assert {count.f1 for count in scored.counts.values()} <= {1.0, None}
    assert scored.slips == []


def test_a_missed_event_takes_its_arguments_with_it() -> None:
    """Recall falls, precision stays."""
    counts = card(EVENTS[:2]).counts
    assert (counts["events"].hits, counts["events"].misses, counts["events"].inventions) == (2, 1, 0)
    assert (counts["arguments"].misses, counts["arguments"].inventions) == (2, 0)


def test_an_invented_event_brings_its_arguments() -> None:
    """Precision falls, recall stays."""
    counts = card([*EVENTS, event("RETREAT", "resigned", [2])]).counts
    assert (counts["events"].hits, counts["events"].inventions) == (3, 1)
    assert counts["arguments"].inventions == 1


def test_a_wrong_type_is_found_but_not_typed() -> None:
    """And stands in the confusion table."""
    scored = card([EVENTS[0], EVENTS[1] | {"type": "REJECT"}, EVENTS[2]])
    assert (scored.counts["events"].f1, round(scored.counts["typed"].f1 or 0, 3)) == (1.0, 0.667)
    assert scored.confusion["ACCUSE", "REJECT"] == 1


def test_a_wrong_argument_is_an_invention_and_a_miss() -> None:
    """By role."""
    scored = card([EVENTS[0] | {"recipients": [4]}, *EVENTS[1:]])
    assert (
        scored.by_role["recipient"].hits,
        scored.by_role["recipient"].inventions,
        scored.by_role["recipient"].misses,
    ) == (2, 1, 1)


def test_optional_items_are_neither_rewarded_nor_punished() -> None:
    """Found or not, the score is the same."""
    wanted = [*EVENTS[:2], EVENTS[2] | {"optional": True}]
    for events in (EVENTS, EVENTS[:2]):
        counts = card(events, wanted).counts
        assert (counts["events"].f1, counts["arguments"].f1) == (1.0, 1.0)


def test_what_is_arguable_within_an_event_is_neither_rewarded_nor_punished() -> None:
    """A type, a source or an argument on which fair coders differ: given or not, no figure changes."""
    arguable = {
        "arguable": ["type", "modes", "source"],
        "arguable_parts": [{"role": "place", "entity": 3}, {"role": "topic", "entity": 4}],
    }
    wanted = [EVENTS[0] | arguable, *EVENTS[1:]]
    fewer = card([event("SUPPORT", "met Sara Noury in Mersa", [1], recipients=[2], source=4), *EVENTS[1:]], wanted)
    assert {count.f1 for count in fewer.counts.values()} <= {1.0, None}
    more = card([EVENTS[0] | {"participants": [{"role": "topic", "entity": 4}]}, *EVENTS[1:]], wanted)
    assert {count.f1 for count in more.counts.values()} <= {1.0, None}
    assert card(EVENTS[1:], wanted).counts["arguments"].misses == 2, "missed whole, it takes its firm arguments with it"


def test_dates_count_by_interval() -> None:
    """A wrong day is both an invention and a miss."""
    right = {"text": "On Tuesday", "start": "2024-05-14", "end": "2024-05-14"}
    wrong = right | {"start": "2024-05-07", "end": "2024-05-07"}
    timed = [EVENTS[0] | {"time": right}, *EVENTS[1:]]
    assert card(timed, timed).counts["dates"].f1 == 1.0
    counts = card(timed, [EVENTS[0] | {"time": wrong}, *EVENTS[1:]]).counts["dates"]
    assert (counts.hits, counts.inventions, counts.misses) == (0, 1, 1)


def test_symmetric_relations_match_either_way() -> None:
    """Others do not."""
    link = {
        "evidence": "met Sara Noury",
        "subject": 1,
        "predicate": "relative",
        "object": 2,
        "time": None,
        "modality": "asserted",
        "source": None,
    }
    turned = link | {"subject": 2, "object": 1}
    assert card(EVENTS, relations=[link], gold_relations=[turned]).counts["relations"].f1 == 1.0
    assert score_document(found(EVENTS, [link]), gold(EVENTS, [turned]), set()).counts["relations"].f1 == 0.0


def test_matching_is_optimal_not_greedy() -> None:
    """The best pair is given up where two good ones are worth more."""
    table = {("a", "x"): 3.0, ("a", "y"): 2.5, ("b", "x"): 2.5, ("b", "y"): 0.0}
    assert match("ab", "xy", lambda p, q: table[p, q]) == {0: 1, 1: 0}
    assert match("", "xy", lambda p, q: 1.0) == {}
    assert match("a", "x", lambda p, q: 0.0) == {}


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    (tmp_path / "d.gold.json").write_text(gold().model_dump_json(), encoding="utf-8")
    (tmp_path / "absent.gold.json").write_text(gold().model_dump_json(), encoding="utf-8")
    return evaluate([found(EVENTS[:2])], tmp_path)


def test_an_evaluation_knows_its_figures_and_what_is_absent(evaluation: Evaluation, tmp_path: Path) -> None:
    """By name, as --min asks for them; in JSON and HTML with every slip."""
    assert evaluation.absent == ("absent",)
    assert evaluation.figure("recall.events") == pytest.approx(2 / 3)
    assert unmet(evaluation, {"precision.events": 1.0}) == []
    assert "below 0.9" in unmet(evaluation, {"f1.events": 0.9})[0]
    with pytest.raises(errors.DocumentError, match="f1, precision or recall"):
        evaluation.figure("accuracy.events")
    write_json(evaluation, tmp_path / "e.json")
    written = json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))
    assert written["slips"]["d"][0]["kind"] == "missed" and written["aspects"]["events"]["interval"]
    page = html_page(evaluation)
    assert "thanked Karimi" in page and "<script" not in page
    assert total(evaluation.cards, "entities").f1 == 1.0


def test_the_tables_hold_every_figure_and_the_money(evaluation: Evaluation) -> None:
    """By language, length, type and role; the confusions; tokens, and money where a price is known."""
    titles = [sheet.title for sheet in sheets(evaluation)]
    assert titles == [
        f"1 documents, {evaluation.prompts[0]}", "F1 by language", "F1 by length", "Events by type", "Arguments by role", "Cost"
    ]  # fmt: skip
    costs = {row[0]: row[1:] for row in sheets(evaluation, Price(1.0, 1.0, 10.0))[-1].rows}
    assert set(costs) == {"tokens", "answer tokens", "money"}
    assert "no price is known" in sheets(evaluation)[-1].rows[-1]
    matrix = {
        row[0]: dict(zip(confusion_sheet(evaluation).header, row, strict=True))
        for row in confusion_sheet(evaluation).rows
    }
    assert matrix["SUPPORT"]["-"] == "1" and matrix["CONSULT"]["CONSULT"] == "1"
    table = markdown(main_sheet(evaluation)).splitlines()
    assert table[0] == "|  | precision | recall | F1 | 95 % |" and len(table) == 2 + len(ASPECTS)
    page = html_page(evaluation)
    assert all(title in page for title in titles) and "Types: gold down, found across" in page


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


def test_prompt_versions_are_compared_from_recordings_alone(root: Path, tmp_path: Path) -> None:
    """The same prompt against itself gains nothing."""
    from extractor.evaluation.compare import compare_prompts

    text = (root / "seeds/en-01-bridge-explosion.txt").read_text(encoding="utf-8")
    (tmp_path / "en-01.txt").write_text(text, encoding="utf-8")
    made = {
        "document": "en-01",
        "entities": [{"id": 1, "type": "country", "name": "Russia"}],
        "events": [],
        "relations": [],
    }
    (tmp_path / "en-01.gold.json").write_text(json.dumps(made), encoding="utf-8")
    comparison = compare_prompts(tmp_path, ["plover@1.0.0", "plover@1.0"], root / "cassettes", tmp_path)
    assert comparison.documents == 1
    assert comparison.versions[1].gains["entities"].change == 0.0
    assert comparison.versions[0].answer_characters > 1000
