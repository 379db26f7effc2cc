"""What a run came to: the summary, and the files that say so for all documents together (failures.jsonl, run.json)."""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from extractor.api import Extractor
from extractor.file_systems import network_mount
from extractor.runs.files import replace_file
from extractor.runs.ledger import Ledger
from extractor.runs.run_meter import RunMeter
from extractor.runs.runner import Runner
from extractor.version import VERSION

PACKAGES = ("openai", "instructor", "pydantic", "tenacity", "diskcache")
FAILED_DOCUMENTS = 3


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to. `states` counts the documents of the source by state; they add up to `documents`.

    `whole` tells that all documents of the source were met; `overlooked` what in the folder is no document.
    `dropped_bytes` of results.jsonl were half a line that an earlier stop left. Tokens and `cost` are those of all documents,
    whenever they were asked about, and from wherever they were answered; `spent_tokens` and `spent` those of this start.
    `possible_duplicate_charges` are those of all starts of the run.
    """

    folder: Path
    documents: int
    states: dict[str, int]
    skipped: int
    entities: int
    events: int
    relations: int
    rejections: dict[str, int]
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    calls: int
    cache_hits: int
    possible_duplicate_charges: int
    seconds: float
    spent_tokens: int = 0
    spent: float = 0.0
    replayed: int = 0
    retries: int = 0
    pauses: int = 0
    paused_seconds: float = 0.0
    repairs: int = 0
    splits: int = 0
    recovered: int = 0
    dropped_bytes: int = 0
    whole: bool = True
    models: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    overlooked: list[str] = field(default_factory=list)
    stopped: str | None = None
    exit_code: int = 0

    @property
    def failed(self) -> int:
        return self.states.get("failed", 0)

    @property
    def pending(self) -> int:
        return self.states.get("pending", 0)


def summary_of(
    runner: Runner, ledger: Ledger, meter: RunMeter, out: Path, seconds: float, overlooked: list[str]
) -> RunSummary:
    states, totals = ledger.counts(), ledger.totals()
    stopped = runner.stopped_by
    failed = FAILED_DOCUMENTS if states.get("failed") else 0
    return RunSummary(
        folder=out,
        documents=sum(states.values()),
        states=states,
        skipped=runner.progress.skipped,
        rejections=ledger.rejections(),
        calls=meter.calls,
        cache_hits=meter.cache_hits,
        possible_duplicate_charges=ledger.charges() + meter.new_charges + runner.progress.cut_short,
        seconds=seconds,
        spent_tokens=meter.prompt_tokens + meter.completion_tokens,
        spent=runner.spent(),
        replayed=meter.replayed,
        retries=meter.retries,
        pauses=meter.pauses,
        paused_seconds=meter.paused_seconds,
        repairs=runner.progress.repairs,
        splits=runner.progress.splits,
        recovered=runner.progress.recovered,
        dropped_bytes=runner.results.dropped,
        whole=runner.progress.whole,
        models=dict(sorted(meter.models.items())),
        missing=ledger.missing() if runner.progress.whole else [],
        overlooked=overlooked,
        stopped=str(stopped) if stopped else runner.progress.stopping,
        exit_code=stopped.exit_code if stopped else failed,
        entities=int(totals["entities"]),
        events=int(totals["events"]),
        relations=int(totals["relations"]),
        prompt_tokens=int(totals["prompt_tokens"]),
        completion_tokens=int(totals["completion_tokens"]),
        cost=totals["cost"],
    )


def write_failures(path: Path, ledger: Ledger) -> None:
    """One line a failed document: which, at which stage, of which class, why, and after how many attempts."""
    lines = (
        json.dumps({"document": key, "attempts": attempts, **error}, ensure_ascii=False) + "\n"
        for key, attempts, error in ledger.failures()
    )
    replace_file(path, (line.encode("utf-8", "backslashreplace") for line in lines))


def write_run(summary: RunSummary, extractor: Extractor) -> None:
    """run.json: how the run was set, and what it came to."""
    run = {
        "extractor": VERSION,
        "python": platform.python_version(),
        "packages": _versions(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "prompt": extractor.task.prompt.ref,
        "ontology": extractor.task.ontology.ref,
        "network_file_systems": _network(summary.folder, extractor.settings.cache_dir),
        "settings": extractor.settings.public(),
        "summary": {**asdict(summary), "folder": os.fspath(summary.folder)},
        "calls": asdict(extractor.meter),
    }
    replace_file(
        summary.folder / "run.json", [json.dumps(run, ensure_ascii=False, indent=2, default=str).encode() + b"\n"]
    )


def _network(*folders: Path) -> dict[str, str]:
    """Where the run's files were on a network: mount points and the types of their file systems."""
    return dict(mount for folder in folders if (mount := network_mount(folder)) is not None)


@cache
def _versions() -> dict[str, str]:
    """Looked for once a process: that takes longer than to write the file."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
