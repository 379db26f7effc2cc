"""Prompt versions held against one another, from recordings alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from extractor.api import Extractor, run_in_background
from extractor.errors import ExtractorError
from extractor.evaluation.evaluate import Evaluation, evaluate
from extractor.evaluation.scores import ASPECTS, RESAMPLES, SEED, Card, total
from extractor.llm.cassette import CassettePlayer
from extractor.models import Extraction
from extractor.runs.sources import SourceOptions, open_source


@dataclass(frozen=True, slots=True)
class Gain:
    """How much F1 changed against the base, and the bootstrap 95 % interval of the change."""

    change: float | None
    low: float = 0.0
    high: float = 0.0

    def text(self) -> str:
        return "" if self.change is None else f"({self.change:+.3f}, {self.low:+.2f} to {self.high:+.2f})"


@dataclass(slots=True)
class Version:
    """One prompt's evaluation, and how it compares with the first."""

    prompt: str
    evaluation: Evaluation
    answer_characters: float
    gains: dict[str, Gain] = field(default_factory=dict)
    better: list[str] = field(default_factory=list)
    worse: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    versions: list[Version]
    documents: int


def compare_prompts(
    folder: Path, prompts: Sequence[str], cassettes: Path, gold: Path, model: str | None = None
) -> Comparison:
    """Replay the folder under each prompt, over the documents that all of them have recorded, and compare with the first."""
    runs = [_replay(folder, prompt, cassettes, model) for prompt in prompts]
    shared = set.intersection(*({e.document.id for e in extractions} for extractions, _ in runs))
    versions = []
    for extractions, player in runs:
        kept = [extraction for extraction in extractions if extraction.document.id in shared]
        evaluation = evaluate(kept, gold)
        prompt = evaluation.prompts[0] if evaluation.prompts else "?"
        versions.append(Version(prompt, evaluation, _answer_characters(kept, player)))
    for version in versions[1:]:
        _hold_against(version, versions[0])
    return Comparison(versions, len(versions[0].evaluation.cards))


def _replay(folder: Path, prompt: str, cassettes: Path, model: str | None) -> tuple[list[Extraction], CassettePlayer]:
    player = CassettePlayer(cassettes)
    extractor = Extractor(prompt=prompt, llm=player, model=model or player.recorded_model())

    async def run() -> list[Extraction]:
        found = []
        for entry in open_source(folder, SourceOptions()):
            try:
                found.append(await extractor.aextract(entry.load()))
            except ExtractorError:
                # Not recorded under this prompt, or not readable: left out of the comparison for all.
                continue
        return found

    return run_in_background(run()), player


def _answer_characters(extractions: Sequence[Extraction], player: CassettePlayer) -> float:
    lengths = [
        len(player.reel.replies[f][0].text) for extraction in extractions for f in extraction.provenance.fingerprints
    ]
    return sum(lengths) / max(1, len(extractions))


def _hold_against(version: Version, base: Version) -> None:
    mine = {card.document: card for card in version.evaluation.cards}
    pairs = [(card, mine[card.document]) for card in base.evaluation.cards if card.document in mine]
    for aspect in ASPECTS:
        version.gains[aspect] = _gain(pairs, aspect)
    for before, after in pairs:
        change = _mean(after) - _mean(before)
        if abs(change) >= 0.005:
            (version.better if change > 0 else version.worse).append(f"{after.document} {change:+.2f}")


def _gain(pairs: Sequence[tuple[Card, Card]], aspect: str) -> Gain:
    change = _change(pairs, aspect)
    if change is None:
        return Gain(None)
    dice = random.Random(SEED)
    drawn = (_change(dice.choices(pairs, k=len(pairs)), aspect) for _ in range(RESAMPLES))
    values = sorted(value for value in drawn if value is not None)
    return Gain(change, values[int(0.025 * (len(values) - 1))], values[int(0.975 * (len(values) - 1))])


def _change(pairs: Sequence[tuple[Card, Card]], aspect: str) -> float | None:
    before, after = total([b for b, _ in pairs], aspect).f1, total([a for _, a in pairs], aspect).f1
    return None if before is None or after is None else after - before


def _mean(card: Card) -> float:
    """The mean F1 of the aspects that a document has."""
    values = [value for aspect in ASPECTS if (value := total([card], aspect).f1) is not None]
    return sum(values) / max(1, len(values))
