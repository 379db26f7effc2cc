"""The report in a real browser: opening, filtering, clicking through, directions, hostile documents, many documents."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from extractor import Document, Extraction, extract
from extractor.llm.scripted import ScriptedLLM
from extractor.ontology import load_ontology
from extractor.report.page import render_page
from extractor.report.write import write_report
from extractor.runs.run import batch

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium (as .ci/run does)"
    ),
]
ROOT = Path(__file__).parent.parent.parent
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


class Watched:
    """A page with everything it says, asks for or pops up."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.told: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_page(viewport={"width": 1300, "height": 900}, **options)
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.told.append("dialog " + dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        self.page.wait_for_selector("html[data-ready]")

    def until(self, condition: str) -> None:
        """Wait for a condition; the page's policy forbids Playwright's own way, which evaluates a string."""
        for _ in range(200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"never true: {condition}")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The seeds' report."""
    out = tmp_path_factory.mktemp("report")
    batch(ROOT / "seeds", out=out, replay=ROOT / "cassettes", cache=False, prompt="plover@1.0.0")
    from extractor.evaluation.evaluate import read_results

    return write_report(out, read_results(out), title="Seeds", documents=22).as_uri()


@pytest.fixture
def seen(browser: Any, report: str) -> Iterator[Watched]:
    watched = Watched(browser, report)
    yield watched
    assert watched.told == []
    assert {request.partition(":")[0] for request in watched.requests} == {"file"}
    watched.page.close()


def test_it_opens_with_its_counts(seen: Watched) -> None:
    """Documents and events of the run stand on the first view."""
    text = seen.page.inner_text(".counts")
    assert "22" in text and "639" in text


def test_filters_narrow_and_the_fragment_holds_the_view(seen: Watched, browser: Any) -> None:
    """A view can be shared by its address."""
    seen.page.select_option("select[name=type]", "PROTEST")
    assert set(seen.page.locator("tbody .tag").all_inner_texts()) <= {
        t for t in seen.page.locator("tbody .tag").all_inner_texts() if t.startswith("PROTEST")
    }
    assert "type=PROTEST" in seen.page.url
    rows = seen.page.locator("tbody tr").count()
    again = Watched(browser, seen.page.url)
    assert again.page.locator("tbody tr").count() == rows > 3
    again.page.close()


@pytest.mark.parametrize(
    ("query", "title"), [("كوكب صادقي", "معلمان"), ("TSIKHANOUSKI", "Belarus"), ("السوداني", "البصرة")]
)
def test_search_folds_spelling_in_both_scripts(seen: Watched, query: str, title: str) -> None:
    """Arabic letters find Persian ones; case does not matter."""
    seen.page.fill("input[name=q]", query)
    seen.until("location.hash.includes('q=')")
    seen.page.click("nav button:nth-child(3)")
    seen.until("location.hash.includes('view=documents') && document.querySelectorAll('th').length === 6")
    texts = seen.page.locator("tbody tr").all_inner_texts()
    assert any(title in text for text in texts) and len(texts) < 6


def test_a_number_leads_to_its_facts_and_a_fact_to_its_sentence(seen: Watched) -> None:
    """From the table into the document, the evidence lit; from the sentence to its card."""
    seen.page.select_option("select[name=language]", "fa")
    seen.page.locator("tbody .open").first.click()
    seen.page.wait_for_selector(".text")
    lit = seen.page.locator(".text .on").all_inner_texts()
    assert lit and seen.page.locator(".card.on").count() == 1
    seen.page.locator(".text .f").last.click()
    card = seen.page.locator(".card.on")
    assert card.count() == 1
    seen.until(
        "(() => { const b = document.querySelector('.card.on').getBoundingClientRect(); return b.top >= 0 && b.top < innerHeight; })()"
    )


def test_a_highlight_lies_over_its_words_and_right_to_left_text_runs_right_to_left(seen: Watched) -> None:
    """By geometry: the first word of a Persian sentence stands to the right of its last, the text to the right of the cards."""
    seen.page.evaluate("location.hash = '#view=doc&doc=13'")
    seen.page.wait_for_selector(".text[dir=rtl]")
    boxes = seen.page.evaluate(
        """() => {
          const piece = document.querySelector('.text .f.t') || document.querySelector('.text .f');
          const walker = document.createTreeWalker(piece, NodeFilter.SHOW_TEXT), node = walker.nextNode();
          const range = document.createRange(); range.setStart(node, 0); range.setEnd(node, 1);
          const last = document.createRange(); last.setStart(node, node.length - 1); last.setEnd(node, node.length);
          const box = (r) => { const b = r.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
          return {mark: [...piece.getClientRects()].map((b) => [b.left, b.top, b.right, b.bottom]), first: box(range), last: box(last),
                  text: box(document.querySelector('.text')), cards: box(document.querySelector('.cards'))};
        }"""
    )
    assert boxes["first"][0] > boxes["last"][0]
    assert boxes["text"][0] > boxes["cards"][0]
    for glyph in (boxes["first"], boxes["last"]):
        assert any(
            m[0] - 1 <= glyph[0] and glyph[2] <= m[2] + 1 and m[1] - 1 <= glyph[1] and glyph[3] <= m[3] + 1
            for m in boxes["mark"]
        )


def test_the_text_is_whole_and_in_its_order(seen: Watched) -> None:
    """Cut at every border of every span, the pieces put together are the document."""
    for number in (0, 4, 13):
        seen.page.evaluate(f"location.hash = '#view=doc&doc={number}'")
        seen.until(f"location.hash.includes('doc={number}') && document.querySelector('.text')")
        seen.page.wait_for_timeout(50)
        shown = seen.page.evaluate("document.querySelector('.text').textContent")
        kept = seen.page.evaluate(f"JSON.parse(document.getElementById('doc-{number}').textContent).text")
        assert shown == kept


def active(seen: Watched) -> str:
    return str(
        seen.page.evaluate("document.activeElement.name || document.activeElement.id || document.activeElement.tagName")
    )


def test_a_filter_is_set_from_the_keyboard_and_keeps_the_focus(seen: Watched) -> None:
    """The page is drawn anew after each: a date is typed to its last digit, a list walked through."""
    see(seen, "events")
    seen.page.locator("input[name=from]").focus()
    seen.page.keyboard.type("05162024")
    seen.until("location.hash.includes('from=2024-05-16')")
    assert active(seen) == "from"
    seen.page.locator("select[name=language]").focus()
    for number in (1, 2):
        seen.page.keyboard.press("ArrowDown")
        seen.until(
            f"document.querySelector('select[name=language]').selectedIndex === {number} && location.hash.includes('language=')"
        )
    assert active(seen) == "language"
    seen.page.wait_for_timeout(1200)  # until the list has forgotten what was typed before
    seen.page.keyboard.type("fa", delay=150)
    seen.until("location.hash.includes('language=fa')")
    assert active(seen) == "language"
    seen.page.locator("select[name=language]").select_option("")
    seen.page.locator("tbody .open").first.focus()
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector(".text")
    assert active(seen) == "main"


def events_of(url: str) -> list[dict[str, Any]]:
    """The events that the page was made from."""
    lines = (Path(url.removeprefix("file://")).parent / "results.jsonl").read_text(encoding="utf-8").split("\n")
    return [event for line in lines if line for event in json.loads(line)["events"]]


def see(seen: Watched, view: str, more: str = "") -> None:
    # The page draws when it hears of the new address, which is after it was set.
    seen.page.evaluate(
        """(hash) => new Promise((drawn) => {
          if (location.hash === hash) return drawn();
          addEventListener('hashchange', () => drawn(), {once: true});
          location.hash = hash;
        })""",
        f"#view={view}{more}",
    )
    seen.until(f"document.querySelector('nav [aria-current]')?.textContent === {json.dumps(TITLES[view])}")


TITLES = {
    "timeline": "Time line",
    "matrix": "Who to whom",
    "events": "Events",
    "relations": "Relations",
    "graph": "Network",
}


def test_what_a_filter_leaves_out_unasked_and_what_it_cannot_narrow_is_told(seen: Watched, report: str) -> None:
    """Events without a day fit no filter of days; relations have no type and no day."""
    events = events_of(report)
    undated = sum(1 for event in events if not (event["time"] and event["time"]["interval"]))
    assert undated and not seen.page.locator(".note").count()
    see(seen, "events", "&from=1800-01-01")
    assert seen.page.inner_text(".note") == f"Events without a day, left out by the filter of days: {undated}."
    assert seen.page.inner_text(".counts li:nth-child(2) b") == str(len(events) - undated)
    see(seen, "relations", "&from=1800-01-01&type=ACCUSE")
    assert seen.page.inner_text(".note") == "Relations are not narrowed by: Type, From."


def test_the_text_stays_beside_its_facts(seen: Watched) -> None:
    """However far down its card stands, the words of a fact are in sight beside it."""
    seen.page.locator("tbody .open").first.click()
    seen.page.wait_for_selector("#text")
    seen.page.locator("article.card .go").last.click()
    seen.until("document.querySelector('.text .on') !== null")
    for selector in (".text .on", ".card.on"):
        seen.until(
            f"(() => {{ const b = document.querySelector('{selector}').getBoundingClientRect();"
            " return b.bottom > 0 && b.top < innerHeight; })()"
        )


@pytest.mark.parametrize("view", ["__proto__", "constructor", "toString", "foo"])
def test_a_view_that_is_none_is_the_first(seen: Watched, report: str, view: str) -> None:
    """Whatever stands in the address."""
    seen.page.evaluate(f"location.hash = '#view={view}'")
    seen.until(
        f"location.hash.includes('{view}') && document.querySelector('nav [aria-current]').textContent === 'Events'"
    )
    assert seen.page.locator("tbody tr").count() > 50


def test_what_a_picture_has_no_room_for_is_told(seen: Watched) -> None:
    """How many of how many names are shown."""
    see(seen, "matrix")
    shown, of = re.findall(r"The most frequent: (\d+) / ([\d,]+)", seen.page.inner_text("#matrix-note"))[0]
    assert shown == "24" and int(of.replace(",", "")) > 100
    see(seen, "graph")
    assert "The most frequent: 90 / " in seen.page.inner_text("#main")


def test_another_view_begins_at_its_top(seen: Watched) -> None:
    """Wherever one was in the one before."""
    seen.page.evaluate("scrollTo({top: 900, behavior: 'instant'})")
    seen.until("scrollY > 500")
    seen.page.click("nav button:nth-child(2)")
    seen.until("location.hash.includes('view=relations') && scrollY === 0")


def test_the_foot_names_the_prompt_and_the_models_that_answered(seen: Watched) -> None:
    """From the extractions, not from the settings; what there is nothing of leaves no word behind."""
    assert seen.page.inner_text("#foot").strip() == "plover@1.0.0 · desk"


@pytest.mark.parametrize(
    ("ui", "word"),
    [("en", "Distinct entities"), ("fa", "موجودیت‌های متمایز"), ("ar", "الكيانات المتمايزة")],
    ids=["en", "fa", "ar"],
)
def test_entities_are_counted_once_and_the_page_says_so(seen: Watched, ui: str, word: str) -> None:
    """One across documents and languages, unlike the count in the terminal."""
    seen.page.evaluate(f"location.hash = '#ui={ui}'")
    seen.until(f"document.documentElement.lang === '{ui}'")
    assert word in seen.page.inner_text(".counts")


@pytest.mark.parametrize("ui", ["en", "fa"])
def test_days_and_scores_are_whole(seen: Watched, ui: str) -> None:
    """No day is broken over lines, and a minus stands to the left of its number, whatever the direction of the page."""
    seen.page.evaluate(f"location.hash = '#from=2025-09-01&ui={ui}'")
    seen.until(f"document.documentElement.lang === '{ui}'")
    pieces = "[...document.querySelectorAll('tbody .whole')]"
    assert seen.page.evaluate(f"{pieces}.length > 50 && {pieces}.every((e) => e.getClientRects().length === 1)")
    assert seen.page.evaluate(
        f"""{pieces}.filter((e) => e.textContent.startsWith('-')).every((e) => {{
          const range = document.createRange(), at = (n) => {{ range.setStart(e.firstChild, n); range.setEnd(e.firstChild, n + 1); return range.getBoundingClientRect().left; }};
          return at(0) < at(1);
        }})"""
    )


def test_the_matrix_counts_what_is_asserted_and_says_what_it_leaves_out(seen: Watched, report: str) -> None:
    """A denied deed colours no cell; a cell leads to as many events as it counts; another modality is there for the choosing."""
    events = events_of(report)
    see(seen, "matrix")
    left_out = sum(event["modality"] != "asserted" for event in events)
    assert left_out > 10
    note = seen.page.inner_text("#matrix-note")
    assert f"left out: {left_out}." in note and "Rows act" in note
    cell = seen.page.locator(".matrix td button").first
    count = int(cell.inner_text())
    cell.click()
    seen.until(
        f"location.hash.includes('modality=asserted') && document.querySelectorAll('tbody tr').length === {count}"
    )
    see(seen, "matrix", "&modality=negated")
    assert "Only these events: denied or not done." in seen.page.inner_text("#matrix-note")
    see(seen, "matrix", "&modality=asserted")
    asserted = seen.page.inner_html(".matrix tbody")
    see(seen, "matrix")
    assert seen.page.inner_html(".matrix tbody") == asserted


def test_no_head_of_the_matrix_is_clipped(seen: Watched) -> None:
    """Every name stands inside its own cell."""
    see(seen, "matrix")
    assert seen.page.evaluate(
        """[...document.querySelectorAll('.matrix th[scope=col]')].every((cell) => {
          const outer = cell.getBoundingClientRect(), inner = cell.querySelector('bdi').getBoundingClientRect();
          return inner.top >= outer.top && inner.bottom <= outer.bottom && cell.scrollHeight <= cell.clientHeight + 1;
        })"""
    )


def lasting(event: dict[str, Any]) -> int:
    interval = event["time"]["interval"]
    return (date.fromisoformat(interval["end"]) - date.fromisoformat(interval["start"])).days + 1


def test_the_axis_of_the_time_line_is_time(seen: Watched, report: str) -> None:
    """A month's bar counts what began in it and lasted a quarter at most; empty months have their place; longer periods stand aside."""
    see(seen, "timeline")
    dated = [event for event in events_of(report) if event["time"] and event["time"]["interval"]]
    short = Counter(e["time"]["interval"]["start"][:7] for e in dated if lasting(e) <= 93)
    long = Counter(
        f"{e['time']['interval']['start']} – {e['time']['interval']['end']}" for e in dated if lasting(e) > 93
    )
    bars = seen.page.evaluate(
        "[...document.querySelectorAll('svg g[role=button]')].map((g) => [g.ariaLabel, +g.querySelector('rect').getAttribute('x')])"
    )
    assert {label.split(":")[0]: int(label.split()[1]) for label, _ in bars} == short
    aside = [text.rsplit(" ", 1) for text in seen.page.locator(".longer button").all_inner_texts()]
    assert {period: int(count) for period, count in aside} == long and long
    months = [int(label[:4]) * 12 + int(label[5:7]) for label, _ in bars]
    steps = {round((b[1] - a[1]) / (n - m), 3) for a, b, m, n in zip(bars, bars[1:], months, months[1:], strict=False)}
    assert len(steps) == 1 and len(bars) < months[-1] - months[0] + 1


def test_a_bar_and_a_long_period_lead_to_what_they_count(seen: Watched) -> None:
    """No event more, though longer ones touch the same days."""
    see(seen, "timeline")
    bar = seen.page.locator("svg g[role=button]").last
    count = int((bar.get_attribute("aria-label") or "").split()[1])
    bar.click()
    seen.until(f"location.hash.includes('period=') && document.querySelectorAll('tbody tr').length === {count}")
    see(seen, "timeline")
    period = seen.page.locator(".longer button").first
    count = int(period.inner_text().rsplit(" ", 1)[1])
    period.click()
    seen.until(f"location.hash.includes('%2F') && document.querySelectorAll('tbody tr').length === {count}")


@pytest.mark.parametrize("view", ["timeline", "matrix", "graph", "relations", "documents"])
def test_every_view_draws_in_three_languages(seen: Watched, view: str) -> None:
    """English, Persian and Arabic interface; nothing on the console."""
    for ui in ("en", "fa", "ar"):
        seen.page.evaluate(f"location.hash = '#view={view}&ui={ui}'")
        seen.until(f"document.documentElement.lang === '{ui}'")
        assert seen.page.locator("main").inner_text().strip()
        assert seen.page.evaluate("document.documentElement.dir") == ("ltr" if ui == "en" else "rtl")


def test_the_keyboard_reaches_everything(seen: Watched) -> None:
    """Tab goes through controls with a visible focus, Enter opens a fact."""
    seen.page.locator("tbody .open").first.focus()
    outline = seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector(".text")
    assert outline != "none"
    assert seen.page.evaluate(
        "[...document.querySelectorAll('button, select, input')].every((e) => e.innerText || e.labels?.length || e.ariaLabel)"
    )


def contrast(page: Any, selector: str) -> float:
    """WCAG contrast of a text against what stands behind it."""
    return page.evaluate(
        """(selector) => {
          const parse = (c) => c.match(/[\\d.]+/g).slice(0, 3).map(Number).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          const light = (c) => { const [r, g, b] = parse(c); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const e = document.querySelector(selector); let behind = e;
          while (behind && /rgba\\(0, 0, 0, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
          const [a, b] = [light(getComputedStyle(e).color), light(getComputedStyle(behind || document.body).backgroundColor)].sort((x, y) => y - x);
          return (a + 0.05) / (b + 0.05);
        }""",
        selector,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_in_light_and_dark(browser: Any, report: str, scheme: str) -> None:
    """AA: 4.5 to 1 for text, tags of all four kinds, remarks."""
    watched = Watched(browser, report, color_scheme=scheme)
    for selector in (".q1", ".q2", ".q3", ".q4", ".rel", ".filters label", "td", "h1", "footer p"):
        assert contrast(watched.page, selector) >= 4.5, selector
    watched.page.close()


PAYLOADS = [
    "<script>alert(1)</script>", "</script><script>alert(2)</script>", "<img src=x onerror=alert(3)>", '"><svg onload=alert(4)>',
    "<!--<script>", "]]>", "javascript:alert(5)", "<iframe src='https://example.org/x'>", "<style>*{display:none}</style>",
    "<a href='https://example.org'>x</a>", "{{7*7}}", "${alert(6)}", "&lt;b&gt;", "<base href='https://example.org/'>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>", "\u2028\u2029", "invoice\u202efdp.exe", "\u2066abc", "\x07\x1b[31m",
    "<math><mtext></p><img src=1 onerror=alert(7)>", "<template><script>alert(8)</script></template>", "'onmouseover='alert(9)",
]  # fmt: skip


def hostile(payload: str, number: int) -> Extraction:
    """A document whose every field holds the payload."""
    text = f"Ali {payload} condemned the attack {payload} today. {payload}"
    entity = {
        "id": 1,
        "type": "person",
        "name": "Ali",
        "aliases": [],
        "name_en": f"Ali {payload}",
        "country": None,
        "sector": None,
    }
    event = {
        "evidence": "condemned the attack", "trigger": "condemned", "type": "ACCUSE", "modes": [], "contexts": [], "actors": [1], "recipients": [],
        "participants": [], "place": None, "time": None, "modality": "asserted", "source": 1, "figures": [],
    }  # fmt: skip
    invented = event | {"evidence": payload + " not in the text at all"}
    document = Document(id=f"{number} {payload}", text=text, title=payload, url=f"javascript:alert('{payload}')")
    answer = {"entities": [entity], "events": [event, invented], "relations": []}
    return extract(document, llm=ScriptedLLM(lambda r: answer, model=f"model {payload}"))


def test_hostile_documents_stay_inert(browser: Any, tmp_path: Path) -> None:
    """No dialog, no request, no console message, no element or attribute of a document; direction controls are shown as marks."""
    extractions = [hostile(payload, number) for number, payload in enumerate(PAYLOADS)]
    about = {
        "title": PAYLOADS[0],
        "failures": [{"document": PAYLOADS[2], "message": PAYLOADS[3]}],
        "prompt": PAYLOADS[1],
    }
    path = tmp_path / "hostile.html"
    path.write_text("".join(render_page(extractions, about, load_ontology("plover"))), encoding="utf-8")
    watched = Watched(browser, path.as_uri())
    for fragment in [
        "",
        "#view=documents",
        "#view=graph",
        "#view=matrix",
        *(f"#view=doc&doc={n}" for n in range(len(PAYLOADS))),
    ]:
        watched.page.evaluate(f"location.hash = {json.dumps(fragment)}")
        watched.page.wait_for_timeout(20)
        assert (
            watched.page.evaluate(
                "document.querySelectorAll('iframe, img, base, object, embed, template, math, main script, main style, a[href^=javascript]').length"
            )
            == 0
        )
        assert watched.page.evaluate(
            "[...document.querySelectorAll('*')].every((e) => [...e.attributes].every((a) => !a.name.startsWith('on')))"
        )
    watched.page.evaluate(f"location.hash = '#view=doc&doc={PAYLOADS.index(chr(0x2066) + 'abc')}'")
    watched.page.wait_for_timeout(30)
    assert watched.page.evaluate(
        "![...document.querySelectorAll('main *')].some((e) => e.children.length === 0 && /[\\u202e\\u2066]/.test(e.textContent))"
    )
    assert "LRI" in watched.page.inner_text(".text")
    assert watched.told == []
    assert [request for request in watched.requests if not request.startswith("file:")] == []
    watched.page.close()


def test_two_thousand_documents_are_drawn_lazily(browser: Any, tmp_path: Path, report: str) -> None:
    """A page of the table, not all of it; searching and opening the last document work. (Its time is a benchmark.)"""
    text = (ROOT / "seeds/en-04-tbilisi-protest.txt").read_text(encoding="utf-8")
    event = {
        "evidence": "five organisers had been arrested", "trigger": "arrested", "type": "COERCE", "modes": ["arrest"], "contexts": [], "actors": [],
        "recipients": [], "participants": [], "place": None, "time": None, "modality": "asserted", "source": None, "figures": [],
    }  # fmt: skip
    one = extract(
        Document(id="x", text=text), llm=ScriptedLLM(lambda r: {"entities": [], "events": [event], "relations": []})
    )
    many = (
        one.model_copy(
            update={"document": one.document.model_copy(update={"id": f"d{n}", "text": text + f" number{n}"})}
        )
        for n in range(2000)
    )
    path = tmp_path / "many.html"
    path.write_text("".join(render_page(many, {"title": "many"}, load_ontology("plover"))), encoding="utf-8")
    watched = Watched(browser, path.as_uri())
    assert watched.page.locator("tbody tr").count() == 100
    watched.page.fill("input[name=q]", "number1999")
    watched.until("document.querySelectorAll('tbody tr').length === 1")
    watched.page.locator("tbody .open").first.click()
    watched.page.wait_for_selector(".text")
    assert watched.told == []
    watched.page.close()


def test_more_documents_than_a_page_holds_are_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages name one another."""
    from extractor.report import write

    monkeypatch.setattr(write, "DOCUMENTS_A_PAGE", 3)
    extractions = [hostile(str(n), n) for n in range(7)]
    write.write_report(tmp_path, extractions, title="t", documents=7)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report-2.html", "report-3.html", "report.html"]
    assert "report-3.html" in (tmp_path / "report-2.html").read_text(encoding="utf-8")
