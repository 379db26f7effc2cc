"""What one start of one run counts, and which of the charges that it may have caused twice the ledger does not know yet."""

from __future__ import annotations

from collections.abc import Callable

from extractor.llm.base import Meter


class RunMeter(Meter):
    """Counts one start of one run. `note` is called whenever a call broke off that may be paid twice."""

    def __init__(self) -> None:
        super().__init__()
        self.note: Callable[[], None] = lambda: None
        self._taken = 0

    def charged(self, number: int) -> None:
        super().charged(number)
        self.note()

    @property
    def new_charges(self) -> int:
        """Possible charges that the ledger does not know yet."""
        return self.possible_duplicate_charges - self._taken

    def take_charges(self) -> int:
        """The same; the ledger knows them now."""
        new = self.new_charges
        self._taken += new
        return new
