"""The forms of an answer say the same; what is not of its type is one item's failure."""

import json
from pathlib import Path
from typing import Any

import pytest

from extractor.answers import answer_schema, read_answer
from extractor.answers_rows import ENTITY, EVENT, RELATION
from extractor.answers_short import INSIDE, KEYS, LISTS, OF_LIST
from extractor.errors import Unreadable
from extractor.ontology import load_ontology
from extractor.prompts import load_prompt
from extractor.strict_schema import lint_strict
from extractor.task import worked_examples


def short(item: dict[str, Any], kind: str) -> dict[str, Any]:
    said = {}
    for long, key in KEYS[kind].items():
        value = [short(part, INSIDE[long]) for part in item[long]] if long in INSIDE else item[long]
        said[key] = None if long == "modality" and value == "asserted" else value
    return said


def shorter(answer: dict[str, Any]) -> dict[str, Any]:
    return {LISTS[name]: [short(item, OF_LIST[name]) for item in items] for name, items in answer.items()}


def rows(answer: dict[str, Any]) -> dict[str, Any]:
    def more(item: dict[str, Any]) -> list[str]:
        said = [f"{name}={item[name]}" for name in ("place", "time", "source") if item.get(name) is not None]
        said += [f"{part['role']}={part['entity']}" for part in item.get("participants", [])]
        said += [f"{figure['kind']}={figure['value']}" for figure in item.get("figures", [])]
        return said + ([item["modality"]] if item["modality"] != "asserted" else [])

    def text(value: Any) -> str:
        return "" if value is None else str(value)

    return {
        "n": [[*(text(item[name]) for name in ENTITY), *item["aliases"]] for item in answer["entities"]],
        "v": [
            {k: item[name] for k, name in EVENT.items() if k != "x"} | {"x": more(item)} for item in answer["events"]
        ],
        "r": [[*(text(item[name]) for name in RELATION), *more(item)] for item in answer["relations"]],
    }


EXAMPLES = [json.loads(example.answer) for example in worked_examples(load_prompt("plover@1.0.0"))]


@pytest.mark.parametrize("answer", EXAMPLES, ids=["en", "fa", "ar"])
def test_the_short_form_reads_as_the_long_one(answer: dict[str, Any]) -> None:
    """For a third fewer characters."""
    long, brief = json.dumps(answer, ensure_ascii=False), json.dumps(shorter(answer), ensure_ascii=False)
    assert read_answer(brief) == read_answer(long)
    assert len(brief) < 0.8 * len(long)


def test_the_short_form_s_schema_is_strict_and_has_its_keys() -> None:
    """Same vocabularies, asserted is null, and every key of one letter."""
    schema = json.loads(answer_schema(load_ontology("plover"), 3).text)
    assert lint_strict(schema) == []
    assert list(schema["properties"]) == ["n", "v", "r"], "in this order: entities first"
    event = schema["$defs"]["AnswerEvent"]
    assert all(len(key) == 1 for key in event["properties"]) and list(event["properties"])[:2] == ["q", "g"]
    assert event["properties"]["k"] == {
        "anyOf": [{"enum": ["future", "hypothetical", "negated"], "type": "string"}, {"type": "null"}]
    }
    assert "COERCE" in event["properties"]["t"]["enum"]


def test_one_wrong_item_of_the_short_form_is_one_flaw() -> None:
    """A key too many, a number for a text: told with the item, and the others stay."""
    answer = shorter(EXAMPLES[0])
    answer["v"][0]["z"] = 1
    answer["n"].append({"i": "x"})
    read, flaws = read_answer(json.dumps(answer))
    assert [(flaw.kind) for flaw in flaws] == ["entity", "event"]
    assert len(read.events) == len(EXAMPLES[0]["events"]) - 1


@pytest.mark.parametrize(
    "text", ['{"n":[],"v":[]}', '{"n":{},"v":[],"r":[]}', '{"n":[],"v":[],"r":[],"n":[]}', "[]", '{"n":1']
)
def test_what_is_no_answer_is_told_so(text: str) -> None:
    """Lists that are missing, of another kind, or there twice."""
    with pytest.raises(Unreadable):
        read_answer(text)


def test_each_prompt_s_examples_are_in_its_own_form() -> None:
    """A prompt that asks for one form and shows another would get both."""
    for path in sorted((Path(__file__).parent.parent / "prompts/plover").glob("*.md")):
        prompt = load_prompt(path)
        for example in worked_examples(prompt):
            assert (set(json.loads(example.answer)) == {"n", "v", "r"}) == (prompt.answer > 1), prompt.ref


@pytest.mark.parametrize("answer", EXAMPLES, ids=["en", "fa", "ar"])
def test_the_rows_read_as_the_long_form(answer: dict[str, Any]) -> None:
    """For half of its characters, and a fifth less than the short form's."""
    long, brief, rowed = (
        json.dumps(form, ensure_ascii=False, separators=(",", ":")) for form in (answer, shorter(answer), rows(answer))
    )
    assert read_answer(rowed) == read_answer(long)
    assert len(rowed) < 0.8 * len(brief) < 0.64 * len(long)


def test_the_schema_of_rows_is_strict() -> None:
    """Codes of events are closed vocabularies still; entities and relations are rows of texts, checked by us."""
    schema = json.loads(answer_schema(load_ontology("plover"), 4).text)
    assert lint_strict(schema) == []
    assert list(schema["properties"]) == ["n", "v", "r"] and list(schema["$defs"]) == ["AnswerEvent"]
    event = schema["$defs"]["AnswerEvent"]["properties"]
    assert list(event) == ["q", "g", "t", "m", "c", "a", "b", "x"] and "COERCE" in event["t"]["enum"]


STRAY = ["place=x", "time=", "height=9 m", "5", "", "urgent", "dead=12", "place=2", "place=1", "negated", "future"]


def test_what_says_nothing_in_a_row_is_told_and_the_event_stays() -> None:
    """Of two places, or modalities, the first holds; an unknown name, an empty value and a number alone say nothing."""
    answer = rows(EXAMPLES[0])
    answer["v"] = [answer["v"][0] | {"x": STRAY}]
    read, flaws = read_answer(json.dumps(answer))
    event = read.events[0]
    assert (event.place, event.modality, [f.value for f in event.figures], event.participants) == (
        2,
        "negated",
        ["12"],
        (),
    )
    said = [flaw.item["said"] for flaw in flaws if flaw.kind == "event.part"]
    assert [flaw.detail for flaw in flaws if "place=1" in flaw.detail] == ["'place=1': given twice; the first is kept"]
    assert said == ["place=x", "time=", "height=9 m", "5", "", "urgent", "place=1", "future"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"n": [["1", "person"]]}, "entity"),
        ({"n": ["1"]}, "entity"),
        ({"n": [["one", "person", "Adel Noury", "", "", ""]]}, "entity"),
        ({"n": [["1", "person", "Adel Noury", "", "", 7]]}, "entity"),
        ({"r": [["q", "1", "director"]]}, "relation"),
        ({"r": [["q", "one", "director", "2"]]}, "relation"),
        ({"v": ["arrested"]}, "event"),
    ],
)
def test_a_row_that_is_none_is_one_flaw(change: dict[str, Any], kind: str) -> None:
    """Too short, no number where one is due, no text: told with what it was, and the other items stay."""
    answer = rows(EXAMPLES[0])
    for name, items in change.items():
        answer[name] = [*answer[name], *items]
    read, flaws = read_answer(json.dumps(answer))
    assert [flaw.kind for flaw in flaws] == [kind]
    assert len(read.entities) == len(EXAMPLES[0]["entities"]) and len(read.events) == len(EXAMPLES[0]["events"])


@pytest.mark.parametrize(
    "more",
    [
        {"future": True, "place": 2, "dead": "12"},
        ["future", "place: 2", "dead=۱۲"],
        ["Future", "place=#2", "dead=12"],
        ["modality=future", "place=۲", "dead=12"],
    ],
    ids=["an object", "colons and digits of a script", "a capital and a hash", "everything named"],
)
def test_what_is_said_of_an_event_in_another_manner_is_not_lost(more: Any) -> None:
    """A planned event never becomes a fact because its `x` is written otherwise."""
    answer = rows(EXAMPLES[0])
    answer["v"] = [answer["v"][0] | {"x": more}]
    read, flaws = read_answer(json.dumps(answer, ensure_ascii=False))
    event = read.events[0]
    assert (event.modality, event.place, len(event.figures), flaws) == ("future", 2, 1, ())


def test_one_text_in_the_place_of_a_list_is_read() -> None:
    """`"x": "negated"` is a denial."""
    answer = rows(EXAMPLES[0])
    answer["v"] = [answer["v"][0] | {"x": "negated"}]
    assert read_answer(json.dumps(answer))[0].events[0].modality == "negated"


def test_what_a_relation_has_none_of_is_told() -> None:
    """A place, figures, participants: left out with a reason, and the relation stays."""
    answer = rows(EXAMPLES[0])
    answer["r"] = [[*answer["r"][0][:4], "place=2", "dead=3", "object=3", "future"]]
    read, flaws = read_answer(json.dumps(answer))
    assert read.relations[0].modality == "future"
    assert [flaw.kind for flaw in flaws] == ["relation.part"] * 3


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", '"Police \\ud83d"'])
@pytest.mark.parametrize("form", [shorter, rows], ids=["short", "rows"])
def test_what_no_json_holds_is_unreadable_in_every_form(form: Any, value: str) -> None:
    """So that it is asked again, instead of being a bug of ours."""
    text = json.dumps(form(EXAMPLES[0]), ensure_ascii=False).replace('"Police"', value, 1)
    with pytest.raises(Unreadable):
        read_answer(text)


COMPACT = {"separators": (",", ":"), "ensure_ascii": False}


@pytest.mark.parametrize("form", [dict, shorter, rows], ids=["long", "short", "rows"])
@pytest.mark.parametrize("answer", EXAMPLES, ids=["en", "fa", "ar"])
def test_blanks_and_escapes_in_an_answer_mean_nothing(form: Any, answer: dict[str, Any]) -> None:
    compact, blank, escaped = (json.dumps(form(answer), **how) for how in (COMPACT, {"indent": 1}, {}))
    assert read_answer(compact) == read_answer(blank) == read_answer(escaped)


@pytest.mark.parametrize("form", [dict, shorter, rows], ids=["long", "short", "rows"])
@pytest.mark.parametrize("blank", ["", " "], ids=["compact", "with a blank"])
def test_a_key_that_is_there_twice_is_refused_however_it_is_written(form: Any, blank: str) -> None:
    """Which of the two holds is anybody's guess."""
    answer = form(EXAMPLES[0])
    text = json.dumps(answer, **COMPACT)
    with pytest.raises(Unreadable, match="twice"):
        read_answer(f'{text[:-1]},{blank}"{next(iter(answer))}":{blank}[]}}')


PLAIN = {"q": "He condemned the attack", "g": "condemned", "t": "ACCUSE", "m": [], "c": [], "a": [1], "b": []}
SAID = {
    "a plain key": (PLAIN | {"modality": "negated", "place": 9, "x": []}, ("negated", 9, (1,))),
    "with a value": (PLAIN | {"x": ["negated=true"]}, ("negated", None, (1,))),
    "with a capital": (PLAIN | {"x": ["modality=Future"]}, ("future", None, (1,))),
    "beside x": (PLAIN | {"x": ["future"], "more": ["place=3"]}, ("future", 3, (1,))),
    "numbers as text, lists left out": (
        {"q": "x", "g": "x", "t": "ACCUSE", "a": ["1"], "x": []},
        ("asserted", None, (1,)),
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_what_rows_say_in_another_way_counts(case: str) -> None:
    """Above all what is denied is never asserted."""
    event, expected = SAID[case]
    answer, flaws = read_answer(json.dumps({"n": [["1", "person", "Ali"]], "v": [event], "r": []}))
    (found,) = answer.events
    assert (found.modality, found.place, found.actors) == expected
    assert flaws == ()


@pytest.mark.parametrize("names", [("n", "v", "r"), ("entities", "events", "relations")])
def test_what_stands_beside_the_lists_of_an_answer_is_told(names: tuple[str, ...]) -> None:
    """In every form, and nothing else is lost for it."""
    answer, flaws = read_answer(json.dumps({name: [] for name in names} | {"notes": "x"}))
    assert [(flaw.kind, flaw.item) for flaw in flaws] == [("answer.part", {"said": "x"})]
    assert answer.events == ()


def test_halves_of_characters_cost_no_answer() -> None:
    """They become the sign for what cannot be shown."""
    answer, _ = read_answer('{"n":[["1","person","Al\ud83di"]],"v":[],"r":[]}')
    assert [entity.name for entity in answer.entities] == ["Al\ufffdi"]
