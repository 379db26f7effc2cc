"""Folders of many kinds of files become documents, one by one; what cannot be read becomes a failure with its reason."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from extractor.errors import DocumentError
from extractor.models import Document
from extractor.runs.reading.encodings import decode
from extractor.runs.reading.walking import SourceOptions
from extractor.runs.sources import count_source, open_source, read_document

PERSIAN = "وزیر خارجه ایران روز سه‌شنبه گفت که این توافق پذیرفتنی نیست و تهران پاسخ خواهد داد. "
ARABIC = "قال وزير الخارجية المصري إن الاتفاق غير مقبول وإن القاهرة سترد عليه في الوقت المناسب. "
RUSSIAN = "Министр иностранных дел заявил, что соглашение неприемлемо и Москва на него ответит. "


def load_all(folder: Path, **options: Any) -> dict[str, Document | str]:
    """Key -> document, or the message of why not."""
    found: dict[str, Document | str] = {}
    for entry in open_source(folder, SourceOptions(**options)):
        assert entry.key not in found
        try:
            found[entry.key] = entry.load()
        except DocumentError as exc:
            found[entry.key] = str(exc)
    return found


def a_docx(path: Path) -> None:
    import docx

    document = docx.Document()
    document.add_paragraph("First paragraph.")
    document.add_paragraph("دوم")
    document.save(str(path))


def a_pdf(path: Path) -> None:
    """A page with one line, written by hand."""
    stream = b"BT /F1 24 Tf 72 700 Td (Ministers met) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream), b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += (
        b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(out)
    )
    path.write_bytes(out)


HTML = (
    "<html lang='en'><head><title>Ministers meet</title><meta property='article:published_time' content='2024-05-14T10:00:00Z'></head>"
    "<body><nav>Home Sport</nav><article><h1>Ministers meet</h1>" + "<p>The ministers of the two countries met in Mersa on Tuesday to discuss trade, and agreed to meet again.</p>" * 6
    + "</article></body></html>"
)  # fmt: skip
KINDS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a.txt": (lambda p: p.write_text("Plain\r\ntext", encoding="utf-8", newline=""), "Plain\r\ntext"),
    "a.md": (lambda p: p.write_text("---\npublished: 2024-05-14\ntitle: T\n---\nBody", encoding="utf-8"), "Body"),
    "a.html": (lambda p: p.write_text(HTML, encoding="utf-8"), "The ministers of the two countries"),
    "a.docx": (a_docx, "First paragraph.\nدوم"),
    "a.pdf": (a_pdf, "Ministers met"),
    "a.txt.gz": (lambda p: p.write_bytes(gzip.compress(b"Zipped")), "Zipped"),
}


@pytest.mark.parametrize(("name", "make", "text"), [(name, *rest) for name, rest in KINDS.items()], ids=list(KINDS))
def test_each_kind_of_file_is_read(name: str, make: Callable[[Path], Any], text: str, tmp_path: Path) -> None:
    """From a folder and alone; text is kept as it is."""
    make(tmp_path / name)
    document = load_all(tmp_path)[name]
    assert isinstance(document, Document) and text in document.text and document.id == name
    assert text in read_document(str(tmp_path / name)).text


def test_metadata_comes_from_pages_front_matter_records_and_the_index(tmp_path: Path) -> None:
    """What the index says wins."""
    KINDS["a.html"][0](tmp_path / "a.html")
    KINDS["a.md"][0](tmp_path / "b.md")
    (tmp_path / "index.json").write_text(
        json.dumps([{"id": "b", "title": "From the index", "language": "fa"}]), encoding="utf-8"
    )
    found = load_all(tmp_path)
    page, note = found["a.html"], found["b.md"]
    assert isinstance(page, Document) and isinstance(note, Document)
    assert (page.title, str(page.published)) == ("Ministers meet", "2024-05-14")
    assert (note.id, note.title, note.language, str(note.published)) == ("b", "From the index", "fa", "2024-05-14")


def test_files_of_many_records_give_one_document_each(tmp_path: Path) -> None:
    """JSON lines, JSON, CSV; fields by mapped names; a line separator of Unicode inside a value ends nothing."""
    rows = [{"body": f"Text {n}\u2028\x85", "nr": f"n{n}", "day": "2024-05-14"} for n in range(3)]
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
    (tmp_path / "b.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "c.csv").write_text('nr,body,day\nx,"Text, with\nline",2024-05-14\n', encoding="utf-8")
    found = load_all(tmp_path, fields={"text": "body", "id": "nr", "published": "day"})
    assert list(found) == ["a.jsonl#n0", "a.jsonl#n1", "a.jsonl#n2", "b.json#n0", "b.json#n1", "b.json#n2", "c.csv#x"]
    assert [d.text for d in found.values() if isinstance(d, Document)][-1] == "Text, with\nline"
    assert {str(d.published) for d in found.values() if isinstance(d, Document)} == {"2024-05-14"}
    assert count_source(tmp_path, SourceOptions()) is None


BROKEN = {
    "empty.txt": (lambda p: p.write_text(""), "empty"),
    "binary.txt": (lambda p: p.write_bytes(bytes(range(256)) * 4), "binary"),
    "elf.txt": (lambda p: p.write_bytes(b"\x7fELF\x02\x01\x01" + b"\x00" * 200), "binary"),
    "undecodable.txt": (lambda p: p.write_bytes(b"caf\xe9 \x81\x8d"), "no other encoding is sure"),
    "half.jsonl": (lambda p: p.write_text('{"text": "a'), "not valid JSON"),
    "nofield.jsonl": (lambda p: p.write_text('{"txt": "a"}\n'), "no field 'text'"),
    "list.jsonl": (lambda p: p.write_text("[1]\n"), "expected an object"),
    "day.jsonl": (lambda p: p.write_text('{"text": "a", "published": "14/5/2024"}\n'), "YYYY-MM-DD"),
    "broken.txt.gz": (lambda p: p.write_bytes(gzip.compress(b"x" * 1000)[:20]), "gzip"),
    "bomb.txt.gz": (lambda p: p.write_bytes(gzip.compress(b"x" * 60_000_000)), "unpacks to more"),
    "broken.pdf": (lambda p: p.write_bytes(b"%PDF-1.4 nothing"), "PDF"),
    "broken.docx": (lambda p: p.write_bytes(b"PK nothing"), "DOCX"),
    "blank.html": (lambda p: p.write_text("<html><body></body></html>"), "main text"),
    "matter.md": (lambda p: p.write_text("---\ntitle: [\n---\nx"), "front matter"),
    "link.txt": (lambda p: p.symlink_to("/etc/hostname"), "no regular file"),
    "dead.txt": (lambda p: p.symlink_to("nowhere"), "no regular file"),
    "pipe.txt": (lambda p: os.mkfifo(p), "no regular file"),
}


@pytest.mark.parametrize(("name", "make", "words"), [(name, *rest) for name, rest in BROKEN.items()], ids=list(BROKEN))
def test_what_cannot_be_read_says_why_and_the_others_are_read(
    name: str, make: Callable[[Path], Any], words: str, tmp_path: Path
) -> None:
    """One failure, one line."""
    make(tmp_path / name)
    (tmp_path / "zz-good.txt").write_text("Good.", encoding="utf-8")
    found = load_all(tmp_path)
    told = [value for value in found.values() if isinstance(value, str)]
    assert len(told) == 1 and words in told[0] and "\n" not in told[0]
    assert isinstance(found["zz-good.txt"], Document)


def test_a_folder_that_links_to_itself_ends(tmp_path: Path) -> None:
    """Folders behind links are not entered, and that is told."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("A.", encoding="utf-8")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    found = load_all(tmp_path)
    assert list(found) == ["sub/a.txt", "sub/loop/"] and "link to a folder" in str(found["sub/loop/"])


def test_patterns_choose_and_names_stay_apart(tmp_path: Path) -> None:
    """The same name in two folders is two documents; gold, index, README and hidden files are none."""
    for name in ("a.txt", "sub/a.txt", "sub/b.md", "README.md", "a.gold.json", ".hidden.txt", "c.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}" if name.endswith("json") else "Text.", encoding="utf-8")
    assert list(load_all(tmp_path)) == ["a.txt", "sub/a.txt", "sub/b.md"]
    assert list(load_all(tmp_path, include=("sub/*",))) == ["sub/a.txt", "sub/b.md"]
    assert list(load_all(tmp_path, exclude=("*.md", "sub/a.txt"))) == ["a.txt"]


def test_odd_file_names_are_escaped_in_keys(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are shown as such."""
    (tmp_path / "x").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "x") + b"/a\xff.txt")).write_text("Text.", encoding="utf-8")
    assert list(load_all(tmp_path)) == ["x/a\\udcff.txt"]


ENCODINGS = {
    "utf-8": (PERSIAN, "utf-8"), "utf-8 with a mark": (PERSIAN, "utf-8-sig"), "utf-16 with a mark": (PERSIAN, "utf-16"),
    "utf-16 without a mark": (PERSIAN, "utf-16-le"), "windows-1256, Arabic": (ARABIC * 2, "windows-1256"),
    "iso-8859-6": (ARABIC * 2, "iso-8859-6"), "windows-1251": (RUSSIAN * 2, "windows-1251"), "koi8-r": (RUSSIAN * 2, "koi8-r"),
    "windows-1256, Persian": ("وزير خارجه ايران گفت که اين توافق پذيرفتني نيست و تهران به آن پاسخ خواهد داد. " * 2, "windows-1256"),
    "koi8-u": ("Міністр заявив, що угода неприйнятна і Київ на неї відповість у свій час. " * 2, "koi8-u"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "encoding"), ENCODINGS.values(), ids=ENCODINGS)
def test_encodings_are_told_apart(text: str, encoding: str) -> None:
    """And never guessed."""
    assert decode(text.encode(encoding), "x.txt") == text


def test_the_stamp_changes_with_the_file_and_with_its_index_entry(tmp_path: Path) -> None:
    """So that nothing that may have changed is skipped."""
    (tmp_path / "a.txt").write_text("One.", encoding="utf-8")
    stamps = [next(open_source(tmp_path, SourceOptions())).stamp]
    (tmp_path / "index.json").write_text('[{"id": "a", "published": "2024-01-01"}]', encoding="utf-8")
    stamps.append(next(open_source(tmp_path, SourceOptions())).stamp)
    (tmp_path / "a.txt").write_text("Another.", encoding="utf-8")
    stamps.append(next(open_source(tmp_path, SourceOptions())).stamp)
    assert len(set(stamps)) == 3


def test_a_missing_folder_and_a_broken_index_are_told(tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(DocumentError, match="no folder"):
        list(open_source(tmp_path / "nowhere", SourceOptions()))
    (tmp_path / "index.json").write_text("{}")
    (tmp_path / "index.json").write_text('{"a": 1}')
    with pytest.raises(DocumentError, match="Expected a list"):
        list(open_source(tmp_path, SourceOptions()))


def test_a_broken_record_fails_alone(tmp_path: Path) -> None:
    """Whatever the line holds, the lines behind it are read; what is streamed is read as what is not."""
    lines = [b'{"text": "One."}', b"{broken", b'{"text": "\xff"}', b"", b'{"txt": 1}', b'{"text": "Last."}']
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"\r\n".join(lines)))
    (tmp_path / "c.jsonl").write_bytes('{"text": "Wide."}\n'.encode("utf-16"))
    (tmp_path / "d.csv").write_text("text,id\nOne.,1\n,2\nLast.,3\n", encoding="utf-8")
    found = load_all(tmp_path)
    texts = [value.text if isinstance(value, Document) else None for value in found.values()]
    assert texts == ["One.", None, None, None, "Last."] * 2 + ["Wide.", "One.", None, "Last."]


PAGE = "<html><head><title>{title}</title>{head}</head><body><article>{body}</article>{foot}</body></html>"
WORDS = "<p>{start} The ministry said that it would look into the matter, and that the families had been told of what it knew so far.</p>"
UNDATED = {
    "a footer": {"foot": "<footer>© 2019 News Inc.</footer>"}, "a span of years": {"foot": "<footer>Copyright 2005-2023</footer>"},
    "an ISO day in the text": {"start": "The court met on 2020-01-01 and adjourned."}, "a day in figures": {"start": "It was 01/02/2020."},
    "a day of a related story": {"foot": "<aside><time datetime='2019-03-04'>4 March</time></aside>"}, "a day in its description": {"head": "<meta name='description' content='On 2020-01-01 the court'>"},
    "nobody knows which month": {"head": "<meta name='date' content='03/04/2024'>"},
    "a link": {"foot": "<a href='/2017/03/04/old-story'>old</a>"}, "a day in the text": {"start": "He recalled the 12 June 2009 protests."},
}  # fmt: skip


def a_page(
    head: str = "", foot: str = "", start: str = "Police arrested ten people in Basra.", title: str = "T"
) -> bytes:
    return PAGE.format(title=title, head=head, foot=foot, body=WORDS.format(start=start) * 3).encode()


def read_page(tmp_path: Path, page: bytes) -> Document:
    (tmp_path / "a.html").write_bytes(page)
    found = load_all(tmp_path)["a.html"]
    assert isinstance(found, Document)
    return found


@pytest.mark.parametrize("case", UNDATED)
def test_a_page_has_the_day_that_it_declares_and_no_other(case: str, tmp_path: Path) -> None:
    """`yesterday` counts from it: a wrong one makes all of them wrong."""
    assert read_page(tmp_path, a_page(**UNDATED[case])).published is None
    more = UNDATED[case] | {"head": UNDATED[case].get("head", "") + DECLARED["a meta element"]}
    assert str(read_page(tmp_path, a_page(**more)).published) == "2024-05-14"


DECLARED = {
    "a meta element": "<meta property='article:published_time' content='2024-05-14T08:00:00Z'>",
    "linked data": """<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2024-05-14T10:00:00+03:00"}</script>""",
    "its address": "<link rel='canonical' href='https://example.org/2024/05/14/a'>",
    "a marked element": "<time itemprop='datePublished' datetime='2024-05-14'>14 May</time>",
}


@pytest.mark.parametrize("case", DECLARED)
def test_a_page_declares_its_day_in_several_ways(case: str, tmp_path: Path) -> None:
    """In its head, in linked data, in its address, in an element that says so."""
    assert str(read_page(tmp_path, a_page(head=DECLARED[case])).published) == "2024-05-14"


def test_an_address_with_a_half_space_stays_that_address(tmp_path: Path) -> None:
    """As it is, or in the bytes that the page's reader makes of it."""
    address = "https://example.org/\u0645\u06cc\u200c\u0631\u0648\u062f"
    body = f"<article><p>{PERSIAN * 8}</p></article>"
    (tmp_path / "a.html").write_text(
        f'<html><head><link rel="canonical" href="{address}"></head><body>{body}</body></html>', "utf-8"
    )
    [found] = load_all(tmp_path).values()
    assert isinstance(found, Document)
    assert unquote(found.url or "") == address


@pytest.mark.parametrize("joiner", ["\u200c", "&zwnj;", "&#8204;", "&#x200C;"])
def test_pages_keep_their_half_spaces(joiner: str, tmp_path: Path) -> None:
    """However they are written; marks of direction too."""
    found = read_page(
        tmp_path, a_page(start=f"رئیس{joiner}جمهور گفت\u200f (بصره) هسته{joiner}ای", title=f"رئیس{joiner}جمهور")
    )
    assert "رئیس\u200cجمهور گفت\u200f (بصره) هسته\u200cای" in found.text and found.title == "رئیس\u200cجمهور"


WESTERN = {
    "Hebrew": ("שר החוץ אמר ביום שלישי כי ההסכם אינו מקובל וכי הממשלה תגיב עליו בזמן המתאים. " * 3, "cp1255"),
    "Greek": ("Ο υπουργός εξωτερικών είπε την Τρίτη ότι η συμφωνία δεν είναι αποδεκτή και η κυβέρνηση θα απαντήσει. " * 3, "cp1253"),
    "Russian in another encoding": (RUSSIAN * 3, "iso-8859-5"),
    "French": ("Le président de la République a déclaré à l'Assemblée que l'été serait décisif. " * 3, "cp1252"),
    "Spanish": ("El presidente declaró el martes que la acción policial continuará según el ministro español. " * 3, "latin-1"),
    "Turkish": ("Cumhurbaşkanı salı günü müzakerelerin süreceğini açıkladı, görüşmeler İstanbul'da. " * 3, "cp1254"),
}  # fmt: skip


@pytest.mark.parametrize("language", WESTERN)
def test_a_text_in_another_encoding_is_not_read_as_one_of_ours(language: str) -> None:
    """It fails, and says what to do."""
    text, encoding = WESTERN[language]
    with pytest.raises(DocumentError, match="no other encoding is sure"):
        decode(text.encode(encoding), "x.txt")


def test_every_record_has_a_key_of_its_own_and_the_same_each_time(tmp_path: Path) -> None:
    """Also where the number of a broken record is the id of another one."""
    (tmp_path / "a.jsonl").write_text(
        '{"meta": 1}\n{"id": 1, "text": "A."}\n{"id": 2, "text": "B."}\n{"id": 2, "text": "C."}\n'
    )
    (tmp_path / "b.csv").write_text("id,text\n2,A.\n5\n3,C.\n")
    first, second = load_all(tmp_path), load_all(tmp_path)
    assert first == second and len(first) == 7
    assert sum(isinstance(value, str) for value in first.values()) == 2


TABLES = {
    "commas without quotation marks": ("a.csv", "id,text\n1,The minister, who is ill, resigned.\n2,Good.\n", "more values than the header", ["Good."]),
    "one stray quotation mark": ("a.csv", 'id,text\n1,"The minister\n2,Police.\n3,Talks.\n', "row 1", []),
    "quotation marks inside": ("a.tsv", 'id\ttext\n1\tGood.\n2\t"Quoted start" said\n', "row 2", ["Good."]),
    "no rows": ("a.csv", "id,text\n", "no records", []),
    "no lines": ("a.jsonl", "\n", "no records", []),
    "an empty list": ("a.json", "[]", "no records", []),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_nothing_of_a_table_is_cut_off_or_swallowed(case: str, tmp_path: Path) -> None:
    """What a reader would have to mend fails, and says where."""
    name, text, words, good = TABLES[case]
    (tmp_path / name).write_text(text)
    found = list(load_all(tmp_path).values())
    assert [value.text for value in found if isinstance(value, Document)] == good
    assert [words in value for value in found if isinstance(value, str)] == [True]


def test_spreadsheets_of_other_countries_write_semicolons(tmp_path: Path) -> None:
    """Where only that makes the text a column."""
    (tmp_path / "a.csv").write_text('id;text\n1;"One, two; three."\n', encoding="utf-8")
    found = load_all(tmp_path)["a.csv#1"]
    assert isinstance(found, Document) and found.text == "One, two; three."


def test_a_word_file_keeps_its_tables_where_they_stand(tmp_path: Path) -> None:
    """Cells are parted by tabs; one that spans two columns is told once."""
    import docx

    document = docx.Document()
    document.add_paragraph("Before.")
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "Both."
    table.cell(1, 0).text, table.cell(1, 1).text = "Left.", "Right."
    document.add_paragraph("After.")
    document.save(str(tmp_path / "a.docx"))
    found = load_all(tmp_path)["a.docx"]
    assert isinstance(found, Document) and found.text == "Before.\nBoth.\nLeft.\tRight.\nAfter."


NO_FRONT_MATTER = (
    "---\nTehran: protests: dozens arrested\n---\nMore.",
    '---\n"I will not go," he said.\n---\nMore.',
    "---\nThe minister resigned on Monday.\n---\nMore.",
    "---\nThe lead: minister resigned\n---\nMore.",
    "---\n- a\n- b\n---\nMore.",
)


@pytest.mark.parametrize("text", NO_FRONT_MATTER)
def test_what_stands_between_two_rules_is_text(text: str, tmp_path: Path) -> None:
    """Unless it says something of the document that is known."""
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    found = load_all(tmp_path)["a.md"]
    assert isinstance(found, Document) and found.text == text


def test_a_day_that_there_is_not_is_the_document_s_failure(tmp_path: Path) -> None:
    """And so is the day of another calendar, of which nobody can tell which one it is."""
    (tmp_path / "a.md").write_text("---\npublished: 2024-02-30\n---\nText.", encoding="utf-8")
    (tmp_path / "b.md").write_text("---\npublished: 1403-02-27\n---\nText.", encoding="utf-8")
    found = load_all(tmp_path)
    assert "day is out of range" in str(found["a.md"]) and "Gregorian" in str(found["b.md"])


def test_patterns_are_those_of_gitignore(tmp_path: Path) -> None:
    """A folder's pattern holds for all that is below it."""
    for name in ("drafts/old/a.txt", "2024/05/b.txt", "2024/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Text.")
    assert list(load_all(tmp_path, exclude=("drafts/*",))) == ["2024/05/b.txt", "2024/c.txt"]
    assert list(load_all(tmp_path, include=("2024/**/*.txt",))) == ["2024/05/b.txt", "2024/c.txt"]
    assert list(load_all(tmp_path, include=("/2024/*.txt",))) == ["2024/c.txt"]
    with pytest.raises(DocumentError, match="No pattern of"):
        load_all(tmp_path, include=("!",))
    (tmp_path / "link").symlink_to(tmp_path / "2024")
    assert "link/" in load_all(tmp_path, include=("*.txt",)) and "link/" not in load_all(tmp_path, exclude=("link/",))


def test_the_index_speaks_of_one_file_by_its_path_or_by_a_name_of_its_own(tmp_path: Path) -> None:
    """Of two that share a name it cannot say which; what it names and nobody has is told."""
    for name in (
        "a/report.txt",
        "b/report.txt",
        "b/own.txt.gz",
        "README.md",
        "b/README.md",
        "b/country-index.json.txt",
        "c.doc",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        data = b"Text."
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    said = [{"id": "report", "title": "None"}, {"id": "b/report", "title": "B"}, {"id": "own", "title": "Own"}]
    (tmp_path / "index.json").write_text(json.dumps(said), encoding="utf-8-sig")
    told: list[str] = []
    found = [entry.load() for entry in open_source(tmp_path, SourceOptions(), told.append)]
    assert [(one.path or one.id, one.title) for one in found] == [
        ("a/report.txt", None), ("b/country-index.json.txt", None), ("b/own.txt.gz", "Own"), ("b/report.txt", "B"),
    ]  # fmt: skip
    chosen = [entry.load() for entry in open_source(tmp_path, SourceOptions(include=("a/",)))]
    assert [(one.path or one.id, one.title) for one in chosen] == [("a/report.txt", None)]
    assert len(told) == 2 and ".doc 1" in told[0] and told[1].endswith(": 1 (report).")


def test_what_the_index_says_of_a_file_of_many_records_holds_for_those_that_say_nothing(tmp_path: Path) -> None:
    """Day and language of a whole collection are said once; a record's own word goes before, and ids stay its own."""
    lines = [{"text": PERSIAN, "id": "x"}, {"text": ARABIC, "published": "2024-03-01", "language": "ar"}]
    (tmp_path / "all.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    entry = {"id": "all.jsonl", "published": "2024-05-16", "language": "prs", "title": "All"}
    (tmp_path / "index.json").write_text(json.dumps([entry]), "utf-8")
    found = [document for document in load_all(tmp_path).values() if isinstance(document, Document)]
    assert [(d.id, str(d.published), d.language, d.title) for d in found] == [
        ("x", "2024-05-16", "prs", None),
        ("all.jsonl#2", "2024-03-01", "ar", None),
    ]


@pytest.mark.parametrize(
    "entries",
    [
        [{"id": "a", "published": "2025-11-08"}, {"id": "a", "published": "2020-01-01"}],
        [{"id": "a", "published": "2025-11-08"}, {"id": "a.txt", "published": "2019-01-01"}],
    ],
)
def test_two_entries_for_one_file_are_refused(entries: list[dict[str, str]], tmp_path: Path) -> None:
    """Which of two days of publication holds nobody can tell."""
    (tmp_path / "a.txt").write_text(PERSIAN, "utf-8")
    (tmp_path / "index.json").write_text(json.dumps(entries), "utf-8")
    with pytest.raises(DocumentError, match="two entries"):
        load_all(tmp_path)


def test_an_index_below_the_folder_is_told(tmp_path: Path) -> None:
    """It is not read."""
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024/a.txt").write_text(PERSIAN, "utf-8")
    (tmp_path / "2024/index.json").write_text('[{"id": "a", "published": "2025-11-08"}]', "utf-8")
    told: list[str] = []
    list(open_source(tmp_path, SourceOptions(), told.append))
    assert told == ["Not read, as it lies below the folder: 2024/index.json and 0 more."]


def test_a_table_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    """One of the two texts would be lost."""
    (tmp_path / "a.csv").write_text("id,text,text\n1,aaa,bbb\n", "utf-8")
    (told,) = load_all(tmp_path).values()
    assert "the column 'text' twice" in str(told)
