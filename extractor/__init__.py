"""News reports in, typed and evidence-grounded events and relations out.

The names below are loaded on first use: `import extractor` itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from extractor.version import VERSION as __version__

if TYPE_CHECKING:
    from extractor.api import Extractor, aextract, extract
    from extractor.config import Settings, load_settings
    from extractor.errors import ExtractorError
    from extractor.models import (
        Document,
        Entity,
        Event,
        Extraction,
        Mention,
        Participant,
        Provenance,
        Rejection,
        Relation,
        Span,
        Time,
        TimeInterval,
        Usage,
    )
    from extractor.ontology import Ontology, load_ontology
    from extractor.runs.run import batch
    from extractor.text.calendars import resolve_time
    from extractor.text.grounding import locate_quote

_HOMES = {
    "extractor.api": ("Extractor", "aextract", "extract"),
    "extractor.runs.run": ("batch",),
    "extractor.config": ("Settings", "load_settings"),
    "extractor.errors": ("ExtractorError",),
    "extractor.models": (
        "Document", "Entity", "Event", "Extraction", "Mention", "Participant", "Provenance", "Rejection",
        "Relation", "Span", "Time", "TimeInterval", "Usage",
    ),
    "extractor.ontology": ("Ontology", "load_ontology"),
    "extractor.text.calendars": ("resolve_time",),
    "extractor.text.grounding": ("locate_quote",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Document", "Entity", "Event", "Extraction", "Extractor", "ExtractorError", "Mention", "Ontology", "Participant",
    "Provenance", "Rejection", "Relation", "Settings", "Span", "Time", "TimeInterval", "Usage", "__version__",
    "aextract", "batch", "extract", "load_ontology", "load_settings", "locate_quote", "resolve_time",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'extractor' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
