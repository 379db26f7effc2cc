"""`extractor cassettes`: record, check, show, diff, prune, migrate, export-cache, import-cache."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli import options

app = typer.Typer(help="Recorded replies: record, check, show, diff, prune, migrate, exchange with the cache.",
                  no_args_is_help=True, rich_markup_mode=None)  # fmt: skip
Place = Annotated[Path, typer.Argument(help="A folder of cassettes, or one file.", metavar="DIR")]
Documents = Annotated[
    Path | None, typer.Option(help="The folder of documents that the cassettes are for.", metavar="FOLDER")
]


@app.command()
def record(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the documents.")],
    to: Annotated[Path, typer.Option(help="Where the cassettes go.", metavar="DIR")],
    note: Annotated[str, typer.Option(help="Where the answers come from.")] = "",
    rerecord: Annotated[bool, typer.Option("--rerecord", help="Ask again what is recorded already.")] = False,
    omit_documents: Annotated[
        bool, typer.Option("--omit-documents", help="Keep only digests of the documents.")
    ] = False,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    prompt: options.Prompt = None,
    concurrency: options.Concurrency = None,
) -> None:
    """Extract every document of a folder and write the exchanges down."""
    import asyncio
    import tempfile

    from extractor.api import Extractor
    from extractor.runs.run import run_folder
    from extractor.terminal import plain

    extractor = Extractor(
        model=model, base_url=base_url, prompt=prompt, concurrency=concurrency, record=to, record_note=note or None,
        record_mode="rerecord" if rerecord else "once", omit_documents=omit_documents or None,
        cache=False if rerecord else None,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as run:
        summary = asyncio.run(run_folder(folder, Path(run), extractor))
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(summary.states.items()))
    typer.echo(
        f"{extractor.meter.recorded} recorded, {extractor.meter.replayed} there already; {states or 'no documents'}."
    )
    if summary.stopped:
        typer.echo(plain(f"Stopped: {summary.stopped}"), err=True)
    sys.exit(summary.exit_code)


@app.command()
def check(place: Place, documents: Documents = None, prompts: options.PromptsDir = None) -> None:
    """Which are stale against today's prompts and schemas, unused, or of an old format."""
    from extractor.cassettes_tools import check as find

    findings = find(place, documents=documents, prompts=options.prompts_dir(prompts))
    for finding in findings:
        typer.echo(f"{finding.path}: {finding.kind}: {finding.detail}")
    typer.echo(f"{len(findings)} findings." if findings else "All cassettes are in order.")
    sys.exit(3 if findings else 0)


@app.command()
def show(place: Place) -> None:
    """Headers and facts."""
    from extractor.cassettes_tools import show as lines
    from extractor.terminal import plain

    for line in lines(place):
        typer.echo(plain(line))


@app.command()
def diff(old: Place, new: Place) -> None:
    """Two recordings side by side, as facts."""
    from extractor.cassettes_tools import difference
    from extractor.terminal import plain

    for line in difference(old, new):
        typer.echo(plain(line))


@app.command()
def prune(place: Place, documents: Documents = None, prompts: options.PromptsDir = None) -> None:
    """Remove what is stale or unused."""
    from extractor.cassettes_tools import prune as remove

    removed = remove(place, documents=documents, prompts=options.prompts_dir(prompts))
    typer.echo(f"{removed} exchanges removed.")


@app.command()
def migrate(place: Place) -> None:
    """Write all cassettes in today's format."""
    from extractor.cassettes_tools import migrate as rewrite

    typer.echo(f"{rewrite(place)} cassettes written.")


@app.command("export-cache")
def export_cache(
    run: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")],
    to: Annotated[Path, typer.Option(help="Where the cassettes go.", metavar="DIR")],
    cache_dir: options.CacheDir = None,
) -> None:
    """Turn what a run's cache holds into cassettes."""
    from extractor.cassettes_tools import export_cache as export
    from extractor.config import load_settings
    from extractor.evaluation.evaluate import read_results

    cache = load_settings(cache_dir=cache_dir).cache_dir
    typer.echo(f"{export(read_results(run), cache, to)} exchanges written.")


@app.command("import-cache")
def import_cache(place: Place, cache_dir: options.CacheDir = None) -> None:
    """Put recorded replies into the cache."""
    from extractor.cassettes_tools import import_cache as fill
    from extractor.config import load_settings

    typer.echo(f"{fill(place, load_settings(cache_dir=cache_dir).cache_dir)} replies put into the cache.")
