"""`extractor prompts`: list, show, render, diff, check, new, release."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli import options

Folder = Annotated[
    Path | None,
    typer.Option("--dir", help="The folder of prompts; else that of the settings, or the shipped one.", metavar="DIR"),
]
Ref = Annotated[str, typer.Argument(help="plover, plover@1.0, plover@1.0.0, or a .md file.", metavar="PROMPT")]

app = typer.Typer(
    help="Prompt versions: list, show, render, diff, check, new, release.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_prompts(folder: Folder = None) -> None:
    """Every prompt with its versions."""
    from extractor.prompts_tools import overview

    for line in overview(options.prompts_dir(folder)):
        typer.echo(line)


@app.command()
def show(prompt: Ref, folder: Folder = None) -> None:
    """The file as it stands."""
    from extractor.prompts import load_prompt

    typer.echo(load_prompt(prompt, options.prompts_dir(folder)).path.read_text(encoding="utf-8"), nl=False)


@app.command()
def render(
    prompt: Ref,
    file: Annotated[str, typer.Argument(help="A text file, or - for standard input.")],
    folder: Folder = None,
    ontology: Annotated[str, typer.Option(help="Ontology.")] = "plover",
) -> None:
    """The messages as they would be sent for a document."""
    from extractor.prompts_tools import rendered
    from extractor.runs.sources import read_document

    for message in rendered(prompt, options.prompts_dir(folder), ontology, read_document(file)):
        typer.echo(f"# {message.role}\n\n{message.content}")


@app.command()
def diff(old: Ref, new: Ref, folder: Folder = None) -> None:
    """What changed between two versions."""
    from extractor.prompts_tools import difference

    for line in difference(old, new, options.prompts_dir(folder)):
        typer.echo(line)


@app.command()
def check(folder: Folder = None, ontology: Annotated[str, typer.Option(help="Ontology.")] = "plover") -> None:
    """Every file: front matter, names, worked examples, and whether a released one changed."""
    from extractor.prompts_tools import problems

    found = problems(options.prompts_dir(folder), ontology)
    for line in found:
        typer.echo(line)
    if not found:
        typer.echo("All prompts are in order.")
    sys.exit(2 if found else 0)


@app.command()
def new(
    prompt: Ref,
    version: Annotated[str, typer.Argument(help="The new version, such as 1.2.0.")],
    folder: Folder = None,
) -> None:
    """A copy of a version under a new number, to be edited."""
    from extractor.prompts_tools import copy_prompt

    typer.echo(str(copy_prompt(prompt, version, options.prompts_dir(folder))))


@app.command()
def release(prompt: Ref, folder: Folder = None) -> None:
    """Enter the digest of a version into released.json: from then on the file does not change."""
    from extractor.prompts_tools import release_prompt

    typer.echo(release_prompt(prompt, options.prompts_dir(folder)))
