"""Prompt versions held against one another, from recordings alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten

from extractor.api import Extractor, run_in_background
from extractor.errors import AnswerError, CassetteFormat, CassetteMiss, DocumentError, ExtractorError
from extractor.evaluation.evaluate import Evaluation, hold_against
from extractor.evaluation.gold_folder import GoldFolder, file_names
from extractor.evaluation.scores import ASPECTS, Card, bootstrap, total
from extractor.llm.cassette import CassettePlayer, existing
from extractor.models import Document, Extraction
from extractor.runs.reading.walking import SourceOptions
from extractor.runs.sources import open_source


@dataclass(frozen=True, slots=True)
class Gain:
    """How much F1 changed against the base, and the bootstrap 95 % interval of the change; one document has none."""

    change: float | None
    interval: tuple[float, float] | None = None

    def text(self) -> str:
        if self.change is None:
            return ""
        ends = f", {' to '.join(_signed(end, 2) for end in self.interval)}" if self.interval else ""
        return f"({_signed(self.change, 3)}{ends})"


def _signed(value: float, digits: int) -> str:
    """With its sign, which nothing has none of."""
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]


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
    """The versions over the documents that count, and what has to be said of the others."""

    versions: list[Version]
    documents: int
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Replay:
    """What came of each document, by its key, under one prompt: an extraction, no usable answer, or nothing to score.

    `names` are those that gold of what could be read may have.
    """

    extractor: Extractor
    player: CassettePlayer
    found: dict[str, Extraction] = field(default_factory=dict)
    failed: dict[str, Document] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    @property
    def prompt(self) -> str:
        return self.extractor.task.prompt.ref

    @property
    def scored(self) -> set[str]:
        return {*self.found, *self.failed}


def compare_prompts(
    folder: Path, prompts: Sequence[str], cassettes: Path, gold: Path, model: str | None = None
) -> Comparison:
    """Replay the folder under each prompt, over the documents that all of them have recorded, and compare with the first.

    A document whose recorded answer cannot be used is missed whole under that prompt. The others are in the notes.
    Raises CassetteError where nothing was recorded of the model, and DocumentError for broken gold, or where no document
    is left.
    """
    replays = [_ready(prompt, cassettes, model) for prompt in prompts]
    wanted = GoldFolder.read(gold, replays[0].extractor.task.ontology)
    for replay in replays:
        run_in_background(_play(replay, folder))
    shared = set.intersection(*(replay.scored for replay in replays))
    versions = [_version(replay, shared, wanted) for replay in replays]
    for version in versions[1:]:
        _hold_against(version, versions[0])
    notes = (*_notes(replays, shared), *_without_partner(versions[0].evaluation, replays[0], folder))
    if not versions[0].evaluation.cards:
        raise _nothing(folder, notes)
    return Comparison(versions, len(versions[0].evaluation.cards), notes)


def _ready(prompt: str, cassettes: Path, model: str | None) -> Replay:
    """A prompt with its recordings. Raises CassetteError where there are none, or none of the model."""
    player = CassettePlayer(existing(cassettes))
    extractor = Extractor(prompt=prompt, llm=player, model=model or player.recorded_model())
    asked = sorted({e.request.model for cassette in player.reel.cassettes.values() for e in cassette.exchanges})
    if not asked:
        raise CassetteFormat(f"There is no recording in {cassettes}.", hint="Give a folder of cassettes, or one file.")
    if extractor.settings.model not in asked:
        raise CassetteMiss(
            f"Nothing was recorded of the model {extractor.settings.model!r} in {cassettes}.",
            hint=f"Give --model one of those that were: {', '.join(asked)}.",
        )
    return Replay(extractor, player)


async def _play(replay: Replay, folder: Path) -> None:
    for entry in open_source(folder, SourceOptions()):
        try:
            document = entry.load()
            replay.names |= file_names(document.id)
            replay.found[entry.key] = await replay.extractor.aextract(document)
        except AnswerError:
            replay.failed[entry.key] = document
        except CassetteMiss:
            replay.left_out[entry.key] = "not recorded"
        except ExtractorError as exc:
            replay.left_out[entry.key] = exc.message.rstrip(".")


def _nothing(folder: Path, notes: Sequence[str]) -> DocumentError:
    """There is no document to compare; the notes say why, each as far as it fits."""
    why = "; ".join(shorten(note, 200, placeholder=" ...") for note in notes) or "The folder holds none."
    message = f"Nothing to compare: no document of {folder} has gold and recordings under all prompts."
    return DocumentError(message, hint=why)


def _version(replay: Replay, shared: set[str], gold: GoldFolder) -> Version:
    kept = [extraction for key, extraction in replay.found.items() if key in shared]
    failed = [document for key, document in replay.failed.items() if key in shared]
    evaluation = hold_against(gold, kept, failed)
    return Version(replay.prompt, evaluation, _answer_characters(kept, replay.player))


def _notes(replays: Sequence[Replay], shared: set[str]) -> Iterator[str]:
    """Documents that were left out, by the reason and the prompts it holds for; documents without a usable answer."""
    prompts: dict[tuple[str, str], list[str]] = {}
    for replay in replays:
        for key, reason in replay.left_out.items():
            prompts.setdefault((key, reason), []).append(replay.prompt)
    documents: dict[str, list[str]] = {}
    for (key, reason), under in prompts.items():
        where = "" if len(under) == len(replays) else f" under {', '.join(under)}"
        documents.setdefault(f"{reason}{where}", []).append(key)
    for reason, keys in documents.items():
        yield f"Left out, {reason}: {', '.join(keys)}"
    for replay in replays:
        if failed := [key for key in replay.failed if key in shared]:
            yield f"Missed whole under {replay.prompt}, for its answer could not be used: {', '.join(failed)}"


def _without_partner(evaluation: Evaluation, replay: Replay, folder: Path) -> Iterator[str]:
    """Documents without gold, and gold without a document."""
    if evaluation.without_gold:
        yield f"Left out, no gold: {', '.join(evaluation.without_gold)}"
    known = replay.names.union(*(file_names(key) for key in replay.left_out))
    if lonely := [name for name in evaluation.absent if name not in known]:
        yield f"Left out, gold without a document in {folder}: {', '.join(lonely)}"


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
            (version.better if change > 0 else version.worse).append(f"{after.document} {_signed(change, 2)}")


def _gain(pairs: Sequence[tuple[Card, Card]], aspect: str) -> Gain:
    change = _change(pairs, aspect)
    having = sum(total(pair, aspect).f1 is not None for pair in pairs)
    if change is None or having < 2:
        return Gain(change)
    return Gain(change, bootstrap(pairs, lambda drawn: _change(drawn, aspect)))


def _change(pairs: Sequence[tuple[Card, Card]], aspect: str) -> float | None:
    before, after = total([b for b, _ in pairs], aspect).f1, total([a for _, a in pairs], aspect).f1
    return None if before is None or after is None else after - before


def _mean(card: Card) -> float:
    """The mean F1 of the aspects that a document has."""
    values = [value for aspect in ASPECTS if (value := total([card], aspect).f1) is not None]
    return sum(values) / max(1, len(values))
