"""The rules of OpenAI's strict dialect of JSON Schema, as a lint that runs before the first call.

Source: the "Supported schemas" part of OpenAI's guide to structured outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MAX_PROPERTIES = 5_000
MAX_DEPTH = 10
MAX_ENUM_VALUES = 1_000
MAX_STRING_TOTAL = 120_000
MAX_LARGE_ENUM_CHARS = 15_000
LARGE_ENUM = 250
KEYWORDS = frozenset(
    {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "$ref",
        "$defs",
        "description",
    }
)
TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})


def lint_strict(schema: dict[str, Any]) -> list[str]:
    """Every breach of the dialect, as "where: what"; an empty list where there is none."""
    problems = [] if schema.get("type") == "object" and "anyOf" not in schema else ["$: the root is to be an object"]
    nodes = list(_walk(schema, "$", 1))
    for where, node, depth in nodes:
        problems += [f"{where}: {problem}" for problem in _node_problems(node, schema)]
        if depth > MAX_DEPTH and node.get("type") == "object":
            problems.append(f"{where}: nested deeper than {MAX_DEPTH} levels")
    return problems + _totals([node for _, node, _ in nodes])


def _walk(node: dict[str, Any], where: str, depth: int) -> Iterator[tuple[str, dict[str, Any], int]]:
    yield where, node, depth
    for name, child in node.get("$defs", {}).items():
        yield from _walk(child, f"{where}.$defs.{name}", depth + 1)
    for name, child in node.get("properties", {}).items():
        yield from _walk(child, f"{where}.{name}", depth + 1)
    if isinstance(node.get("items"), dict):
        yield from _walk(node["items"], f"{where}[]", depth + 1)
    for number, child in enumerate(node.get("anyOf", [])):
        yield from _walk(child, f"{where}|{number}", depth)


def _node_problems(node: dict[str, Any], root: dict[str, Any]) -> Iterator[str]:
    for keyword in sorted(set(node) - KEYWORDS):
        yield f"{keyword} is not supported"
    if not {"type", "anyOf", "$ref", "enum", "const"} & set(node):
        yield "a typeless node accepts anything"
    if isinstance(node.get("type"), str) and node["type"] not in TYPES:
        yield f"unknown type {node['type']}"
    if node.get("type") == "object":
        yield from _object_problems(node)
    if node.get("type") == "array" and not isinstance(node.get("items"), dict):
        yield "an array needs items"
    if "$ref" in node and node["$ref"].removeprefix("#/$defs/") not in root.get("$defs", {}):
        yield f"{node['$ref']} leads nowhere"
    if (
        "enum" in node
        and sum(map(len, map(str, node["enum"]))) > MAX_LARGE_ENUM_CHARS
        and len(node["enum"]) > LARGE_ENUM
    ):
        yield f"an enum of more than {LARGE_ENUM} values may hold {MAX_LARGE_ENUM_CHARS} characters"


def _object_problems(node: dict[str, Any]) -> Iterator[str]:
    if node.get("additionalProperties") is not False:
        yield "additionalProperties is to be false"
    if set(node.get("required", [])) != set(node.get("properties", {})):
        yield "every property is to be required"


def _totals(nodes: list[dict[str, Any]]) -> list[str]:
    properties = sum(len(node.get("properties", {})) for node in nodes)
    values = [str(value) for node in nodes for value in node.get("enum", [])]
    names = [name for node in nodes for name in (*node.get("properties", {}), *node.get("$defs", {}))]
    counts = {
        f"more than {MAX_PROPERTIES} properties": properties > MAX_PROPERTIES,
        f"more than {MAX_ENUM_VALUES} enum values": len(values) > MAX_ENUM_VALUES,
        f"more than {MAX_STRING_TOTAL} characters of names and values": sum(map(len, values + names))
        > MAX_STRING_TOTAL,
    }
    return [f"$: {what}" for what, true in counts.items() if true]
