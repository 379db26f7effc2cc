"""`extractor cache`: stats, clear, export, verify."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli import options

app = typer.Typer(
    help="Replies that were paid for: stats, verify, export, clear.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def stats(cache_dir: options.CacheDir = None) -> None:
    """Where it is, and how much is in it."""
    from extractor.config import load_settings
    from extractor.llm.cache import ReplyCache

    found = ReplyCache(load_settings(cache_dir=cache_dir).cache_dir).stats()
    typer.echo(f"{found['entries']:,} replies, {found['bytes']:,} bytes in {found['folder']}")


@app.command()
def verify(cache_dir: options.CacheDir = None) -> None:
    """Check every entry against its checksum; damaged ones are asked anew when they are needed."""
    from extractor.config import load_settings
    from extractor.llm.cache import ReplyCache

    damaged = ReplyCache(load_settings(cache_dir=cache_dir).cache_dir).verify()
    for key in damaged:
        typer.echo(f"damaged: {key}")
    typer.echo(f"{len(damaged)} damaged entries.")
    sys.exit(5 if damaged else 0)


@app.command()
def export(
    to: Annotated[Path, typer.Argument(help="A JSONL file: one fingerprint and reply a line.", metavar="FILE")],
    cache_dir: options.CacheDir = None,
) -> None:
    """Write all replies as JSON lines."""
    import json
    from dataclasses import asdict

    from extractor.config import load_settings
    from extractor.llm.cache import ReplyCache
    from extractor.runs.files import replace_file

    cache = ReplyCache(load_settings(cache_dir=cache_dir).cache_dir)
    replies = ((key, reply) for key in sorted(cache.keys()) if (reply := cache.get(key)) is not None)
    replace_file(
        to, ((json.dumps({"fingerprint": k, **asdict(r)}, ensure_ascii=False) + "\n").encode() for k, r in replies)
    )
    typer.echo(str(to))


@app.command()
def clear(
    cache_dir: options.CacheDir = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget every reply. What is asked again is paid again."""
    from extractor.config import load_settings
    from extractor.llm.cache import ReplyCache

    cache = ReplyCache(load_settings(cache_dir=cache_dir).cache_dir)
    if not yes:
        typer.confirm(f"Forget {cache.stats()['entries']:,} replies in {cache.folder}?", abort=True)
    typer.echo(f"{cache.clear():,} replies forgotten.")
