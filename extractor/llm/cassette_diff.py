"""Why a request has no recorded reply, in words a newcomer can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from extractor.errors import CassetteMiss
from extractor.llm.base import Request
from extractor.llm.cassette_file import RecordedRequest, record_request

MOST_LINES = 24
SAMPLE = 4000


def miss(request: Request, place: Path, recorded: Iterable[tuple[Path, RecordedRequest]]) -> CassetteMiss:
    """The error for a request that was not recorded: what differs from the nearest one that was, and what to do."""
    mine = record_request(request)
    candidates = list(recorded)
    if not candidates:
        return CassetteMiss(f"Nothing is recorded in {place}.", hint=_remedy(place))
    path, nearest = min(candidates, key=lambda candidate: _distance(mine, candidate[1]))
    differences = describe(mine, nearest)
    message = (
        f"No recorded reply for request {mine.fingerprint()[:12]} in {place}.\n"
        f"The nearest recorded one is {nearest.fingerprint()[:12]} in {path.name}; it differs in: {'; '.join(differences)}.\n"
        f"{_diff(mine, nearest)}"
    )
    return CassetteMiss(message, hint=_remedy(place))


def describe(mine: RecordedRequest, other: RecordedRequest) -> list[str]:
    """What differs between two requests, in words."""
    found = []
    if _texts(mine, "system") != _texts(other, "system"):
        found.append("the template text (the fixed part of the prompt changed)")
    if _texts(mine, "user")[:1] != _texts(other, "user")[:1]:
        found.append("the document")
    if len(mine.messages) != len(other.messages) or _texts(mine, "user")[1:] != _texts(other, "user")[1:]:
        found.append("the number of turns (one of the two is a second question)")
    if mine.schema_digest != other.schema_digest:
        found.append("the answer schema")
    if mine.model != other.model:
        found.append(f"the model ({mine.model!r}, recorded {other.model!r})")
    changed = sorted(set(mine.parameters) ^ set(other.parameters), key=str)
    if changed:
        found.append(f"a parameter ({', '.join(sorted({name for name, _ in changed}))})")
    return found or ["nothing that is kept"]


def _distance(mine: RecordedRequest, other: RecordedRequest) -> tuple[float, str]:
    """Most of all the same document, then the fewest other differences, then the most similar words."""
    document = _texts(mine, "user")[:1] != _texts(other, "user")[:1]
    similarity = 0.0 if not document else _similarity(_content(mine, "user"), _content(other, "user"))
    return 10 * document + len(describe(mine, other)) - similarity, other.fingerprint()


def _similarity(mine: str, other: str) -> float:
    return difflib.SequenceMatcher(None, mine[:400], other[:400], autojunk=False).quick_ratio()


def _diff(mine: RecordedRequest, other: RecordedRequest) -> str:
    """The first lines that differ, recorded (-) against asked (+)."""
    for role in ("system", "user"):
        if _texts(mine, role) != _texts(other, role):
            before, after = _content(other, role).split("\n"), _content(mine, role).split("\n")
            lines = difflib.unified_diff(before, after, "recorded", "asked", lineterm="", n=1)
            return "\n".join(line[:200] for _, line in zip(range(MOST_LINES), lines, strict=False)) + "\n"
    return ""


def _texts(request: RecordedRequest, role: str) -> list[str]:
    return [message.digest for message in request.messages if message.role == role]


def _content(request: RecordedRequest, role: str) -> str:
    return "\n".join(message.content or "" for message in request.messages if message.role == role)


def _remedy(place: Path) -> str:
    return (
        "If the change is meant, record again: extractor cassettes record FOLDER --to "
        f"{place} (or pytest --record-mode=once); if not, undo it."
    )
