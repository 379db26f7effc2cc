"""Which files of a folder are documents: their kinds, and the patterns that choose among them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from extractor.errors import DocumentError
from extractor.runs.reading.formats import is_read
from extractor.runs.reading.index import INDEX

# What tells about the documents.
ABOUT = (INDEX, "README.md")
GOLD = ".gold.json"


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Which files are read (patterns as of .gitignore, over paths relative to the folder), and the names of their fields.

    `fields` maps ours (text, id, published, title, language, url) to those of the files.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Walk:
    """What a folder holds: files whose kind is read, by path; links to folders; folders that are closed to us; other files;
    the files that the patterns leave out; the patterns that fit nothing there; and indexes of folders below it."""

    paths: list[Path]
    links: list[Path]
    closed: list[OSError]
    other: list[Path]
    left_out: list[Path]
    idle: Collection[str]
    indexes: list[Path] = field(default_factory=list)


def walk(folder: Path, options: SourceOptions) -> Walk:
    """All files below the folder but for hidden ones, those that tell about the others, and what the patterns leave out."""
    idle = _Idle(folder, (*options.include, *options.exclude))
    found = Walk([], [], [], [], [], idle.patterns.keys())
    wanted, unwanted = _choosers(folder, options)

    def note(error: OSError) -> None:
        idle.look(Path(os.fsdecode(error.filename)), "/")
        if not unwanted(Path(os.fsdecode(error.filename))):
            found.closed.append(error)

    for place, folders, names in os.walk(folder, onerror=note):
        for name in folders:
            idle.look(Path(place, name), "/")
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = (path for name in folders if (path := Path(place, name)).is_symlink())
        found.links.extend(path for path in links if not unwanted(path))
        for name in names:
            path = Path(place, name)
            idle.look(path)
            if _tells_about_others(name):
                if name == INDEX and Path(place) != folder:
                    found.indexes.append(path)
                continue
            if wanted(path):
                (found.paths if is_read(name) else found.other).append(path)
            elif is_read(name):
                found.left_out.append(path)
    for paths in (found.paths, found.links, found.other):
        paths.sort()
    return found


class _Idle:
    """The patterns that have fitted nothing so far, each tried until it fits."""

    def __init__(self, folder: Path, patterns: tuple[str, ...]) -> None:
        self.folder = folder
        self.patterns = {p: _patterns((p.removeprefix("!"),)) for p in patterns if p.strip()}

    def look(self, path: Path, ending: str = "") -> None:
        if self.patterns:
            name = os.fspath(path.relative_to(self.folder)) + ending
            for pattern in [p for p, spec in self.patterns.items() if spec.match_file(name)]:
                del self.patterns[pattern]


def _choosers(folder: Path, options: SourceOptions) -> tuple[Callable[[Path], bool], Callable[[Path], bool]]:
    """Whether a file is wanted, and whether a folder is left out."""
    if not (options.include or options.exclude):
        return (lambda path: True), (lambda path: False)
    include, exclude = _patterns(options.include), _patterns(options.exclude)

    def wanted(path: Path) -> bool:
        name = os.fspath(path.relative_to(folder))
        return (not options.include or include.match_file(name)) and not exclude.match_file(name)

    def unwanted(path: Path) -> bool:
        return exclude.match_file(f"{os.fspath(path.relative_to(folder))}/")

    return wanted, unwanted


def _patterns(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(patterns)
    except (ValueError, re.error) as exc:
        raise DocumentError(
            f"No pattern of .gitignore: {', '.join(map(repr, patterns))} ({exc}).", hint="Such as drafts/ or *.txt."
        ) from None


def _tells_about_others(name: str) -> bool:
    return name.startswith(".") or name.endswith(GOLD) or name in ABOUT
