"""What a source gives: documents by key, read only when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from extractor.models import Document


class Entry(NamedTuple):
    """One document of a source.

    `key` is unique in the source and stays the same from run to run: the relative path, and the
    number or id of the record behind `#` in files of many. `stamp` changes whenever the document may
    have changed (size and time of its file, and its metadata from elsewhere); None means that it has
    to be read to know. `load` reads it, and raises DocumentError where it cannot be used. `id` is the document's, once
    it was read, where that is not the key.
    """

    key: str
    stamp: str | None
    load: Callable[[], Document]
    id: str | None = None

    def read_as(self, document: Document) -> Entry:
        """The same, with what is known after reading it."""
        return self if document.id == self.key else self._replace(id=document.id)


def entries_of(documents: Iterable[Document]) -> Iterator[Entry]:
    """Documents that are in memory already, as a source; the key is the document's id, numbered where it comes again."""
    seen: dict[str, int] = {}
    taken: set[str] = set()
    for document in documents:
        number = seen[document.id] = seen.get(document.id, 0) + 1
        key = document.id if number == 1 else f"{document.id}#{number}"
        while key in taken:
            key += "#"
        taken.add(key)
        yield Entry(key, None, lambda document=document: document)  # type: ignore[misc]
