"""An endpoint that refuses the way of asking is asked in the next one: above all that counts and paces, as each is a request."""

from __future__ import annotations

from dataclasses import dataclass

from extractor.llm.base import LLM, Reply, Request


class ModeRefused(Exception):
    """The endpoint refused the mode and not the request; the client stands on the next rung now."""


@dataclass(slots=True)
class LadderLLM:
    """Asks again for as long as the inner one steps down; there are four rungs, so three more requests at most."""

    inner: LLM

    async def complete(self, request: Request) -> Reply:
        while True:
            try:
                return await self.inner.complete(request)
            except ModeRefused:
                continue

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        await self.inner.aclose()
