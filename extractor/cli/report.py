"""`extractor report`: a run as a page to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.app import app


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run folder made by extractor batch.", metavar="RUN")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; RUN/report.html unless said.", metavar="FILE")
    ] = None,
    title: Annotated[str | None, typer.Option(help="The title of the page.")] = None,
) -> None:
    """Write a run as one self-contained HTML file that opens anywhere, without network."""
    from extractor.evaluation.evaluate import read_results
    from extractor.exports.folders import make_folder
    from extractor.report.write import count_lines, write_report

    documents = count_lines(run)
    if out is not None:
        make_folder(out.parent)
    path = write_report(run, read_results(run), title=title or run.resolve().name, out=out, documents=documents)
    typer.echo(str(path))
