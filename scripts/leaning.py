"""Dates that lean: how often a prompt gets the days of a time that names none by itself (that evening, two days before the vote).

A time of the gold leans where its own words, against the day of publication, name no days, and the gold has some. It is
counted over the events that were found.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from extractor.evaluation.facts import Act, facts_of_extraction, facts_of_gold
from extractor.evaluation.gold import load_gold
from extractor.evaluation.gold_folder import gold_name
from extractor.evaluation.matching import match_acts, match_things
from extractor.models import Document, Extraction
from extractor.text.calendars import resolve_time


class Counts(NamedTuple):
    """Times that lean, how many of them have the right days, and how many have wrong ones instead of none."""

    all: int = 0
    right: int = 0
    wrong: int = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(*(one + more for one, more in zip(self, other, strict=True)))


def leaning(extractions: Iterable[Extraction], folder: Path) -> Counts:
    """The counts of a run against the gold of a folder."""
    counts = Counts()
    for extraction in extractions:
        for mine, wanted in _pairs(extraction, folder):
            if wanted.interval and not _names_its_days(wanted, extraction.document):
                right = mine.interval == wanted.interval
                counts = counts.plus(Counts(1, right, bool(mine.interval) and not right))
    return counts


def _pairs(extraction: Extraction, folder: Path) -> list[tuple[Act, Act]]:
    """Events that were found, each with the gold's, where the gold is sure of their time."""
    document = extraction.document
    found = facts_of_extraction(extraction)
    gold = facts_of_gold(load_gold(folder / f"{gold_name(document.id)}.gold.json"), document)
    same = {found.things[i].id: gold.things[j].id for i, j in match_things(found, gold).items()}
    acts = match_acts(found, gold, lambda mine, theirs: mine in same and same[mine] == theirs)
    pairs = [(found.acts[i], gold.acts[j]) for i, j in acts.items()]
    return [(mine, wanted) for mine, wanted in pairs if not (wanted.optional or "time" in wanted.arguable)]


def _names_its_days(act: Act, document: Document) -> bool:
    if not act.time or not document.published:
        return False
    return resolve_time(act.time, published=document.published, language=document.language) is not None
