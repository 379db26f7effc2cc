"""An ontology's vocabularies as lines of text, for the prompt."""

from __future__ import annotations

from collections.abc import Mapping

from extractor.ontology import EventType, Ontology, Predicate


def prompt_lists(ontology: Ontology) -> dict[str, str]:
    """The lists that a prompt may ask for by name; the same text for the same ontology."""
    return {
        "event_types": "\n".join(_event_type(event_type) for event_type in ontology.types.values()),
        "contexts": _words(ontology.contexts),
        "entity_types": _words(ontology.entity_types),
        "sectors": _words(ontology.sectors),
        "roles": _words(ontology.roles),
        "modalities": _words(ontology.modalities),
        "predicates": "\n".join(_predicate(predicate) for predicate in ontology.predicates.values()),
    }


def _words(words: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {definition}" for name, definition in words.items())


def _event_type(event_type: EventType) -> str:
    lines = [f"- {event_type.name}: {event_type.definition}"]
    if event_type.modes:
        lines.append("  modes: " + "; ".join(f"{mode.name} ({mode.definition})" for mode in event_type.modes.values()))
    return "\n".join(lines)


def _predicate(predicate: Predicate) -> str:
    ends = "↔" if predicate.symmetric else "→"
    return f"- {predicate.name} ({_types(predicate.subject)} {ends} {_types(predicate.object)}): {predicate.definition}"


def _types(types: frozenset[str]) -> str:
    return "any" if len(types) > 10 else ", ".join(sorted(types))
