"""Settings become the stack of LLM wrappers: the only place that knows how they nest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from extractor.config import Settings
from extractor.errors import SettingsError
from extractor.llm.base import LLM, Meter

if TYPE_CHECKING:
    from extractor.llm.budget import Limits

_override: list[LLM] = []

NO_LLM = """\
No LLM to ask: there is neither a key, nor an endpoint, nor recorded replies. Give one of the three:
  hosted:  set OPENAI_API_KEY (or EXTRACTOR_API_KEY), and --model
  local:   set OPENAI_BASE_URL, or --base-url: http://localhost:11434/v1 for Ollama, http://localhost:8000/v1 for vLLM
  replay:  --replay DIR, a folder of cassettes"""


@contextmanager
def use_llm(llm: LLM) -> Iterator[LLM]:
    """Within the block, every `extract()` of this process asks this LLM, unless it is given another."""
    _override.append(llm)
    try:
        yield llm
    finally:
        _override.remove(llm)


def overriding_llm() -> LLM | None:
    """The LLM of the innermost `use_llm` block, if one is open."""
    return _override[-1] if _override else None


def build_llm(settings: Settings, meter: Meter) -> LLM:
    """The stack for one event loop: recorder over cache over single flight over retries over the ladder of modes over pace
    over budget over the client.

    Replaying needs neither key nor network, and loads neither openai nor instructor.
    """
    if settings.replay is not None:
        from extractor.llm.cassette import CassettePlayer

        return CassettePlayer(settings.replay, meter=meter)
    return stack_over(_live(settings, meter), settings, meter)


def api_key(settings: Settings) -> str:
    """The key to send; local endpoints take any word. Raises SettingsError where there is nobody to ask."""
    if settings.api_key is None and settings.base_url is None:
        raise SettingsError(NO_LLM)
    return settings.api_key.get_secret_value() if settings.api_key else "none"


def _live(settings: Settings, meter: Meter) -> LLM:
    key = api_key(settings)
    from extractor.llm.limits import LimitedLLM, Limiter
    from extractor.llm.live import LiveLLM
    from extractor.llm.live_ladder import LadderLLM
    from extractor.llm.retry import RetryingLLM

    limiter = Limiter(ceiling=settings.concurrency, rpm=settings.rpm, tpm=settings.tpm, max_wait=settings.max_wait)
    live = LiveLLM(
        api_key=key,
        base_url=settings.base_url,
        mode=settings.mode,
        timeout=settings.timeout,
        trust_env=settings.trust_env,
        concurrency=settings.concurrency,
        meter=meter,
        on_headers=limiter.observe,
    )
    return RetryingLLM(
        LadderLLM(LimitedLLM(_within_budget(live, settings, meter), limiter=limiter, meter=meter)),
        attempts=settings.attempts,
        first_wait=settings.retry_wait,
        meter=meter,
    )


def limits_of(settings: Settings) -> Limits | None:
    """The limits that are set; None where there are none. Raises SettingsError for a budget without prices."""
    if settings.budget is None and settings.max_tokens_total is None and settings.max_requests is None:
        return None
    from extractor.llm.budget import Limits
    from extractor.prices import price_of

    price = price_of(settings, settings.model)
    if settings.budget is not None and price is None:
        raise SettingsError(
            f"No price is known for {settings.model!r}.", hint="Set price_input and price_output (per million tokens)."
        )
    return Limits(
        budget=settings.budget,
        prices=(price.prompt / 1_000_000, price.completion / 1_000_000) if price else None,
        max_tokens_total=settings.max_tokens_total,
        max_requests=settings.max_requests,
    )


def _within_budget(inner: LLM, settings: Settings, meter: Meter) -> LLM:
    """Checked before each send, those after a rate limit too; nothing to check where no limit is set."""
    limits = limits_of(settings)
    if limits is None:
        return inner
    from extractor.llm.budget import BudgetLLM

    return BudgetLLM(inner, limits, meter=meter)


def stack_over(live: LLM, settings: Settings, meter: Meter) -> LLM:
    """Recorder over cache over single flight, over whatever answers."""
    return _recorded(_cached(live, settings, meter), settings, meter)


def _cached(inner: LLM, settings: Settings, meter: Meter) -> LLM:
    from extractor.llm.single_flight import SingleFlightLLM

    single = SingleFlightLLM(inner, meter=meter)
    if not settings.cache:
        return single
    from extractor.llm.cache import CachedLLM, ReplyCache
    from extractor.llm.claims import Claims

    folder = Path(settings.cache_dir)
    return CachedLLM(
        single,
        ReplyCache(folder, size_limit=settings.cache_size_limit, max_age=settings.cache_max_age),
        meter=meter,
        claims=Claims(folder / "claims.lock", patience=settings.timeout),
    )


def _recorded(inner: LLM, settings: Settings, meter: Meter) -> LLM:
    if settings.record is None:
        return inner
    from extractor.llm.cassette import open_cassette
    from extractor.task import load_task

    task = load_task(settings.prompt, settings.ontology, settings.prompts_dir)
    header = {
        "recorded": date.today().isoformat(),
        "note": settings.record_note,
        "prompt": task.prompt.ref,
        "ontology": task.ontology.ref,
    }
    omit = settings.omit_documents
    return open_cassette(settings.record, settings.record_mode, inner, header=header, meter=meter, omit_documents=omit)
