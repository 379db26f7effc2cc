"""Untrusted text made safe to print: no escape sequence, no new line, no direction control of a document reaches a terminal."""

from __future__ import annotations

import re

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    r"""One line, with control characters shown as `\x1b` or `\u202e`."""
    return UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
