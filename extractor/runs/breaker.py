"""When everything fails it is not the documents: a breaker that tells a dead endpoint from a bad document."""

from __future__ import annotations

from dataclasses import dataclass, field

from extractor.errors import (
    AuthenticationFailed,
    BadEnvelope,
    BudgetReached,
    CallTimeout,
    ConnectionFailed,
    ExtractorError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    RedirectRefused,
    ServerFault,
    SettingsError,
    StorageError,
    UnknownModel,
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

    `patience` is how many seconds in all it waits for the endpoint to come back before it gives up.
    """

    threshold: int = 8
    patience: float = 300.0
    streak: list[str] = field(default_factory=list)
    waited: float = 0.0
    pauses: int = 0
    succeeded: bool = False

    def success(self) -> None:
        self.streak.clear()
        self.waited = 0.0
        self.pauses = 0
        self.succeeded = True

    def failure(self, key: str, error: ExtractorError) -> bool:
        """Count a failure; True where the endpoint, not the document, is to blame."""
        if isinstance(error, FATAL):
            return True
        if isinstance(error, DOUBTFUL):
            self.streak.append(key)
        elif not isinstance(error, ProviderError):
            # The endpoint answered, however badly: it is alive.
            self.streak.clear()
        return len(self.streak) >= self.threshold

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
