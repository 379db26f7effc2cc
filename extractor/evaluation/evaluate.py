"""A run against gold: cards, one for each document, and the evaluation that they come to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from extractor.errors import AnswerError, DocumentError
from extractor.evaluation.facts import Facts, facts_of_extraction, facts_of_gold
from extractor.evaluation.gold import Gold
from extractor.evaluation.gold_folder import Fit, GoldFolder
from extractor.evaluation.output import write_text
from extractor.evaluation.scores import ASPECTS, Card, Count, interval, mean_by_document, score, total
from extractor.models import Document, Extraction
from extractor.ontology import Ontology, load_ontology
from extractor.prices import Price

Key = TypeVar("Key", str, tuple[str, float])

LENGTHS = ((0, "unknown"), (2500, "up to 2,500"), (5000, "2,500 to 5,000"), (10**9, "over 5,000"))
MEASURES = ("f1", "precision", "recall")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The cards of all documents that have gold, and the gold documents that the run lacks.

    `failed` are documents whose answer could not be used: they have a card, on which all of their gold is missed.
    `absent` ones were not in the run, or failed otherwise: they have none, and no figure counts them. `without_gold` are
    documents of the run that have none.
    """

    cards: tuple[Card, ...]
    absent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    without_gold: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def f1(self, aspect: str) -> float | None:
        return total(self.cards, aspect).f1

    def figure(self, name: str) -> float | None:
        """A figure by name: `f1.events`, `precision.typed`, `recall.arguments`."""
        measure, aspect = figure_parts(name)
        value: float | None = getattr(total(self.cards, aspect), measure)
        return value

    def groups(self) -> dict[str, dict[str, list[Card]]]:
        """All cards by language and by length of the document, in characters; of one without an answer neither is known."""
        languages: dict[str, list[Card]] = {}
        lengths: dict[str, list[Card]] = {name: [] for _, name in (*LENGTHS[1:], LENGTHS[0])}
        for card in self.cards:
            languages.setdefault(card.language, []).append(card)
            lengths[next(name for most, name in LENGTHS if card.length <= most)].append(card)
        return {"language": dict(sorted(languages.items())), "length": {k: v for k, v in lengths.items() if v}}

    def as_json(self, price: Price | None = None) -> dict[str, Any]:
        """Everything, as JSON values."""
        return {
            "documents": len(self.cards),
            "prompts": list(self.prompts),
            "absent": list(self.absent),
            "failed": list(self.failed),
            "without_gold": list(self.without_gold),
            "aspects": {aspect: _figures(self.cards, aspect) for aspect in ASPECTS},
            "groups": {
                kind: {
                    name: {aspect: _measures(total(cards, aspect)) for aspect in ASPECTS}
                    for name, cards in groups.items()
                }
                for kind, groups in self.groups().items()
            },
            "types": {name: _measures(count) for name, count in self.by_type().items()},
            "roles": {name: _measures(count) for name, count in self.by_role().items()},
            "shares": [
                {"aspect": aspect, "share": share, **_measures(count), "from_here": _measures(kept)}
                for ((aspect, share), count), kept in zip(
                    self.by_share().items(), self.from_share().values(), strict=True
                )
            ],
            "confusion": [{"gold": g, "found": f, "count": n} for (g, f), n in self.confusion()],
            "cost": self.cost(price),
            "slips": {
                card.document: [{"aspect": s.aspect, "kind": s.kind, "text": s.text} for s in card.slips]
                for card in self.cards
            },
        }

    def by_type(self) -> dict[str, Count]:
        return _sum(card.by_type for card in self.cards)

    def by_role(self) -> dict[str, Count]:
        return _sum(card.by_role for card in self.cards)

    def by_share(self) -> dict[tuple[str, float], Count]:
        """Entities, events and relations by the share of passes that found them, most agreed first; empty after one pass."""
        found = _sum(card.by_share for card in self.cards)
        return dict(sorted(found.items(), key=lambda item: (ASPECTS.index(item[0][0]), -item[0][1])))

    def from_share(self) -> dict[tuple[str, float], Count]:
        """What would be right and wrong if only what at least this share of the passes found were kept."""
        kept: dict[tuple[str, float], Count] = {}
        so_far: dict[str, Count] = {}
        for (aspect, share), count in self.by_share().items():
            sums = so_far.setdefault(aspect, Count())
            sums.add(count)
            whole = total(self.cards, aspect)
            kept[aspect, share] = Count(sums.hits, sums.inventions, whole.hits + whole.misses - sums.hits)
        return kept

    def confusion(self) -> list[tuple[tuple[str, str], int]]:
        """(gold type, found type) and how often; `-` stands for nothing. Most frequent first."""
        counted: dict[tuple[str, str], int] = {}
        for card in self.cards:
            for pair, number in card.confusion.items():
                counted[pair] = counted.get(pair, 0) + number
        return sorted(counted.items(), key=lambda item: (-item[1], item[0]))

    def cost(self, price: Price | None = None) -> dict[str, float]:
        """Tokens a document and a fact (event or relation), as the endpoint counted them; money where there is a price."""
        tokens, answers = sum(c.tokens for c in self.cards), sum(c.answer_tokens for c in self.cards)
        spent = {"tokens": float(tokens), "answer_tokens": float(answers)}
        if price is not None:
            spent["money"] = price.of(tokens - answers, answers)
        documents, facts = max(1, len(self.cards) - len(self.failed)), max(1, sum(c.facts for c in self.cards))
        each = {f"{name}_per_document": value / documents for name, value in spent.items()}
        return each | {f"{name}_per_fact": value / facts for name, value in spent.items()}


def figure_parts(name: str) -> tuple[str, str]:
    """Measure and aspect of a figure's name. Raises DocumentError where there is no such figure."""
    measure, _, aspect = name.partition(".")
    if measure not in MEASURES or aspect not in ASPECTS:
        raise DocumentError(
            f"Unknown figure {name!r}.",
            hint=f"Write f1, precision or recall, a dot, and one of {', '.join(ASPECTS)}.",
        )
    return measure, aspect


def evaluate(
    extractions: Iterable[Extraction],
    gold_folder: Path,
    ontology: Ontology | None = None,
    failed: Iterable[Document] = (),
) -> Evaluation:
    """Hold each extraction against its gold in the folder. Raises DocumentError where there is no gold, or broken gold.

    `ontology` is that of the gold, plover unless said. `failed` are documents whose answer could not be used: all that
    their gold has is missed.
    """
    return hold_against(GoldFolder.read(gold_folder, ontology or load_ontology("plover")), extractions, failed)


def hold_against(gold: GoldFolder, extractions: Iterable[Extraction], failed: Iterable[Document] = ()) -> Evaluation:
    """`evaluate`, with gold that was read before."""
    met = Met()
    for extraction in extractions:
        met.prompts[extraction.provenance.prompt] = None
        met.models[extraction.provenance.model] = None
        met.add(gold.fit(extraction.document), extraction.document, extraction)
    for document in failed:
        met.add(gold.fit(document), document, None)
    return met.scored(gold)


@dataclass(slots=True)
class Met:
    """The documents of a run as they come: those that gold fits, with their extraction, and the names of the others.

    Without an extraction their answer could not be used.
    """

    pairs: list[tuple[Fit, Extraction | None]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    prompts: dict[str, None] = field(default_factory=dict)
    models: dict[str, None] = field(default_factory=dict)

    def add(self, fit: Fit | None, document: Document, extraction: Extraction | None) -> None:
        if fit is None:
            self.others.append(document.id)
        else:
            self.pairs.append((fit, extraction))

    def scored(self, gold: GoldFolder) -> Evaluation:
        """A card for each document that has gold of its own."""
        chosen = gold.settle(fit for fit, _ in self.pairs)
        kept = [(fit, extraction) for fit, extraction in self.pairs if fit in chosen]
        symmetric = {name for name, predicate in gold.ontology.predicates.items() if predicate.symmetric}
        taken = {fit.file.name for fit in chosen}
        return Evaluation(
            cards=tuple(_card(fit, extraction, symmetric) for fit, extraction in kept),
            absent=tuple(file.name for file in gold.files.values() if file.name not in taken),
            failed=tuple(fit.document.id for fit, extraction in kept if extraction is None),
            without_gold=(*self.others, *(fit.document.id for fit, _ in self.pairs if fit not in chosen)),
            prompts=tuple(self.prompts),
            models=tuple(self.models),
        )


def _card(fit: Fit, extraction: Extraction | None, symmetric: set[str]) -> Card:
    if extraction is None:
        return missed_whole(fit.document, fit.file.gold, symmetric)
    return score_document(extraction, fit.file.gold, symmetric)


def score_document(extraction: Extraction, gold: Gold, symmetric: set[str]) -> Card:
    document = extraction.document
    card = Card(document.id, document.language or "unknown", len(document.text))
    card.tokens = extraction.usage.prompt_tokens + extraction.usage.completion_tokens
    card.answer_tokens = extraction.usage.completion_tokens
    return score(facts_of_extraction(extraction), facts_of_gold(gold, document), card, symmetric)


def missed_whole(document: Document, gold: Gold, symmetric: set[str]) -> Card:
    """The card of a document of which nothing was found."""
    card = Card(document.id, document.language or "unknown", len(document.text))
    return score(Facts((), (), ()), facts_of_gold(gold, document), card, symmetric)


def read_results(run: Path) -> Iterator[Extraction]:
    """The extractions of a run folder, or of a results.jsonl, one after the other."""
    path = run / "results.jsonl" if run.is_dir() else run
    with _reading(path) as file:
        for number, line in enumerate(file, 1):
            yield _extraction(line, path, number)


def read_failed(run: Path) -> list[Document]:
    """The documents of a run folder whose answer could not be used, by their ids: their texts are not kept with the run.

    What failed otherwise (a file that cannot be read, an endpoint that is down) says nothing about the extraction.
    """
    path = run / "failures.jsonl"
    if not os.access(path, os.F_OK):
        return []
    with _reading(path) as file:
        failures = [_failure(line, path, number) for number, line in enumerate(file, 1)]
    return [Document(id=name, text="", path=path) for path, name, kind in failures if kind in _ANSWER_ERRORS]


_ANSWER_ERRORS = {AnswerError.__name__, *(kind.__name__ for kind in AnswerError.__subclasses__())}


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """A file of lines, as bytes: only a new line ends one there, not what else ends lines in a text."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as exc:
        raise DocumentError(
            f"Cannot read {path}: {exc.strerror}.", hint="Give a run folder made by extractor batch."
        ) from None


def _failure(line: bytes, path: Path, number: int) -> tuple[str, str, str]:
    """The document of a line, by its path and by its id, and the class of what failed it."""
    try:
        failure = json.loads(line)
        name = str(failure["document"])
        return name, str(failure.get("id") or name.rpartition("#")[2] or name), str(failure.get("class"))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DocumentError(
            f'{path}, line {number} is no failure: expected an object with "document" and "class".',
            hint="Run extractor batch again: it writes the file anew.",
        ) from None


def _extraction(line: bytes, path: Path, number: int) -> Extraction:
    try:
        return Extraction.model_validate_json(line)
    except ValueError as exc:
        raise DocumentError(f"{path}, line {number} is no extraction: {str(exc).splitlines()[0]}.") from None


def _sum(groups: Iterable[dict[Key, Count]]) -> dict[Key, Count]:
    summed: dict[Key, Count] = {}
    for group in groups:
        for name, count in group.items():
            summed.setdefault(name, Count()).add(count)
    return {name: summed[name] for name in sorted(summed)}


def _measures(count: Count) -> dict[str, Any]:
    return {
        "precision": count.precision,
        "recall": count.recall,
        "f1": count.f1,
        "hits": count.hits,
        "inventions": count.inventions,
        "misses": count.misses,
    }


def _figures(cards: tuple[Card, ...], aspect: str) -> dict[str, Any]:
    means = {"interval": interval(cards, aspect), "mean_by_document": mean_by_document(cards, aspect)}
    return {**_measures(total(cards, aspect)), **means}


def write_json(evaluation: Evaluation, path: Path, price: Price | None = None) -> None:
    """Everything into a file. Raises StorageError where it cannot be written."""
    write_text(path, json.dumps(evaluation.as_json(price), ensure_ascii=False, indent=1) + "\n")
