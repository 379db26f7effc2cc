"""index.json: what is known of the documents of a folder beside their texts."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.errors import DocumentError

INDEX = "index.json"
Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Index:
    """What is said of each file, and the ids under which something is said that are no file's, or not of one alone."""

    said: Mapping[Path, Said]
    unmatched: tuple[str, ...] = ()

    @classmethod
    def of(cls, folder: Path, paths: Iterable[Path]) -> Index:
        """The index of a folder that holds these files. Raises DocumentError where index.json is none."""
        entries = _entries(folder)
        owners = _owners(folder, list(paths)) if entries else {}
        said: dict[Path, Said] = {}
        unmatched = []
        for name, entry in entries.items():
            path = owners.get(name)
            if path is None:
                unmatched.append(name)
                continue
            if said.setdefault(path, entry) is not entry:
                raise DocumentError(f"{folder / INDEX} has two entries for {path.name}.", hint="Leave one of them.")
        return cls(said, tuple(unmatched))

    def about(self, path: Path) -> Said:
        return self.said.get(path, {})


def _owners(folder: Path, paths: list[Path]) -> dict[str, Path | None]:
    """Which file a name is of: a path in the folder, the same without its ending, a name, the same; None for several."""
    owners: dict[str, Path | None] = {}
    for number in range(4):
        found: dict[str, Path | None] = {}
        for path in paths:
            for name in _names(path, folder)[number]:
                found[name] = path if found.get(name, path) == path else None
        owners = found | owners
    return owners


def _names(path: Path, folder: Path) -> tuple[set[str], ...]:
    whole = _spelled(path.relative_to(folder).as_posix())
    name = _spelled(path.name)
    at = whole.removesuffix(name)
    plain = name.removesuffix(".gz")
    stem = plain.rpartition(".")[0] or plain
    return {whole}, {at + plain, at + stem}, {name}, {plain, stem}


def _spelled(name: str) -> str:
    """Accents are written one way in an index and another on a disk."""
    return unicodedata.normalize("NFC", name)


def _entries(folder: Path) -> dict[str, Said]:
    path = folder / INDEX
    if not path.exists():
        return {}
    try:
        items = json.loads(path.read_text(encoding="utf-8-sig"))
        entries = {_spelled(str(item["id"])): item for item in items}
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise DocumentError(
            f"{path} is no index: {exc}.", hint='Expected a list of {"id", "published", "language", "title"}.'
        ) from None
    if len(entries) < len(items):
        names = Counter(_spelled(str(item["id"])) for item in items)
        raise DocumentError(f"{path} has two entries for {names.most_common(1)[0][0]!r}.", hint="Leave one of them.")
    return entries
