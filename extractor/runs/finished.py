"""A finished document as the ledger keeps it: its line, and what it gave and cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from isal import isal_zlib

from extractor.models import Extraction, Usage

LEVEL = 1
LINE_BREAKERS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"}


@dataclass(frozen=True, slots=True)
class Finished:
    """`line` is the extraction as JSON, without a line end, `packed` the same compressed; `rejections` counts them by reason."""

    line: bytes
    packed: bytes
    entities: int
    events: int
    relations: int
    rejections: dict[str, int]
    usage: Usage
    repairs: int
    splits: int
    recovered: bool


def finished(extraction: Extraction) -> Finished:
    line = line_of(extraction)
    return Finished(
        line=line,
        packed=pack(line),
        entities=len(extraction.entities),
        events=len(extraction.events),
        relations=len(extraction.relations),
        rejections=dict(Counter(rejection.reason for rejection in extraction.rejections)),
        usage=extraction.usage,
        repairs=extraction.provenance.repairs,
        splits=extraction.provenance.splits,
        recovered=any(note.startswith("answer recovered") for note in extraction.provenance.notes),
    )


def pack(line: bytes) -> bytes:
    """A line as the ledger keeps it: zlib's format, which any zlib reads; written by isal in a third of zlib's time."""
    return isal_zlib.compress(line, LEVEL)


def line_of(extraction: Extraction) -> bytes:
    """An extraction as one line of JSON, in UTF-8, safe for readers that split at Unicode's line separators."""
    text = extraction.model_dump_json()
    for breaker, escaped in LINE_BREAKERS.items():
        text = text.replace(breaker, escaped)
    return text.encode()
