"""Where a run stands: the runner counts, whoever shows it reads."""

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """Where the run stands; read by whoever shows it. `whole`: all documents of the source were met; `cost`: paid so far."""

    met: int = 0
    skipped: int = 0
    done: int = 0
    failed: int = 0
    events: int = 0
    relations: int = 0
    in_flight: int = 0
    cost: float = 0.0
    cut_short: int = 0
    repairs: int = 0
    splits: int = 0
    recovered: int = 0
    whole: bool = False
    stopping: str | None = None
    paused: str | None = None
