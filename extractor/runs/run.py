"""A run over a folder, from settings to summary: opens the ledger, wires the runner, and sees that all is closed again."""

from __future__ import annotations

import gc
import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from extractor.api import Extractor, run_in_background
from extractor.config import Settings
from extractor.errors import DocumentError, SettingsError, StorageError
from extractor.llm.base import Meter, Spent, canonical
from extractor.models import Document, Usage
from extractor.pipeline import ask_document
from extractor.prices import price_of
from extractor.runs.breaker import Breaker
from extractor.runs.entries import Entry, entries_of
from extractor.runs.finished import Finished
from extractor.runs.gate import Gate
from extractor.runs.grounders import Grounders
from extractor.runs.in_flight import InFlight
from extractor.runs.ledger import Ledger
from extractor.runs.lock import FolderLock
from extractor.runs.reading.walking import SourceOptions
from extractor.runs.results import ResultsFile
from extractor.runs.run_meter import RunMeter
from extractor.runs.runner import DONE, Runner, Work
from extractor.runs.sources import open_source
from extractor.runs.summary import RunSummary, summary_of, write_failures, write_run

SPENT = ("calls", "prompt_tokens", "completion_tokens")
# Documents at work for each open question: while one's reply is read and grounded, the other's is under way.
AT_WORK = 2
# How many more objects are made than freed between two looks for cycles; Python's own is 700.
CALM = (50_000, 20, 50)


Watcher = Callable[[Runner, Meter], Iterator[None]]


def batch(
    source: str | Path | Iterable[Document],
    *,
    out: str | Path,
    settings: Settings | None = None,
    retry_failed: bool = False,
    source_options: SourceOptions | None = None,
    **arguments: Any,
) -> RunSummary:
    """Work through a folder (or documents) into the run folder `out`; run it again to go on where it stopped.

    `arguments` are settings by name. Writes results.jsonl, failures.jsonl and run.json. Documents that
    fail are in failures.jsonl, not raised; what stops a run is in `RunSummary.stopped`. Raises
    CallerError or StorageError where it cannot begin.
    """
    return run_in_background(
        run_folder(
            source,
            Path(out),
            Extractor(settings, **arguments),
            retry_failed=retry_failed,
            source_options=source_options,
        )
    )


async def run_folder(
    source: str | Path | Iterable[Document],
    out: Path,
    extractor: Extractor,
    *,
    retry_failed: bool = False,
    source_options: SourceOptions | None = None,
    watch: Callable[[Runner, Meter], Any] | None = None,
) -> RunSummary:
    """The same on the running event loop; `watch` is handed the runner before it starts."""
    meter = RunMeter()
    own = _with_durable_replies(extractor, out)
    own.meter = meter
    job = Job(source, out, own, meter, source_options or SourceOptions(), retry_failed, watch)
    try:
        with FolderLock(out) as lock, calm_garbage_collection():
            return await _run(job, lock)
    finally:
        extractor.meter.add(meter)


async def _run(job: Job, lock: FolderLock) -> RunSummary:
    if job.extractor.settings.via == "batch-api" and job.extractor.settings.replay is None:
        from extractor.runs.rounds import run_in_rounds

        return await run_in_rounds(job, lock)
    _refuse_to_pay_again(job)
    summary, _ = await run_once(job, lock)
    return summary


def _refuse_to_pay_again(job: Job) -> None:
    """Raises SettingsError where questions of this run are at a provider's batches: asked live, they would be paid for twice."""
    folder = job.out / "batches"
    if job.extractor.settings.replay is not None or not (folder / "outbox.sqlite").exists():
        return
    from extractor.llm.outbox import Outbox

    outbox = Outbox(folder)
    try:
        out = sum(part.requests for part in outbox.parts() if part.state in ("ordering", "ordered"))
    finally:
        outbox.close()
    if out:
        raise SettingsError(
            f"{out:,} questions of this run are at the provider's batch API, and would be paid for again.",
            hint=f"Fetch them with --via batch-api; to give them up, remove {folder}.",
        )


@contextmanager
def calm_garbage_collection() -> Iterator[None]:
    """Facts are many small objects without cycles: looking for cycles less often saves an eighth of a run's CPU."""
    before = gc.get_threshold()
    if gc.isenabled() and before[0] < CALM[0]:
        gc.set_threshold(*CALM)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is to do, and where. `extractor` is the run's own and counts on `meter`, which begins at nothing."""

    source: str | Path | Iterable[Document]
    out: Path
    extractor: Extractor
    meter: RunMeter
    source_options: SourceOptions
    retry_failed: bool
    watch: Callable[[Runner, Meter], Any] | None

    def entries(self, tell: Callable[[str], None]) -> Iterator[Entry]:
        """The documents; `tell` is told what in the folder is none."""
        if isinstance(self.source, str | Path):
            return open_source(Path(self.source), self.source_options, tell)
        return entries_of(self.source)


async def run_once(job: Job, lock: FolderLock, *, first: bool = True) -> tuple[RunSummary, Runner]:
    """Once through all documents. `first`: no other time came before in this process."""
    extractor, out, meter = job.extractor, job.out, job.meter
    overlooked: list[str] = []
    entries = job.entries(overlooked.append)
    work, gate, grounders = _work(extractor)
    ledger = Ledger(out, lock)
    in_flight = InFlight(out, meter)
    ledger.add_charges(in_flight.left)
    gate.note = in_flight.set
    started = time.monotonic()
    runner: Runner | None = None
    if first:
        _remember_spending(ledger, meter, in_flight.left)
    try:
        entries = _some(entries, ledger, job.source)
        _note_spending(ledger, meter)
        runner = _runner(ledger, job, job.retry_failed and first, work, gate)
        runner.after = _Notes(ledger, meter).note
        if job.watch is not None:
            job.watch(runner, meter)
        await runner.run(entries)
        summary = summary_of(runner, ledger, meter, out, time.monotonic() - started, overlooked)
        write_failures(out / "failures.jsonl", ledger)
        write_run(summary, extractor)
        return summary, runner
    except sqlite3.Error as exc:  # a page that turns out to be damaged while it is read
        raise ledger.fault(exc) from None
    finally:
        try:
            _note_spending(ledger, meter)
        finally:
            cut_short = runner.progress.cut_short if runner else 0
            in_flight.close(_not_recorded(ledger, cut_short + meter.take_charges()))
            ledger.close()
            await grounders.aclose()
            await extractor.aclose()


def _some(entries: Iterator[Entry], ledger: Ledger, source: object) -> Iterator[Entry]:
    """The entries. Raises DocumentError for a folder without any, and where results of earlier runs would all be taken out."""
    first = next(entries, None)
    if first is not None:
        return chain([first], entries)
    earlier = len(ledger.missing())
    if earlier or isinstance(source, str | Path):
        holds = f", and the run folder holds {earlier:,}; nothing was changed" if earlier else ""
        raise DocumentError(
            f"No document is there to be read{holds}.",
            hint="Look at the folder, and at --include and --exclude where they are given.",
        )
    return entries


def _not_recorded(ledger: Ledger, charges: int) -> int:
    """Calls that broke off go into the ledger; how many are left over where it takes nothing any more."""
    try:
        ledger.add_charges(charges)
    except StorageError:
        return charges
    return 0


def _remember_spending(ledger: Ledger, meter: Meter, lost: int) -> None:
    """A budget is the run's, however often it is started: what earlier starts used counts, and the calls that a kill cut."""
    earlier = Spent(*(int(ledger.fact(f"spent_{name}") or 0) for name in SPENT))
    meter.earlier = replace(earlier, calls=earlier.calls + lost)


class _Notes:
    """Writes down what was spent, whenever that is more: a limit that a later start sets holds for this one too."""

    def __init__(self, ledger: Ledger, meter: Meter) -> None:
        self.ledger, self.meter = ledger, meter
        self.calls = 0

    def note(self) -> None:
        if self.meter.calls != self.calls:
            self.calls = self.meter.calls
            _note_spending(self.ledger, self.meter)


def _note_spending(ledger: Ledger, meter: Meter) -> None:
    spent = meter.spent()
    ledger.set_facts({f"spent_{name}": str(getattr(spent, name)) for name in SPENT})


def _with_durable_replies(extractor: Extractor, out: Path) -> Extractor:
    """Without the shared cache, replies are kept in the run folder: what was paid for is never lost."""
    settings = extractor.settings
    if settings.cache or settings.replay is not None:
        return extractor.with_settings()
    return extractor.with_settings(cache=True, cache_dir=out / "replies")


def _work(extractor: Extractor) -> tuple[Work, Gate, Grounders]:
    """What is done with a document. Wrong settings are told here, before anything is written."""
    task, options, llm, settings = extractor.task, extractor.options, extractor.llm(), extractor.settings
    gate = Gate(settings.concurrency)
    command = (str(settings.prompt), settings.ontology, str(settings.prompts_dir or ""))
    grounders = Grounders(task, command, settings.workers, lambda: gate.open, gate.width)

    async def work(document: Document) -> Finished:
        grounders.expect()
        return await grounders.finish(await ask_document(document, task, gate.before(llm), options))

    return work, gate, grounders


def _runner(ledger: Ledger, job: Job, retry_failed: bool, work: Work, gate: Gate) -> Runner:
    extractor, meter = job.extractor, job.meter
    settings = extractor.settings
    price = _pricing(settings, extractor.options.model)
    return Runner(
        ledger=ledger,
        results=ResultsFile(job.out / "results.jsonl", ledger),
        work=work,
        gate=gate,
        run_identity=run_identity(extractor),
        concurrency=AT_WORK * settings.concurrency,
        retry_failed=retry_failed,
        breaker=Breaker(patience=settings.patience, proven=lambda: any(row.state in DONE for row in ledger.rows())),
        price=price,
        spent=lambda: price(_heard(meter)) if meter.replies else 0.0,
        heard=_Ear(meter).heard,
    )


class _Ear:
    """Whether the endpoint answered: replies out of the cache say nothing of it."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.replies = 0

    def heard(self) -> bool:
        new, self.replies = self.meter.replies != self.replies, self.meter.replies
        return new


def _heard(meter: Meter) -> Usage:
    """What this start was answered: out of the cache and recordings nothing."""
    return Usage(
        requests=meter.replies,
        prompt_tokens=meter.prompt_tokens,
        completion_tokens=meter.completion_tokens,
        cached_tokens=meter.cached_tokens,
    )


def _pricing(settings: Settings, model: str) -> Callable[[Usage], float]:
    price = price_of(settings, model)

    def cost(usage: Usage) -> float:
        return price.of(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) if price else 0.0

    return cost


def run_identity(extractor: Extractor) -> str:
    """All that is the same for every document and can change its extraction's answers, as a hash."""
    task, options = extractor.task, extractor.options
    parts = {
        "prompt": task.prompt.digest,
        "ontology": task.ontology.digest,
        "model": options.model,
        "parameters": [list(pair) for pair in options.parameters],
        "chunks": [options.chunk_size, options.chunk_overlap],
    } | ({"passes": options.passes} if options.passes > 1 else {})
    return hashlib.sha256(canonical(parts).encode()).hexdigest()
