"""What tokens cost: by the prices of known models, or by prices that you set for your own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from extractor.config import Settings

MILLION = 1_000_000
# What a request in a provider's batch costs of the price of a single one.
BATCH_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Price:
    """Currency per million tokens: of the prompt, of the part of it that the provider had cached, and of the answer."""

    prompt: float
    cached: float
    completion: float

    def of(self, prompt: int, completion: int, cached: int = 0) -> float:
        fresh = max(0, prompt - cached)
        return (fresh * self.prompt + cached * self.cached + completion * self.completion) / MILLION

    def times(self, share: float) -> Price:
        return Price(self.prompt * share, self.cached * share, self.completion * share)


def price_of(settings: Settings, model: str) -> Price | None:
    """The price that is set (price_input, price_output), else that of the model in genai-prices; None where neither knows.

    Through a provider's batches the known price is halved; one that is set is taken as it is.
    """
    if settings.price_input is not None and settings.price_output is not None:
        return Price(settings.price_input, settings.price_input, settings.price_output)
    known = _known_price(model)
    return known.times(BATCH_SHARE) if known is not None and settings.via == "batch-api" else known


@lru_cache(maxsize=16)
def _known_price(model: str) -> Price | None:
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None

    def cost(**tokens: int) -> float:
        return float(calc_price(Usage(**tokens), model, provider_id="openai").total_price)

    try:
        fresh = cost(input_tokens=MILLION)
        cached = cost(input_tokens=MILLION, cache_read_tokens=MILLION)
        return Price(fresh, cached, cost(output_tokens=MILLION))
    except LookupError:
        return None
