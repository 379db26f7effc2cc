"""An extraction in the terminal: tables where they have room, else a block of lines for each fact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from extractor.models import Event, Extraction, Relation, Time
from extractor.terminal import UNSAFE, plain

ROOM_FOR_TABLES = 120

Block = tuple[str, Sequence[tuple[str, str]]]


def print_extraction(extraction: Extraction, console: Console | None = None) -> None:
    """Events, relations and rejections, with names in place of ids. Direction is left to the terminal."""
    console = console or Console()
    names = {entity.id: entity.name for entity in extraction.entities}
    parts = _as_tables if console.width >= ROOM_FOR_TABLES else _as_blocks
    for part in parts(extraction, names):
        console.print(part)


def document_line(extraction: Extraction) -> str:
    """A document of a run in one line: its id first, as `--doc` takes it, then where it stood and what was found in it."""
    document = extraction.document
    counts = f"{len(extraction.events)} events, {len(extraction.relations)} relations"
    facts = (
        document.path,
        document.language,
        document.published and document.published.isoformat(),
        counts,
        document.title,
    )
    return plain("  ".join([document.id, *(fact for fact in facts if fact)]))


def settings_table(values: dict[str, object], sources: dict[str, str]) -> Table:
    """Every setting with its value and where it comes from."""
    table = _table("Settings in force", "setting", "value", "from")
    for name, value in values.items():
        _row(table, name, "" if value is None else str(value), sources[name])
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _row(table: Table, *cells: str) -> None:
    table.add_row(*(Text(plain(cell)) for cell in cells))


def _as_tables(extraction: Extraction, names: dict[str, str]) -> Iterator[RenderableType]:
    yield _events(extraction, names)
    yield _relations(extraction, names)
    if extraction.rejections:
        yield _rejections(extraction)


def _as_blocks(extraction: Extraction, names: dict[str, str]) -> Iterator[RenderableType]:
    groups: list[tuple[str, list[Block]]] = [
        (f"{len(extraction.events)} events", [_event_block(event, names) for event in extraction.events]),
        (f"{len(extraction.relations)} relations", [_relation_block(r, names) for r in extraction.relations]),
    ]
    if extraction.rejections:
        rejected: list[Block] = [(f"{r.kind}: {r.reason}", [("detail", r.detail)]) for r in extraction.rejections]
        groups.append((f"{len(extraction.rejections)} not kept", rejected))
    for title, blocks in groups:
        yield Text(f"\n{title}", style="italic")
        for head, lines in blocks:
            yield Text(f"\n{plain(head)}", style="bold")
            yield _lines(lines)


def _lines(lines: Sequence[tuple[str, str]]) -> Table:
    """A name and a value on a line of their own each; a long value goes on below itself, an empty one is left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in lines:
        if value:
            _row(grid, f"  {name}", value)
    return grid


def _event_block(event: Event, names: dict[str, str]) -> Block:
    return f"{_type(event)}{_modality(event)}", [
        ("who", _names(event.actors, names)),
        ("to whom", _names(event.recipients, names)),
        ("where", names.get(event.place or "", "")),
        ("when", _time(event.time)),
        ("source", names.get(event.source or "", "")),
        ("also", _also(event, names)),
        ("evidence", event.evidence.text),
    ]


def _also(event: Event, names: dict[str, str]) -> str:
    """Who and what else has a part, and the figures."""
    parts = [f"{part.role} {names[part.entity]}" for part in event.participants]
    figures = [(name, getattr(event, name)) for name in ("dead", "injured", "arrested", "amount")]
    return ", ".join([*parts, *(f"{name} {value}" for name, value in figures if value is not None)])


def _relation_block(relation: Relation, names: dict[str, str]) -> Block:
    return f"{names[relation.subject]} {_predicate(relation)} {names[relation.object]}{_modality(relation)}", [
        ("when", _time(relation.time)),
        ("source", names.get(relation.source or "", "")),
        ("evidence", relation.evidence.text),
    ]


def _modality(fact: Event | Relation) -> str:
    return "" if fact.modality == "asserted" else f", {fact.modality}"


def _events(extraction: Extraction, names: dict[str, str]) -> Table:
    table = _table(
        f"{len(extraction.events)} events",
        "type",
        "actors",
        "recipients",
        "place",
        "time",
        "modality",
        "source",
        "also",
        "evidence",
    )
    for event in extraction.events:
        _row(table, _type(event), _names(event.actors, names), _names(event.recipients, names),
             names.get(event.place or "", ""), _time(event.time), event.modality, names.get(event.source or "", ""),
             _also(event, names), event.evidence.text)  # fmt: skip
    return table


def _relations(extraction: Extraction, names: dict[str, str]) -> Table:
    table = _table(f"{len(extraction.relations)} relations", "subject", "predicate", "object", "modality", "evidence")
    for relation in extraction.relations:
        _row(table, names[relation.subject], _predicate(relation), names[relation.object], relation.modality,
             relation.evidence.text)  # fmt: skip
    return table


def _rejections(extraction: Extraction) -> Table:
    table = _table(f"{len(extraction.rejections)} not kept", "what", "reason", "detail")
    for rejection in extraction.rejections:
        _row(table, rejection.kind, rejection.reason, rejection.detail)
    return table


def _type(event: Event) -> str:
    return event.type + ("/" + ",".join(event.modes) if event.modes else "")


def _names(ids: tuple[str, ...], names: dict[str, str]) -> str:
    return ", ".join(names[entity] for entity in ids)


def _predicate(relation: Relation) -> str:
    return relation.predicate + (f" ({relation.wikidata})" if relation.wikidata else "")


def _time(time: Time | None) -> str:
    if time is None:
        return ""
    said = f"{time.mention.text} ({time.anchor.text})" if time.anchor else time.mention.text
    if time.interval is None:
        return said
    days = dict.fromkeys((time.interval.start.isoformat(), time.interval.end.isoformat()))
    return f"{said} = {' to '.join(days)}"


QUAD_STYLES = {1: "blue", 2: "green", 3: "yellow", 4: "red"}


def print_document(extraction: Extraction, console: Console | None = None) -> None:
    """The text with each event's evidence coloured by quad and its trigger bold; then the tables."""
    console = console or Console()
    text = Text(_printable(extraction.document.text))
    for event in extraction.events:
        text.stylize(QUAD_STYLES[event.quad], event.evidence.span.start, event.evidence.span.end)
        if event.trigger:
            text.stylize("bold", event.trigger.span.start, event.trigger.span.end)
    for entity in extraction.entities:
        for mention in entity.mentions:
            text.stylize("underline", mention.span.start, mention.span.end)
    console.print(text)
    print_extraction(extraction, console)


def _printable(text: str) -> str:
    """The same length, so that offsets hold: control characters become a replacement sign, line breaks stay."""
    return UNSAFE.sub(lambda match: match[0] if match[0] == "\n" else "\ufffd", text)
