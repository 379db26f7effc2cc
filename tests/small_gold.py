"""One small document, its gold, and answers to it that are right or wrong in one thing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from extractor import Extraction, extract
from extractor.evaluation.evaluate import (
    score_document,
)
from extractor.evaluation.gold import Gold
from extractor.evaluation.gold_folder import gold_name
from extractor.evaluation.scores import Card
from extractor.llm.scripted import ScriptedLLM
from extractor.models import Document

TEXT = "On Tuesday Ali Karimi met Sara Noury in Mersa. He condemned the attack by the Dawn Front. Noury thanked Karimi and resigned."
NAMES = ["Ali Karimi", "Sara Noury", "Mersa", "Dawn Front"]
TYPES = ["person", "person", "place", "armed_group"]
BLANK: dict[str, Any] = {
    "modes": [],
    "contexts": [],
    "recipients": [],
    "participants": [],
    "place": None,
    "time": None,
    "modality": "asserted",
    "source": None,
}


def event(type: str, evidence: str, actors: list[int], **more: Any) -> dict[str, Any]:
    return BLANK | {"type": type, "evidence": evidence, "trigger": evidence.split()[0], "actors": actors} | more


EVENTS = [
    event("CONSULT", "met Sara Noury in Mersa", [1], recipients=[2], place=3, modes=["visit"]),
    event("ACCUSE", "condemned the attack by the Dawn Front", [1], recipients=[4]),
    event("SUPPORT", "thanked Karimi", [2], recipients=[1]),
]


def gold(
    events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None, document: str = "d"
) -> Gold:
    entities = [{"id": n, "type": t, "name": name} for n, (t, name) in enumerate(zip(TYPES, NAMES, strict=True), 1)]
    raw = {"document": document, "entities": entities, "events": events, "relations": relations or []}
    return Gold.model_validate_json(json.dumps(raw))


def write_gold(folder: Path, *documents: str, events: list[dict[str, Any]] = EVENTS) -> None:
    """A gold file for each document, which it names."""
    for name in documents:
        text = gold(events, document=name).model_dump_json()
        (folder / f"{gold_name(name)}.gold.json").write_text(text, encoding="utf-8")


def answer(events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    entities = [
        {"id": n, "type": t, "name": name, "aliases": [], "name_en": None, "country": None, "sector": None}
        for n, (t, name) in enumerate(zip(TYPES, NAMES, strict=True), 1)
    ]
    full = [e | {"figures": [], "time": e["time"]["text"] if e["time"] else None} for e in events]
    for item in full:
        item.pop("optional", None)
    return {"entities": entities, "events": full, "relations": relations or []}


def found(
    events: list[dict[str, Any]] = EVENTS, relations: list[dict[str, Any]] | None = None, document: str = "d"
) -> Extraction:
    llm = ScriptedLLM(lambda r: answer(events, relations))
    return extract(Document(id=document, text=TEXT), published="2024-05-16", llm=llm)


def card(events: list[dict[str, Any]], wanted: list[dict[str, Any]] = EVENTS, **more: Any) -> Card:
    return score_document(found(events, more.get("relations")), gold(wanted, more.get("gold_relations")), {"relative"})


def command(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the real command."""
    full = [sys.executable, "-c", "from extractor.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(full, capture_output=True, env=os.environ, timeout=90)
    return done.returncode, done.stdout.decode(), done.stderr.decode()
