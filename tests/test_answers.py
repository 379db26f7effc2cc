"""The two forms of an answer say the same; what is not of its type is one item's failure."""

import json
from pathlib import Path
from typing import Any

import pytest

from extractor.answers import answer_schema, read_answer
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
