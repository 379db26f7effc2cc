"""Keys and addresses: checked before they are used, and kept out of every message and log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from extractor.errors import SettingsError

HOSTED = "https://api.openai.com/v1"
MASK = "***"
LOGGERS = (
    "openai",
    "openai._base_client",
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.proxy",
    "httpx",
    "aiohttp.client",
    "aiohttp.internal",
    "instructor",
    "instructor.v2",
)
SHAPES = (
    (re.compile(r"\b(sk|pk|rk|gsk|xai|key)-[A-Za-z0-9_\-]{6,}"), MASK),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9_\-.=+/]+", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"://[^/@\s]+@"), f"://{MASK}@"),
    (re.compile(r"\b(api[-_]?key|access[-_]?token|key|token|secret)=[^&\s\"']+", re.IGNORECASE), rf"\1={MASK}"),
)


def check_key(key: str) -> str:
    """The key without white space around it. Raises SettingsError where it cannot be one; the message never shows it."""
    bare = key.strip()
    if not bare:
        raise SettingsError("The API key is empty.", hint="Set OPENAI_API_KEY; local servers take any word.")
    if any(char.isspace() for char in bare):
        raise SettingsError(
            "The API key contains whitespace.", hint="Copy it again, in one piece and without a line break."
        )
    if not bare.isascii() or not bare.isprintable():
        raise SettingsError("The API key contains characters that no key has.", hint="Copy it again as plain ASCII.")
    return bare


def check_base_url(url: str | None) -> str:
    """The address that requests go to, without a slash at its end; OpenAI's own where none is given.

    Raises SettingsError for anything but http(s) without user, password, query and fragment.
    """
    if url is None or not url.strip():
        return HOSTED
    wrong = _fault_of(url.strip())
    if wrong:
        raise SettingsError(
            f"The base URL {wrong}.", hint="Give it like https://api.openai.com/v1 or http://localhost:11434/v1."
        )
    return url.strip().rstrip("/")


def _fault_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return "is not an http or https address"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password, which would end up in logs"
    if parts.query or parts.fragment:
        return "holds a query or a fragment, where no key may stand"
    if parts.path.rstrip("/").endswith("/chat/completions"):
        return "ends with /chat/completions, which is added to it"
    return None


def place(url: str) -> str:
    """host:port of a checked base URL, for messages."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or {'http': 80, 'https': 443}[parts.scheme]}"


class Redactor(logging.Filter):
    """Takes keys out of texts; as a log filter, out of the records of the HTTP and SDK loggers."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self.secrets = {secret for secret in secrets if secret}

    def text(self, text: str) -> str:
        """The text without known keys, and without anything of a key's shape."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        for pattern, replacement in SHAPES:
            text = pattern.sub(replacement, text)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str) and record.msg.startswith("Request options"):
            record.msg, record.args = "Request options: withheld, they hold the document", ()
        shown = record.getMessage()
        if (clean := self.text(shown)) != shown:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            record.msg = f"{record.getMessage()} ({record.exc_info[0].__name__})"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def guard_logs(redactor: Redactor) -> None:
    """Put the redactor before the loggers that see requests; twice does no more than once."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(redactor)


def release_logs(redactor: Redactor) -> None:
    for name in LOGGERS:
        logging.getLogger(name).removeFilter(redactor)
