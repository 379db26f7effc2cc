"""The run: takes documents from a source, works on many at once, loses none and asks nothing twice.

Workers pull from the source, so that memory stays flat; each result is durable in the ledger before
its document counts as done; results.jsonl follows in the order of the input.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice

from extractor.errors import DocumentError, ExtractorError, StorageError
from extractor.llm.base import canonical
from extractor.llm.deferred import Deferred
from extractor.models import Document, Usage
from extractor.runs.breaker import DOUBTFUL, FATAL, Breaker
from extractor.runs.entries import Entry
from extractor.runs.finished import Finished
from extractor.runs.gate import Gate, Stopped
from extractor.runs.ledger import Ledger, Row, Yield
from extractor.runs.order import Line, Met, Order
from extractor.runs.progress import Progress
from extractor.runs.results import ResultsFile
from extractor.runs.suspects import Suspects

DONE = frozenset({"done", "empty"})
# Processes that may die over a document; from the second on, it is worked on with no other suspect beside it.
MAX_DEATHS = 5
SUSPECT = 2
PASS_AT_ONCE = 256
REST_AT_ONCE = 256
# Seconds after which documents are begun whose questions cannot leave yet: not before the first ones are out.
AHEAD_AFTER = 0.15
# The fact that tells which run came to its end last, and under which settings.
UNIFORM = "uniform"
# Seconds to look at the rest of a source after a stop, and where it is to be at once.
REST_SECONDS = 10.0
REST_AT_ONCE_SECONDS = 0.4

Work = Callable[[Document], Awaitable[Finished]]


@dataclass(slots=True)
class Runner:
    """One run over one source. `work` finishes a document; `price` tells what its tokens cost, `spent` what was paid so far,
    `heard` whether the endpoint answered anything since it was last asked that.

    `run_identity` stands for all that is the same for every document: prompt, ontology, model,
    parameters, chunk sizes. `concurrency` documents are at work at once; `gate` closes when the run stops.
    """

    ledger: Ledger
    results: ResultsFile
    work: Work
    run_identity: str
    concurrency: int
    retry_failed: bool = False
    price: Callable[[Usage], float] = lambda usage: 0.0
    spent: Callable[[], float] = lambda: 0.0
    heard: Callable[[], bool] = lambda: True
    breaker: Breaker = field(default_factory=Breaker)
    gate: Gate | None = None
    after: Callable[[], None] = lambda: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    progress: Progress = field(default_factory=Progress)
    stopped_by: ExtractorError | None = None

    _entries: Iterator[Entry] = field(default_factory=lambda: iter(()))
    _rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    _expected: Row | None = None
    _first_run: bool = False
    _uniform: bool = False
    _again: deque[tuple[Entry, int]] = field(default_factory=deque)
    _known: dict[int, Row | None] = field(default_factory=dict)
    _passing: bool = False
    _cancelled: bool = False
    _working: dict[str, tuple[Entry, int]] = field(default_factory=dict)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _order: Order = field(init=False)
    _met: Met = field(init=False)
    _suspects: Suspects = field(init=False)

    def __post_init__(self) -> None:
        self._order = Order(self.results, self.ledger)
        self._met = Met(self.ledger)
        self._suspects = Suspects(self.breaker)

    async def run(self, entries: Iterator[Entry]) -> None:
        """Work until the source is empty or the run is stopped; then bring the files up to date."""
        self._entries, self._rows = entries, self.ledger.rows()
        self._expected = next(self._rows, None)
        self._first_run = self._expected is None
        self._uniform = self.ledger.fact(UNIFORM) == self._mark(self.ledger.run - 1)
        self._open.set()
        self.ledger.at_work = lambda: len(self._working)
        at_once = self.concurrency if self.gate is None else min(self.concurrency, self.gate.width)
        delays = [0.0] * at_once + [AHEAD_AFTER] * (self.concurrency - at_once)
        self._tasks = [asyncio.create_task(self._worker(delay)) for delay in delays]
        try:
            await self._watch()
            self._blame_the_endpoint()
            if self.progress.stopping and not isinstance(self.stopped_by, StorageError):
                await self._count_the_rest()
        finally:
            self._finish()

    def stop(self, why: str) -> None:
        """Take no new document; what is in flight goes on."""
        self.progress.stopping = self.progress.stopping or why
        if self.gate is not None:
            self.gate.closed = True
        self._open.set()
        self._tell()

    def cancel(self) -> None:
        """Let go of what is in flight too: it stays pending."""
        if not self._cancelled:
            self.progress.cut_short += len(self._working) if self.gate is None else self.gate.open
        self._cancelled = True
        for task in self._tasks:
            task.cancel()

    # -- workers

    def _tell(self) -> None:
        """Wake the workers that have nothing to do: there is something again, or there never will be."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _watch(self) -> None:
        """Wait for the workers; the first bug among them ends the run, after the others were told."""
        try:
            results = await asyncio.gather(*self._tasks, return_exceptions=True)
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            raise
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result

    async def _worker(self, delay: float) -> None:
        if delay:
            await self.sleep(delay)
        while True:
            await self._open.wait()
            taken = None if self.progress.stopping else self._take()
            if taken is not None:
                await self._decide(*taken)
            elif self._passing:
                await asyncio.sleep(0)
            elif self.progress.stopping or not self._working:
                return
            else:
                # Others are still at work; what they fail at may have to be done again.
                await self._news.wait()

    def _take(self) -> tuple[Entry, int] | None:
        """The next document that is not finished; None where there is none, or not yet (`_passing`)."""
        self._passing = False
        if self._again:
            return self._again.popleft()
        passed: list[Row] = []
        try:
            found = self._look(passed)
        except ExtractorError as exc:
            self._stop_by(exc)
            found = None
        self._pass(passed)
        if found is None:
            return None
        entry, row = found
        self.progress.met += 1
        place = self._order.take(entry.key)
        self._known[place] = row
        return entry, place

    def _look(self, passed: list[Row]) -> tuple[Entry, Row | None] | None:
        """The same, with what the ledger knows of it; finished ones before it are added to `passed`, so many at once."""
        entries, rows = self._entries, self._rows
        # Documents that a run under these settings finished last need no look at what they answer.
        sure = self.ledger.run - 1 if self._uniform else None
        for _ in range(PASS_AT_ONCE):
            entry = next(entries, None)
            if entry is None:
                self.progress.whole = True
                return None
            row = self._expected
            if row is not None and row.key == entry.key:
                self._expected = next(rows, None)
            else:
                row = self._row(entry.key)
            if row is None or entry.stamp is None or row.stamp != entry.stamp:
                return entry, row
            if not ((row.run == sure and row.state in DONE) or self._settled(row, row.digest)):
                return entry, row
            passed.append(row)
        self._passing = True
        return None

    async def _decide(self, entry: Entry, place: int) -> None:
        """Read the document; skip it where it is finished after all, or work on it."""
        row = self._known.pop(place) if place in self._known else self.ledger.get(entry.key)
        try:
            document = entry.load()
            digest = document_digest(document)
        except DocumentError as exc:
            self._unread(entry, place, exc)
            return
        except Exception as exc:  # a reader's bug at one file is that file's failure
            self._unread(entry, place, _internal(exc))
            return
        if row and self._settled(row, digest):
            self.ledger.restamp(entry.key, entry.stamp)
            self._skip(entry, place, row)
            return
        await self._work_on(entry.read_as(document), place, document, digest, row)

    def _unread(self, entry: Entry, place: int, error: ExtractorError) -> None:
        self.ledger.add(entry.key, place, entry.stamp, None, None, "pending")
        self._fail(entry, place, error, stage="read")

    def _row(self, key: str) -> Row | None:
        """What the ledger knows; the source mostly comes in the order of the last run, so one cursor serves."""
        row = self._expected
        if row is not None and row.key == key:
            self._expected = next(self._rows, None)
            return row
        return None if self._first_run else self.ledger.get(key)

    def _settled(self, row: Row, digest: str | None) -> bool:
        if digest is None or row.digest != digest or row.identity != self.identity(digest):
            return row.state == "failed" and row.digest is None and digest is None and not self.retry_failed
        return row.state in DONE or (row.state == "failed" and not self.retry_failed)

    def _mark(self, number: int) -> str:
        """Stands for a run under these settings that came to its end: what is finished of it answers the same questions."""
        return f"{number} {self.run_identity}"

    def identity(self, digest: str) -> str:
        """Which question was answered: this document under this run's settings."""
        return sha256(f"{digest} {self.run_identity}".encode()).hexdigest()

    def _pass(self, rows: list[Row]) -> None:
        """The next documents of the input are finished, and were not even opened."""
        self._met.add(rows, self._order.taken)
        self.progress.met += len(rows)
        self.progress.skipped += len(rows)
        self._order.pass_by([_line_of(row) for row in rows], hold=bool(self._suspects))

    def _skip(self, entry: Entry, place: int, row: Row) -> None:
        self._met.add([row], place)
        self.progress.skipped += 1
        self._place(place, _line_of(row))

    async def _work_on(self, entry: Entry, place: int, document: Document, digest: str, row: Row | None) -> None:
        deaths = row.deaths if row is not None and row.identity == self.identity(digest) else 0
        if deaths >= MAX_DEATHS:
            self.ledger.add(entry.key, place, entry.stamp, digest, self.identity(digest), "pending")
            self._fail(entry, place, _killed(entry.key), stage="extract")
            return
        async with self._alone if deaths >= SUSPECT else nullcontext():
            await self._attempt(entry, place, document, digest)

    async def _attempt(self, entry: Entry, place: int, document: Document, digest: str) -> None:
        key, identity = entry.key, self.identity(digest)
        self._working[key] = (entry, place)
        self.progress.in_flight += 1
        try:
            await self.ledger.begin(key, place, entry.stamp, digest, identity)
            found = await self._worked_on(document)
            await self._succeed(key, place, identity, found)
        except asyncio.CancelledError:
            self.ledger.back_to_pending(key, forgive=True)
            raise
        except (Stopped, Deferred):
            self.ledger.back_to_pending(key, forgive=True)
        except StorageError as exc:
            self._stop_by(exc)
            with suppress(StorageError):  # the disk may have no room for this either
                self.ledger.back_to_pending(key, forgive=True)
        except ExtractorError as exc:
            await self._failed(entry, place, exc)
        except Exception as exc:  # one document's bug is that document's failure, and is told as such
            self._fail(entry, place, _internal(exc), stage="extract")
        finally:
            self._working.pop(key, None)
            self.progress.in_flight -= 1
            if not self._working:
                self._tell()

    async def _worked_on(self, document: Document) -> Finished:
        try:
            return await self.work(document)
        except StorageError:  # a reply that came and could not be kept
            self.progress.cut_short += 1
            raise

    async def _succeed(self, key: str, place: int, identity: str, found: Finished) -> None:
        gave = Yield(
            entities=found.entities,
            events=found.events,
            relations=found.relations,
            rejections=found.rejections,
            prompt_tokens=found.usage.prompt_tokens,
            completion_tokens=found.usage.completion_tokens,
            cost=self.price(found.usage),
        )
        await self.ledger.finish(key, identity, found.line, found.packed, gave)
        self.after()
        if self.heard():
            self._suspects.answered()
        self._count(found)
        self._place(place, (key, identity))

    def _count(self, found: Finished) -> None:
        self.progress.done += 1
        self.progress.events += found.events
        self.progress.relations += found.relations
        self.progress.repairs += found.repairs
        self.progress.splits += found.splits
        self.progress.recovered += found.recovered
        self.progress.cost = self.spent()

    # -- failures

    async def _failed(self, entry: Entry, place: int, error: ExtractorError) -> None:
        if isinstance(error, DOUBTFUL) and (not self._open.is_set() or isinstance(self.stopped_by, DOUBTFUL)):
            # Others found out already that the endpoint is down.
            self._suspects.hold(entry, place)
            self._take_back()
            return
        if self._suspects.has_failed(entry, place, error):
            self._fail(entry, place, error, stage="extract")
            return
        self._take_back()
        pause = self.breaker.next_pause() if self.breaker.blamed() and not isinstance(error, FATAL) else None
        if pause is None or self.progress.stopping:
            self._stop_by(self.breaker.verdict(error))
        else:
            await self._pause(pause, error)

    def _blame_the_endpoint(self) -> None:
        """At the end: where several documents were tried and nothing ever answered, none of them is to blame."""
        error = self._suspects.never_answered()
        if error is not None:
            self._take_back()
            self._stop_by(error)

    def _take_back(self) -> None:
        """Documents that failed because the endpoint did are pending again."""
        for entry, place in self._suspects.release():
            self.ledger.back_to_pending(entry.key, forgive=True)
            if self._order.take_back(place, entry.key):
                self.progress.failed -= 1
            self._again.append((entry, place))
        self._tell()

    async def _pause(self, seconds: float, error: ExtractorError) -> None:
        self.progress.paused = f"{error.message} Trying again in {seconds:.0f} s."
        self._open.clear()
        try:
            await self.sleep(seconds)
        finally:
            self.breaker.try_one()
            self.progress.paused = None
            self._open.set()

    def _stop_by(self, error: ExtractorError) -> None:
        self.stopped_by = self.stopped_by or error
        self.stop(type(error).__name__)

    def _fail(self, entry: Entry, place: int, error: ExtractorError, *, stage: str) -> None:
        named = {"id": entry.id} if entry.id else {}
        self.ledger.fail(entry.key, {**named, "stage": stage, **error.record()})
        self.progress.failed += 1
        self._place(place, None)

    # -- the order of the input

    def _place(self, place: int, line: Line) -> None:
        """Note what became of the document at this place, and write as far as all before it are known."""
        self._order.decide(place, line)
        if not self._suspects:
            self._order.write()

    async def _count_the_rest(self) -> None:
        """Documents that a stopped run did not come to: finished ones keep their lines, the others are pending."""
        clock = asyncio.get_running_loop().time
        began = clock()
        if isinstance(self.stopped_by, DocumentError):
            return
        while not self.progress.whole and clock() - began < (REST_AT_ONCE_SECONDS if self._cancelled else REST_SECONDS):
            rest = list(islice(self._entries, REST_AT_ONCE))
            self.ledger.add_pending([pending for entry in rest if (pending := self._rest(entry)) is not None])
            self.progress.whole = len(rest) < REST_AT_ONCE
            await asyncio.sleep(0)

    def _rest(self, entry: Entry) -> tuple[str, int, str | None] | None:
        """One of them, not opened: None where it is finished."""
        row = self._row(entry.key)
        if row and row.stamp == entry.stamp and self._settled(row, row.digest):
            self._pass([row])
            return None
        self.progress.met += 1
        place = self._order.take(entry.key)
        self._order.keep(place, entry.key)
        return entry.key, place, entry.stamp

    def _finish(self) -> None:
        """What was decided goes to the files, also behind a document that was not."""
        self.ledger.flush()
        self._met.flush()
        for entry, _ in self._working.values():
            self.ledger.back_to_pending(entry.key, forgive=True)
        self.ledger.set_facts({UNIFORM: self._mark(self.ledger.run)})
        self._order.settle()
        if not self.progress.whole:
            for line in self.ledger.left_over():
                self.results.add(*line)
        self.results.close()


def _line_of(row: Row) -> Line:
    return (row.key, row.identity or "") if row.state in DONE else None


def document_digest(document: Document) -> str:
    """SHA-256 over all that a document is, in hex."""
    about = [document.id, document.language, document.title, document.url, str(document.published), document.digest]
    return sha256(canonical(list(about)).encode("utf-8", "surrogatepass")).hexdigest()


def _killed(key: str) -> ExtractorError:
    return ExtractorError(
        f"The process died {MAX_DEATHS} times while it worked on {key!r}.", hint="Look at this document on its own."
    )


def _internal(exc: Exception) -> ExtractorError:
    place = exc.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{place.tb_lineno}" if place else ""
    return ExtractorError(f"A bug of extractor's: {type(exc).__name__} at {where}.", hint="Please report it.")
