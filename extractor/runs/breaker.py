"""When everything fails it is not the documents: a breaker that tells an endpoint that is dead, or unfit, from a bad document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from extractor.errors import (
    AuthenticationFailed,
    BadEnvelope,
    BudgetReached,
    CallTimeout,
    ConnectionFailed,
    DocumentError,
    ExtractorError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    RedirectRefused,
    ServerFault,
    SettingsError,
    StorageError,
    UnknownModel,
    Unreadable,
)

# Faults that the next document would meet as well: the run stops at the first.
FATAL = (
    AuthenticationFailed,
    UnknownModel,
    QuotaExceeded,
    RateLimited,
    RedirectRefused,
    BudgetReached,
    SettingsError,
    StorageError,
)
# Faults that may be the endpoint's or the document's: told apart by what happens to the others.
DOUBTFUL = (ConnectionFailed, ServerFault, CallTimeout, BadEnvelope)
FIRST_PAUSE = 5.0


@dataclass(slots=True)
class Breaker:
    """Counts doubtful failures without a success between; opens at `threshold` of them.

    `patience` is how many seconds in all it waits for the endpoint to come back before it gives up. It opens for
    good where the answers to the first `threshold` documents of a run cannot be read: each was paid for twice.
    `proven` tells whether earlier starts of the run had answers that could be; it is asked only then.
    """

    threshold: int = 8
    patience: float = 300.0
    proven: Callable[[], bool] = lambda: False
    streak: list[str] = field(default_factory=list)
    waited: float = 0.0
    pauses: int = 0
    succeeded: bool = False
    unreadable: list[str] = field(default_factory=list)

    @property
    def suspects(self) -> list[str]:
        """The documents whose failure may turn out to be the endpoint's."""
        return [*self.streak, *self.unreadable]

    def success(self) -> None:
        self.streak.clear()
        self.unreadable.clear()
        self.waited = 0.0
        self.pauses = 0
        self.succeeded = True

    def failure(self, key: str, error: ExtractorError) -> bool:
        """Count a failure; True where the endpoint, not the document, is to blame."""
        if isinstance(error, FATAL):
            return True
        if isinstance(error, DocumentError):
            return False  # never sent: it says nothing of the endpoint
        if isinstance(error, DOUBTFUL):
            self.streak.append(key)
        elif not isinstance(error, ProviderError):
            # The endpoint answered, however badly: it is alive.
            self.streak.clear()
            return self._is_unfit(key, error)
        return len(self.streak) >= self.threshold

    def _is_unfit(self, key: str, error: ExtractorError) -> bool:
        if not isinstance(error, Unreadable):
            self.unreadable.clear()
        elif not self.succeeded:
            self.unreadable.append(key)
        if len(self.unreadable) < self.threshold:
            return False
        if self.proven():
            self.succeeded = True
            self.unreadable.clear()
        return bool(self.unreadable)

    def verdict(self, error: ExtractorError) -> ExtractorError:
        """What the run stops by, when `error` was the last that it was blamed for."""
        if not isinstance(error, Unreadable):
            return error
        return SettingsError(
            f"The answers to the first {len(self.unreadable)} documents cannot be read, though each was asked for twice.",
            hint="The endpoint may ignore the schema of the answer: try extractor doctor, and another --mode or --model.",
        )

    def next_pause(self) -> float | None:
        """Seconds to wait before the endpoint is tried again, twice as long each time; None: give up."""
        pause: float = min(FIRST_PAUSE * 2**self.pauses, self.patience - self.waited)
        if pause <= 0:
            return None
        self.pauses += 1
        self.waited += pause
        return pause

    def blamed(self) -> list[str]:
        """The documents that failed in the streak, which is forgotten but for one: the next failure opens it again."""
        keys, self.streak = self.streak, []
        return keys

    def try_one(self) -> None:
        """After a pause: one more doubtful failure opens it again."""
        self.streak.extend([""] * (self.threshold - 1))
