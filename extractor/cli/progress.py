"""How far a run is: a bar in a terminal, plain lines elsewhere, events in JSON for machines."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from extractor.llm.base import Meter
from extractor.runs.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

EVERY = 0.2
LINE_EVERY = 10.0


class Shower(Protocol):
    """Shows where a run stands, now and then."""

    def show(self, progress: Progress, meter: Meter, seconds: float, *, last: bool) -> None: ...


class Quiet:
    """Says nothing."""

    def show(self, progress: Progress, meter: Meter, seconds: float, *, last: bool) -> None:
        return


class Events:
    """One JSON object a line on stderr."""

    def show(self, progress: Progress, meter: Meter, seconds: float, *, last: bool) -> None:
        event = {
            "event": "end" if last else "progress",
            "seconds": round(seconds, 1),
            **asdict(progress),
            "calls": meter.calls,
        }
        print(json.dumps(event, ensure_ascii=False), file=sys.stderr, flush=True)


class Lines:
    """A plain line every ten seconds, for logs."""

    def __init__(self) -> None:
        self._last = 0.0

    def show(self, progress: Progress, meter: Meter, seconds: float, *, last: bool) -> None:
        if last or seconds - self._last >= LINE_EVERY:
            self._last = seconds
            print(describe(progress, meter, seconds), file=sys.stderr, flush=True)


class Bars:
    """A bar with documents, and beside it what they gave and cost."""

    def __init__(self, bar: Bar, total: int | None) -> None:
        self._bar = bar
        self._total = total
        self._task = bar.add_task("documents", total=total, detail="")

    def show(self, progress: Progress, meter: Meter, seconds: float, *, last: bool) -> None:
        finished = progress.done + progress.skipped + progress.failed
        detail = describe(progress, meter, seconds, total=self._total, documents=False)
        self._bar.update(self._task, completed=finished, detail=progress.paused or detail, refresh=last)


def describe(
    progress: Progress, meter: Meter, seconds: float, *, total: int | None = None, documents: bool = True
) -> str:
    """`12 done, 3 skipped, 1 failed, 80 events, 41,000 tokens, $0.12 of about $0.90, 5 cached, 4 at once, 2.1/s`

    "At once" are the calls under way.
    """
    tokens = meter.prompt_tokens + meter.completion_tokens
    rate = progress.done / seconds if seconds > 0 else 0.0
    parts = [
        f"{progress.done:,} done" if documents else "",
        f"{progress.skipped:,} skipped" if progress.skipped else "",
        f"{progress.failed:,} failed" if progress.failed else "",
        f"{progress.events:,} events",
        f"{tokens:,} tokens" if tokens else "",
        f"${progress.cost:.2f}{_expected(progress, total)}" if progress.cost else "",
        f"{meter.cache_hits:,} cached" if meter.cache_hits else "",
        f"{meter.asking} at once" if meter.asking else "",
        f"{rate:.1f}/s",
        progress.paused or "",
    ]
    return ", ".join(part for part in parts if part)


def _expected(progress: Progress, total: int | None) -> str:
    """What all documents will have cost, by what those cost that are done."""
    if not total or not progress.done:
        return ""
    return f" of about ${progress.cost / progress.done * (total - progress.skipped):.2f}"


@contextmanager
def shower(total: int | None, *, quiet: bool, as_json: bool) -> Iterator[Shower]:
    """The right one for where the output goes."""
    if as_json:
        yield Events()
    elif quiet:
        yield Quiet()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        with _bar() as bar:
            yield Bars(bar, total)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=False)


async def follow(show: Shower, progress: Progress, meter: Meter) -> None:
    """Show the progress until cancelled."""
    started = time.monotonic()
    while True:
        with suppress(OSError):
            show.show(progress, meter, time.monotonic() - started, last=False)
        await asyncio.sleep(EVERY if not isinstance(show, Events) else 1.0)
