"""The ledger of a run: every document, its state and its result, durable at once (SQLite).

A document is `pending`, `running`, `done`, `empty` (done, and nothing found) or `failed`. Its result is kept, compressed, until
a newer one replaces it, so that results.jsonl can be written in the order of the input at any time.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from extractor.llm.grouped import Grouped
from extractor.runs.ledger_file import FORMAT, PAGE, LedgerFile

# Lines that were just finished and are mostly wanted at once; the others are read again.
FRESH = 256
# Seconds in which the starts and ends of documents are gathered for one durable write.
TOGETHER = 0.02


class Row(NamedTuple):
    """What the ledger knows of a document. `stamp` is size and time of its file, `digest` the hash of its text.

    `deaths` counts the processes that died over it without having got anything done.
    """

    key: str
    position: int
    stamp: str | None
    digest: str | None
    identity: str | None
    state: str
    attempts: int
    deaths: int
    run: int


@dataclass(frozen=True, slots=True)
class Yield:
    """What a finished document gave and cost; `rejections` counts them by reason."""

    entities: int
    events: int
    relations: int
    rejections: dict[str, int]
    prompt_tokens: int
    completion_tokens: int
    cost: float


# The attempts that are given are added to those before, as long as the question is the same.
START = """
INSERT INTO documents (key, position, stamp, digest, identity, state, attempts, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET position = excluded.position, stamp = excluded.stamp, digest = excluded.digest,
attempts = CASE WHEN documents.identity IS excluded.identity THEN documents.attempts ELSE 0 END + excluded.attempts,
deaths = CASE WHEN documents.identity IS excluded.identity THEN documents.deaths ELSE 0 END,
identity = excluded.identity, state = excluded.state, run = excluded.run, error = NULL"""
Step = tuple[str, tuple[object, ...]]
COLUMNS = "key, position, stamp, digest, identity, state, attempts, deaths, run"


class Ledger(LedgerFile):
    """The ledger of one start of a run, in which it numbers itself; what was under way when the last one died is pending."""

    def _open(self) -> None:
        super()._open()
        self._group = Grouped(self._commit, wait=TOGETHER, everybody=lambda: self.at_work())
        self._fresh: dict[str, bytes] = {}
        # How many documents are begun and not finished: when all of them wait for the disk, it need not wait for more.
        self.at_work: Callable[[], int | None] = lambda: None
        self.run += 1
        self.set_facts({"format": str(FORMAT), "run": str(self.run)})
        # The first run after a kill finds what was in flight.
        self.interrupted = self._one("SELECT count(*) FROM documents WHERE state = 'running'")
        self._forgive()

    def _forgive(self) -> None:
        """Where the last process got something done before it died, no document of it is to blame for its death."""
        if self.fact("progress") == str(self.run - 1):
            self._durable.execute("UPDATE documents SET attempts = max(0, attempts - 1) WHERE state = 'running'")
        else:
            self._durable.execute("UPDATE documents SET deaths = deaths + 1 WHERE state = 'running'")
        self._durable.execute("UPDATE documents SET state = 'pending' WHERE state = 'running'")
        self._progressed = False

    def flush(self) -> None:
        """Put everything that was begun or finished on the disk."""
        self._group.flush()

    def close(self) -> None:
        self._group.flush()
        super().close()

    # -- reading

    def rows(self) -> Iterator[Row]:
        """All documents in the order in which they were last met."""
        query = f"SELECT {COLUMNS} FROM documents WHERE position > ? ORDER BY position LIMIT {PAGE}"
        return map(Row._make, self._pages(query, 1))

    def get(self, key: str) -> Row | None:
        values = self._quick.execute(f"SELECT {COLUMNS} FROM documents WHERE key = ?", (key,)).fetchone()
        return Row(*values) if values else None

    def result(self, key: str) -> bytes:
        fresh = self._fresh.pop(key, None)
        return super().result(key) if fresh is None else fresh

    def left_over(self) -> Iterator[tuple[str, str]]:
        """Key and identity of results whose documents this run has not met, in their last order."""
        query = (
            "SELECT documents.key, results.identity FROM documents JOIN results USING (key) "
            "WHERE run < ? AND state != 'failed' ORDER BY position"
        )
        yield from self._quick.execute(query, (self.run,)).fetchall()

    def failures(self) -> Iterator[tuple[str, int, dict[str, object]]]:
        """Key, attempts and error of each failed document of this run, in the order of the input."""
        query = "SELECT key, attempts, error FROM documents WHERE state = 'failed' AND run = ? ORDER BY position"
        for key, attempts, error in self._quick.cursor().execute(query, (self.run,)):
            yield key, attempts, json.loads(error)

    def counts(self) -> dict[str, int]:
        """How many of the documents met in this run are in each state."""
        return dict(
            self._quick.execute("SELECT state, count(*) FROM documents WHERE run = ? GROUP BY state", (self.run,))
        )

    def totals(self) -> dict[str, float]:
        """Tokens, cost and facts over all finished documents of this run's input."""
        names = ("prompt_tokens", "completion_tokens", "cost", "entities", "events", "relations")
        sums = ", ".join(f"total({name})" for name in names)
        query = f"SELECT {sums} FROM documents WHERE run = ? AND state IN ('done', 'empty')"
        found = self._quick.execute(query, (self.run,)).fetchone()
        return {name: value if name == "cost" else int(value) for name, value in zip(names, found, strict=True)}

    def rejections(self) -> dict[str, int]:
        """How many items were not kept, by reason, over all finished documents of this run's input."""
        query = "SELECT rejections FROM documents WHERE run = ? AND rejections IS NOT NULL"
        counted: Counter[str] = Counter()
        for (text,) in self._quick.cursor().execute(query, (self.run,)):
            counted.update(json.loads(text))
        return dict(sorted(counted.items()))

    def missing(self) -> list[str]:
        """Keys that an earlier run met and this one did not: files that are gone."""
        return [
            key
            for (key,) in self._quick.execute("SELECT key FROM documents WHERE run < ? ORDER BY position", (self.run,))
        ]

    def charges(self) -> int:
        """Calls that broke off in all starts of this run, by a kill, a stop or a fault: they may be paid twice."""
        return int(self.fact("charges") or 0)

    # -- writing

    def add_charges(self, number: int) -> None:
        if number:
            self.set_facts({"charges": str(self.charges() + number)})

    def met(self, rows: list[tuple[str, int]]) -> None:
        """Note that unchanged documents (key, position) are part of this run too."""
        self._write(
            self._quick, "UPDATE documents SET position = ?, run = ? WHERE key = ?", [(p, self.run, k) for k, p in rows]
        )

    def met_again(self, first: int, last: int) -> None:
        """Note the same of all documents that stood at these positions in the last run, and stand there now."""
        query = "UPDATE documents SET run = ? WHERE position BETWEEN ? AND ? AND run = ?"
        self._write(self._quick, query, [(self.run, first, last, self.run - 1)])

    def add_pending(self, rows: list[tuple[str, int, str | None]]) -> None:
        """Documents (key, position, stamp) that this run met and did not come to; what is known of them stays."""
        query = """
            INSERT INTO documents (key, position, stamp, state, run) VALUES (?, ?, ?, 'pending', ?)
            ON CONFLICT (key) DO UPDATE SET position = excluded.position, run = excluded.run,
            state = CASE WHEN documents.state = 'failed' THEN 'failed' ELSE 'pending' END"""
        self._write(self._quick, query, [(*row, self.run) for row in rows])

    def add(
        self, key: str, position: int, stamp: str | None, digest: str | None, identity: str | None, state: str
    ) -> None:
        """A new or changed document, or one to be tried again; attempts are kept while the identity stays."""
        self._write(self._quick, START, [(key, position, stamp, digest, identity, state, 0, self.run)])

    async def begin(self, key: str, position: int, stamp: str | None, digest: str, identity: str) -> None:
        """Count the attempt before the work starts, so that a document that kills the process is known."""
        await self._group.add([(START, (key, position, stamp, digest, identity, "running", 1, self.run))])

    async def finish(self, key: str, identity: str, line: bytes, packed: bytes, gave: Yield) -> None:
        """Keep a finished document's line (and `packed`, the same compressed by zlib); on return it is on the disk."""
        found_any = gave.events or gave.relations or gave.entities
        rejections = json.dumps(gave.rejections, sort_keys=True) if gave.rejections else None
        numbers = (gave.prompt_tokens, gave.completion_tokens, gave.cost, gave.entities, gave.events, gave.relations)
        update = """
            UPDATE documents SET state = ?, prompt_tokens = ?, completion_tokens = ?, cost = ?, entities = ?, events = ?,
            relations = ?, rejections = ?, error = NULL, deaths = 0 WHERE key = ?"""
        result = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)"
        steps: list[Step] = [
            (result, (key, identity, packed, zlib.crc32(packed))),
            (update, ("done" if found_any else "empty", *numbers, rejections, key)),
        ]
        if not self._progressed:
            self._progressed = True
            steps.append(("INSERT OR REPLACE INTO facts VALUES ('progress', ?)", (str(self.run),)))
        await self._group.add(steps)
        self._fresh.pop(key, None)
        if len(self._fresh) < FRESH:
            self._fresh[key] = line

    def _commit(self, groups: list[list[Step]]) -> None:
        """All steps of all documents of a batch, in one transaction, equal queries together: a document has one of each."""
        steps: dict[str, list[tuple[object, ...]]] = {}
        for query, values in chain.from_iterable(groups):
            steps.setdefault(query, []).append(values)
        try:
            self._durable.execute("BEGIN IMMEDIATE")
            for query, rows in steps.items():
                self._durable.executemany(query, rows)
            self._durable.execute("COMMIT")
        except sqlite3.Error as exc:
            if self._durable.in_transaction:
                self._durable.rollback()
            raise self.fault(exc) from None

    def fail(self, key: str, error: dict[str, object]) -> None:
        text = json.dumps(error, ensure_ascii=False, default=str)
        self._write(self._quick, "UPDATE documents SET state = 'failed', error = ? WHERE key = ?", [(text, key)])

    def restamp(self, key: str, stamp: str | None) -> None:
        """The file was touched, its content is the same."""
        self._write(self._quick, "UPDATE documents SET stamp = ? WHERE key = ?", [(stamp, key)])

    def back_to_pending(self, key: str, *, forgive: bool) -> None:
        """Undo a start or a failure that was not the document's fault; `forgive` takes the attempt back."""
        query = "UPDATE documents SET state = 'pending', error = NULL, attempts = max(0, attempts - ?) WHERE key = ?"
        self._write(self._durable, query, [(int(forgive), key)])
