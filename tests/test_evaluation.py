"""Scores count what was found, missed and invented; optional items count for nothing; one thing matches one thing."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_gold import EVENTS, TEXT, card, command, event, found, gold, write_gold

from extractor import errors
from extractor.evaluation.evaluate import (
    Evaluation,
    evaluate,
    read_failed,
    read_results,
    score_document,
    write_json,
)
from extractor.evaluation.facts import facts_of_gold
from extractor.evaluation.gold import Gold
from extractor.evaluation.matching import match, overlap
from extractor.evaluation.render import (
    confusion_sheet,
    html_page,
    main_sheet,
    markdown,
    missing,
    sheets,
    unmet,
)
from extractor.evaluation.scores import ASPECTS, Count, mean_by_document, total
from extractor.models import Document
from extractor.prices import Price


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
    write_gold(tmp_path, "d", "refused", "closed", "of-the-index")
    failures = [
        {"document": "a/refused.txt", "class": "Refused"},
        {"document": "b/page.html", "id": "of-the-index", "class": "Refused"},
        {"document": "closed.txt", "class": "DocumentError"},
    ]
    assert read_failed(tmp_path) == []
    lines = "".join(json.dumps(line) + "\n" for line in failures)
    (tmp_path / "failures.jsonl").write_text(lines, encoding="utf-8")
    evaluated = evaluate([found()], tmp_path, failed=read_failed(tmp_path))
    assert (evaluated.failed, evaluated.absent) == (("a/refused.txt", "of-the-index"), ("closed",))
    assert total(evaluated.cards, "events") == Count(3, misses=6)
    assert total(evaluated.cards, "arguments") == Count(7, misses=14)
    assert missing(evaluated)[1] == "No usable answer, all of their gold is missed: a/refused.txt, of-the-index"
    assert mean_by_document(evaluated.cards, "events") == pytest.approx(1 / 3)
    assert mean_by_document([], "events") is None
    assert evaluated.as_json()["aspects"]["events"]["mean_by_document"] == pytest.approx(1 / 3)


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
