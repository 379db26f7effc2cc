"""What tokens cost: by the prices of known models, or by prices that you set for your own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from extractor.config import Settings

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Currency per million tokens: of the prompt, of the part of it that the provider had cached, and of the answer."""

    prompt: float
    cached: float
    completion: float

    def of(self, prompt: int, completion: int, cached: int = 0) -> float:
        fresh = max(0, prompt - cached)
        return (fresh * self.prompt + cached * self.cached + completion * self.completion) / MILLION


def price_of(settings: Settings, model: str) -> Price | None:
    """The price that is set (price_input, price_output), else that of the model in genai-prices; None where neither knows."""
    if settings.price_input is not None and settings.price_output is not None:
        return Price(settings.price_input, settings.price_input, settings.price_output)
    return _known_price(model)


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
