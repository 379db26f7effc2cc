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
    ontology: options.Ontology = None,
) -> None:
    """Hold a run against gold: precision, recall and F1 of entities, events, arguments, dates and the rest."""
    from rich.console import Console

    from extractor.config import load_settings
    from extractor.evaluation.evaluate import evaluate, read_failed, read_results, write_json
    from extractor.evaluation.output import check_writable, write_text
    from extractor.evaluation.render import html_page, main_sheet, markdown, print_evaluation, unmet
    from extractor.ontology import load_ontology
    from extractor.prices import price_of

    wanted = floors(minimum)
    for path in (json_out, html_out, markdown_out):
        check_writable(path)
    settings = load_settings(ontology=ontology)
    evaluation = evaluate(read_results(run), gold, load_ontology(settings.ontology), read_failed(run))
    price = price_of(settings, evaluation.models[0]) if len(evaluation.models) == 1 else None
    print_evaluation(evaluation, Console(), slips=slips, price=price)
    if json_out:
        write_json(evaluation, json_out, price)
    if html_out:
        write_text(html_out, html_page(evaluation, price))
    if markdown_out:
        write_text(markdown_out, markdown(main_sheet(evaluation)) + "\n")
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
    from extractor.evaluation.output import check_writable, write_text
    from extractor.evaluation.render import comparison_markdown, print_comparison

    if len(prompt) < 2:
        raise typer.BadParameter("give --prompt at least twice")
    check_writable(markdown_out)
    comparison = compare_prompts(folder, prompt, cassettes, gold or folder, model)
    print_comparison(comparison, Console())
    if markdown_out:
        write_text(markdown_out, comparison_markdown(comparison) + "\n")


def floors(minimum: list[str] | None) -> dict[str, float]:
    """`f1.events=0.8` -> {"f1.events": 0.8}. Refuses what is no figure, and what no figure can be."""
    from extractor.evaluation.evaluate import figure_parts

    wanted = {}
    for item in minimum or []:
        name, _, value = item.partition("=")
        figure_parts(name)
        wanted[name] = _floor(item, value)
    return wanted


def _floor(item: str, value: str) -> float:
    try:
        least = float(value)
    except ValueError:
        raise typer.BadParameter(f"--min {item}: expected FIGURE=VALUE, such as f1.events=0.8") from None
    if not 0 <= least <= 1:  # nor is nan
        raise typer.BadParameter(f"--min {item}: expected a value from 0 to 1, such as f1.events=0.8")
    return least
