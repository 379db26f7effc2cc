"""`extractor batch`: a folder in, a run folder out."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli import options
from extractor.cli.app import app


@app.command()
def batch(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the documents.")],
    out: Annotated[
        Path, typer.Option(help="The run folder; the same one again goes on where it stopped.", metavar="RUN")
    ],
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed documents again.")] = False,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    prompt: options.Prompt = None,
    ontology: options.Ontology = None,
    replay: options.Replay = None,
    record: options.Record = None,
    cache: options.Cache = None,
    cache_dir: options.CacheDir = None,
    mode: options.Mode = None,
    timeout: options.Timeout = None,
    concurrency: options.Concurrency = None,
) -> None:
    """Extract a folder of documents; run it again to go on where it stopped."""
    from extractor.api import Extractor
    from extractor.runs.run import run_folder

    extractor = Extractor(
        model=model, base_url=base_url, prompt=prompt, ontology=ontology, replay=replay, record=record, cache=cache,
        cache_dir=cache_dir, mode=mode, timeout=timeout, concurrency=concurrency,
    )  # fmt: skip
    summary = asyncio.run(run_folder(folder, out, extractor, retry_failed=retry_failed))
    typer.echo(
        f"{summary.documents} documents: {summary.states}, {summary.events} events, {summary.relations} relations. "
        f"Results in {summary.folder}.",
        err=True,
    )
    sys.exit(summary.exit_code)
