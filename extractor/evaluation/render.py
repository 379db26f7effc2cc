"""An evaluation as tables in the terminal, and as a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from extractor.evaluation.compare import Comparison
from extractor.evaluation.evaluate import Evaluation
from extractor.evaluation.scores import ASPECTS, Count, interval, total
from extractor.terminal import plain

if TYPE_CHECKING:
    from rich.console import Console

LABELS = {
    "entities": "entities",
    "entity_types": "entity types",
    "events": "events found",
    "typed": "events typed",
    "arguments": "arguments",
    "modes": "modes",
    "modality": "modality",
    "source": "source",
    "dates": "dates",
    "figures": "counts, amounts",
    "relations": "relations",
    "evidence": "evidence",
}


def unmet(evaluation: Evaluation, wanted: dict[str, float]) -> list[str]:
    """Each figure that is below what is wanted of it."""
    lines = []
    for name, least in wanted.items():
        value = evaluation.figure(name)
        if value is None or value < least:
            lines.append(f"{name} is {number(value)}, below {least:g}.")
    return lines


def print_evaluation(evaluation: Evaluation, console: Console, *, slips: bool = False) -> None:
    """The main table, the groups, the confusions; every slip where asked for."""
    from rich.table import Table

    table = Table(title=f"{len(evaluation.cards)} documents, {', '.join(evaluation.prompts)}", title_justify="left")
    for column in ("", "precision", "recall", "F1", "95 %"):
        table.add_column(column, justify="left" if not column else "right")
    for aspect in ASPECTS:
        count = total(evaluation.cards, aspect)
        table.add_row(
            LABELS[aspect],
            number(count.precision),
            number(count.recall),
            number(count.f1),
            spread(interval(evaluation.cards, aspect)),
        )
    console.print(table)
    for kind, groups in evaluation.groups().items():
        console.print(_group_table(kind, groups))
    console.print(_types_table(evaluation.by_type()))
    for share, count in evaluation.by_share().items():
        console.print(
            f"Events found by {share:.0%} of the passes: {count.hits + count.inventions}, precision {number(count.precision)}"
        )
    confused = [(pair, n) for pair, n in evaluation.confusion() if pair[0] != pair[1]]
    console.print(
        "Confused: " + ", ".join(f"{g} as {f} {n}" for (g, f), n in confused[:12]), markup=False, highlight=False
    )
    console.print(
        "Tokens: " + ", ".join(f"{name.replace('_', ' ')} {value:,.0f}" for name, value in evaluation.cost().items())
    )
    if evaluation.absent:
        console.print(f"Gold without a result: {', '.join(evaluation.absent)}", markup=False)
    if slips:
        for card in evaluation.cards:
            for slip in card.slips:
                console.print(
                    plain(f"{card.document}  {slip.aspect} {slip.kind}: {slip.text}"), markup=False, highlight=False
                )


def print_comparison(comparison: Comparison, console: Console) -> None:
    """F1 of each version, and the gain of each over the first with its interval."""
    from rich.table import Table

    table = Table(title=f"{comparison.documents} documents", title_justify="left")
    table.add_column("F1")
    for version in comparison.versions:
        table.add_column(version.prompt, justify="right")
    for aspect in ASPECTS:
        cells = [number(version.evaluation.f1(aspect)) for version in comparison.versions]
        for place, version in enumerate(comparison.versions[1:], 1):
            cells[place] += f"  {version.gains[aspect].text()}"
        table.add_row(LABELS[aspect], *cells)
    table.add_row(
        "answer tokens a document",
        *(f"{v.evaluation.cost()['answer_tokens_per_document']:,.0f}" for v in comparison.versions),
    )
    table.add_row("answer characters a document", *(f"{v.answer_characters:,.0f}" for v in comparison.versions))
    console.print(table)
    for version in comparison.versions[1:]:
        console.print(f"{version.prompt}: better {', '.join(version.better) or 'none'}", markup=False, highlight=False)
        console.print(f"{version.prompt}: worse {', '.join(version.worse) or 'none'}", markup=False, highlight=False)


def html_page(evaluation: Evaluation) -> str:
    """A page without script: the tables, and every slip by document."""
    rows = "".join(
        _html_row(LABELS[aspect], total(evaluation.cards, aspect), interval(evaluation.cards, aspect))
        for aspect in ASPECTS
    )
    slips = "".join(
        f"<h2>{escape(card.document)}</h2><ul>"
        + "".join(
            f"<li><b>{escape(s.aspect)}, {escape(s.kind)}</b> <bdi>{escape(plain(s.text))}</bdi></li>"
            for s in card.slips
        )
        + "</ul>"
        for card in evaluation.cards
    )
    style = (
        "body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "td,th{padding:.2rem .8rem;text-align:end}"
    )
    title = f"{len(evaluation.cards)} documents, {', '.join(evaluation.prompts)}"
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>Evaluation</title><style>{style}</style><h1>{escape(title)}</h1>"
        f"<table><tr><th></th><th>precision</th><th>recall</th><th>F1</th><th>95 %</th></tr>{rows}</table>{slips}</html>\n"
    )


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def spread(pair: tuple[float, float] | None) -> str:
    return "-" if pair is None else f"{pair[0]:.2f}-{pair[1]:.2f}"


def _html_row(label: str, count: Count, pair: tuple[float, float] | None) -> str:
    cells = (number(count.precision), number(count.recall), number(count.f1), spread(pair))
    return f"<tr><th>{escape(label)}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _group_table(kind: str, groups: dict[str, list[Any]]) -> Any:
    from rich.table import Table

    table = Table(title=f"F1 by {kind}", title_justify="left")
    table.add_column("")
    for name, cards in groups.items():
        table.add_column(f"{name} ({len(cards)})", justify="right")
    for aspect in ASPECTS:
        table.add_row(LABELS[aspect], *(number(total(cards, aspect).f1) for cards in groups.values()))
    return table


def _types_table(types: dict[str, Count]) -> Any:
    from rich.table import Table

    table = Table(title="Events by type", title_justify="left")
    for column in ("", "gold", "precision", "recall", "F1"):
        table.add_column(column, justify="left" if not column else "right")
    for name, count in types.items():
        table.add_row(
            name, str(count.hits + count.misses), number(count.precision), number(count.recall), number(count.f1)
        )
    return table
