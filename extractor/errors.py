"""Every error this package raises, in one tree, by who must act.

::

    ExtractorError
    ├── CallerError                     you: change the call                        exit 2
    │   ├── DocumentError               empty, too large, binary, undecodable
    │   ├── OntologyError               unknown ontology, or a mistake in its file
    │   ├── PromptError                 unknown prompt or version, or a mistake in its file
    │   ├── SettingsError               a setting that is missing, unknown or wrong
    │   ├── OutputError                 a folder or file that cannot be written
    │   └── RunLocked                   another process works on the same run folder
    ├── ProviderError                   the operator: key, quota, endpoint          exit 4
    │   ├── AuthenticationFailed        the key is refused (401, 403)
    │   ├── UnknownModel                the endpoint does not know the model (404)
    │   ├── QuotaExceeded               no credit left; waiting does not help
    │   ├── RateLimited                 too fast; waiting helps (retry_after, in seconds)
    │   ├── CallTimeout                 no full reply within the deadline
    │   ├── ConnectionFailed            nothing answered, or the connection broke
    │   ├── ServerFault                 5xx, or an error inside a 200
    │   ├── RequestRejected             400, 413, 422: this request, as it stands, is not taken
    │   ├── RedirectRefused             the endpoint points elsewhere; keys do not follow
    │   ├── BadEnvelope                 a 200 that is no completion
    │   ├── ReplyTooLarge               more bytes than any answer has
    │   └── BudgetReached               a limit that you set is reached; resumable
    ├── AnswerError                     the LLM: it answered, but not usably        one document fails
    │   ├── Refused                     it declined
    │   ├── ContentFiltered             the provider's filter cut it
    │   ├── Truncated                   it stopped at the length limit
    │   ├── Unreadable                  not JSON, or not of the schema, twice
    │   └── PromptTruncated             the server read only part of what was sent
    ├── CassetteError                   the test author: record, or mend the change
    │   ├── CassetteMiss                no recorded exchange for this request
    │   ├── CassetteUnused              a recorded exchange that nothing asked for
    │   └── CassetteFormat              the file is not a cassette, or of another format
    └── StorageError                    the disk: full, unwritable, corrupt          exit 5

Messages say what was expected, what came and what to do. None carries a key, and none holds a
foreign exception: all of them pickle.
"""

from __future__ import annotations

from typing import Any


class ExtractorError(Exception):
    """Root of the tree.

    `hint` says what to do, in one sentence. `detail` holds what could not be used (a piece of a
    reply, a status), as plain JSON values; it never holds a key or a whole document.
    """

    exit_code = 70

    # What it cost all the same, as `llm.base.Tokens`, where the endpoint said so.
    tokens: Any = None

    def __init__(self, message: str, *, hint: str = "", **detail: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.hint, self.detail)

    def record(self) -> dict[str, Any]:
        """The error as plain JSON values, for failure files and logs."""
        return {"class": type(self).__name__, "message": str(self), **self.detail}


def _rebuild(kind: type[ExtractorError], message: str, hint: str, detail: dict[str, Any]) -> ExtractorError:
    return kind(message, hint=hint, **detail)


class CallerError(ExtractorError):
    exit_code = 2


class DocumentError(CallerError):
    pass


class OntologyError(CallerError):
    pass


class PromptError(CallerError):
    pass


class SettingsError(CallerError):
    pass


class OutputError(CallerError):
    pass


class RunLocked(CallerError):
    pass


class ProviderError(ExtractorError):
    exit_code = 4


class AuthenticationFailed(ProviderError):
    pass


class UnknownModel(ProviderError):
    pass


class QuotaExceeded(ProviderError):
    pass


class RateLimited(ProviderError):
    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, as the endpoint told; None where it did not."""
        return self.detail.get("retry_after")


class CallTimeout(ProviderError):
    pass


class ConnectionFailed(ProviderError):
    pass


class ServerFault(ProviderError):
    pass


class RequestRejected(ProviderError):
    pass


class RedirectRefused(ProviderError):
    pass


class BadEnvelope(ProviderError):
    pass


class ReplyTooLarge(ProviderError):
    pass


class BudgetReached(ProviderError):
    pass


class AnswerError(ExtractorError):
    """The LLM answered, but not usably. `reply_text` is what it said, cut to 2,000 characters."""

    exit_code = 3

    @property
    def reply_text(self) -> str:
        return str(self.detail.get("reply_text", ""))


class Refused(AnswerError):
    pass


class ContentFiltered(AnswerError):
    pass


class Truncated(AnswerError):
    pass


class Unreadable(AnswerError):
    pass


class PromptTruncated(AnswerError):
    pass


class CassetteError(ExtractorError):
    exit_code = 2


class CassetteMiss(CassetteError):
    pass


class CassetteUnused(CassetteError):
    pass


class CassetteFormat(CassetteError):
    pass


class StorageError(ExtractorError):
    exit_code = 5
