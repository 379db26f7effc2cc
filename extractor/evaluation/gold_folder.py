"""A folder of gold: which file is of which document, and whether what they hold can be scored against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import DocumentError
from extractor.evaluation.gold import Gold, check_codes, check_quotes, load_gold
from extractor.llm.cassette import file_name
from extractor.models import Document
from extractor.ontology import Ontology

ENDING = ".gold.json"
# Mistakes that an error lists; of the others it gives the number.
LISTED = 5


@dataclass(frozen=True, slots=True)
class GoldFile:
    """One gold file, and what it holds."""

    path: Path
    gold: Gold

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(ENDING)


@dataclass(frozen=True, slots=True)
class GoldFolder:
    """The gold files of a folder, by the document that each names."""

    place: Path
    ontology: Ontology
    files: Mapping[str, GoldFile]

    @classmethod
    def read(cls, place: Path, ontology: Ontology) -> GoldFolder:
        """Read every file once. Raises DocumentError where there is none, or where one is broken whatever its text says."""
        paths = sorted(place.glob(f"*{ENDING}"))
        if not paths:
            raise DocumentError(f"There is no *.gold.json in {place}.", hint="Give the folder of the gold files.")
        files: dict[str, GoldFile] = {}
        problems: list[str] = []
        for path in paths:
            file, wrong = _read(path, ontology)
            problems += wrong
            if file is not None and (other := files.setdefault(_key(file.gold.document), file)) is not file:
                problems.append(f"{path.name} names the document {file.gold.document!r}, as {other.path.name} does")
        _refuse_broken(place, problems)
        return cls(place, ontology, files)

    def fit(self, document: Document) -> Fit | None:
        """The gold that names the document: its id or path, or else its name without folders."""
        for name in (document.id, document.path):
            if name is not None and (file := self.files.get(_key(name))):
                return Fit(file, document, exact=True)
        file = self.files.get(gold_name(document.id))
        return Fit(file, document, exact=False) if file else None

    def settle(self, fits: Iterable[Fit]) -> set[Fit]:
        """One document for each file: the one that it names exactly, or else the only one of the name.

        Raises DocumentError where several are as good, and where what the gold quotes does not stand in its document.
        """
        rivals: dict[str, list[Fit]] = {}
        for fit in fits:
            rivals.setdefault(fit.file.name, []).append(fit)
        best = [[fit for fit in group if fit.exact] or group for group in rivals.values()]
        _refuse_broken(self.place, [problem for group in best for problem in _problems(group)])
        return {group[0] for group in best}


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A gold file and a document that it may be of; `exact` where it names the document's very id or path."""

    file: GoldFile
    document: Document
    exact: bool


def _problems(rivals: Sequence[Fit]) -> list[str]:
    """What speaks against a file's documents: that there are several; or quotes that are not in the text, where it is known."""
    first = rivals[0]
    name = first.file.path.name
    if len(rivals) > 1:
        names = " and ".join(repr(fit.document.path or fit.document.id) for fit in rivals[:2])
        return [f"{name} fits {len(rivals)} documents, such as {names}: expected in `document` the id or path of one"]
    text = first.document.text
    return [f"{name}: {problem}" for problem in check_quotes(first.file.gold, text)] if text else []


def _read(path: Path, ontology: Ontology) -> tuple[GoldFile | None, list[str]]:
    """A file, where it can be read and names the document that it is named after; and what is wrong with it."""
    try:
        file = GoldFile(path, load_gold(path))
    except DocumentError as exc:
        return None, [exc.message.replace(str(path), path.name).removesuffix(".")]
    named = file.gold.document
    problems = [f"{path.name}: {problem}" for problem in check_codes(file.gold, ontology)]
    if file.name not in file_names(named):
        return None, [
            f"{path.name} names the document {named!r}, expected {file.name!r}, as the file is named",
            *problems,
        ]
    return file, problems


def _refuse_broken(place: Path, problems: Sequence[str]) -> None:
    """Raises DocumentError with the first mistakes, and how many more there are."""
    if not problems:
        return
    more = f"; and {len(problems) - LISTED:,} more" if len(problems) > LISTED else ""
    number = "1 mistake" if len(problems) == 1 else f"{len(problems):,} mistakes"
    raise DocumentError(
        f"The gold in {place} has {number}: {'; '.join(problems[:LISTED])}{more}.",
        hint="Mend it, or set the ontology that it is of; nothing was scored.",
    )


def gold_name(document_id: str) -> str:
    """The name of a document's gold file: its id, without folder and ending."""
    return _key(document_id.rsplit("/", 1)[-1])


def file_names(document_id: str) -> set[str]:
    """All names that the gold file of a document may have: also that which `extractor import-gold` gives it."""
    return {document_id, document_id.rsplit("/", 1)[-1], gold_name(document_id), file_name(document_id)}


def _key(document_id: str) -> str:
    """Gold may name the document with or without .txt."""
    return document_id.removesuffix(".txt")
