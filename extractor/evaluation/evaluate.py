"""A run against gold: cards, one for each document, and the evaluation that they come to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from extractor.errors import AnswerError, DocumentError
from extractor.evaluation.facts import Facts, facts_of_extraction, facts_of_gold
from extractor.evaluation.gold import Gold, load_gold
from extractor.evaluation.scores import ASPECTS, Card, Count, interval, mean_by_document, score, total
from extractor.models import Document, Extraction
from extractor.ontology import Ontology, load_ontology
from extractor.prices import Price

Key = TypeVar("Key", str, tuple[str, float])

LENGTHS = ((2500, "up to 2,500"), (5000, "2,500 to 5,000"), (10**9, "over 5,000"))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The cards of all documents that have gold, and the gold documents that the run lacks.

    `failed` are documents whose answer could not be used: they have a card, on which all of their gold is missed.
    `absent` ones were not in the run, or failed otherwise: they have none, and no figure counts them.
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
        measure, _, aspect = name.partition(".")
        if measure not in ("f1", "precision", "recall") or aspect not in ASPECTS:
            raise DocumentError(
                f"Unknown figure {name!r}.",
                hint=f"Write f1, precision or recall, a dot, and one of {', '.join(ASPECTS)}.",
            )
        value: float | None = getattr(total(self.cards, aspect), measure)
        return value

    def groups(self) -> dict[str, dict[str, list[Card]]]:
        """The cards by language and by length of the document, in characters; without those whose text is not known."""
        languages: dict[str, list[Card]] = {}
        lengths: dict[str, list[Card]] = {name: [] for _, name in LENGTHS}
        for card in self.cards:
            if not card.length:
                continue
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


def evaluate(
    extractions: Iterable[Extraction],
    gold_folder: Path,
    ontology: Ontology | None = None,
    failed: Iterable[Document] = (),
) -> Evaluation:
    """Hold each extraction against `<id>.gold.json` in the folder. Raises DocumentError where there is no gold at all.

    `failed` are documents whose answer could not be used: all that their gold has is missed.
    """
    paths = {path.name.removesuffix(".gold.json"): path for path in sorted(gold_folder.glob("*.gold.json"))}
    if not paths:
        raise DocumentError(f"There is no *.gold.json in {gold_folder}.", hint="Give the folder of the gold files.")
    symmetric = {name for name, p in (ontology or load_ontology("plover")).predicates.items() if p.symmetric}
    cards: list[Card] = []
    without: list[str] = []
    prompts: dict[str, None] = {}
    models: dict[str, None] = {}
    for extraction in extractions:
        name = gold_name(extraction.document.id)
        prompts[extraction.provenance.prompt] = None
        models[extraction.provenance.model] = None
        if name in paths:
            cards.append(score_document(extraction, load_gold(paths.pop(name)), symmetric))
        else:
            without.append(extraction.document.id)
    lost: list[str] = []
    for document in failed:
        if path := paths.pop(gold_name(document.id), None):
            cards.append(missed_whole(document, load_gold(path), symmetric))
            lost.append(document.id)
    return Evaluation(tuple(cards), tuple(paths), tuple(lost), tuple(without), tuple(prompts), tuple(models))


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


def gold_name(document_id: str) -> str:
    """The name of a document's gold file: its id, without folder and ending."""
    name = document_id.rsplit("/", 1)[-1]
    return name.removesuffix(".txt")


def read_results(run: Path) -> Iterator[Extraction]:
    """The extractions of a run folder, or of a results.jsonl, one after the other."""
    path = run / "results.jsonl" if run.is_dir() else run
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield _extraction(line, path, number)
    except OSError as exc:
        raise DocumentError(
            f"Cannot read {path}: {exc.strerror}.", hint="Give a run folder made by extractor batch."
        ) from None


def read_failed(run: Path) -> list[Document]:
    """The documents of a run folder whose answer could not be used, by their ids: their texts are not kept with the run.

    What failed otherwise (a file that cannot be read, an endpoint that is down) says nothing about the extraction.
    """
    path = run / "failures.jsonl"
    if not path.is_file():
        return []
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Document(id=str(line["document"]), text="") for line in lines if line.get("class") in _ANSWER_ERRORS]


_ANSWER_ERRORS = {AnswerError.__name__, *(kind.__name__ for kind in AnswerError.__subclasses__())}


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
    path.write_text(json.dumps(evaluation.as_json(price), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
