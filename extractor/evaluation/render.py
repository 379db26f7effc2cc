"""An evaluation as tables: in the terminal, as Markdown, and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from extractor.evaluation.compare import Comparison
from extractor.evaluation.evaluate import Evaluation
from extractor.evaluation.scores import ASPECTS, Card, Count, interval, mean_by_document, total
from extractor.prices import Price
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

# Documents without gold that are named; a run may have very many.
NAMED = 5


def unmet(evaluation: Evaluation, wanted: dict[str, float], *, partial: bool = False) -> list[str]:
    """Each figure that is below what is wanted of it; and, unless `partial`, that documents of the gold are absent."""
    lines = []
    if wanted and evaluation.absent and not partial:
        number_of = len(evaluation.absent)
        lines.append(
            f"{_documents(number_of)} of the gold {'is' if number_of == 1 else 'are'} not in the run and in no figure, "
            f"the first {evaluation.absent[0]}. Give --partial where that is meant."
        )
    for name, least in wanted.items():
        value = evaluation.figure(name)
        if value is None or value < least:
            lines.append(f"{name} is {number(value)}, below {least:g}.")
    return lines


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: a title, a header whose first cell stands over the names of the rows, and the rows."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(evaluation: Evaluation, price: Price | None = None) -> list[Sheet]:
    """All that an evaluation comes to, but for its slips and confusions."""
    groups = [_group_sheet(kind, cards) for kind, cards in evaluation.groups().items()]
    counts = [("Events by type", evaluation.by_type()), ("Arguments by role", evaluation.by_role())]
    counted = [_count_sheet(title, found) for title, found in counts if found]
    agreement = [share_sheet(evaluation)] if evaluation.by_share() else []
    return [main_sheet(evaluation), *groups, *counted, *agreement, _cost_sheet(evaluation, price)]


def main_sheet(evaluation: Evaluation) -> Sheet:
    """Precision, recall, F1, its 95 % interval, and the mean F1 of the documents, of each aspect."""
    rows = []
    for aspect in ASPECTS:
        count = total(evaluation.cards, aspect)
        means = spread(interval(evaluation.cards, aspect)), number(mean_by_document(evaluation.cards, aspect))
        rows.append((LABELS[aspect], *_measured(count), *means))
    title = f"{_documents(len(evaluation.cards))}, {', '.join(evaluation.prompts)}"
    return Sheet(title, ("", "precision", "recall", "F1", "95 %", "mean by document"), tuple(rows))


def share_sheet(evaluation: Evaluation) -> Sheet:
    """Precision by the share of the passes that found a fact; and what keeping only such facts, and better, comes to."""
    kept = evaluation.from_share()
    rows = [
        (f"{LABELS[aspect]}, {share:.0%} of the passes", str(count.hits + count.inventions), number(count.precision),
         *(number(value) for value in (kept[aspect, share].precision, kept[aspect, share].recall, kept[aspect, share].f1)))
        for (aspect, share), count in evaluation.by_share().items()
    ]  # fmt: skip
    header = ("", "found", "precision", "this share or more: precision", "recall", "F1")
    return Sheet("By agreement of the passes", header, tuple(rows))


def missing(evaluation: Evaluation) -> list[str]:
    """Which documents have gold and no extraction, or the other way round, and what that does; to be told before any figure."""
    lines = []
    if evaluation.absent:
        all_of_them = len(evaluation.cards) + len(evaluation.absent)
        names = ", ".join(evaluation.absent)
        lines.append(
            f"Not in the run, and in no figure: {len(evaluation.absent)} of {all_of_them} of the gold: {names}"
        )
    if evaluation.failed:
        lines.append(f"No usable answer, all of their gold is missed: {', '.join(evaluation.failed)}")
    if evaluation.without_gold:
        lines.append(f"Without gold, and in no figure: {_some(evaluation.without_gold)}")
    return lines


def _some(names: Sequence[str]) -> str:
    """How many there are, and the first few."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{_documents(len(names))} of the run: {', '.join(names[:NAMED])}{more}"


def _documents(number: int) -> str:
    return "1 document" if number == 1 else f"{number:,} documents"


def confusion_sheet(evaluation: Evaluation) -> Sheet:
    """Gold types down, found types across; `-` for what the other side does not have."""
    counted = dict(evaluation.confusion())
    names = sorted({name for pair in counted for name in pair}, key=lambda name: (name == "-", name))
    rows = tuple((gold, *(str(counted.get((gold, found), "")) for found in names)) for gold in names)
    return Sheet("Types: gold down, found across", ("", *names), rows)


def markdown(sheet: Sheet) -> str:
    """A sheet as a Markdown table, without its title."""
    lines = [sheet.header, ("---",) * len(sheet.header), *sheet.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def print_evaluation(
    evaluation: Evaluation, console: Console, *, slips: bool = False, price: Price | None = None
) -> None:
    """What has no extraction, the main table, the groups, the confusions; every slip where asked for."""
    for line in missing(evaluation):
        console.print(plain(line), markup=False, highlight=False)
    for sheet in sheets(evaluation, price):
        console.print(_table(sheet))
    confused = [(pair, n) for pair, n in evaluation.confusion() if pair[0] != pair[1]]
    words = ", ".join(f"{g} as {f} {n}" for (g, f), n in confused[:12])
    console.print(f"Confused: {words or 'none'}", markup=False, highlight=False)
    if slips:
        for card in evaluation.cards:
            for slip in card.slips:
                console.print(
                    plain(f"{card.document}  {slip.aspect} {slip.kind}: {slip.text}"), markup=False, highlight=False
                )


def comparison_sheet(comparison: Comparison) -> Sheet:
    """F1 of each version, and the gain of each over the first with its interval."""
    versions = comparison.versions
    rows = []
    for aspect in ASPECTS:
        cells = [number(version.evaluation.f1(aspect)) for version in versions]
        gains = ["", *(version.gains[aspect].text() for version in versions[1:])]
        rows.append((LABELS[aspect], *(f"{cell} {gain}".strip() for cell, gain in zip(cells, gains, strict=True))))
    tokens = (f"{v.evaluation.cost()['answer_tokens_per_document']:,.0f}" for v in versions)
    rows.append(("answer tokens a document", *tokens))
    rows.append(("answer characters a document", *(f"{v.answer_characters:,.0f}" for v in versions)))
    return Sheet(_documents(comparison.documents), ("F1", *(v.prompt for v in versions)), tuple(rows))


def print_comparison(comparison: Comparison, console: Console) -> None:
    """The table, which documents were left out or not answered, and which got better and worse."""
    console.print(_table(comparison_sheet(comparison)))
    for note in comparison.notes:
        console.print(plain(note), markup=False, highlight=False)
    for version in comparison.versions[1:]:
        console.print(f"{version.prompt}: better {', '.join(version.better) or 'none'}", markup=False, highlight=False)
        console.print(f"{version.prompt}: worse {', '.join(version.worse) or 'none'}", markup=False, highlight=False)


def comparison_markdown(comparison: Comparison) -> str:
    """The table, and under it which documents were left out or not answered."""
    return "\n\n".join([markdown(comparison_sheet(comparison)), *map(plain, comparison.notes)])


def html_page(evaluation: Evaluation, price: Price | None = None) -> str:
    """A page without script: the tables, and every slip by document."""
    tables = "".join(_html_table(sheet) for sheet in [*sheets(evaluation, price), confusion_sheet(evaluation)])
    slips = "".join(_html_slips(card) for card in evaluation.cards)
    notes = "".join(f"<p><strong>{escape(plain(line))}</strong></p>" for line in missing(evaluation))
    style = (
        "body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;display:block;overflow-x:auto}caption{text-align:start;font-weight:600}"
        "td,th{padding:.2rem .8rem;text-align:end;border-bottom:1px solid #ccc}"
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>Evaluation</title><style>{style}</style><h1>Evaluation</h1>{notes}{tables}{slips}</html>\n"
    )


def _html_table(sheet: Sheet) -> str:
    header = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in sheet.header)
    rows = "".join(
        f"<tr><th scope=row>{escape(row[0])}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in sheet.rows
    )
    return f"<table><caption>{escape(sheet.title)}</caption><tr>{header}</tr>{rows}</table>"


def _html_slips(card: Card) -> str:
    items = "".join(
        f"<li><b>{escape(s.aspect)}, {escape(s.kind)}</b> <bdi>{escape(plain(s.text))}</bdi></li>" for s in card.slips
    )
    return f"<h2>{escape(card.document)}</h2><ul>{items}</ul>"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def spread(pair: tuple[float, float] | None) -> str:
    return "-" if pair is None else f"{pair[0]:.2f}-{pair[1]:.2f}"


def _measured(count: Count) -> tuple[str, str, str]:
    return number(count.precision), number(count.recall), number(count.f1)


def _table(sheet: Sheet) -> Any:
    from rich.table import Table

    table = Table(title=sheet.title, title_justify="left")
    for place, column in enumerate(sheet.header):
        table.add_column(column, justify="right" if place else "left")
    for row in sheet.rows:
        table.add_row(*row)
    return table


def _group_sheet(kind: str, groups: dict[str, list[Card]]) -> Sheet:
    header = ("", *(f"{name} ({len(cards)})" for name, cards in groups.items()))
    rows = ((LABELS[a], *(number(total(cards, a).f1) for cards in groups.values())) for a in ASPECTS)
    return Sheet(f"F1 by {kind}", header, tuple(rows))


def _count_sheet(title: str, counts: dict[str, Count]) -> Sheet:
    rows = ((name, str(count.hits + count.misses), *_measured(count)) for name, count in counts.items())
    return Sheet(title, ("", "gold", "precision", "recall", "F1"), tuple(rows))


def _cost_sheet(evaluation: Evaluation, price: Price | None) -> Sheet:
    """Tokens, and money where a price is known, a document and a fact."""
    cost = evaluation.cost(price)
    names = {"tokens": "{:,.0f}", "answer_tokens": "{:,.0f}", "money": "{:.4f}"}
    rows = [
        (name.replace("_", " "), form.format(cost[f"{name}_per_document"]), form.format(cost[f"{name}_per_fact"]))
        for name, form in names.items()
        if f"{name}_per_document" in cost
    ]
    if price is None:
        rows.append(("money", "no price is known", "set price_input and price_output"))
    return Sheet("Cost", ("", "a document", "a fact"), tuple(rows))
