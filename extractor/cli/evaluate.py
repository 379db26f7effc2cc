"""`extractor eval` and `extractor compare`: how good a run is, and what a change did to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli import options
from extractor.cli.app import app


@app.command("eval")
def evaluate_run(
    run: Annotated[Path, typer.Argument(help="A run folder, or a results.jsonl.", metavar="RUN")],
    gold: Annotated[Path, typer.Option(help="The folder with <id>.gold.json files.", metavar="DIR")],
    json_out: Annotated[Path | None, typer.Option("--json", help="Write everything as JSON.", metavar="FILE")] = None,
    html_out: Annotated[
        Path | None, typer.Option("--html", help="Write a page with every miss and invention.", metavar="FILE")
    ] = None,
    markdown_out: Annotated[
        Path | None, typer.Option("--markdown", help="Write the main table as Markdown.", metavar="FILE")
    ] = None,
    minimum: Annotated[
        list[str] | None,
        typer.Option("--min", help="Fail below it, or if documents are absent: f1.events=0.8", metavar="FIGURE=VALUE"),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="The run is meant to lack documents of the gold: --min permits it.")
    ] = False,
    slips: Annotated[bool, typer.Option("--slips", help="List every miss and invention.")] = False,
) -> None:
    """Hold a run against gold: precision, recall and F1 of entities, events, arguments, dates and the rest."""
    from rich.console import Console

    from extractor.config import load_settings
    from extractor.evaluation.evaluate import evaluate, read_failed, read_results, write_json
    from extractor.evaluation.render import html_page, main_sheet, markdown, print_evaluation, unmet
    from extractor.prices import price_of

    wanted = unmet_options(minimum)
    evaluation = evaluate(read_results(run), gold, failed=read_failed(run))
    price = price_of(load_settings(), evaluation.models[0]) if len(evaluation.models) == 1 else None
    print_evaluation(evaluation, Console(), slips=slips, price=price)
    if json_out:
        write_json(evaluation, json_out, price)
    if html_out:
        html_out.write_text(html_page(evaluation, price), encoding="utf-8")
    if markdown_out:
        markdown_out.write_text(markdown(main_sheet(evaluation)) + "\n", encoding="utf-8")
    missed = unmet(evaluation, wanted, partial=partial)
    for line in missed:
        typer.echo(f"extractor: {line}", err=True)
    sys.exit(3 if missed else 0)


@app.command()
def compare(
    folder: Annotated[
        Path, typer.Argument(help="The folder that holds the documents and their gold.", metavar="FOLDER")
    ],
    prompt: Annotated[list[str], typer.Option(help="Twice or more: the prompts to compare, the first is the base.")],
    cassettes: Annotated[Path, typer.Option(help="The recordings.", metavar="DIR")],
    gold: Annotated[
        Path | None, typer.Option(help="The folder of the gold; FOLDER unless said.", metavar="DIR")
    ] = None,
    model: options.Model = None,
    markdown_out: Annotated[
        Path | None, typer.Option("--markdown", help="Write the table as Markdown.", metavar="FILE")
    ] = None,
) -> None:
    """Compare prompt versions from recordings alone: what each gains, with intervals, by document, and in tokens."""
    from rich.console import Console

    from extractor.evaluation.compare import compare_prompts
    from extractor.evaluation.render import comparison_markdown, print_comparison

    if len(prompt) < 2:
        raise typer.BadParameter("give --prompt at least twice")
    comparison = compare_prompts(folder, prompt, cassettes, gold or folder, model)
    print_comparison(comparison, Console())
    if markdown_out:
        markdown_out.write_text(comparison_markdown(comparison) + "\n", encoding="utf-8")


def unmet_options(minimum: list[str] | None) -> dict[str, float]:
    """`f1.events=0.8` -> {"f1.events": 0.8}"""
    wanted = {}
    for item in minimum or []:
        name, _, value = item.partition("=")
        try:
            wanted[name] = float(value)
        except ValueError:
            raise typer.BadParameter(f"--min {item}: expected FIGURE=VALUE, such as f1.events=0.8") from None
    return wanted
