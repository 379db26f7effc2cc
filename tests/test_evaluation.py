"""Scores count what was found, missed and invented; optional items count for nothing; one thing matches one thing."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from extractor import Extraction, errors, extract
from extractor.evaluation.compare import Gain, compare_prompts
from extractor.evaluation.evaluate import Evaluation, evaluate, read_failed, score_document, write_json
from extractor.evaluation.gold import Gold, check_gold, load_gold
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
from extractor.evaluation.scores import ASPECTS, Card, Count, mean_by_document, total
from extractor.llm.cassette import CassetteRecorder
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


def answer(events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    entities = [
        {"id": n, "type": t, "name": name, "aliases": [], "name_en": None, "country": None, "sector": None}
        for n, (t, name) in enumerate(zip(TYPES, NAMES, strict=True), 1)
    ]
    full = [e | {"figures": [], "time": e["time"]["text"] if e["time"] else None} for e in events]
    for item in full:
        item.pop("optional", None)
    return {"entities": entities, "events": full, "relations": relations or []}


def found(events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None) -> Extraction:
    llm = ScriptedLLM(lambda r: answer(events, relations))
    return extract(Document(id="d", text=TEXT), published="2024-05-16", llm=llm)


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
    (tmp_path / "d.gold.json").write_text(gold().model_dump_json(), encoding="utf-8")
    (tmp_path / "absent.gold.json").write_text(gold().model_dump_json(), encoding="utf-8")
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
    for name in ("d", "refused", "closed"):
        (tmp_path / f"{name}.gold.json").write_text(gold().model_dump_json(), encoding="utf-8")
    failures = [{"document": "a/refused.txt", "class": "Refused"}, {"document": "closed.txt", "class": "DocumentError"}]
    assert read_failed(tmp_path) == []
    lines = "".join(json.dumps(line) + "\n" for line in failures)
    (tmp_path / "failures.jsonl").write_text(lines, encoding="utf-8")
    evaluated = evaluate([found()], tmp_path, failed=read_failed(tmp_path))
    assert (evaluated.failed, evaluated.absent) == (("a/refused.txt",), ("closed",))
    assert total(evaluated.cards, "events") == Count(3, misses=3)
    assert total(evaluated.cards, "arguments") == Count(7, misses=7)
    assert [len(cards) for cards in evaluated.groups()["length"].values()] == [1]
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
    assert comparison.versions[1].gains["entities"].text() == "(0.000, 0.00 to 0.00)"
    assert Gain(-0.0004, -0.004, 0.02).text() == "(0.000, 0.00 to +0.02)" and Gain(None).text() == ""


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
    (tmp_path / "gone.gold.json").write_text(gold().model_dump_json(), encoding="utf-8")
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
    (folder / "d.gold.json").write_text(gold(EVENTS[:1]).model_dump_json(), encoding="utf-8")
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
