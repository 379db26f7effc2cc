"""The fourth form of an answer: what every item has stands in rows, what few have is said only where it is there.

    n  ["1", "person", name, English name, country, sector, other names ...]   an empty string where there is nothing
    v  {"q", "g", "t", "m", "c", "a", "b", "x": ["place=4", "time=that evening", "day=Tuesday", "source=5", "dead=3", "future"]}
    r  [evidence, "1", predicate, "2", the same as in x ...]

A third fewer characters than the second form for the same facts: a strict schema has no fields that may be left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from extractor.answers_short import DEFAULT_MODALITY, LISTS, shortened

ENTITY = ("id", "type", "name", "name_en", "country", "sector")
RELATION = ("evidence", "subject", "predicate", "object")
EVENT = {
    "q": "evidence", "g": "trigger", "t": "type", "m": "modes", "c": "contexts", "a": "actors", "b": "recipients", "x": "more"
}  # fmt: skip
FIGURES = frozenset({"dead", "injured", "arrested", "amount"})
MODALITIES = frozenset({"asserted", "future", "hypothetical", "negated"})
MEANT = {"denied": "negated", "planned": "future", "conditional": "hypothetical"}
COLON = frozenset({"place", "time", "day", "source", "modality", *FIGURES})
TEXTS = {"type": "array", "items": {"type": "string"}}


class Stray(NamedTuple):
    """Something said of an item that is left out, and why; the item stays."""

    kind: str
    said: str
    why: str


def is_rows(raw: Any) -> bool:
    """Whether an answer is written in this form."""
    if not isinstance(raw, dict) or not set(LISTS.values()) <= set(raw):
        return False
    rows = [*_list(raw["n"]), *_list(raw["r"])]
    return any(isinstance(row, list) for row in rows) or any(
        isinstance(event, dict) and "x" in event and not {"l", "f"} & set(event) for event in _list(raw["v"])
    )


def expanded_rows(raw: dict[str, Any]) -> tuple[dict[str, Any], list[Stray]]:
    """An answer of this form in the first one, and what of it says nothing; wrong items stay, and are found later."""
    strays: list[Stray] = []
    return {
        "entities": [_entity(row) for row in raw["n"]] if isinstance(raw["n"], list) else raw["n"],
        "events": [_event(item, strays) for item in raw["v"]] if isinstance(raw["v"], list) else raw["v"],
        "relations": [_relation(row, strays) for row in raw["r"]] if isinstance(raw["r"], list) else raw["r"],
    }, strays


def rows_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The strict schema of the first form, in this one, in the order in which the fields are to be filled in."""
    brief = shortened(schema)
    event = brief["$defs"]["AnswerEvent"]
    known = {name: event["properties"][name] for name in EVENT if name != "x"}
    event = {**event, "properties": {**known, "x": TEXTS}, "required": list(EVENT)}
    rows = {"type": "array", "items": TEXTS}
    events = {"type": "array", "items": {"$ref": "#/$defs/AnswerEvent"}}
    return {**brief, "$defs": {"AnswerEvent": event}, "properties": {"n": rows, "v": events, "r": rows}}


def _entity(row: Any) -> Any:
    if not isinstance(row, list) or len(row) < 3:
        return row if isinstance(row, dict) else {"row": row}
    said = dict(zip(ENTITY, [*row, "", "", ""], strict=False))
    empty = {name: said[name] or None for name in ("name_en", "country", "sector")}
    return {**said, **empty, "id": _number(said["id"]), "aliases": [form for form in row[len(ENTITY) :] if form]}


def _relation(row: Any, strays: list[Stray]) -> Any:
    if not isinstance(row, list) or len(row) < len(RELATION):
        return row if isinstance(row, dict) else {"row": row}
    said = dict(zip(RELATION, row, strict=False))
    more = _more(row[len(RELATION) :], "relation", strays)
    ends = {"subject": _number(said["subject"]), "object": _number(said["object"])}
    for name in ("place", "participants", "figures"):
        if more[name]:
            strays.append(Stray("relation", f"{name} {more[name]}"[:200], "a relation has none"))
    return {**said, **ends, **{name: more[name] for name in ("time", "day", "modality", "source")}}


def _event(item: Any, strays: list[Stray]) -> Any:
    if not isinstance(item, dict):
        return item
    said: dict[str, Any] = {"modes": [], "contexts": [], "actors": [], "recipients": []}
    tags: list[Any] = []
    for name, value in item.items():
        field = str(EVENT.get(name, name))
        if field == "more" or field in COLON:
            tags += _tags(value if field == "more" else {field: value})
        elif name != field and field in item:
            strays.append(Stray("event", f"{name} {value}"[:200], f"said as {field} too, which is kept"))
        elif field in ("actors", "recipients"):
            said[field] = [_number(one) for one in value] if isinstance(value, list) else [_number(value)]
        else:
            said[field] = value
    lists = {name: said.pop(name) for name in ("participants", "figures") if isinstance(said.get(name), list)}
    more = _more(tags, "event", strays)
    return said | more | {name: [*more[name], *value] for name, value in lists.items()}


def _tags(more: Any) -> list[Any]:
    """What stands in `x`, also where it is one text, or names with values, instead of a list."""
    if isinstance(more, dict):
        return [name if value is True else f"{name}={value}" for name, value in more.items() if value not in (None, "")]
    if more is None:
        return []
    return more if isinstance(more, list) else [more]


def _more(tags: Iterable[Any], kind: str, strays: list[Stray]) -> dict[str, Any]:
    """What the tags say, in the fields of the first form; of two that say the same thing the first holds."""
    found: dict[str, Any] = {"place": None, "time": None, "day": None, "modality": None, "source": None}
    parts: list[dict[str, Any]] = []
    figures: list[dict[str, Any]] = []
    for tag in tags:
        name, equals, value = _split(tag)
        name, value = name.strip(), value.strip()
        number = _number(value)
        if (modality := _modality(name, value)) and found["modality"] is None:
            found["modality"] = modality
        elif name in FIGURES and value:
            figures.append({"kind": name, "value": value})
        elif name in ("place", "source") and isinstance(number, int) and found[name] is None:
            found[name] = number
        elif name in ("time", "day", "modality") and value and found[name] is None:
            found[name] = value
        elif equals and name not in found and isinstance(number, int):
            parts.append({"role": name, "entity": number})
        else:
            said_before = name in found and found[name] is not None and value
            why = "given twice; the first is kept" if said_before else "nothing that can be said of it"
            strays.append(Stray(kind, str(tag)[:200], why))
    modality = found["modality"] or DEFAULT_MODALITY
    return {**found, "modality": modality, "participants": parts, "figures": figures}


def _modality(name: str, value: str) -> str | None:
    """The modality that a tag says: `negated`, `negated=true`, `modality=Negated`."""
    said = value if name.lower() == "modality" else name if value.lower() in ("", "true", "yes", "1") else ""
    said = MEANT.get(said.lower(), said.lower())
    return said if said in MODALITIES else None


def _split(tag: Any) -> tuple[str, str, str]:
    """`place=2` or, as some write it, `place: 2`, in its parts."""
    if not isinstance(tag, str):
        return "", "", ""
    sign = "=" if "=" in tag else ":"
    name, equals, value = tag.partition(sign)
    return (name, equals, value) if sign == "=" or name.strip() in COLON else (tag, "", "")


def _number(value: Any) -> Any:
    """The number that a row holds as text, in the digits of any script, perhaps behind a #; anything else as it is."""
    digits = value.strip().removeprefix("#") if isinstance(value, str) else ""
    return int(digits) if digits.isdecimal() and len(digits) < 9 else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
