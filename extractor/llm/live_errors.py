"""The border: what endpoints and HTTP libraries say, as errors of ours, by one table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from extractor.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ContentFiltered,
    ExtractorError,
    QuotaExceeded,
    RateLimited,
    RedirectRefused,
    RequestRejected,
    ServerFault,
    UnknownModel,
)
from extractor.llm.descriptors import is_shortage
from extractor.llm.live_secrets import Redactor

REASON = 300
MINUTE = 60
LONGEST = timedelta(days=3650)
QUOTA = frozenset(
    {
        "insufficient_quota",
        "quota_exceeded",
        "billing_hard_limit_reached",
        "billing_not_active",
        "credit_balance_exhausted",
        "project_spend_limit_exceeded",
        "insufficient_credits",
        "insufficient_balance",
        "payment_required",
        "access_terminated",
    }
)
# Codes that say more than the status, or stand in an answer without one (an error inside a 200).
STATUS_OF_CODE = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "invalid_authentication": 401,
    "permission_denied": 403,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "too_many_requests": 429,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "overloaded_error": 503,
    "overloaded": 503,
    "timeout": 504,
}
TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum context|too (long|large|many tokens)|exceeds? the (available|maximum|model)|"
    r"reduce the length|token limit|string_above_max_length|payload too large|entity too large",
    re.IGNORECASE,
)
NO_MODEL = re.compile(
    r"model.{0,80}(not.{0,3}found|not exist|unknown|no such|is not available)|unknown model|no such model",
    re.IGNORECASE,
)
BAD_KEY = re.compile(
    r"(invalid|incorrect|wrong|missing|expired|no).{0,20}api.?key|api.?key.{0,30}(not valid|invalid|incorrect|missing)",
    re.IGNORECASE,
)
RETRY_STATUS = frozenset({408, 409, 423, 425})


class StatusReceived(Exception):
    """An answer that is no success, read as far as it is worth reading."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status, self.headers, self.body = status, headers, body


@dataclass(frozen=True, slots=True)
class Border:
    """Translates for one endpoint: `place` is its host:port, `redactor` knows its key."""

    place: str
    redactor: Redactor
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def status(self, status: int, headers: Mapping[str, str], body: bytes, model: str) -> ExtractorError:
        """The error behind a status that is not 2xx."""
        if 300 <= status < 400:
            return RedirectRefused(
                f"{self.place} answered {status}, a redirect; redirect refused: a key is sent to one place only.",
                hint="Set the base URL to the final address.",
                status=status,
            )
        error = read_error(body)
        return self.error(status, error, headers, model)

    def error(self, status: int, error: Mapping[str, Any], headers: Mapping[str, str], model: str) -> ExtractorError:
        """The error behind a status and an error object."""
        words = str(error.get("message") or "")
        code = str(error.get("code") or error.get("type") or "")
        param = error.get("param")
        reason = self.redactor.text(" ".join(words.split()))[:REASON]
        wait = retry_after(headers)
        detail: dict[str, Any] = {"status": status, "reason": reason, "code": self.redactor.text(code)[:80]}
        if param:
            detail["param"] = self.redactor.text(str(param))[:80]
        if wait is not None:
            detail["retry_after"] = wait
        if request_id := headers.get("x-request-id"):
            detail["request_id"] = self.redactor.text(request_id)[:120]
        return self._choose(status, code, words, reason, model, detail)

    def _choose(
        self, status: int, code: str, words: str, reason: str, model: str, detail: dict[str, Any]
    ) -> ExtractorError:
        said = f": {_sentence(reason)}" if reason else "."
        if status == 402 or code in QUOTA:
            return QuotaExceeded(
                f"The quota at {self.place} is used up ({status}){said}",
                hint="Add credit; finished work is kept.",
                **detail,
            )
        if status in (401, 403) or (status == 400 and BAD_KEY.search(words)):
            return AuthenticationFailed(
                f"{self.place} refused the key ({status}){said}",
                hint="Check OPENAI_API_KEY or EXTRACTOR_API_KEY.",
                **detail,
            )
        if status == 404 or (status < 500 and (code == "model_not_found" or NO_MODEL.search(words))):
            return UnknownModel(
                f"{self.place} does not know the model {model!r} ({status}){said}",
                hint="Check the model's name and the base URL.",
                model=model,
                **detail,
            )
        if status == 429:
            until = self._until(detail.get("retry_after"))
            return RateLimited(f"{self.place} takes no more requests for now (429){said}{until}", **detail)
        if status >= 500 or status in RETRY_STATUS:
            return ServerFault(f"{self.place} failed ({status}){said}", **detail)
        if code in ("content_filter", "content_policy_violation"):
            return ContentFiltered(f"The provider's filter refused the request ({status}){said}", **detail)
        if status == 413 or code == "context_length_exceeded" or TOO_LONG.search(words):
            detail["too_long"] = True
        return RequestRejected(f"{self.place} does not take this request ({status}){said}", **detail)

    def _until(self, wait: float | None) -> str:
        """When to go on, where the endpoint told; the time of day to the minute, rounded up."""
        if wait is None:
            return ""
        if wait < MINUTE:
            return f" It asks to wait {wait:g} s."
        now = self.now()
        then = now + timedelta(seconds=min(wait, LONGEST.total_seconds()) + MINUTE - 1)
        day = "" if then.date() == now.date() else f"{then:%Y-%m-%d} "
        return f" It asks to wait {wait:,.0f} s: from {day}{then:%H:%M} UTC on."

    def inner(self, error: Any, headers: Mapping[str, str], model: str) -> ExtractorError:
        """The error that stands inside a 200, by its own code; one without a known code is a fault of the server."""
        error = error if isinstance(error, dict) else {"message": str(error)}
        code = error.get("code")
        if isinstance(code, int) and 400 <= code < 600:
            status = code
        else:
            names = (str(code or ""), str(error.get("type") or ""))
            status = next((STATUS_OF_CODE[name] for name in names if name in STATUS_OF_CODE), 500)
        return self.error(429 if str(code) in QUOTA else status, error, headers, model)

    def connection(self, exc: BaseException, answer_began: bool) -> ExtractorError:
        """The error behind an exception of the HTTP libraries. `possibly_billed`: the request may have been worked on."""
        if any(map(is_shortage, chain(exc))):
            return ConnectionFailed(
                f"No connection to {self.place}: this process may open no more files.",
                hint="Raise ulimit -n, or lower --concurrency.",
                possibly_billed=False,
                cause="EMFILE",
            )
        unsent = not answer_began and _before_sending(exc)
        what = "the connection broke inside the answer" if answer_began else _what(exc)
        billed = answer_began or not (unsent or _was_reset(exc))
        return ConnectionFailed(
            f"No answer from {self.place}: {what}.",
            hint="Check that the endpoint is up and the base URL is right." if unsent else "",
            possibly_billed=billed,
            cause=type(_deepest(exc)).__name__,
        )


def _sentence(reason: str) -> str:
    """Ends in a mark, since more words follow it."""
    return reason if reason.endswith((".", "!", "?", "…", "。", "؟")) else f"{reason}."


def read_error(body: bytes) -> dict[str, Any]:
    """The error object of a body: OpenAI's, or what others write instead; plain text as its message."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {"message": _plain(body)}
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return {"message": str(value)[:REASON]}
    inner = value.get("error", value)
    if isinstance(inner, str):
        return {"message": inner, "code": value.get("code")}
    if not isinstance(inner, dict):
        return {"message": str(inner)[:REASON]}
    message = inner.get("message") or inner.get("detail") or inner.get("msg") or ""
    return {**inner, "message": message if isinstance(message, str) else orjson.dumps(message).decode()}


def _plain(body: bytes) -> str:
    text = body[:4000].decode("utf-8", "replace")
    return re.sub(r"<[^>]*>", " ", text)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait, from retry-after-ms or Retry-After (seconds or a date); None for what makes no sense."""
    exact = _seconds(headers.get("retry-after-ms"))
    if exact is not None:
        return exact / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _seconds(value)
    return seconds if seconds is not None else _until(value, now)


def _seconds(value: str | None) -> float | None:
    if value is None or not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value.strip()):
        return None
    seconds = float(value)
    return seconds if math.isfinite(seconds) else None


def _until(value: str, now: datetime | None) -> float | None:
    try:
        then = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    left = (then - (now or datetime.now(UTC))).total_seconds()
    return left if left >= 0 else None


def chain(exc: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised from, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = exc
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _deepest(exc: BaseException) -> BaseException:
    return list(chain(exc))[-1]


def _names(exc: BaseException) -> set[str]:
    return {kind.__name__ for one in chain(exc) for kind in type(one).__mro__}


def _before_sending(exc: BaseException) -> bool:
    """Whether the connection was never made. The aiohttp transport calls every broken connection a ConnectTimeout."""
    names = _names(exc)
    if "ClientError" in names:
        return bool(names & {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL"})
    return bool(
        names
        & {"ConnectError", "ConnectTimeout", "PoolTimeout", "ConnectionRefusedError", "gaierror", "LocalProtocolError"}
    )


def _was_reset(exc: BaseException) -> bool:
    """A reset means that the server never read the request to its end: a server that dies after reading closes in order."""
    return "ConnectionResetError" in _names(exc)


def _what(exc: BaseException) -> str:
    names = _names(exc)
    table = {
        "ConnectionRefusedError": "the connection was refused",
        "gaierror": "the host is not known",
        "ClientConnectorDNSError": "the host is not known",
        "SSLError": "the TLS handshake failed",
        "SSLCertVerificationError": "its certificate is not trusted",
        "ConnectionTimeoutError": "the connection was not made in time",
        "ConnectionResetError": "the connection was reset",
        "ServerDisconnectedError": "the connection was closed without an answer",
        "RemoteProtocolError": "the connection was closed without an answer",
        "ClientConnectorError": "the connection could not be made",
        "ConnectError": "the connection could not be made",
    }
    return next(
        (words for name, words in table.items() if name in names),
        f"the connection failed ({type(_deepest(exc)).__name__})",
    )
