"""The public double: answers from a list, a mapping or a function, and shows what it did not expect."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor.errors import CassetteMiss
from extractor.llm.base import Reply, Request

Scripted = str | Mapping[str, Any] | Reply | Exception
Answers = Sequence[Scripted] | Mapping[str, Scripted] | Callable[[Request], Scripted]
SHOWN = 600


@dataclass(slots=True)
class ScriptedLLM:
    """Answers as it is told. `answers` is one of:

    a list: in the order of the requests; a mapping: the answer of the first key that stands in the
    request's last message, or is its fingerprint; a function of the request. An answer is a text, an
    object that becomes JSON, a Reply, or an exception to raise. `requests` keeps what was asked.
    """

    answers: Answers
    model: str = "scripted"
    requests: list[Request] = field(default_factory=list)

    async def complete(self, request: Request) -> Reply:
        """The scripted reply. Raises CassetteMiss, which shows the request, where there is none."""
        self.requests.append(request)
        answer = self._choose(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Reply):
            return answer
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return Reply(text=text, model=self.model)

    def _choose(self, request: Request) -> Scripted:
        if callable(self.answers):
            return self.answers(request)
        if isinstance(self.answers, Mapping):
            last, fingerprint = request.messages[-1].content, request.fingerprint()
            for key, answer in self.answers.items():
                if key in last or key == fingerprint:
                    return answer
        elif len(self.requests) <= len(self.answers):
            return self.answers[len(self.requests) - 1]
        raise CassetteMiss(
            f"Unexpected request {request.fingerprint()[:12]}: the script has no answer for it.",
            hint=f"It ends:\n{request.messages[-1].content[-SHOWN:]}",
        )

    def forget(self, request: Request) -> None:
        """Nothing is kept here."""

    async def aclose(self) -> None:
        """Nothing to release."""
