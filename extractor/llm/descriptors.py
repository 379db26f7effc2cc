"""How many connections this process can hold at once: each takes a file descriptor, and there are other users of those."""

from __future__ import annotations

import errno
import warnings

SHARE = 4
LEAST_CONNECTIONS = 8
LEAST_LIMIT = 256
SHORTAGE = frozenset({errno.EMFILE, errno.ENFILE})


def connections(wanted: int) -> int:
    """As many of the wanted connections as are safe: a quarter of the descriptors, at least 8.

    The soft limit is raised first, as far as is needed and allowed; a warning tells where that is not enough.
    """
    limit = _raised(max(SHARE * wanted, LEAST_LIMIT))
    if limit is None or limit >= SHARE * wanted:
        return wanted
    safe = min(wanted, max(LEAST_CONNECTIONS, limit // SHARE))
    if safe < wanted:
        warnings.warn(
            f"Only {safe:,} connections at once instead of {wanted:,}: this process may open {limit:,} files (ulimit -n).",
            stacklevel=2,
        )
    return safe


def _raised(needed: int) -> int | None:
    """The limit of descriptors after it was raised, to `needed` if that is allowed; None where there is none."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    if soft >= needed:
        return soft
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if most > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):  # some systems have a lower limit than they say
            return soft
        return most
    return soft


def is_shortage(exc: BaseException) -> bool:
    """Whether this is the system's word for having no descriptor left."""
    return isinstance(exc, OSError) and exc.errno in SHORTAGE
