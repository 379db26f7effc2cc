"""Runs leave in other tools' formats without loss of place, and corrections come back as gold."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from extractor import Extraction, Extractor, errors, extract
from extractor.evaluation.gold import Gold
from extractor.exports.brat import Kinds, brat
from extractor.exports.graphs import graphml, jsonld
from extractor.exports.label_studio import gold_of_label_studio, label_studio
from extractor.exports.rows import csv_text, plover_rows, tables
from extractor.exports.write import write_export
from extractor.llm.scripted import ScriptedLLM
from extractor.models import Document

SEED = "fa-05-eu-sanctions"


@pytest.fixture(scope="module")
def extraction() -> Extraction:
    root = Path(__file__).parent.parent
    text = (root / "seeds" / f"{SEED}.txt").read_text(encoding="utf-8")
    with Extractor(replay=root / "cassettes", prompt="plover@1.0.0") as extractor:
        return extractor.extract(Document(id=SEED, text=text, title="T"), published="2024-10-16")


def test_graphml_has_a_node_for_each_end_and_an_edge_for_each_relation(extraction: Extraction) -> None:
    """Joined by English name; Wikidata's property and the evidence on the edge."""
    space = "{http://graphml.graphdrawing.org/xmlns}"
    graph = ET.fromstring(graphml([extraction]))
    edges = graph.findall(f".//{space}edge")
    assert len(edges) == len(extraction.relations)
    nodes = {node.get("id") for node in graph.iter(f"{space}node")}
    assert {"Abbas Araghchi", "European Union"} <= nodes
    assert all({edge.get("source"), edge.get("target")} <= nodes for edge in edges)
    assert "P39" in {data.text for edge in edges for data in edge}


def test_jsonld_uses_wikidata_properties(extraction: Extraction) -> None:
    """wdt:P39 for an office held; our own vocabulary where Wikidata has none."""
    made = jsonld([extraction])
    assert made["@context"]["wdt"] == "http://www.wikidata.org/prop/direct/"
    names = {name for node in made["@graph"] for name in node}
    assert {"wdt:P39", "x:sanctioned_by"} <= names
    json.dumps(made)


def test_plover_rows_bear_plovers_field_names(extraction: Extraction) -> None:
    """One row an event."""
    rows = list(plover_rows([extraction]))
    assert len(rows) == len(extraction.events)
    assert rows[0]["event_type"] == "SANCTION" and rows[0]["event_mode"] == ["discontinue"]
    assert rows[0]["event_date"] == ["2024-10-14", "2024-10-14"]
    assert {"event_intensity", "quad_code", "actor_name", "actor_country", "recipient_name", "publication_date"} <= set(
        rows[0]
    )


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\ufeff=1"]


@pytest.mark.parametrize("text", FORMULAS, ids=range(len(FORMULAS)))
def test_csv_cells_are_no_formulas(text: str) -> None:
    """An apostrophe stands before what a spreadsheet would compute; other text and numbers stay."""
    rows = list(csv.DictReader(io.StringIO(csv_text([{"a": text, "b": "plain = text", "c": -5}]))))
    assert rows == [{"a": "'" + text, "b": "plain = text", "c": "-5"}]


def test_tables_have_a_row_for_each_fact_with_document_and_evidence(extraction: Extraction, tmp_path: Path) -> None:
    """And are written as CSV and Parquet alike."""
    rows = tables([extraction])
    assert [len(rows[name]) for name in ("events", "relations", "entities")] == [
        len(extraction.events), len(extraction.relations), len(extraction.entities),
    ]  # fmt: skip
    assert rows["events"][0]["document_id"] == SEED and rows["events"][0]["evidence"] in extraction.document.text
    import pyarrow.parquet

    write_export("parquet", [extraction], tmp_path)
    assert pyarrow.parquet.read_table(tmp_path / "events.parquet").num_rows == len(extraction.events)
    assert [path.name for path in write_export("csv", [extraction], tmp_path)] == [
        "events.csv",
        "relations.csv",
        "entities.csv",
    ]


def test_brat_offsets_cut_the_words(extraction: Extraction) -> None:
    """T lines name their text; E and R lines refer to T lines that are there."""
    text, annotations = brat(extraction, Kinds())
    marks: dict[str, str] = {}
    for line in annotations.splitlines():
        name, body, *rest = line.split("\t")
        if name.startswith("T"):
            pieces = [piece.split(" ") for piece in body.split(" ", 1)[1].split(";")]
            assert " ".join(text[int(start) : int(end)] for start, end in pieces) == rest[0]
            assert "\n" not in rest[0]
            assert name not in marks
            marks[name] = rest[0]
        elif name[0] in "ER":
            assert all(part.split(":")[1] in marks for part in body.split(" ") if ":" in part)


def test_brat_events_have_all_that_takes_part_each_under_a_name_of_its_own(extraction: Extraction) -> None:
    """Place, source and time too; what is not asserted says so, and codes and figures stand in a note."""
    lines = brat(extraction, Kinds())[1].splitlines()
    events = [line.split("\t")[1].split(" ")[1:] for line in lines if line.startswith("E")]
    for event, line in zip(extraction.events, events, strict=True):
        roles = [part.split(":")[0] for part in line]
        assert len(set(roles)) == len(roles)
        beside = [event.place, event.source, event.time]
        people = len(event.actors) + len(event.recipients) + len(event.participants)
        assert len(roles) == people + sum(part is not None for part in beside)
    said = {line.split("\t")[1] for line in lines if line.startswith("A")}
    wanted = {f"Modality E{n} {e.modality}" for n, e in enumerate(extraction.events, 1) if e.modality != "asserted"}
    assert said == wanted and said
    assert any(line.startswith("#1\tAnnotatorNotes E1\tmodes discontinue") for line in lines)


def test_the_configuration_for_brat_names_every_kind_that_is_written(extraction: Extraction, tmp_path: Path) -> None:
    """Else brat shows nothing of it."""
    paths = write_export("brat", [extraction], tmp_path)
    *documents, configuration = paths
    assert configuration.name == "annotation.conf" and len(documents) == 2
    sections = dict(re.findall(r"\[(\w+)\]\n(.*?)(?=\n\[|\Z)", configuration.read_text("utf-8"), re.DOTALL))
    assert list(sections) == ["entities", "relations", "events", "attributes"]
    names = {kind: {line.split("\t")[0] for line in text.splitlines() if line} for kind, text in sections.items()}
    assert names["entities"] == {entity.type for entity in extraction.entities} | {"time"}
    assert names["relations"] == {relation.predicate for relation in extraction.relations}
    assert names["events"] == {event.type for event in extraction.events}
    assert all(f"{role}*:<ENTITY>" in sections["events"] for role in ("actor", "recipient", "place", "source", "time"))


def corrected(extraction: Extraction) -> dict[str, Any]:
    task = label_studio([extraction])[0]
    task["annotations"] = [{"result": json.loads(json.dumps(task["predictions"][0]["result"]))}]
    return task


def test_what_a_corrector_leaves_alone_comes_back_whole(extraction: Extraction) -> None:
    """Entities, events and relations with all their fields; quotes verbatim."""
    gold = Gold.model_validate_json(json.dumps(gold_of_label_studio(corrected(extraction))))
    assert [len(gold.entities), len(gold.events), len(gold.relations)] == [
        len(extraction.entities), len(extraction.events), len(extraction.relations),
    ]  # fmt: skip
    assert gold.events[0].evidence == extraction.events[0].evidence.text
    assert gold.events[0].time is not None and str(gold.events[0].time.start) == "2024-10-14"


def test_what_is_denied_stays_denied_in_every_export() -> None:
    """A denied relation is no statement in JSON-LD, has a note in brat, and comes back from Label Studio with all its fields."""
    answer = {
        "entities": [
            {"id": n, "type": kind, "name": name, "aliases": [], "name_en": None, "country": None, "sector": None}
            for n, kind, name in ((1, "person", "Ali"), (2, "organization", "the League"), (3, "media", "Radio Mersa"))
        ],
        "events": [],
        "relations": [
            {"evidence": "was no member of the League", "subject": 1, "predicate": "member_of", "object": 2, "time": "in 2019",
             "modality": "negated", "source": 3}
        ],
    }  # fmt: skip
    text = "Ali was no member of the League in 2019, Radio Mersa said."
    llm = ScriptedLLM([json.dumps(answer)])
    found = extract(Document(id="d", text=text, language="en"), published="2024-05-16", llm=llm)
    (node,) = [node for node in jsonld([found])["@graph"] if node["name"] == ["Ali"]]
    assert "wdt:P463" not in node and node["x:said"][0]["x:modality"] == "negated"
    assert "#1\tAnnotatorNotes R1\tnegated" in brat(found, Kinds())[1]
    (relation,) = Gold.model_validate_json(json.dumps(gold_of_label_studio(corrected(found)))).relations
    assert (relation.modality, relation.time and str(relation.time.start), relation.source) == (
        "negated",
        "2019-01-01",
        3,
    )


@pytest.mark.parametrize(
    "broken",
    [
        lambda result: [{"was_cancelled": True, "result": []}],
        lambda result: [{"result": None}],
        lambda result: [{"result": [{**result[0], "value": {"start": 0, "end": 5}}]}],
        lambda result: [{"result": [{**result[0], "value": {"start": 0, "end": 10**6, "labels": ["person"]}}]}],
        lambda result: [{"result": [*result[:2], {"type": "relation", "from_id": result[0]["id"], "to_id": result[1]["id"]}]}],
    ],
)  # fmt: skip
def test_a_task_that_nobody_annotated_rightly_is_told(extraction: Extraction, broken: Any) -> None:
    """Skipped, without regions, without a label, beyond the text: an error of one line, and no empty gold."""
    task = corrected(extraction)
    task["annotations"] = broken(task["annotations"][0]["result"])
    with pytest.raises(errors.DocumentError, match="Not an annotated task of ours"):
        gold_of_label_studio(task)


def test_a_corrector_changes_adds_and_deletes(extraction: Extraction) -> None:
    """A changed label wins, a new region comes bare, what hung on a deleted entity goes with it."""
    task = corrected(extraction)
    result = task["annotations"][0]["result"]
    event = next(region for region in result if region.get("from_name") == "event")
    event["value"]["labels"] = ["ACCUSE"]
    subject = extraction.relations[0].subject
    result[:] = [region for region in result if region.get("id") != subject]
    result.append(
        {
            "id": "new",
            "from_name": "entity",
            "type": "labels",
            "value": {"start": 0, "end": 12, "labels": ["organization"]},
        }
    )
    gold = Gold.model_validate_json(json.dumps(gold_of_label_studio(task)))
    assert gold.events[0].type == "ACCUSE"
    assert gold.entities[-1].name == extraction.document.text[:12]
    assert len(gold.relations) < len(extraction.relations)


def test_what_is_no_annotated_task_is_told() -> None:
    """With what was expected."""
    with pytest.raises(errors.DocumentError, match=r"Label Studio|tasks"):
        gold_of_label_studio({"data": {}})
    with pytest.raises(errors.OutputError, match="graphml"):
        write_export("word", [], Path("x"))


FILES = {
    "graphml": "g.graphml",
    "jsonld": "g.jsonld",
    "plover": "p.jsonl",
    "label-studio": "t.json",
    "csv": "",
    "brat": "",
}


@pytest.mark.parametrize(("kind", "name"), FILES.items(), ids=FILES)
def test_folders_that_are_not_there_are_made(extraction: Extraction, tmp_path: Path, kind: str, name: str) -> None:
    """For every format alike, with the folders above."""
    paths = write_export(kind, [extraction], tmp_path / "a" / "b" / name)
    assert paths and all(path.is_file() for path in paths)


@pytest.mark.parametrize(("kind", "name"), FILES.items(), ids=FILES)
def test_a_file_in_the_way_of_a_folder_is_told(extraction: Extraction, tmp_path: Path, kind: str, name: str) -> None:
    """The caller is to choose another place; nobody is to make room."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(errors.OutputError, match=r"Choose another --out\.$"):
        write_export(kind, [extraction], tmp_path / "taken" / name)


def test_a_folder_in_the_place_of_a_file_is_told(extraction: Extraction, tmp_path: Path) -> None:
    """A format of one file wants the name of a file."""
    with pytest.raises(errors.OutputError, match="is a folder"):
        write_export("graphml", [extraction], tmp_path)
