"""Answers that come later."""

from __future__ import annotations


class Deferred(Exception):
    """The answer comes with a provider's batch: the document stays pending until then."""
