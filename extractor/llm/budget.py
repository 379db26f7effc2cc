"""What may be spent: checked before each send, with what is in flight counted in."""

from __future__ import annotations

from dataclasses import dataclass, field

from extractor.errors import BudgetReached
from extractor.llm.base import LLM, Meter, Reply, Request

CHARACTERS_A_TOKEN = 3


@dataclass(slots=True)
class BudgetLLM:
    """Stops before a limit is passed: `budget` in the currency of `prices` (per token: prompt, completion), tokens, requests.

    Every attempt counts, repairs and retries too, and what earlier starts of the run used (`meter.earlier`).
    What is in flight is reserved by an estimate: characters / 3 for its prompt, and for its answer the
    largest that came so far.
    """

    inner: LLM
    budget: float | None = None
    prices: tuple[float, float] | None = None
    max_tokens_total: int | None = None
    max_requests: int | None = None
    meter: Meter = field(default_factory=Meter)
    spent_tokens: int = 0
    spent: float = 0.0
    requests: int = 0
    _reserved: float = 0.0
    _reserved_tokens: int = 0
    _largest_answer: int = 1000
    _remembered: bool = False

    async def complete(self, request: Request) -> Reply:
        self._remember()
        prompt = sum(len(message.content) for message in request.messages) // CHARACTERS_A_TOKEN
        tokens, cost = prompt + self._largest_answer, self._cost(prompt, self._largest_answer)
        self._check(tokens, cost)
        self.requests += 1
        self._reserved += cost
        self._reserved_tokens += tokens
        try:
            reply = await self.inner.complete(request)
        finally:
            self._reserved -= cost
            self._reserved_tokens -= tokens
        self._count(reply)
        return reply

    def _remember(self) -> None:
        """What earlier starts used, taken over before the first call."""
        if self._remembered:
            return
        self._remembered = True
        earlier = self.meter.earlier
        self.requests += earlier.calls
        self.spent_tokens += earlier.prompt_tokens + earlier.completion_tokens
        self.spent += self._cost(earlier.prompt_tokens, earlier.completion_tokens)

    def _check(self, tokens: int, cost: float) -> None:
        hint = "Run the same command again with a higher limit to go on; what is finished is not asked again."
        if self.max_requests is not None and self.requests >= self.max_requests:
            raise BudgetReached(f"The limit of {self.max_requests:,} requests is reached.", hint=hint)
        if (
            self.max_tokens_total is not None
            and self.spent_tokens + self._reserved_tokens + tokens > self.max_tokens_total
        ):
            raise BudgetReached(
                f"{self.spent_tokens:,} of {self.max_tokens_total:,} tokens are used; the next call could pass them.",
                hint=hint,
            )
        if self.budget is not None and self.spent + self._reserved + cost > self.budget:
            raise BudgetReached(
                f"{self.spent:.2f} of {self.budget:.2f} are spent; the next call could pass it.", hint=hint
            )

    def _count(self, reply: Reply) -> None:
        self.spent_tokens += reply.usage.prompt + reply.usage.completion
        self.spent += self._cost(reply.usage.prompt, reply.usage.completion)
        self._largest_answer = max(self._largest_answer, reply.usage.completion)

    def _cost(self, prompt: int, completion: int) -> float:
        return 0.0 if self.prices is None else prompt * self.prices[0] + completion * self.prices[1]

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        await self.inner.aclose()
