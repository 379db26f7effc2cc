"""The page: data, script and style put into one file, with nothing of a document live in it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from extractor.models import Extraction
from extractor.ontology import Ontology
from extractor.report.data import document_data, index_data

ASSETS = Path(__file__).parent / "assets"
# `<`, `>` and `&` so that no markup can begin or end in data; the line separators for old script engines.
ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def render_page(extractions: Iterable[Extraction], about: dict[str, Any], ontology: Ontology) -> Iterator[str]:
    """The page in pieces, in order; a pure function of what it is given.

    `about` is shown as it is: title, counts of the run, failures, links to other pages.
    """
    from jinja2 import Environment, FileSystemLoader

    template = Environment(loader=FileSystemLoader(ASSETS), autoescape=True).get_template("page.html")
    script, style = _asset("report.js"), _asset("report.css")
    head, foot = template.render(title=about.get("title", ""), csp=_policy(script), style="\0style", script="\0script",
                                 data="\0data").split("\0data")  # fmt: skip
    yield head.replace("\0style", style)
    index = []
    for number, extraction in enumerate(extractions):
        index.append(index_data(extraction, number))
        yield f'<script type="application/json" id="doc-{number}">{island(document_data(extraction, number))}</script>\n'
    everything = {"about": about, "documents": index, "ontology": _codebook(ontology)}
    yield f'<script type="application/json" id="index">{island(everything)}</script>\n'
    yield foot.replace("\0script", script)


def island(value: Any) -> str:
    """JSON that is inert inside a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def _policy(script: str) -> str:
    """Nothing is loaded from anywhere; the one script that runs is known by its hash."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        f"script-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


@lru_cache(maxsize=4)
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _codebook(ontology: Ontology) -> dict[str, Any]:
    return {
        "types": {name: [t.quad, t.score, t.definition] for name, t in ontology.types.items()},
        "symmetric": sorted(name for name, p in ontology.predicates.items() if p.symmetric),
    }
