"""Folders of documents: sources, ledger, runner, results."""

from __future__ import annotations

from extractor.batch.run import RunSummary, batch, run_folder

__all__ = ["RunSummary", "batch", "run_folder"]
