"""`extractor verify`: is a run's results.jsonl what its ledger keeps?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.app import app

SHOWN = 20
DAMAGED = 5


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")],
    repair: Annotated[bool, typer.Option("--repair", help="Write results.jsonl anew out of the ledger.")] = False,
) -> None:
    """Check every line of a run's results against its ledger."""
    from extractor.runs.verify import findings, ledger_of
    from extractor.runs.verify import repair as write_anew

    with ledger_of(run) as ledger:
        found = _show(findings(ledger))
        if found and repair:
            write_anew(ledger)
            typer.echo("results.jsonl was written anew. What is left:")
            found = _show(findings(ledger))
    sys.exit(DAMAGED if found else 0)


def _show(findings: Iterator[str]) -> int:
    """The first of them, and how many there are."""
    from extractor.terminal import plain

    number = 0
    for number, finding in enumerate(findings, 1):
        if number <= SHOWN:
            typer.echo(plain(finding))
    more = f" The first {SHOWN} are shown." if number > SHOWN else ""
    typer.echo(f"{number:,} findings.{more}" if number else "The results are what the ledger keeps.")
    return number
