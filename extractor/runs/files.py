"""Files replaced whole: a reader sees the old one or the new one, never half."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from extractor.errors import StorageError


def replace_file(path: Path, pieces: Iterable[bytes]) -> None:
    """Write beside the file, force it to the disk, and put it in the file's place, with its rights."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as exc:
        raise StorageError(
            f"Cannot write {path}: {exc.strerror}.", hint="Make room, or choose another --out."
        ) from None
    finally:
        beside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
