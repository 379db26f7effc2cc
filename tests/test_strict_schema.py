"""The schema that is sent obeys the strict dialect, and the lint sees each breach of it."""

import json
from typing import Any

import pytest

from extractor.answers import answer_schema
from extractor.ontology import load_ontology
from extractor.strict_schema import lint_strict


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def nested(depth: int) -> dict[str, Any]:
    schema = closed(leaf={"type": "string"})
    for _ in range(depth - 1):
        schema = closed(inner=schema)
    return schema


BREACHES = {
    "root is no object": ({"type": "array", "items": {"type": "string"}}, "root"),
    "root is a union": (closed() | {"anyOf": [closed()]}, "root"),
    "open object": (closed() | {"additionalProperties": True}, "additionalProperties"),
    "object says nothing of extras": ({"type": "object", "properties": {}, "required": []}, "additionalProperties"),
    "a property is optional": (closed(a={"type": "string"}) | {"required": []}, "required"),
    "default": (closed(a={"type": "string", "default": "x"}), "default"),
    "minLength": (closed(a={"type": "string", "minLength": 1}), "minLength"),
    "oneOf": (closed(a={"oneOf": [{"type": "string"}]}), "oneOf"),
    "allOf": (closed(a={"allOf": [{"type": "string"}]}), "allOf"),
    "uniqueItems": (closed(a={"type": "array", "items": {"type": "string"}, "uniqueItems": True}), "uniqueItems"),
    "prefixItems": (closed(a={"type": "array", "prefixItems": [], "items": {"type": "string"}}), "prefixItems"),
    "discriminator": (closed(a={"anyOf": [closed()], "discriminator": {}}), "discriminator"),
    "examples": (closed(a={"type": "string", "examples": ["x"]}), "examples"),
    "typeless": (closed(a={}), "typeless"),
    "array of anything": (closed(a={"type": "array"}), "items"),
    "a reference to nothing": (closed(a={"$ref": "#/$defs/B"}), "nowhere"),
    "unknown type": (closed(a={"type": "date"}), "unknown type"),
    "too deep": (nested(11), "deeper"),
    "too many enum values": (closed(a={"type": "string", "enum": [str(n) for n in range(1001)]}), "enum values"),
    "too many properties": (closed(**{f"p{n}": {"type": "string"} for n in range(5001)}), "properties"),
    "a large enum of long values": (
        closed(a={"type": "string", "enum": ["x" * 70 + str(n) for n in range(251)]}),
        "15000",
    ),
    "too many characters": (closed(**{f"{n:05}" + "x" * 120: {"type": "string"} for n in range(1000)}), "characters"),
    "inside a definition": (closed() | {"$defs": {"A": {"type": "object", "properties": {}}}}, "additionalProperties"),
    "inside a union": (closed(a={"anyOf": [{"type": "string", "format": "date"}]}), "format"),
}


@pytest.mark.parametrize(("schema", "word"), BREACHES.values(), ids=BREACHES)
def test_each_rule_of_the_strict_dialect_is_checked(schema: dict[str, Any], word: str) -> None:
    """A breach is named with its place."""
    assert any(word in problem for problem in lint_strict(schema)), lint_strict(schema)


def test_a_schema_within_the_dialect_has_no_breach() -> None:
    """Nullable by anyOf, references, enums and ten levels are fine."""
    nullable = {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}
    schema = closed(a=nullable, b={"$ref": "#/$defs/B"}) | {"$defs": {"B": closed(c={"type": "integer"})}}
    assert lint_strict(schema) == []
    assert lint_strict(nested(10)) == []


def test_the_answer_schema_obeys_the_strict_dialect() -> None:
    """What is sent for the default ontology has no breach."""
    assert lint_strict(json.loads(answer_schema(load_ontology("plover")).text)) == []


def test_the_answer_schema_is_narrowed_to_the_ontology() -> None:
    """Types, modes, contexts, sectors, roles and predicates are closed lists."""
    ontology = load_ontology("plover")
    definitions = json.loads(answer_schema(ontology).text)["$defs"]
    event = definitions["AnswerEvent"]["properties"]
    assert event["type"]["enum"] == list(ontology.types)
    assert event["contexts"]["items"]["enum"] == list(ontology.contexts)
    assert definitions["AnswerEntity"]["properties"]["sector"]["anyOf"][0]["enum"] == list(ontology.sectors)
    assert definitions["AnswerRelation"]["properties"]["predicate"]["enum"] == list(ontology.predicates)
