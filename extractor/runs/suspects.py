"""Documents whose failure may turn out to be the endpoint's: held until it is known whose it was."""

from __future__ import annotations

from dataclasses import dataclass, field

from extractor.errors import ConnectionFailed, ExtractorError
from extractor.runs.breaker import DOUBTFUL, Breaker
from extractor.runs.entries import Entry

Held = tuple[Entry, int]


@dataclass(slots=True)
class Suspects:
    """Documents with their places in the input. True while there are any."""

    breaker: Breaker
    _held: dict[str, Held] = field(default_factory=dict)
    _last_doubt: ExtractorError | None = None

    def __bool__(self) -> bool:
        return bool(self._held)

    def hold(self, entry: Entry, place: int) -> None:
        self._held[entry.key] = (entry, place)

    def answered(self) -> None:
        """A document was answered: what failed before it failed by itself."""
        self.breaker.success()
        self._held.clear()

    def has_failed(self, entry: Entry, place: int, error: ExtractorError) -> bool:
        """Whether the document counts as failed, for now; False where the endpoint is to blame for all that are held."""
        if self.breaker.failure(entry.key, error):
            self.hold(entry, place)
            return False
        suspects = self.breaker.suspects
        self._held = {key: self._held[key] for key in suspects if key in self._held}
        if entry.key in suspects:
            self.hold(entry, place)
        if isinstance(error, DOUBTFUL):
            self._last_doubt = error
        return True

    def release(self) -> list[Held]:
        """All that are held, and no more: they are to be tried again."""
        released, self._held = list(self._held.values()), {}
        return released

    def never_answered(self) -> ExtractorError | None:
        """At the end of a run: the error of an endpoint that never answered: several documents, or that none could reach."""
        doubtful = sum(key in self._held for key in self.breaker.streak)
        enough = 0 if isinstance(self._last_doubt, ConnectionFailed) else 1
        return self._last_doubt if doubtful > enough and not self.breaker.succeeded else None
