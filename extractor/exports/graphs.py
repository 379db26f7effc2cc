"""Entities and relations as graphs: GraphML, and JSON-LD with Wikidata properties."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from extractor.exports.names import joined
from extractor.models import Entity, Extraction, Relation

WIKIDATA = "http://www.wikidata.org/prop/direct/"
XML_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def graphml(extractions: Iterable[Extraction]) -> str:
    """GraphML: a node for each entity (joined by English name), an edge for each relation, with its evidence."""
    nodes: dict[str, Entity] = {}
    edges: list[str] = []
    for extraction in extractions:
        entities = {entity.id: entity for entity in extraction.entities}
        for relation in extraction.relations:
            ends = entities[relation.subject], entities[relation.object]
            for end in ends:
                nodes.setdefault(joined(end), end)
            edges.append(_edge(relation, joined(ends[0]), joined(ends[1]), extraction.document.id))
    keys = "".join(
        f'<key id="{name}" for="{owner}" attr.name="{name}" attr.type="string"/>\n'
        for owner, names in KEYS.items()
        for name in names
    )
    body = "".join(_node(name, entity) for name, entity in sorted(nodes.items())) + "".join(edges)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
        f'{keys}<graph id="relations" edgedefault="directed">\n{body}</graph>\n</graphml>\n'
    )


KEYS = {"node": ("type", "name", "country"), "edge": ("predicate", "wikidata", "modality", "document", "evidence")}


def _node(name: str, entity: Entity) -> str:
    return f"<node id={_attribute(name)}>{_data(type=entity.type, name=entity.name, country=entity.country)}</node>\n"


def _edge(relation: Relation, subject: str, target: str, document: str) -> str:
    values = _data(
        predicate=relation.predicate, wikidata=relation.wikidata, modality=relation.modality, document=document,
        evidence=relation.evidence.text,
    )  # fmt: skip
    return f"<edge source={_attribute(subject)} target={_attribute(target)}>{values}</edge>\n"


def _data(**values: str | None) -> str:
    return "".join(
        f'<data key="{name}">{escape(_xml(value))}</data>' for name, value in values.items() if value is not None
    )


def _attribute(text: str) -> str:
    return quoteattr(_xml(text))


def _xml(text: str) -> str:
    return XML_UNSAFE.sub("\ufffd", text)


def jsonld(extractions: Iterable[Extraction]) -> dict[str, Any]:
    """JSON-LD: entities with their relations as Wikidata properties; predicates of ours under this project's own vocabulary.

    A relation that is denied, planned or supposed is no statement of fact: it stands under `x:said`, with its modality.
    """
    nodes: dict[str, dict[str, Any]] = {}
    for extraction in extractions:
        entities = {entity.id: entity for entity in extraction.entities}
        for entity in entities.values():
            nodes.setdefault(joined(entity), {"@id": _iri(entity), "@type": entity.type, "name": []})
            if entity.name not in nodes[joined(entity)]["name"]:
                nodes[joined(entity)]["name"].append(entity.name)
        for relation in extraction.relations:
            name = f"wdt:{relation.wikidata}" if relation.wikidata else f"x:{relation.predicate}"
            target = {"@id": _iri(entities[relation.object])}
            node = nodes[joined(entities[relation.subject])]
            if relation.modality != "asserted":
                said = {"x:predicate": name, "x:object": target, "x:modality": relation.modality}
                node.setdefault("x:said", []).append(said)
            elif target not in node.setdefault(name, []):
                node[name].append(target)
    context = {"wdt": WIKIDATA, "x": "urn:extractor:", "name": "http://schema.org/name"}
    return {"@context": context, "@graph": [nodes[name] for name in sorted(nodes)]}


def _iri(entity: Entity) -> str:
    from urllib.parse import quote

    return "urn:extractor:entity:" + quote(joined(entity), safe="")
