"""What may be spent: checked before each send, with what is in flight counted in."""

from __future__ import annotations

from dataclasses import dataclass, field

from extractor.errors import BudgetReached, ExtractorError
from extractor.llm.base import LLM, Meter, Reply, Request, Spent, Tokens

CHARACTERS_A_TOKEN = 3
FIRST_ANSWER = 1000
HINT = "Run the same command again with a higher limit to go on; what is finished is not asked again."


@dataclass(slots=True)
class Limits:
    """`budget` in the currency of `prices` (per token: prompt, completion), tokens, requests; None where there is none.

    What has no answer yet is reserved by an estimate: characters / 3 for its prompt, and for its
    answer the largest that came so far.
    """

    budget: float | None = None
    prices: tuple[float, float] | None = None
    max_tokens_total: int | None = None
    max_requests: int | None = None
    largest_answer: int = FIRST_ANSWER

    def check(self, spent: Spent, waiting: int, waiting_tokens: int, prompt: int) -> None:
        """Raises BudgetReached where one more request of `prompt` tokens could pass a limit.

        `waiting` requests with `waiting_tokens` tokens of prompts have no answer yet.
        """
        used = spent.prompt_tokens + spent.completion_tokens
        if self.max_requests is not None and spent.calls + waiting >= self.max_requests:
            raise BudgetReached(f"The limit of {self.max_requests:,} requests is reached.", hint=HINT)
        prompts, answers = waiting_tokens + prompt, (waiting + 1) * self.largest_answer
        if self.max_tokens_total is not None and used + prompts + answers > self.max_tokens_total:
            raise BudgetReached(
                f"{used:,} of {self.max_tokens_total:,} tokens are used; the next call could pass them.", hint=HINT
            )
        cost, more = self._cost(spent.prompt_tokens, spent.completion_tokens), self._cost(prompts, answers)
        if self.budget is not None and cost + more > self.budget:
            raise BudgetReached(
                f"{cost:.2f} of {self.budget:.2f} were spent; {waiting:,} calls under way and the next could take {more:.2f}.",
                hint=HINT,
            )

    def _cost(self, prompt: int, completion: int) -> float:
        return 0.0 if self.prices is None else prompt * self.prices[0] + completion * self.prices[1]


@dataclass(slots=True)
class BudgetLLM:
    """Stops before a limit is passed. Every request that is sent counts, whatever it came to, and what earlier starts of
    the run used."""

    inner: LLM
    limits: Limits
    meter: Meter = field(default_factory=Meter)
    _spent: Spent | None = None
    _open: int = 0
    _open_tokens: int = 0

    async def complete(self, request: Request) -> Reply:
        prompt = sum(len(message.content) for message in request.messages) // CHARACTERS_A_TOKEN
        self._spent = self._spent or self.meter.earlier
        self.limits.check(self._spent, self._open, self._open_tokens, prompt)
        self._open += 1
        self._open_tokens += prompt
        usage = Tokens()
        try:
            reply = await self.inner.complete(request)
            usage = reply.usage
        except ExtractorError as exc:
            usage = exc.tokens or usage
            raise
        finally:
            self._open -= 1
            self._open_tokens -= prompt
            self._spent = self._spent.plus(usage)
        self.limits.largest_answer = max(self.limits.largest_answer, usage.completion)
        return reply

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        await self.inner.aclose()
