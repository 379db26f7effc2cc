"""A run folder's report: one file, or pages with an index where there are too many documents for one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from extractor.errors import DocumentError
from extractor.models import Extraction
from extractor.ontology import Ontology, load_ontology
from extractor.report.page import render_page
from extractor.runs.files import replace_file

DOCUMENTS_A_PAGE = 2000


def write_report(run: Path, extractions: Iterable[Extraction], *, title: str, out: Path | None = None,
                 ontology: Ontology | None = None, documents: int = 0) -> Path:  # fmt: skip
    """Write `report.html` into the run folder (or `out`), and `report-2.html` ... beside it; return the first.

    `documents` is how many there are, where it is known: it tells the pages of one another.
    """
    target = out or run / "report.html"
    pages = max(1, -(-documents // DOCUMENTS_A_PAGE))
    names = [target.name, *(f"{target.stem}-{number}{target.suffix}" for number in range(2, pages + 1))]
    about = {"title": title, "pages": names, **_about(run)}
    source = iter(extractions)
    for name in names:
        page = islice(source, DOCUMENTS_A_PAGE)
        book = ontology or load_ontology("plover")
        replace_file(
            target.with_name(name), (piece.encode("utf-8", "replace") for piece in render_page(page, about, book))
        )
    return target


def count_lines(run: Path) -> int:
    """How many documents a run's results hold."""
    try:
        with (run / "results.jsonl").open("rb") as file:
            return sum(block.count(b"\n") for block in _blocks(file))
    except OSError as exc:
        raise DocumentError(
            f"Cannot read {run / 'results.jsonl'}: {exc.strerror}.", hint="Give a run folder."
        ) from None


def _blocks(file: Any) -> Iterator[bytes]:
    while block := file.read(1 << 20):
        yield block


def _about(run: Path) -> dict[str, Any]:
    """What the foot says of the run: its prompt, and the documents that failed. Its models stand in the extractions."""
    about: dict[str, Any] = {"failures": _failures(run / "failures.jsonl")}
    try:
        facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return about
    return about | {"prompt": facts.get("prompt")}


def _failures(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            failures = [json.loads(line) for line in islice(file, 1000)]
    except (OSError, ValueError):
        return []
    return [{"document": str(f.get("document")), "message": str(f.get("message"))} for f in failures]
