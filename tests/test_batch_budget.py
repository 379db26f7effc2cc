"""Budgets: the run stops before a limit is passed, with what is in flight counted in."""

import asyncio

import pytest

from extractor.config import Settings
from extractor.errors import BudgetReached
from extractor.llm.base import AnswerSchema, Message, Meter, Reply, Request, Spent, Tokens
from extractor.llm.budget import BudgetLLM, Limits
from extractor.prices import Price, price_of


class Desk:
    """Answers after a turn of the loop, at a fixed cost."""

    def __init__(self) -> None:
        self.asked = 0

    async def complete(self, request: Request) -> Reply:
        self.asked += 1
        await asyncio.sleep(0)
        return Reply("{}", usage=Tokens(prompt=1000, completion=1000))

    def forget(self, request: Request) -> None: ...

    async def aclose(self) -> None: ...


REQUEST = Request((Message("user", "x" * 3000),), AnswerSchema("answer", "{}"), "m")
LIMITS = {
    "requests": ({"max_requests": 7}, 7),
    "tokens": ({"max_tokens_total": 15_000}, 7),
    "money": ({"budget": 15.0, "prices": (0.001, 0.001)}, 7),
}


@pytest.mark.parametrize(("limit", "calls"), LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("at_once", [1, 50])
async def test_no_limit_is_passed_however_many_ask_at_once(limit: dict[str, object], calls: int, at_once: int) -> None:
    """What is in flight is reserved; the error says how to go on."""
    desk = Desk()
    llm = BudgetLLM(desk, Limits(**limit))  # type: ignore[arg-type]
    for _ in range(50 // at_once):
        results = await asyncio.gather(*(llm.complete(REQUEST) for _ in range(at_once)), return_exceptions=True)
        reached = [result for result in results if isinstance(result, BaseException)]
    assert desk.asked == calls
    assert reached and all(isinstance(error, BudgetReached) and "higher limit" in str(error) for error in reached)


async def test_what_earlier_starts_of_the_run_used_counts() -> None:
    """A run that is started again does not spend its budget again."""
    meter = Meter(earlier=Spent(calls=5, prompt_tokens=9000, completion_tokens=3000))
    for limit in ({"max_requests": 6}, {"max_tokens_total": 15_000}, {"budget": 15.0, "prices": (0.001, 0.001)}):
        desk = Desk()
        llm = BudgetLLM(desk, Limits(**limit), meter=meter)  # type: ignore[arg-type]
        await asyncio.gather(*(llm.complete(REQUEST) for _ in range(9)), return_exceptions=True)
        assert desk.asked == 1


def test_prices_of_one_s_own_win_and_an_unknown_model_has_none() -> None:
    """Per million tokens; what the provider had cached is cheaper where that is known."""
    own = Settings(price_input=2.0, price_output=8.0)
    assert price_of(own, "gpt-5-mini") == Price(2.0, 2.0, 8.0)
    assert Price(2.0, 1.0, 8.0).of(1_000_000, 500_000, 500_000) == 1.0 + 0.5 + 4.0
    known = price_of(Settings(), "gpt-5-mini")
    assert known is not None and 0 < known.cached < known.prompt < known.completion
    assert price_of(Settings(), "a-model-of-my-own") is None
