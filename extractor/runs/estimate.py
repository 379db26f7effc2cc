"""What a run would come to, without a call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from extractor.api import Extractor
from extractor.prices import price_of
from extractor.runs.reading.walking import SourceOptions
from extractor.runs.sources import open_source
from extractor.text.chunking import chunk_text

# Characters a token, and answer characters a character of text: what the recorded seeds come to, rounded.
CHARACTERS_A_TOKEN = 3
ANSWER_SHARE = 2.5


@dataclass(slots=True)
class Estimate:
    """Documents, requests (all passes) and tokens, in round figures; `cost` is None where no price is known."""

    documents: int = 0
    unreadable: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None


def estimate(folder: Path, extractor: Extractor, source: SourceOptions) -> Estimate:
    """Read every document of the folder, and count."""
    found, options = Estimate(), extractor.options
    fixed = len(extractor.task.system.content) + len(extractor.task.schema.text)
    for entry in open_source(folder, source):
        try:
            text = entry.load().text
        except Exception:  # a reader's bug at one file: a run tells it as that file's failure, and goes on
            found.unreadable += 1
            continue
        chunks = chunk_text(text, size=options.chunk_size, overlap=options.chunk_overlap)
        found.documents += 1
        found.requests += len(chunks) * options.passes
        found.prompt_tokens += (fixed * len(chunks) + len(text)) * options.passes // CHARACTERS_A_TOKEN
        found.completion_tokens += int(len(text) * ANSWER_SHARE) * options.passes // CHARACTERS_A_TOKEN
    price = price_of(extractor.settings, options.model)
    found.cost = price.of(found.prompt_tokens, found.completion_tokens) if price else None
    return found
