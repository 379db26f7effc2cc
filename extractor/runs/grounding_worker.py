"""The other end of `grounders`: a process that turns answers into facts, frame by frame, until its input ends.

A frame is its length in four bytes and so many bytes of JSON. The answer is three lengths, then so many bytes of counts
(as JSON), of the line, and of the line compressed.
"""

from __future__ import annotations

import gc
import os
import signal
import struct
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from extractor.answers import read_answer
from extractor.models import Document, Provenance, Usage
from extractor.pipeline import Answered, Asked, ground_document
from extractor.runs.finished import finished
from extractor.task import Task, load_task
from extractor.text.chunking import Chunk

NICE = 10
LENGTH = struct.Struct("!I")
LENGTHS = struct.Struct("!III")
Parts = tuple[bytes, bytes, bytes]
COUNTS = ("entities", "events", "relations", "rejections", "repairs", "splits", "recovered")


def written(asked: Asked) -> bytes:
    """What was asked and answered, for the way to the other process."""
    passes = [[{"chunk": asdict(one.chunk), "text": one.text} for one in answered] for answered in asked.passes]
    models = {name: getattr(asked, name).model_dump(mode="json") for name in ("document", "provenance", "usage")}
    return orjson.dumps({"passes": passes, **models})


def read(frame: bytes) -> Asked:
    raw = orjson.loads(frame)
    return Asked(
        Document(**raw["document"]),
        tuple(tuple(_answered(one) for one in answered) for answered in raw["passes"]),
        Provenance(**raw["provenance"]),
        Usage(**raw["usage"]),
    )


def _answered(raw: dict[str, Any]) -> Answered:
    answer, flaws = read_answer(raw["text"])
    return Answered(Chunk(**raw["chunk"]), raw["text"], answer, flaws)


def answer(frame: bytes, task: Task) -> Parts:
    """The counts and the line of a document, twice; `null` where something went wrong: its own process tells what."""
    try:
        found = finished(ground_document(read(frame), task))
    except Exception:  # the parent does it again, and meets the same
        return b"null", b"", b""
    counts = {name: getattr(found, name) for name in COUNTS} | {"usage": found.usage.model_dump()}
    return orjson.dumps(counts), found.line, found.packed


def receive(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(head)[0])


def main(prompt: str, ontology: str, prompts_dir: str) -> None:
    # Whoever stops the run stops it at its parent; this end goes when its input ends.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    # Replies that come in and questions that leave go first: what waits here only has to be done in the end.
    os.nice(NICE)
    task = load_task(
        Path(prompt) if prompt.endswith(".md") else prompt, ontology, Path(prompts_dir) if prompts_dir else None
    )
    # Facts hold no cycles, and this process does nothing else: what is loaded is never looked through again.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    source, out = sys.stdin.buffer, sys.stdout.buffer
    while (frame := receive(source)) is not None:
        parts = answer(frame, task)
        out.write(b"".join((LENGTHS.pack(*map(len, parts)), *parts)))
        out.flush()


if __name__ == "__main__":
    main(*sys.argv[1:4])
