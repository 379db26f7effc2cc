"""The short forms of an answer (2 and 3): the same fields under keys of one letter, for half of the characters.

An asserted event or relation says nothing of its modality (null); the rest is said as in the first form.
"""

from __future__ import annotations

from typing import Any

LISTS = {"entities": "n", "events": "v", "relations": "r"}
KEYS = {
    "AnswerEntity": {
        "id": "i", "type": "t", "name": "n", "aliases": "o", "name_en": "e", "country": "c", "sector": "s"
    },
    "AnswerEvent": {
        "evidence": "q", "trigger": "g", "type": "t", "modes": "m", "contexts": "c", "actors": "a", "recipients": "b",
        "participants": "x", "place": "l", "time": "d", "modality": "k", "source": "s", "figures": "f",
    },
    "AnswerRelation": {
        "evidence": "q", "subject": "a", "predicate": "p", "object": "b", "time": "d", "modality": "k", "source": "s"
    },
    "AnswerPart": {"role": "r", "entity": "e"},
    "AnswerFigure": {"kind": "k", "value": "v"},
}  # fmt: skip
OF_LIST = {"entities": "AnswerEntity", "events": "AnswerEvent", "relations": "AnswerRelation"}
INSIDE = {"participants": "AnswerPart", "figures": "AnswerFigure"}
DEFAULT_MODALITY = "asserted"


def is_short(raw: Any) -> bool:
    """Whether an answer is written in this form."""
    return isinstance(raw, dict) and set(LISTS.values()) <= set(raw)


def expanded(raw: dict[str, Any]) -> dict[str, Any]:
    """An answer of this form in the first one; what does not belong stays, and is found when it is validated."""
    return {long: _each(raw[short], OF_LIST[long]) for long, short in LISTS.items()}


def _each(items: Any, kind: str) -> Any:
    return [_item(item, kind) for item in items] if isinstance(items, list) else items


def _item(item: Any, kind: str) -> Any:
    if not isinstance(item, dict):
        return item
    names = {short: long for long, short in KEYS[kind].items()}
    long = {names.get(key, key): value for key, value in item.items()}
    for name, inner in INSIDE.items():
        if name in long:
            long[name] = _each(long[name], inner)
    if "modality" in long and long["modality"] is None:
        long["modality"] = DEFAULT_MODALITY
    return long


def shortened(schema: dict[str, Any]) -> dict[str, Any]:
    """The strict schema of the first form, in this one."""
    definitions = {name: _renamed(part, KEYS.get(name, {})) for name, part in schema["$defs"].items()}
    return {**_renamed(schema, LISTS), "$defs": definitions}


def _renamed(schema: dict[str, Any], keys: dict[str, str]) -> dict[str, Any]:
    properties = {keys[name]: _property(name, part) for name, part in schema["properties"].items()}
    return {**schema, "properties": properties, "required": list(properties)}


def _property(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    if name != "modality":
        return schema
    others = [value for value in schema["enum"] if value != DEFAULT_MODALITY]
    return {"anyOf": [{**schema, "enum": others}, {"type": "null"}]}
