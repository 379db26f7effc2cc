"""The command line: arguments, progress and exit codes; no logic."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `extractor` command."""
    from extractor.cli.app import run

    run()
