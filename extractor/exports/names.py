"""The name under which an entity is one across documents and languages."""

from __future__ import annotations

from extractor.models import Entity


def joined(entity: Entity) -> str:
    """The English name, else the name as written."""
    return entity.name_en or entity.name
