"""`extractor doctor`: which settings are in force, where each comes from, and whether the endpoint answers."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from extractor.cli import options
from extractor.cli.app import app


@app.command()
def doctor(
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    prompt: options.Prompt = None,
    ontology: options.Ontology = None,
    replay: options.Replay = None,
    mode: options.Mode = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the endpoint.")] = False,
) -> None:
    """Show the settings and where each comes from; ask the endpoint what it can do. Keys are masked."""
    from rich.console import Console

    from extractor.cli.tables import settings_table
    from extractor.config import load_settings, sources
    from extractor.doctor import check

    arguments = {
        "model": model,
        "base_url": base_url,
        "prompt": prompt,
        "ontology": ontology,
        "replay": replay,
        "mode": mode,
    }
    settings = load_settings(**arguments)
    console = Console()
    console.print(settings_table(settings.public(), sources(settings, arguments)))
    findings = asyncio.run(check(settings, ask=not offline))
    for finding in findings:
        console.print(
            f"{'ok  ' if finding.good else 'FAIL'}  {finding.what}: {finding.detail}", markup=False, highlight=False
        )
    sys.exit(next((finding.exit_code for finding in findings if not finding.good), 0))
