"""A run through a provider's batches: once through the documents to collect questions, wait for the answers, and again.

Most documents need one round; a repair, a halved chunk, and each further chunk of a long document
(it is told the names met before) need one more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from extractor.api import Extractor
from extractor.errors import BudgetReached, ExtractorError
from extractor.llm.batch_provider import BatchProvider
from extractor.llm.budget import Limits
from extractor.llm.collecting import CollectingLLM
from extractor.llm.delivery import Delivery
from extractor.llm.live_client import Wire
from extractor.llm.outbox import Outbox
from extractor.runs.in_flight import InFlight
from extractor.runs.lock import FolderLock
from extractor.runs.run import Job, run_once
from extractor.runs.runner import Runner
from extractor.runs.summary import RunSummary, write_run
from extractor.wiring import api_key, limits_of, stack_over

AT_ONCE = 8


async def run_in_rounds(job: Job, lock: FolderLock) -> RunSummary:
    """Until no document waits for an answer, or the run is stopped. Batches under way are taken up by the next start."""
    if isinstance(job.source, Iterator):
        job = replace(job, source=list(job.source))
    job.entries(lambda line: None)  # a source that cannot be read is told before anything is written
    _ = job.extractor.task, api_key(job.extractor.settings)
    lock.take()
    outbox = Outbox(job.out / "batches")
    delivery = _delivery(job.extractor, outbox)
    started = time.monotonic()
    summary: RunSummary | None = None
    try:
        while True:
            before = summary
            summary, runner = await _round(job, lock, outbox, first=before is None)
            summary = replace(summary, skipped=before.skipped if before else summary.skipped)
            if _must_stop(runner) or not outbox.waiting()[0]:
                break
            told = job.meter.possible_duplicate_charges
            error = await _deliver(delivery, runner, job)
            if error is not None or runner.progress.stopping:
                charges = summary.possible_duplicate_charges + job.meter.possible_duplicate_charges - told
                summary = replace(summary, possible_duplicate_charges=charges)
                summary = _unfinished(summary, error, runner, outbox)
                break
    finally:
        await delivery.provider.aclose()
        outbox.close()
    summary = replace(summary, seconds=time.monotonic() - started)
    write_run(summary, job.extractor)
    return summary


async def _round(job: Job, lock: FolderLock, outbox: Outbox, *, first: bool) -> tuple[RunSummary, Runner]:
    """Once through the documents: those whose answers are there are finished, the others' questions are collected."""
    own = job.extractor
    collecting = CollectingLLM(outbox, own.settings.mode, limits_of(own.settings) or Limits(), own.meter)
    stack = stack_over(collecting, own.settings, own.meter)
    extractor = Extractor(own.settings, llm=stack)
    extractor.meter = own.meter
    try:
        summary, runner = await run_once(replace(job, extractor=extractor), lock, first=first)
    finally:
        await stack.aclose()
    if not _must_stop(runner):
        outbox.drop_unsent(collecting.asked)
    if not outbox.waiting()[0] and not _must_stop(runner):
        outbox.clear()
    return summary, runner


async def _deliver(delivery: Delivery, runner: Runner, job: Job) -> ExtractorError | None:
    """Send what was collected, a budget's part of it too, and wait; what went wrong, if anything did."""
    runner.progress.stopping = None
    in_flight = InFlight(job.out, job.meter)

    def tell(words: str) -> None:
        runner.progress.paused = words

    try:
        await delivery.deliver(lambda: runner.progress.stopping is not None, tell)
    except ExtractorError as exc:
        return exc
    finally:
        runner.progress.paused = None
        # No ledger is open here: the next one takes it up from the file.
        in_flight.close(in_flight.left + job.meter.take_charges())
    return None


def _must_stop(runner: Runner) -> bool:
    """A budget that is reached stops collecting; what was collected before is still asked."""
    if isinstance(runner.stopped_by, BudgetReached):
        return False
    return runner.stopped_by is not None or runner.progress.stopping is not None


def _unfinished(summary: RunSummary, error: ExtractorError | None, runner: Runner, outbox: Outbox) -> RunSummary:
    requests, _ = outbox.waiting()
    under_way = (
        f"{requests:,} requests have no answer yet; those at the provider go on there, and are fetched next time."
    )
    if error is None:
        return replace(summary, stopped=f"{runner.progress.stopping}: {under_way}")
    return replace(summary, stopped=f"{error} {under_way}", exit_code=error.exit_code)


def _delivery(extractor: Extractor, outbox: Outbox) -> Delivery:
    settings = extractor.settings
    wire = Wire(
        api_key=api_key(settings), base_url=settings.base_url, timeout=settings.timeout, trust_env=settings.trust_env,
        concurrency=AT_ONCE,
    )  # fmt: skip
    provider = BatchProvider(
        wire, model=settings.model, attempts=settings.attempts, first_wait=settings.retry_wait, timeout=settings.timeout
    )
    return Delivery(
        outbox, provider, extractor.meter, settings.mode, poll=settings.batch_poll, patience=settings.patience,
        tries=settings.attempts, most_requests=settings.batch_requests, most_bytes=settings.batch_bytes,
    )  # fmt: skip
