"""The order of the input: what became of each place, written as far as all places before it are known."""

from __future__ import annotations

from dataclasses import dataclass, field

from extractor.runs.ledger import Ledger, Row
from extractor.runs.results import ResultsFile

MET_AT_ONCE = 1000

Line = tuple[str, str] | None


@dataclass(slots=True)
class Order:
    """Places count from 0. A place is taken, then decided: a line (key, identity) for the results, or None.

    A slow document holds back writing, not work: what is decided behind it waits here, as a key and a hash.
    """

    results: ResultsFile
    ledger: Ledger
    taken: int = 0
    written: int = 0
    _open: dict[int, str] = field(default_factory=dict)
    _decided: dict[int, Line] = field(default_factory=dict)

    def take(self, key: str) -> int:
        """The next place, for this document."""
        place = self.taken
        self.taken += 1
        self._open[place] = key
        return place

    def decide(self, place: int, line: Line) -> None:
        del self._open[place]
        self._decided[place] = line

    def pass_by(self, lines: list[Line], hold: bool = False) -> None:
        """Take the next places and decide them in one step; `hold`: do not write yet."""
        first = self.taken
        self.taken += len(lines)
        if first != self.written or hold:
            self._decided.update(zip(range(first, self.taken), lines, strict=True))
            return
        self.written = self.taken
        self.results.add_all(line for line in lines if line is not None)

    def take_back(self, place: int, key: str) -> bool:
        """It is not decided after all; False where it was not."""
        if place not in self._decided:
            return False
        del self._decided[place]
        self._open[place] = key
        return True

    def keep(self, place: int, key: str) -> None:
        """Nothing new came of it: what an earlier run found stays."""
        identity = self.ledger.kept(key)
        self.decide(place, None if identity is None else (key, identity))

    def write(self) -> None:
        """As far as there is no gap."""
        while self.written in self._decided:
            line = self._decided.pop(self.written)
            self.written += 1
            if line is not None:
                self.results.add(*line)

    def settle(self) -> None:
        """Nothing more will be decided: places that are open keep what they had."""
        for place, key in list(self._open.items()):
            self.keep(place, key)
        self.write()


@dataclass(slots=True)
class Met:
    """Tells the ledger which documents of an earlier run were met again, unchanged: as ranges where nothing moved."""

    ledger: Ledger
    _moved: list[tuple[str, int]] = field(default_factory=list)
    _first: int = 0
    _next: int = 0

    def add(self, rows: list[Row], first: int) -> None:
        """Rows that stand at the places from `first` on now."""
        last_run = self.ledger.run - 1
        for place, row in enumerate(rows, first):
            if row.position == place and row.run == last_run:
                if place != self._next:
                    self.flush()
                    self._first = place
                self._next = place + 1
            else:
                self._moved.append((row.key, place))
                if len(self._moved) >= MET_AT_ONCE:
                    self.flush()

    def flush(self) -> None:
        if self._first < self._next:
            self.ledger.met_again(self._first, self._next - 1)
        self._first = self._next
        if self._moved:
            self.ledger.met(self._moved)
        self._moved = []
