"""Scores count what was found, missed and invented; optional items count for nothing; one thing matches one thing."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from extractor import Extraction, errors, extract
from extractor.evaluation.compare import Comparison, Gain, compare_prompts
from extractor.evaluation.evaluate import (
    Evaluation,
    evaluate,
    gold_name,
    read_failed,
    read_results,
    score_document,
    write_json,
)
from extractor.evaluation.facts import facts_of_gold
from extractor.evaluation.gold import Gold, check_gold, load_gold
from extractor.evaluation.gold_folder import GoldFolder
from extractor.evaluation.matching import match, overlap
from extractor.evaluation.render import (
    comparison_markdown,
    confusion_sheet,
    html_page,
    main_sheet,
    markdown,
    missing,
    sheets,
    unmet,
)
from extractor.evaluation.scores import ASPECTS, Card, Count, interval, mean_by_document, total
from extractor.llm.cassette import CassetteRecorder, file_name
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


def gold(
    events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None, document: str = "d"
) -> Gold:
    entities = [{"id": n, "type": t, "name": name} for n, (t, name) in enumerate(zip(TYPES, NAMES, strict=True), 1)]
    raw = {"document": document, "entities": entities, "events": events, "relations": relations or []}
    return Gold.model_validate_json(json.dumps(raw))


def write_gold(folder: Path, *documents: str, events: list[dict[str, Any]] = EVENTS) -> None:
    """A gold file for each document, which it names."""
    for name in documents:
        text = gold(events, document=name).model_dump_json()
        (folder / f"{gold_name(name)}.gold.json").write_text(text, encoding="utf-8")


def answer(events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    entities = [
        {"id": n, "type": t, "name": name, "aliases": [], "name_en": None, "country": None, "sector": None}
        for n, (t, name) in enumerate(zip(TYPES, NAMES, strict=True), 1)
    ]
    full = [e | {"figures": [], "time": e["time"]["text"] if e["time"] else None} for e in events]
    for item in full:
        item.pop("optional", None)
    return {"entities": entities, "events": full, "relations": relations or []}


def found(
    events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None, document: str = "d"
) -> Extraction:
    llm = ScriptedLLM(lambda r: answer(events, relations))
    return extract(Document(id=document, text=TEXT), published="2024-05-16", llm=llm)


def card(events: list[dict[str, Any]], wanted: list[dict[str, Any]] = EVENTS, **more: Any) -> Card:
    return score_document(found(events, more.get("relations")), gold(wanted, more.get("gold_relations")), {"relative"})


def test_the_same_is_perfect() -> None:
    """Every aspect that has anything in it is 1."""
    scored = card(EVENTS)
    assert {count.f1 for count in scored.counts.values()} <= {1.0, None}
    assert scored.slips == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("the Water Company", "Water Company", True), ("A mosque", "mosque", True), ("Theatre X", "atre X", False), ("A", "the A", True), ("The", "A", False)],
)  # fmt: skip
def test_an_article_before_an_english_name_is_no_part_of_it(one: str, other: str, same: bool) -> None:
    """One quotes it with the name, another without."""
    first, second = (facts_of_gold(named(name), Document(id="d", text=name)).things[0] for name in (one, other))
    assert bool(first.keys & second.keys) == same


def named(name: str) -> Gold:
    return Gold.model_validate(
        {"document": "d", "entities": [{"id": 1, "type": "place", "name": name}], "events": [], "relations": []}
    )


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


def test_a_quote_that_is_far_too_long_is_no_evidence() -> None:
    """Half of what both cover together has to be shared: the whole document proves nothing, and neither does one word."""
    assert overlap((0, 10), (5, 10)) == 0.5 and overlap((0, 10), (10, 20)) == 0.0 and overlap(None, (0, 1)) == 0.0
    for quote in (TEXT, "met"):
        scored = card([EVENTS[0] | {"evidence": quote, "trigger": "met"}, *EVENTS[1:]])
        assert (scored.counts["events"].f1, scored.counts["evidence"].hits) == (1.0, 2)


def test_arguments_by_role_add_up_to_the_total() -> None:
    """Those of missed and of invented events are among them."""
    scored = card([EVENTS[0] | {"recipients": [4]}, EVENTS[1], event("RETREAT", "resigned", [2])])
    summed = Count()
    for count in scored.by_role.values():
        summed.add(count)
    assert summed == scored.counts["arguments"]
    assert (scored.by_role["actor"].misses, scored.by_role["actor"].inventions) == (1, 1)


def test_a_figure_is_told_in_words() -> None:
    """Kind and value."""
    told = [s.text for s in card(EVENTS, [EVENTS[0] | {"dead": 4}, *EVENTS[1:]]).slips]
    assert told == ["dead 4: met Sara Noury in Mersa"]


def test_an_arguable_type_counts_for_nothing_either_way() -> None:
    """Right, wrong or missed with its event: what is typed are the other events."""
    wanted = [EVENTS[0] | {"arguable": ["type"]}, *EVENTS[1:]]
    for events in (EVENTS, [EVENTS[0] | {"type": "SUPPORT"}, *EVENTS[1:]], EVENTS[1:]):
        scored = card(events, wanted)
        assert scored.counts["typed"] == Count(2) and "CONSULT" not in scored.by_type
        assert sum(scored.confusion.values()) == 2
    assert scored.counts["events"] == Count(2, misses=1)


def test_an_entity_that_is_optional_yet_needed_counts_both_ways() -> None:
    """Found it is a hit, missed a miss, and so is the argument that it is; one that no fact needs counts for nothing."""
    wanted = gold().model_dump(mode="json")
    for item in wanted["entities"]:
        item["optional"] = True
    needed = Gold.model_validate_json(json.dumps(wanted))
    assert score_document(found(), needed, set()).counts["entities"] == Count(4)
    counts = score_document(found([EVENTS[0] | {"place": None}, *EVENTS[1:]]), needed, set()).counts
    assert (counts["arguments"].hits, counts["arguments"].misses) == (6, 1)
    without = gold([EVENTS[0] | {"place": None}, *EVENTS[1:]]).model_dump(mode="json")
    without["entities"][2]["optional"] = True
    counts = score_document(found(), Gold.model_validate_json(json.dumps(without)), set()).counts
    assert (counts["entities"], counts["arguments"]) == (Count(3), Count(6))


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
    write_gold(tmp_path, "d", "absent")
    return evaluate([found(EVENTS[:2])], tmp_path)


def test_an_evaluation_knows_its_figures_and_what_is_absent(evaluation: Evaluation, tmp_path: Path) -> None:
    """By name, as --min asks for them; in JSON and HTML with every slip."""
    assert evaluation.absent == ("absent",)
    assert evaluation.figure("recall.events") == pytest.approx(2 / 3)
    assert unmet(evaluation, {"precision.events": 1.0}, partial=True) == []
    assert "below 0.9" in unmet(evaluation, {"f1.events": 0.9}, partial=True)[0]
    with pytest.raises(errors.DocumentError, match="f1, precision or recall"):
        evaluation.figure("accuracy.events")
    write_json(evaluation, tmp_path / "e.json")
    written = json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))
    assert written["slips"]["d"][0]["kind"] == "missed"
    assert written["aspects"]["events"]["interval"] is None  # one document cannot tell how far others would differ
    page = html_page(evaluation)
    assert "thanked Karimi" in page and "<script" not in page
    assert page.index("Not in the run, and in no figure: 1 of 2 of the gold: absent") < page.index("<table>")
    assert total(evaluation.cards, "entities").f1 == 1.0


def test_a_floor_is_not_reached_by_leaving_documents_out(evaluation: Evaluation) -> None:
    """Unless a part is meant; without a floor nothing fails."""
    (line,) = unmet(evaluation, {"precision.events": 1.0})
    assert (
        line.startswith("1 document of the gold is not in the run and in no figure, the first absent")
        and "--partial" in line
    )
    assert unmet(evaluation, {}) == []


def test_a_document_without_a_usable_answer_is_missed_whole(tmp_path: Path) -> None:
    """As the run's failures tell it; one that failed otherwise is absent."""
    write_gold(tmp_path, "d", "refused", "closed")
    failures = [{"document": "a/refused.txt", "class": "Refused"}, {"document": "closed.txt", "class": "DocumentError"}]
    assert read_failed(tmp_path) == []
    lines = "".join(json.dumps(line) + "\n" for line in failures)
    (tmp_path / "failures.jsonl").write_text(lines, encoding="utf-8")
    evaluated = evaluate([found()], tmp_path, failed=read_failed(tmp_path))
    assert (evaluated.failed, evaluated.absent) == (("a/refused.txt",), ("closed",))
    assert total(evaluated.cards, "events") == Count(3, misses=3)
    assert total(evaluated.cards, "arguments") == Count(7, misses=7)
    assert missing(evaluated)[1] == "No usable answer, all of their gold is missed: a/refused.txt"
    assert mean_by_document(evaluated.cards, "events") == 0.5 and mean_by_document([], "events") is None
    assert evaluated.as_json()["aspects"]["events"]["mean_by_document"] == 0.5


def test_the_tables_hold_every_figure_and_the_money(evaluation: Evaluation) -> None:
    """By language, length, type and role; the confusions; tokens, and money where a price is known."""
    titles = [sheet.title for sheet in sheets(evaluation)]
    assert titles == [
        f"1 document, {evaluation.prompts[0]}", "F1 by language", "F1 by length", "Events by type", "Arguments by role", "Cost"
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
    assert table[0] == "|  | precision | recall | F1 | 95 % | mean by document |" and len(table) == 2 + len(ASPECTS)
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


def test_documents_without_gold_are_told(tmp_path: Path) -> None:
    """With their number and the first few, before any figure: in the terminal, and on the page."""
    write_gold(tmp_path, "d")
    run = [found(), *(found(document=f"e{number}") for number in range(7))]
    evaluated = evaluate(run, tmp_path, failed=[Document(id="refused.txt", text="")])
    (line,) = missing(evaluated)
    assert line == "Without gold, and in no figure: 8 documents of the run: e0, e1, e2, e3, e4 and 3 more"
    page = html_page(evaluated)
    assert page.index(line) < page.index("<table>")


def test_documents_without_an_answer_are_in_every_group(tmp_path: Path) -> None:
    """By language and by length: what is missed whole counts there as it does in the total."""
    write_gold(tmp_path, "d", "refused")
    evaluated = evaluate([found()], tmp_path, failed=[Document(id="refused.txt", text="")])
    groups = evaluated.groups()
    assert {name: len(cards) for name, cards in groups["language"].items()} == {"en": 1, "unknown": 1}
    assert {name: len(cards) for name, cards in groups["length"].items()} == {"up to 2,500": 1, "unknown": 1}
    for cards in groups.values():
        assert sum(total(group, "events").misses for group in cards.values()) == total(evaluated.cards, "events").misses
    known = evaluate([], tmp_path, failed=[Document(id="refused.txt", text=TEXT, language="en")])
    assert list(known.groups()["language"]) == ["en"]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085"])
def test_only_a_new_line_ends_a_line(mark: str, tmp_path: Path) -> None:
    """What else ends lines in a text may stand within one."""
    lines = [{"document": name, "class": "Refused", "message": f"a{mark}b"} for name in ("x", "y")]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (tmp_path / "failures.jsonl").write_text(text, encoding="utf-8")
    assert [document.id for document in read_failed(tmp_path)] == ["x", "y"]
    extraction = found(document=f"d{mark}e")
    (tmp_path / "results.jsonl").write_text(extraction.model_dump_json() + "\n", encoding="utf-8")
    assert list(read_results(tmp_path)) == [extraction]


@pytest.mark.parametrize("line", [b'{"document": "y", "cla', b"\xff", b"[]", b"7", b'{"class": "Refused"}', b""])
def test_a_damaged_line_of_failures_is_told_with_its_number(line: bytes, tmp_path: Path) -> None:
    """It is not taken for none."""
    (tmp_path / "failures.jsonl").write_bytes(b'{"document": "x", "class": "Refused"}\n' + line + b"\n")
    with pytest.raises(errors.DocumentError, match=r"failures\.jsonl, line 2 is no failure: expected"):
        read_failed(tmp_path)


def command(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the real command."""
    full = [sys.executable, "-c", "from extractor.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(full, capture_output=True, env=os.environ, timeout=90)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of one document, with its gold beside it."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "results.jsonl").write_text(found().model_dump_json() + "\n", encoding="utf-8")
    write_gold(folder, "d")
    return folder


REFUSED: dict[str, tuple[Sequence[str], str]] = {
    "a file in no folder": (["--json", "{0}/no/x.json"], "no folder"),
    "a folder": (["--html", "{0}"], "it is a folder"),
    "a name that is too long": (["--json", "{0}/" + "x" * 300], "too long"),
    "a table in no folder": (["--markdown", "{0}/no/x.md"], "no folder"),
    "a floor that is no number": (["--min", "f1.events=nan"], "from 0 to 1"),
    "a floor that no figure reaches": (["--min", "f1.events=90"], "from 0 to 1"),
    "a figure that is none": (["--min", "f1.event=0.5"], "Unknown figure 'f1.event'"),
    "an ontology that is none": (["--ontology", "nosuch"], "nosuch"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_refused_before_the_work(arguments: Sequence[str], words: str, run: Path) -> None:
    """A short error, exit code 2, and no figure: though the run could not even be read."""
    (run / "results.jsonl").write_text("damaged\n", encoding="utf-8")
    code, out, err = command("eval", run, "--gold", run, *(argument.format(run) for argument in arguments))
    assert (code, out) == (2, "") and "Traceback" not in err
    assert words in " ".join(err.replace("│", " ").split()) and "damaged" not in err


def test_eval_tells_and_refuses(run: Path) -> None:
    """Figures where all is well; of broken gold and of a damaged run one line, exit code 2, no figure."""
    code, out, err = command("eval", run, "--gold", run, "--min", "f1.events=0.9", "--json", run / "e.json")
    assert (code, err) == (0, "") and "events found" in out and (run / "e.json").is_file()
    (run / "failures.jsonl").write_text('{"document"\n', encoding="utf-8")
    damaged = command("eval", run, "--gold", run)
    (run / "failures.jsonl").unlink()
    write_gold(run, "d", events=[EVENTS[0] | {"type": "PRAISE"}])
    broken = command("eval", run, "--gold", run)
    for (code, out, err), words in ((damaged, "line 1 is no failure"), (broken, "event 0: 'PRAISE' is not in")):
        assert (code, out, err.count("\n")) == (2, "", 1) and words in err


def test_a_file_that_cannot_be_written_after_all_is_a_fault_of_the_storage(tmp_path: Path) -> None:
    """Exit code 5."""
    (tmp_path / "x.json").mkdir()
    with pytest.raises(errors.StorageError, match=r"Cannot write .*x\.json"):
        write_json(Evaluation(()), tmp_path / "x.json")


def test_prompt_versions_are_compared_from_recordings_alone(root: Path, tmp_path: Path) -> None:
    """The same prompt against itself gains nothing."""
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
    assert comparison.notes == ()
    assert comparison.versions[1].gains["entities"].text() == "(0.000)"  # one document has no interval
    assert Gain(-0.0004, (-0.004, 0.02)).text() == "(0.000, 0.00 to +0.02)" and Gain(None).text() == ""


def test_documents_that_are_not_compared_are_told(root: Path, tmp_path: Path) -> None:
    """Not recorded, unreadable, without gold, without a document: each with its reason, under the table too."""
    for name in ("en-01-bridge-explosion", "en-02-belarus-prisoners"):
        for ending in (".txt", ".gold.json"):
            (tmp_path / f"{name}{ending}").write_bytes((root / "seeds" / f"{name}{ending}").read_bytes())
    index = {item["id"]: item for item in json.loads((root / "seeds/index.json").read_text(encoding="utf-8"))}
    (tmp_path / "index.json").write_text(
        json.dumps([index["en-01-bridge-explosion"], index["en-02-belarus-prisoners"]])
    )
    (tmp_path / "new.txt").write_text("A report that nobody recorded.", encoding="utf-8")
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    write_gold(tmp_path, "gone")
    (tmp_path / "en-02-belarus-prisoners.gold.json").unlink()
    comparison = compare_prompts(tmp_path, ["plover@1.0.0", "plover@1.3.0"], root / "cassettes", tmp_path)
    told = dict(note.rsplit(": ", 1) for note in comparison.notes)
    assert told["Left out, not recorded"] == "new.txt"
    assert "empty.txt" in told.values()
    assert told["Left out, no gold"] == "en-02-belarus-prisoners"
    assert told[f"Left out, gold without a document in {tmp_path}"] == "gone"
    assert comparison.documents == 1 and comparison_markdown(comparison).endswith(comparison.notes[-1])


def test_an_answer_that_cannot_be_used_is_missed_whole_under_its_prompt(tmp_path: Path) -> None:
    """It is not "not recorded": the document stays in the comparison, for all prompts."""
    folder, cassettes, prompts = tmp_path / "documents", tmp_path / "cassettes", ["plover@1.0.0", "plover@1.1.0"]
    folder.mkdir()
    (folder / "d.txt").write_text(TEXT, encoding="utf-8")
    write_gold(folder, "d", events=EVENTS[:1])
    for prompt, reply in zip(prompts, (json.dumps(answer(EVENTS[:1])), "I would rather not."), strict=True):
        recorder = CassetteRecorder(ScriptedLLM(lambda r, reply=reply: reply), cassettes / f"{prompt}.json", "rerecord")
        with contextlib.suppress(errors.AnswerError):
            extract(Document(id="d.txt", text=TEXT), prompt=prompt, llm=recorder)
    comparison = compare_prompts(folder, prompts, cassettes, folder)
    assert comparison.documents == 1
    assert comparison.notes == ("Missed whole under plover@1.1.0, for its answer could not be used: d.txt",)
    assert [version.prompt for version in comparison.versions] == prompts
    assert [version.evaluation.f1("events") for version in comparison.versions] == [1.0, 0.0]
    assert comparison.versions[1].gains["events"].change == -1.0


def compared(folder: Path, answers: Sequence[dict[str, list[dict[str, Any]]]], **more: Any) -> Comparison:
    """Two prompts over documents of one text: `answers` has for each prompt the events of each document."""
    prompts = ["plover@1.0.0", "plover@1.1.0"]
    for prompt, events in zip(prompts, answers, strict=True):
        for name, found_there in events.items():
            text = f"{TEXT} {name}"
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
            llm = ScriptedLLM([answer(found_there)])
            recorder = CassetteRecorder(llm, folder / f".cassettes/{prompt}-{name}.json", "rerecord")
            extract(Document(id=f"{name}.txt", text=text), prompt=prompt, llm=recorder, model="desk")
    return compare_prompts(folder, prompts, folder / ".cassettes", folder, **more)


def test_one_document_gives_no_interval(tmp_path: Path) -> None:
    """Nor does one of several that has the aspect: drawn again and again it would look certain."""
    write_gold(tmp_path, "d", events=EVENTS[:2])
    write_gold(tmp_path, "e", events=[EVENTS[2]])
    one = EVENTS[:1]
    alone = compared(tmp_path, [{"d": EVENTS[:2]}, {"d": one}])
    assert alone.documents == 1 and alone.versions[1].gains["events"].text() == "(-0.333)"
    several = compared(tmp_path, [{"d": EVENTS[:2], "e": [EVENTS[2]]}, {"d": one, "e": []}])
    gains = several.versions[1].gains
    assert several.documents == 2 and gains["events"].interval is not None
    assert gains["modes"].change == 0.0 and gains["modes"].interval is None
    cards = several.versions[0].evaluation.cards
    assert interval(cards, "events") == (1.0, 1.0) and interval(cards, "modes") is None


def test_a_comparison_of_nothing_is_refused(root: Path, tmp_path: Path) -> None:
    """No recordings, none of the model, none of the documents, none with gold: each says so."""
    prompts = ["plover@1.0.0", "plover@1.3.0"]
    write_gold(tmp_path, "d")
    (tmp_path / "d.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    nothing: list[tuple[str, type[errors.ExtractorError], Path, str | None]] = [
        ("There is no .*nosuch", errors.CassetteFormat, tmp_path / "nosuch", None),
        ("no recording in .*empty", errors.CassetteFormat, tmp_path / "empty", None),
        ("model 'other'.*: desk", errors.CassetteMiss, root / "cassettes", "other"),
        ("Nothing to compare: .*not recorded: d.txt", errors.DocumentError, root / "cassettes", None),
    ]
    for words, kind, cassettes, model in nothing:
        with pytest.raises(kind, match=words) as caught:
            compare_prompts(tmp_path, prompts, cassettes, tmp_path, model)
        assert caught.value.exit_code == 2
    with pytest.raises(errors.DocumentError, match=r"no gold: d\.txt"):
        compared_without_gold = tmp_path / "other"
        compared_without_gold.mkdir()
        write_gold(compared_without_gold, "gone")
        compared(compared_without_gold, [{"d": EVENTS}, {"d": EVENTS}])


def test_a_comparison_against_broken_gold_is_refused(tmp_path: Path) -> None:
    """Of codes before anything is replayed, of quotes before any figure."""
    for events, words in (
        ([EVENTS[0] | {"type": "PRAISE"}], "PRAISE"),
        ([event("SUPPORT", "thanked him", [2])], "thanked him"),
    ):
        write_gold(tmp_path, "d", events=events)
        with pytest.raises(errors.DocumentError, match=words):
            compared(tmp_path, [{"d": EVENTS}, {"d": EVENTS}])
    code, out, err = command(
        "compare", tmp_path, "--cassettes", tmp_path, "--prompt", "plover@1.0.0", "--prompt", "plover@1.1.0",
        "--markdown", tmp_path / "no" / "m.md",
    )  # fmt: skip
    assert (code, out) == (2, "") and "no folder" in err and err.count("\n") == 1
