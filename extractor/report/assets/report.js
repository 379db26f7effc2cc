"use strict";
// One page, no framework. Everything that comes out of a document goes into the page as text, never as markup.
(() => {
const $ = (id) => document.getElementById(id);
const DATA = JSON.parse($("index").textContent);
const DOCS = DATA.documents;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/gu;
const NAMES = {0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0x200e: "LRM", 0x200f: "RLM", 0x61c: "ALM", 0xfeff: "BOM"};

// ---------- words of the interface
const WORDS = {
  en: {facts: "Facts", documents: "Documents", events: "Events", relations: "Relations", entities: "Entities", rejected: "Not kept", timeline: "Time line",
    matrix: "Who to whom", graph: "Network", language: "Language", type: "Type", quad: "Kind", actor: "Actor", country: "Country", modality: "Modality",
    source: "Source", from: "From", to: "To", search: "Search", all: "all", clear: "Clear filters", back: "Back to the collection", who: "Who", whom: "To whom",
    where: "Where", when: "When", says: "Says who", score: "Score", evidence: "Evidence", reason: "Reason", title: "Title", published: "Published",
    day: "Day", nothing: "Nothing here fits the filters.", show: "Show in the text", theme: "Light or dark", ui: "Interface language", more: "Next", less: "Previous",
    page: "Page", of: "of", provenance: "How this was made", found: "found", by: "by", unresolved: "no interval of days", also: "Others", counts: "Counts",
    q1: "verbal cooperation", q2: "material cooperation", q3: "verbal conflict", q4: "material conflict", relation: "relation", entity: "entity", trigger: "trigger",
    asserted: "asserted", future: "planned", hypothetical: "hypothetical", negated: "denied or not done", report: "the report itself", failures: "Documents that failed",
    subject: "Subject", object: "Object", predicate: "Relation", pages: "Other parts", counted: "counted from", undated: "without a day", drag: "Drag to move, choose a name to see its relations.",
    distinct: "Distinct entities", longer: "Periods too long for one bar, such as whole years", rows: "Rows act, columns are acted upon; a cell is coloured by its mean score.",
    leftout: "Asserted events only; planned, hypothetical and denied ones, left out:", only: "Only these events:", most: "The most frequent", dayless: "Events without a day, left out by the filter of days:", wider: "Relations are not narrowed by:"},
  fa: {facts: "یافته‌ها", documents: "سندها", events: "رویدادها", relations: "رابطه‌ها", entities: "موجودیت‌ها", rejected: "کنار گذاشته", timeline: "خط زمان",
    matrix: "که با که", graph: "شبکه", language: "زبان", type: "نوع", quad: "گونه", actor: "کنشگر", country: "کشور", modality: "وجه",
    source: "منبع", from: "از", to: "تا", search: "جست‌وجو", all: "همه", clear: "پاک کردن صافی‌ها", back: "بازگشت به مجموعه", who: "چه کسی", whom: "با چه کسی",
    where: "کجا", when: "کی", says: "به گفتهٔ", score: "امتیاز", evidence: "شاهد", reason: "دلیل", title: "عنوان", published: "انتشار",
    day: "روز", nothing: "چیزی با این صافی‌ها نیست.", show: "نمایش در متن", theme: "روشن یا تیره", ui: "زبان رابط", more: "بعدی", less: "قبلی",
    page: "صفحهٔ", of: "از", provenance: "این چگونه ساخته شد", found: "یافته شد", by: "با", unresolved: "بازهٔ روز ندارد", also: "دیگران", counts: "شمار",
    q1: "همکاری کلامی", q2: "همکاری مادی", q3: "ستیز کلامی", q4: "ستیز مادی", relation: "رابطه", entity: "موجودیت", trigger: "واژهٔ رویداد",
    asserted: "گزارش‌شده", future: "برنامه", hypothetical: "فرضی", negated: "رد یا انجام‌نشده", report: "خود گزارش", failures: "سندهای ناموفق",
    subject: "نهاد", object: "طرف", predicate: "رابطه", pages: "بخش‌های دیگر", counted: "به شمار از", undated: "بی‌تاریخ", drag: "بکشید تا جابه‌جا شود؛ نامی را برگزینید تا رابطه‌هایش را ببینید.",
    distinct: "موجودیت‌های متمایز", longer: "بازه‌هایی بلندتر از یک ستون، مانند سال کامل", rows: "سطرها کنشگرند و ستون‌ها کنش‌پذیر؛ رنگ هر خانه از میانگین امتیاز آن است.",
    leftout: "تنها رویدادهای گزارش‌شده؛ برنامه‌ها، فرض‌ها و ردشده‌ها کنار گذاشته شده‌اند:", only: "تنها این رویدادها:", most: "پربسامدترین", dayless: "رویدادهای بی‌تاریخ که صافی روز کنارشان گذاشته است:", wider: "این صافی‌ها رابطه‌ها را محدود نمی‌کنند:"},
  ar: {facts: "الوقائع", documents: "الوثائق", events: "الأحداث", relations: "العلاقات", entities: "الكيانات", rejected: "غير المقبول", timeline: "خط الزمن",
    matrix: "مَن مع مَن", graph: "الشبكة", language: "اللغة", type: "النوع", quad: "الصنف", actor: "الفاعل", country: "البلد", modality: "الصيغة",
    source: "المصدر", from: "من", to: "إلى", search: "بحث", all: "الكل", clear: "مسح المرشحات", back: "العودة إلى المجموعة", who: "مَن", whom: "مع مَن",
    where: "أين", when: "متى", says: "بحسب", score: "الدرجة", evidence: "الدليل", reason: "السبب", title: "العنوان", published: "النشر",
    day: "اليوم", nothing: "لا شيء يوافق المرشحات.", show: "إظهار في النص", theme: "فاتح أو داكن", ui: "لغة الواجهة", more: "التالي", less: "السابق",
    page: "صفحة", of: "من", provenance: "كيف صُنع هذا", found: "وُجد", by: "بـ", unresolved: "بلا مدة من الأيام", also: "آخرون", counts: "أعداد",
    q1: "تعاون لفظي", q2: "تعاون مادي", q3: "نزاع لفظي", q4: "نزاع مادي", relation: "علاقة", entity: "كيان", trigger: "لفظ الحدث",
    asserted: "مؤكد", future: "مخطط", hypothetical: "افتراضي", negated: "منفي أو لم يحدث", report: "التقرير نفسه", failures: "وثائق فشلت",
    subject: "الطرف الأول", object: "الطرف الثاني", predicate: "العلاقة", pages: "أجزاء أخرى", counted: "محسوب من", undated: "بلا تاريخ", drag: "اسحب للتحريك، واختر اسماً لترى علاقاته.",
    distinct: "الكيانات المتمايزة", longer: "مدد أطول من عمود واحد، كالسنوات الكاملة", rows: "الصفوف فاعلة والأعمدة مفعول بها؛ ولون الخانة من متوسط درجتها.",
    leftout: "الأحداث المؤكدة وحدها؛ أما المخططة والافتراضية والمنفية فمستبعدة:", only: "هذه الأحداث وحدها:", most: "الأكثر تكراراً", dayless: "أحداث بلا تاريخ استبعدها مرشح الأيام:", wider: "العلاقات لا تضيّقها هذه المرشحات:"},
};

// ---------- elements
function el(tag, props, ...children) {
  const node = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.setAttribute("class", value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
const SVG = new Set(["svg", "g", "rect", "circle", "line", "path"]);
const svgText = (props, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "text");
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
// Untrusted words: in a direction of their own, with hidden controls made visible.
function words(text) {
  const node = el("bdi", {dir: "auto"});
  let last = 0;
  for (const match of text.matchAll(CONTROLS)) {
    node.append(text.slice(last, match.index), control(match[0]));
    last = match.index + match[0].length;
  }
  node.append(text.slice(last));
  return node;
}
function control(char) {
  const code = char.codePointAt(0);
  return el("span", {class: "ctl", title: "U+" + code.toString(16).toUpperCase()}, NAMES[code] || "U+" + code.toString(16).toUpperCase());
}
const fold = (text) => text.normalize("NFKD").replace(/[\u064b-\u065f\u0670\u0640\u200b-\u200f\u00ad\u0300-\u036f\u202a-\u202e\u2066-\u2069]/g, "")
  .replace(/[يىئ]/g, "ی").replace(/ك/g, "ک").replace(/[ةۀ]/g, "ه").replace(/[أإآٱ]/g, "ا").replace(/ؤ/g, "و")
  .replace(/[٠-٩]/g, (d) => d.charCodeAt(0) - 0x660).replace(/[۰-۹]/g, (d) => d.charCodeAt(0) - 0x6f0).replace(/\s+/g, " ").toLowerCase();

// ---------- state, kept in the URL's fragment
// Another view begins at its top; the browser's way back leads to where one was.
let toTop = false;
const VIEWS = ["events", "relations", "documents", "timeline", "matrix", "graph"];
const DEFAULTS = {view: "events", ui: "en", sort: "", page: "1"};
const state = {};
function readState() {
  for (const key of Object.keys(state)) delete state[key];
  Object.assign(state, DEFAULTS, Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
  if (!Object.hasOwn(WORDS, state.ui)) state.ui = "en";
  if (![...VIEWS, "doc"].includes(state.view)) state.view = DEFAULTS.view;
}
function go(changes, replace) {
  const next = {...state, ...changes};
  const query = new URLSearchParams(Object.entries(next).filter(([k, v]) => v && v !== DEFAULTS[k]));
  const hash = "#" + query.toString();
  toTop = next.view !== state.view;
  if (replace) { history.replaceState(null, "", hash); draw(); } else if (location.hash === hash) draw(); else location.hash = hash;
}
const w = (key) => WORDS[state.ui][key] || WORDS.en[key] || key;

// ---------- facts
const EVENTS = DOCS.flatMap((doc) => doc.events.map((event) => ({...event, doc})));
const RELATIONS = DOCS.flatMap((doc) => doc.relations.map((r) => ({id: r[0], predicate: r[1], wikidata: r[2], subject: r[3], object: r[4], modality: r[5], evidence: r[6], doc})));
const MODELS = [...new Set(DOCS.flatMap((doc) => doc.models))].sort();
const texts = new Map();
function full(n) { return JSON.parse($("doc-" + n).textContent); }
function textOf(doc) {
  if (!texts.has(doc.n)) texts.set(doc.n, fold((doc.title || "") + "\n" + full(doc.n).text));
  return texts.get(doc.n);
}
const FILTERS = [
  ["language", () => DOCS.map((d) => d.language)],
  ["type", () => EVENTS.map((e) => e.type)],
  ["quad", () => ["1", "2", "3", "4"]],
  ["actor", () => EVENTS.flatMap((e) => e.actors)],
  ["country", () => EVENTS.flatMap((e) => e.countries)],
  ["modality", () => EVENTS.map((e) => e.modality)],
  ["source", () => EVENTS.map((e) => e.source)],
];
const options = {};
function optionsOf(name, values) {
  if (!options[name]) {
    const counted = new Map();
    for (const value of values()) if (value) counted.set(value, (counted.get(value) || 0) + 1);
    options[name] = [...counted].sort((a, b) => name === "quad" ? (a[0] < b[0] ? -1 : 1) : b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 300).map(([v]) => v);
  }
  return options[name];
}
let hits = {query: "", docs: null};
function searched() {
  const query = fold(state.q || "").trim();
  if (!query) return null;
  if (hits.query !== query) hits = {query, docs: new Set(DOCS.filter((doc) => textOf(doc).includes(query)).map((doc) => doc.n))};
  return hits.docs;
}
const docFits = (doc, found) => (!state.language || doc.language === state.language) && (!found || found.has(doc.n)) && (!state.doc || state.view === "doc" || doc.n === +state.doc);
function eventFits(e, found) {
  return fitsButDays(e, found) && (!state.from || (e.to && e.to >= state.from)) && (!state.to || (e.from && e.from <= state.to))
    && (!state.period || inPeriod(e, state.period));
}
function fitsButDays(e, found) {
  return docFits(e.doc, found) && (!state.type || e.type === state.type) && (!state.quad || e.quad === +state.quad)
    && (!state.actor || e.actors.includes(state.actor)) && (!state.recipient || e.recipients.includes(state.recipient))
    && (!state.country || e.countries.includes(state.country)) && (!state.modality || e.modality === state.modality)
    && (!state.source || e.source === state.source);
}
const OF_DAYS = ["from", "to", "period"], OF_EVENTS = ["type", "quad", "recipient", "country", "source", ...OF_DAYS];
const eventFiltersSet = () => ["actor", ...OF_EVENTS].some((key) => state[key]);
function relationFits(r, found) {
  return docFits(r.doc, found) && (!state.modality || r.modality === state.modality) && (!state.actor || r.subject === state.actor || r.object === state.actor)
    && (!state.predicate || r.predicate === state.predicate);
}
function fitting() {
  const found = searched();
  const events = EVENTS.filter((e) => eventFits(e, found));
  const relations = RELATIONS.filter((r) => relationFits(r, found));
  const withFacts = new Set([...events, ...(eventFiltersSet() ? [] : relations)].map((f) => f.doc.n));
  const documents = DOCS.filter((d) => docFits(d, found) && (withFacts.has(d.n) || !(eventFiltersSet() || state.modality)));
  const dayless = OF_DAYS.some((key) => state[key]) ? EVENTS.filter((e) => !e.from && fitsButDays(e, found)).length : 0;
  return {events, relations, documents, dayless};
}
// What the filters leave out without being asked to, and what they cannot narrow.
const NAMED = {recipient: "whom", period: "day"};
function notes(fit) {
  const wider = ["relations", "graph"].includes(state.view) ? OF_EVENTS.filter((key) => state[key]).map((key) => w(NAMED[key] || key)) : [];
  const told = [wider.length && `${w("wider")} ${wider.join(state.ui === "en" ? ", " : "، ")}.`, !wider.length && fit.dayless && `${w("dayless")} ${fit.dayless.toLocaleString("en")}.`];
  return told.filter(Boolean).map((line) => el("p", {class: "none note", role: "status"}, line));
}

// ---------- frame
function drawFrame() {
  document.documentElement.lang = state.ui;
  document.documentElement.dir = state.ui === "en" ? "ltr" : "rtl";
  if (state.theme) document.documentElement.dataset.theme = state.theme; else delete document.documentElement.dataset.theme;
  $("top").replaceChildren(
    el("h1", null, words(DATA.about.title || "extractor")),
    el("nav", {"aria-label": w("facts")}, VIEWS.map((view) => el("button", {type: "button", "aria-current": state.view === view ? "page" : null, onclick: () => go({view, page: "1", sort: "", doc: "", fact: ""})}, w(view)))),
    el("div", {class: "tools"},
      el("select", {"aria-label": w("ui"), onchange: (e) => go({ui: e.target.value})}, [["en", "English"], ["fa", "فارسی"], ["ar", "العربية"]].map(([code, name]) => el("option", {value: code, selected: state.ui === code}, name))),
      el("button", {type: "button", "aria-label": w("theme"), title: w("theme"), onclick: () => go({theme: dark() ? "light" : "dark"})}, dark() ? "☀" : "☾")));
  const about = DATA.about;
  $("foot").replaceChildren(...[
    el("p", null, [about.made, about.prompt, ...MODELS].filter(Boolean).map((part, n) => [n ? " · " : "", words(String(part))])),
    about.pages && about.pages.length > 1 ? el("p", null, w("pages") + ": ", about.pages.map((name, n) => [n ? " · " : "", el("a", {href: name}, String(n + 1))])) : null,
    about.failures && about.failures.length ? el("details", null, el("summary", null, `${w("failures")}: ${about.failures.length}`), el("ul", null, about.failures.map((f) => el("li", null, words(f.document), " — ", words(f.message))))) : null,
  ].filter(Boolean));
}
const dark = () => state.theme ? state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

// While a year is typed a date field is 0002, 0020 and 0202 before it is 2024; half a date is an empty value.
const isYearWhole = (field) => field.value ? field.value >= "1000" : !field.validity.badInput;
function filters() {
  const box = el("form", {class: "filters", role: "search", onsubmit: (e) => e.preventDefault()});
  let timer = 0;
  box.append(el("label", null, w("search"), el("input", {type: "search", name: "q", value: state.q || "", dir: "auto", oninput: (e) => {
    clearTimeout(timer);
    timer = setTimeout(() => go({q: e.target.value, page: "1"}, true), 250);
  }})));
  for (const [name, values] of FILTERS) {
    const known = optionsOf(name, values);
    if (state[name] && !known.includes(state[name])) known.unshift(state[name]);
    box.append(el("label", null, w(name), el("select", {name, onchange: (e) => go({[name]: e.target.value, page: "1"})}, el("option", {value: ""}, w("all")),
      known.map((value) => el("option", {value, selected: state[name] === value}, name === "quad" ? w("q" + value) : name === "modality" ? w(value) : value)))));
  }
  for (const name of ["from", "to"]) box.append(el("label", null, w(name), el("input", {type: "date", name, value: state[name] || "", onchange: (e) => { if (isYearWhole(e.target)) go({[name]: e.target.value, page: "1"}); }})));
  box.append(filtersSet());
  return box;
}
// What is set, and how it is undone: drawn anew while the controls before it stay.
function filtersSet() {
  const box = el("span", {class: "set"});
  const set = ["q", "recipient", "predicate", "doc", "from", "to", "period", ...FILTERS.map(([name]) => name)].filter((key) => state[key]);
  if (set.length) box.append(el("button", {type: "button", onclick: () => go(Object.fromEntries(set.map((key) => [key, ""])))}, w("clear")));
  if (state.recipient) box.append(el("span", null, w("whom") + ": ", words(state.recipient)));
  if (state.period) box.append(el("span", null, w("when") + ": ", words(state.period.replace("/", " – "))));
  return box;
}
function counters(fit) {
  const entries = [["documents", fit.documents.length], ["events", fit.events.length], ["relations", fit.relations.length]];
  const entities = new Set(fit.documents.flatMap((d) => d.entities.map((e) => e[0]))).size;
  return el("ul", {class: "counts"}, entries.map(([view, n]) => el("li", null, el("button", {type: "button", "aria-pressed": String(state.view === view), onclick: () => go({view, page: "1"})}, el("b", null, n.toLocaleString("en")), w(view)))),
    el("li", null, el("button", {type: "button", onclick: () => go({view: "graph"})}, el("b", null, entities.toLocaleString("en")), w("distinct"))),
    el("li", null, el("button", {type: "button", onclick: () => go({view: "documents", sort: "-rejected"})}, el("b", null, fit.documents.reduce((n, d) => n + d.rejected, 0).toLocaleString("en")), w("rejected"))));
}

// ---------- tables
const PER_PAGE = 100;
function table(columns, rows, caption) {
  const [, back, sort] = /^(-?)(.*)$/.exec(state.sort);
  const column = columns.find((c) => c.key === sort);
  if (column) {
    const value = (row) => column.value(row);
    rows = [...rows].sort((a, b) => { const x = value(a), y = value(b); const none = (v) => v === null || v === undefined || v === ""; return x === y ? 0 : none(x) ? 1 : none(y) ? -1 : (x < y ? -1 : 1) * (back ? -1 : 1); });
  }
  const pages = Math.max(1, Math.ceil(rows.length / PER_PAGE)), page = Math.min(pages, Math.max(1, +state.page || 1));
  const body = rows.slice((page - 1) * PER_PAGE, page * PER_PAGE).map((row) => el("tr", null, columns.map((c) => el("td", {class: c.num ? "num" : null}, c.cell(row)))));
  const head = columns.map((c) => el("th", {scope: "col", class: c.num ? "num" : null, "aria-sort": c.key === sort ? (back ? "descending" : "ascending") : null},
    el("button", {type: "button", onclick: () => go({sort: state.sort === c.key ? "-" + c.key : c.key, page: "1"})}, c.name, c.key === sort ? (back ? " ▾" : " ▴") : "")));
  const pager = pages > 1 ? el("div", {class: "pager"},
    el("button", {type: "button", disabled: page === 1, onclick: () => go({page: String(page - 1)})}, w("less")),
    el("span", null, `${w("page")} ${page} ${w("of")} ${pages}`),
    el("button", {type: "button", disabled: page === pages, onclick: () => go({page: String(page + 1)})}, w("more"))) : null;
  return rows.length ? el("div", null, el("div", {class: "tablewrap"}, el("table", {"aria-label": caption}, el("thead", null, el("tr", null, head)), el("tbody", null, body))), pager) : el("p", {class: "none"}, w("nothing"));
}
const open = (doc, fact, label) => el("button", {type: "button", class: "open", onclick: () => go({view: "doc", doc: String(doc.n), fact: fact || ""})}, label);
const listed = (names) => names.flatMap((name, n) => [n ? "، ".slice(0, state.ui === "en" ? 0 : 2) || ", " : "", words(name)]);
const days = (e) => e.from ? (e.from === e.to ? e.from : `${e.from} – ${e.to}`) : "";
const dates = (e) => e.from ? [e.from, e.to].filter((day, n) => !n || day !== e.from).map((day, n) => [n ? " – " : "", el("bdi", {class: "whole", dir: "ltr"}, day)]) : "";
// In a direction of its own, so that a minus stays before its number.
const signed = (score) => el("bdi", {class: "whole", dir: "ltr"}, score.toFixed(1));
const kind = (e) => el("span", {class: "tag q" + e.quad, title: (DATA.ontology.types[e.type] || [])[2] || ""}, e.type + (e.modes.length ? "/" + e.modes.join(",") : ""));
const mod = (m) => m === "asserted" ? "" : el("span", {class: "mod"}, w(m));
function eventTable(events) {
  return table([
    {key: "day", name: w("day"), value: (e) => e.from, cell: (e) => dates(e)},
    {key: "type", name: w("type"), value: (e) => e.type, cell: (e) => [kind(e), " ", mod(e.modality)]},
    {key: "actor", name: w("who"), value: (e) => e.actors.join(), cell: (e) => listed(e.actors)},
    {key: "whom", name: w("whom"), value: (e) => e.recipients.join(), cell: (e) => listed(e.recipients)},
    {key: "source", name: w("says"), value: (e) => e.source, cell: (e) => e.source ? words(e.source) : ""},
    {key: "evidence", name: w("evidence"), value: (e) => e.evidence, cell: (e) => open(e.doc, e.id, words(e.evidence))},
    {key: "score", name: w("score"), num: true, value: (e) => e.score, cell: (e) => signed(e.score)},
  ], events, w("events"));
}
function relationTable(relations) {
  return table([
    {key: "subject", name: w("subject"), value: (r) => r.subject, cell: (r) => words(r.subject)},
    {key: "predicate", name: w("predicate"), value: (r) => r.predicate, cell: (r) => [predicate(r), " ", mod(r.modality)]},
    {key: "object", name: w("object"), value: (r) => r.object, cell: (r) => words(r.object)},
    {key: "evidence", name: w("evidence"), value: (r) => r.evidence, cell: (r) => open(r.doc, r.id, words(r.evidence))},
  ], relations, w("relations"));
}
function predicate(r) {
  const name = el("span", {class: "tag rel"}, r.predicate.replaceAll("_", " "));
  return r.wikidata ? [name, " ", el("a", {href: "https://www.wikidata.org/wiki/Property:" + encodeURIComponent(r.wikidata), rel: "noopener noreferrer", target: "_blank"}, r.wikidata)] : name;
}
// A number that leads to what it counts.
const leads = (n, to) => n ? el("button", {type: "button", class: "open", onclick: () => go({...to, page: "1", sort: ""})}, n.toLocaleString("en")) : "0";
function documentTable(documents, fit) {
  const per = new Map();
  for (const e of fit.events) per.set(e.doc.n, (per.get(e.doc.n) || 0) + 1);
  return table([
    {key: "title", name: w("title"), value: (d) => d.title, cell: (d) => open(d, "", words(d.title || d.id))},
    {key: "language", name: w("language"), value: (d) => d.language, cell: (d) => d.language},
    {key: "published", name: w("published"), value: (d) => d.published, cell: (d) => d.published || ""},
    {key: "events", name: w("events"), num: true, value: (d) => per.get(d.n) || 0, cell: (d) => leads(per.get(d.n) || 0, {view: "events", doc: String(d.n)})},
    {key: "relations", name: w("relations"), num: true, value: (d) => d.relations.length, cell: (d) => leads(d.relations.length, {view: "relations", doc: String(d.n)})},
    {key: "rejected", name: w("rejected"), num: true, value: (d) => d.rejected, cell: (d) => leads(d.rejected, {view: "doc", doc: String(d.n)})},
  ], documents, w("documents"));
}
const legend = () => el("p", {class: "legend"}, [1, 2, 3, 4].map((q) => el("span", {class: "tag q" + q}, w("q" + q))), el("span", {class: "tag rel"}, w("relation")));

// ---------- time line
// By how much of the date names a bar (a year, a month, a day): the most days that an event may last and still be drawn in one.
const LONGEST = {4: 366, 7: 93, 10: 7};
const lasts = (e) => (Date.parse(e.to) - Date.parse(e.from)) / 864e5 + 1;
// A period is what one bar or one long interval counts: "2025-09", or "2024-01-01/2024-12-31".
function inPeriod(e, period) {
  if (!e.from) return false;
  return period.includes("/") ? `${e.from}/${e.to}` === period : e.from.startsWith(period) && lasts(e) <= LONGEST[period.length];
}
function cutFor(dated) {
  const short = dated.filter((e) => lasts(e) <= LONGEST[7]), starts = (short.length ? short : dated).map((e) => e.from).sort();
  const wide = (Date.parse(starts.at(-1)) - Date.parse(starts[0])) / 864e5;
  return starts.at(-1).slice(0, 4) - starts[0].slice(0, 4) > 8 ? 4 : wide > 120 ? 7 : 10;
}
// Every bar's name from the first to the last, of those without events too: the axis is time.
function barsBetween(first, last, cut) {
  const names = [], day = new Date(first.slice(0, cut) + "-01-01".slice(cut - 4));
  for (let name = first.slice(0, cut); name <= last.slice(0, cut); name = day.toISOString().slice(0, cut)) {
    names.push(name);
    if (cut === 4) day.setUTCFullYear(day.getUTCFullYear() + 1); else if (cut === 7) day.setUTCMonth(day.getUTCMonth() + 1); else day.setUTCDate(day.getUTCDate() + 1);
  }
  return names;
}
function timeline(events) {
  const dated = events.filter((e) => e.from);
  if (!dated.length) return el("p", {class: "none"}, w("nothing"));
  const cut = cutFor(dated), placed = dated.filter((e) => lasts(e) <= LONGEST[cut]), longer = dated.filter((e) => lasts(e) > LONGEST[cut]);
  const none = events.length - dated.length;
  return el("div", null, legend(), placed.length ? el("div", {class: "tablewrap", dir: "ltr"}, bars(placed, cut)) : null,
    longer.length ? longerPeriods(longer) : null, none ? el("p", {class: "none"}, `${none} ${w("undated")}`) : null);
}
function bars(placed, cut) {
  const starts = placed.map((e) => e.from).sort(), keys = barsBetween(starts[0], starts.at(-1), cut);
  const bins = new Map(keys.map((key) => [key, [0, 0, 0, 0]]));
  for (const e of placed) bins.get(e.from.slice(0, cut))[e.quad - 1]++;
  const sum = (bin) => bin.reduce((x, y) => x + y), most = Math.max(...[...bins.values()].map(sum));
  const step = Math.max(5, Math.min(48, 1100 / keys.length)), thick = step - (step > 12 ? 3 : 1), height = 240, width = Math.max(320, keys.length * step + 70);
  const svg = el("svg", {viewBox: `0 0 ${width} ${height + 70}`, width, height: height + 70, role: "img", "aria-label": w("timeline")});
  svg.append(svgText({x: 2, y: 14}, String(most)), el("line", {class: "axis", x1: 30, x2: width, y1: height, y2: height}));
  keys.forEach((key, n) => {
    const x = 34 + n * step, count = sum(bins.get(key));
    if (count) svg.append(bar(key, count, bins.get(key), {x, thick, height, scale: (height - 20) / most}));
    if (n % Math.ceil(keys.length / 40) === 0) svg.append(svgText({x: 0, y: 0, transform: `translate(${x + step / 2} ${height + 8}) rotate(60)`}, key));
  });
  return svg;
}
function bar(key, count, quads, {x, thick, height, scale}) {
  let y = height;
  const node = el("g", {role: "button", tabindex: "0", "aria-label": `${key}: ${count} ${w("events")}`}), act = () => go({view: "events", period: key, page: "1"});
  node.addEventListener("click", act); node.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); act(); } });
  quads.forEach((some, q) => { if (some) { y -= some * scale; node.append(el("rect", {class: "b" + (q + 1), x, y, width: thick, height: some * scale})); } });
  node.append(el("rect", {x, y: 0, width: thick, height, fill: "transparent"}));
  return node;
}
function longerPeriods(events) {
  const counts = new Map();
  for (const e of events) counts.set(`${e.from}/${e.to}`, (counts.get(`${e.from}/${e.to}`) || 0) + 1);
  return el("section", {class: "longer"}, el("h3", null, w("longer")), [...counts].sort().map(([period, n]) =>
    el("button", {type: "button", onclick: () => go({view: "events", period, page: "1"})}, el("bdi", {dir: "ltr"}, period.replace("/", " – ")), " ", el("b", null, n.toLocaleString("en")))));
}

// ---------- who to whom
const MOST_IN_MATRIX = 24, MOST_IN_GRAPH = 90;
// What a picture has room for, where that is not all.
const part = (shown, all) => shown < all ? ` ${w("most")}: ${shown} / ${all.toLocaleString("en")}.` : "";
// What was only planned, supposed or denied has the score of the deed itself: it would colour a cell by what did not happen.
function matrix(events) {
  const wanted = state.modality || "asserted", counted = events.filter((e) => e.modality === wanted);
  const weight = new Map(), cells = new Map();
  for (const e of counted) for (const a of e.actors) for (const b of e.recipients) {
    const key = JSON.stringify([a, b]), cell = cells.get(key) || {n: 0, score: 0};
    cell.n++; cell.score += e.score; cells.set(key, cell);
    weight.set(a, (weight.get(a) || 0) + 1); weight.set(b, (weight.get(b) || 0) + 1);
  }
  const names = [...weight].sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1)).slice(0, MOST_IN_MATRIX).map(([name]) => name);
  const note = el("p", {class: "none", id: "matrix-note"}, w("rows"), " ", state.modality ? `${w("only")} ${w(wanted)}.` : `${w("leftout")} ${events.length - counted.length}.`, part(names.length, weight.size));
  if (!names.length) return el("div", null, note, el("p", {class: "none"}, w("nothing")));
  const tone = (score) => score >= 7 ? 2 : score >= 0 ? 1 : score > -4 ? 3 : 4;
  const head = (name) => words([...name].length > 34 ? [...name].slice(0, 33).join("") + "…" : name);
  return el("div", null, legend(), note, el("div", {class: "tablewrap"}, el("table", {class: "matrix", "aria-label": w("matrix"), "aria-describedby": "matrix-note"},
    el("thead", null, el("tr", null, el("td", {class: "corner"}, `${w("who")} ↓`, el("br"), `${w("whom")} ${state.ui === "en" ? "→" : "←"}`), names.map((name) => el("th", {scope: "col"}, el("span", {title: name}, head(name)))))),
    el("tbody", null, names.map((a) => el("tr", null, el("th", {scope: "row", title: a}, head(a)), names.map((b) => {
      const cell = cells.get(JSON.stringify([a, b]));
      return el("td", {class: cell ? "q" + tone(cell.score / cell.n) : null}, cell ? el("button", {type: "button", "aria-label": `${a} → ${b}: ${cell.n}`, onclick: () => go({view: "events", actor: a, recipient: b, modality: wanted, page: "1"})}, String(cell.n)) : "");
    })))))));
}

// ---------- network: springs between linked entities, charges between all; the same picture every time
function graph(relations) {
  const degree = new Map();
  for (const r of relations) for (const end of [r.subject, r.object]) degree.set(end, (degree.get(end) || 0) + 1);
  const names = [...degree].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_IN_GRAPH).map(([name]) => name);
  if (!names.length) return el("p", {class: "none"}, w("nothing"));
  const at = new Map(names.map((name, n) => [name, n]));
  const edges = relations.filter((r) => at.has(r.subject) && at.has(r.object)).map((r) => ({r, a: at.get(r.subject), b: at.get(r.object)}));
  const places = layout(names.length, edges), W = 1200, H = 760;
  const svg = el("svg", {class: "graph", viewBox: `0 0 ${W} ${H}`, role: "group", "aria-label": w("graph")});
  const lines = edges.map((e) => el("line", {})), nodes = names.map((name) => el("g", {role: "button", tabindex: "0", "aria-label": `${name}: ${degree.get(name)} ${w("relations")}`}));
  const placeAll = () => {
    edges.forEach((e, n) => { lines[n].setAttribute("x1", places[e.a].x); lines[n].setAttribute("y1", places[e.a].y); lines[n].setAttribute("x2", places[e.b].x); lines[n].setAttribute("y2", places[e.b].y); });
    nodes.forEach((node, n) => node.setAttribute("transform", `translate(${places[n].x} ${places[n].y})`));
  };
  names.forEach((name, n) => {
    const r = 4 + Math.min(14, 2.2 * Math.sqrt(degree.get(name)));
    nodes[n].append(el("circle", {r}), svgText({x: 0, y: -r - 4, "text-anchor": "middle", "font-size": degree.get(name) > 3 ? 14 : 11}, name.length > 34 ? name.slice(0, 33) + "…" : name));
    const choose = () => { select(n); };
    nodes[n].addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); choose(); } });
    nodes[n].addEventListener("pointerdown", (e) => {
      choose(); nodes[n].setPointerCapture(e.pointerId);
      const move = (m) => { const box = svg.getBoundingClientRect(), scale = Math.min(box.width / W, box.height / H); places[n].x += m.movementX / scale; places[n].y += m.movementY / scale; placeAll(); };
      nodes[n].addEventListener("pointermove", move);
      nodes[n].addEventListener("pointerup", () => nodes[n].removeEventListener("pointermove", move), {once: true});
    });
  });
  const shown = el("div", {"aria-live": "polite"});
  const select = (n) => {
    nodes.forEach((node, m) => node.classList.toggle("on", m === n));
    edges.forEach((e, m) => lines[m].classList.toggle("edge-on", e.a === n || e.b === n));
    shown.replaceChildren(el("h2", null, words(names[n])), relationTable(edges.filter((e) => e.a === n || e.b === n).map((e) => e.r)));
  };
  svg.append(...lines, ...nodes);
  placeAll();
  return el("div", null, el("p", {class: "none"}, w("drag"), part(names.length, degree.size)), svg, shown);
}
function layout(count, edges) {
  const W = 1200, H = 760, k = 60, places = [];
  for (let n = 0; n < count; n++) { const angle = n * 2.39996, radius = 12 + 34 * Math.sqrt(n); places.push({x: radius * Math.cos(angle), y: 0.7 * radius * Math.sin(angle), dx: 0, dy: 0}); }
  for (let round = 0, heat = 60; round < 300; round++, heat *= 0.984) {
    for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) {
      const x = places[a].x - places[b].x || 0.1, y = places[a].y - places[b].y || 0.1, d2 = Math.max(30, x * x + 2.2 * y * y);
      if (d2 > 60 * k * k) continue;
      const f = k * k / d2;
      places[a].dx += x * f; places[a].dy += 1.4 * y * f; places[b].dx -= x * f; places[b].dy -= 1.4 * y * f;
    }
    for (const e of edges) { const x = places[e.a].x - places[e.b].x, y = places[e.a].y - places[e.b].y, f = (Math.hypot(x, y) || 1) / k / 2; places[e.a].dx -= x * f; places[e.a].dy -= y * f; places[e.b].dx += x * f; places[e.b].dy += y * f; }
    for (const p of places) {
      p.dx -= p.x * 0.06; p.dy -= p.y * 0.12;
      const d = Math.hypot(p.dx, p.dy) || 1, s = Math.min(d, heat) / d;
      p.x += p.dx * s; p.y += p.dy * s; p.dx = p.dy = 0;
    }
  }
  // The picture fills the frame, whatever the size it grew to.
  const span = (key, from, to) => { const values = places.map((p) => p[key]), low = Math.min(...values), high = Math.max(...values); for (const p of places) p[key] = from + (p[key] - low) / (high - low || 1) * (to - from); };
  span("x", 80, W - 80); span("y", 34, H - 20);
  return places;
}

// ---------- one document
function documentView() {
  const doc = $("doc-" + state.doc) ? full(+state.doc) : null;
  if (!doc) return el("p", {class: "none"}, w("nothing"));
  const names = new Map(doc.entities.map((e) => [e.id, e]));
  const facts = [...doc.events.map((f) => ({...f, kind: "event"})), ...doc.relations.map((f) => ({...f, kind: "relation"}))].sort((a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1]);
  const text = el("div", {class: "text", dir: doc.dir, lang: doc.language, id: "text", tabindex: "0", role: "region", "aria-label": doc.title || doc.id}, pieces(doc, facts));
  const cards = el("section", {class: "cards", "aria-label": w("facts")}, facts.map((f) => card(f, names, doc)));
  const rejected = doc.rejections.length ? [el("h3", null, `${w("rejected")}: ${doc.rejections.length}`), el("div", {class: "cards"}, doc.rejections.map(([kindOf, reason, detail, quote]) =>
    el("article", {class: "card crej"}, el("div", {class: "head"}, el("span", {class: "tag"}, kindOf), el("span", null, reason)), el("p", {class: "say"}, words(detail)), quote ? el("p", {class: "say"}, words("“" + quote + "”")) : null)))] : [];
  const p = doc.provenance;
  const made = el("details", null, el("summary", null, w("provenance")), el("dl", null, Object.entries(p).flatMap(([key, value]) => [el("dt", null, key.replaceAll("_", " ")), el("dd", null, words(typeof value === "string" ? value : JSON.stringify(value)))])));
  return el("div", null,
    el("p", null, el("button", {type: "button", onclick: () => go({view: "events", doc: "", fact: ""})}, "‹ " + w("back"))),
    el("h2", {dir: doc.dir, lang: doc.language}, words(doc.title)),
    el("p", {class: "meta"}, words(doc.id), " · ", doc.published || "", " · ", doc.language || "", doc.url ? [" · ", el("a", {href: doc.url, rel: "noopener noreferrer", target: "_blank"}, words(doc.url))] : null),
    legend(),
    el("div", {class: "reading", dir: doc.dir}, text, el("aside", {dir: state.ui === "en" ? "ltr" : "rtl"}, cards, rejected, el("div", {class: "card"}, made))));
}
// The text cut at every border of every span, so that each piece knows all that stands over it.
function pieces(doc, facts) {
  const marks = [];
  for (const f of facts) for (const [a, b] of f.parts.length ? f.parts : [f.at]) marks.push({a, b, fact: f});
  for (const e of doc.events) if (e.trigger) marks.push({a: e.trigger[0], b: e.trigger[1], trigger: true});
  for (const e of doc.entities) for (const [a, b] of e.at) marks.push({a, b, entity: e});
  const borders = [...new Set([0, doc.text.length, ...marks.flatMap((m) => [m.a, m.b])])].sort((x, y) => x - y);
  marks.sort((x, y) => x.a - y.a);
  const out = [];
  let active = [], next = 0;
  for (let n = 0; n + 1 < borders.length; n++) {
    const [a, b] = [borders[n], borders[n + 1]];
    while (next < marks.length && marks[next].a <= a) active.push(marks[next++]);
    active = active.filter((m) => m.b > a);
    out.push(piece(doc.text.slice(a, b), active));
  }
  return out;
}
function piece(text, active) {
  const facts = active.filter((m) => m.fact).map((m) => m.fact), first = facts.find((f) => f.kind === "event") || facts[0];
  const entity = active.find((m) => m.entity), trigger = active.some((m) => m.trigger);
  const inside = visible(text);
  if (!first && !entity && !trigger) return inside;
  const classes = [first && "f", first && (first.kind === "event" ? "q" + first.quad : "rel"), trigger && "t", entity && "e"].filter(Boolean).join(" ");
  const node = el("span", {class: classes, title: entity ? [entity.entity.name_en, entity.entity.type, entity.entity.country].filter(Boolean).join(" · ") : null}, inside);
  if (first) {
    const ids = facts.map((f) => f.id);
    node.dataset.facts = ids.join(" ");
    node.addEventListener("click", () => { const now = ids.indexOf(state.fact); go({fact: ids[(now + 1) % ids.length]}, true); const target = $("card-" + state.fact); if (target) { target.scrollIntoView({block: "center"}); target.focus({preventScroll: true}); } });
  }
  return node;
}
function visible(text) {
  const out = [];
  let last = 0;
  for (const match of text.matchAll(CONTROLS)) { if (match[0] === "\r") continue; out.push(text.slice(last, match.index), control(match[0])); last = match.index + match[0].length; }
  out.push(text.slice(last));
  return out;
}
function card(f, names, doc) {
  const show = () => { go({fact: f.id}, true); const spot = document.querySelector(`[data-facts~="${CSS.escape(f.id)}"]`); if (spot) spot.scrollIntoView({block: "center"}); };
  const people = (ids) => ids.flatMap((id, n) => [n ? ", " : "", entityName(names.get(id))]);
  const rows = [];
  const row = (name, value) => { if (value && (!Array.isArray(value) || value.length)) rows.push(el("dt", null, name), el("dd", null, value)); };
  if (f.kind === "event") {
    row(w("who"), people(f.actors)); row(w("whom"), people(f.recipients));
    row(w("also"), f.participants.flatMap((p, n) => [n ? ", " : "", p.role + ": ", entityName(names.get(p.entity))]));
    row(w("where"), f.place ? entityName(names.get(f.place)) : null);
  }
  row(w("when"), f.time ? [words(f.time.text), f.time.anchor ? [" (", w("counted"), " ", words(f.time.anchor), ")"] : null, " → ", f.time.interval ? `${days({from: f.time.interval.start, to: f.time.interval.end})} (${f.time.interval.calendar}, ${f.time.interval.precision.replaceAll("_", " ")}${f.time.interval.flags.length ? ", " + f.time.interval.flags.join(" ") : ""})` : el("i", null, w("unresolved"))] : null);
  row(w("says"), f.source ? entityName(names.get(f.source)) : null);
  row(w("modality"), f.modality === "asserted" ? null : mod(f.modality));
  if (f.kind === "event") row(w("counts"), [["dead", f.dead], ["injured", f.injured], ["arrested", f.arrested], ["amount", f.amount]].filter(([, v]) => v !== null).flatMap(([k, v], n) => [n ? ", " : "", k + " ", words(String(v))]));
  const head = f.kind === "event"
    ? el("div", {class: "head"}, kind(f), el("span", {title: w("score")}, signed(f.score)))
    : el("div", {class: "head"}, el("span", null, entityName(names.get(f.subject)), " ", predicate(f), " ", entityName(names.get(f.object))));
  const context = f.kind === "event" && f.contexts.length ? el("span", null, f.contexts.join(", ").replaceAll("_", " ")) : null;
  return el("article", {class: `card ${f.kind === "event" ? "c" + f.quad : "crel"}${state.fact === f.id ? " on" : ""}`, id: "card-" + f.id, tabindex: "-1"},
    head, f.kind === "event" ? el("p", {class: "none say"}, (DATA.ontology.types[f.type] || [])[2] || "") : null, el("dl", null, rows), context,
    el("button", {type: "button", class: "go", onclick: show, title: w("show")}, words("“" + f.quote + "”"), f.how !== "exact" ? ` (${f.how})` : ""));
}
function entityName(e) {
  if (!e) return "?";
  const node = el("span", null, words(e.name));
  if (e.name_en && e.name_en !== e.name) node.append(" (", words(e.name_en), ")");
  return node;
}
function light() {
  for (const node of document.querySelectorAll(".text .on, .card.on")) node.classList.remove("on");
  if (!state.fact) return;
  for (const node of document.querySelectorAll(`[data-facts~="${CSS.escape(state.fact)}"]`)) node.classList.add("on");
  const chosen = $("card-" + state.fact);
  if (chosen) chosen.classList.add("on");
}

// ---------- drawing
let drawn = "";
// What has the focus keeps it when the page is drawn anew: the control of the same name, or the one at the same place.
const FOCUSABLE = "button, select, input, a, summary";
function focused() {
  const held = document.activeElement, part = held && held.closest("#top, #main, #foot");
  if (!part || part === held) return () => {};
  const [id, name, place, view] = [part.id, held.name, [...part.querySelectorAll(FOCUSABLE)].indexOf(held), state.view];
  return () => {
    if (id === "main" && state.view !== view) return $("main").focus({preventScroll: true});
    const controls = [...$(id).querySelectorAll(FOCUSABLE)], next = (name && controls.find((one) => one.name === name)) || controls[place];
    if (!next || next === document.activeElement) return;
    next.focus({preventScroll: true});
  };
}
function draw() {
  const refocus = focused();
  redraw();
  refocus();
  if (toTop && state.view !== "doc") scrollTo({top: 0, behavior: "instant"});
  toTop = false;
}
function redraw() {
  readState();
  const same = drawn === JSON.stringify({...state, fact: ""});
  if (same && state.view === "doc") return light();
  drawn = JSON.stringify({...state, fact: ""});
  drawFrame();
  const main = $("main");
  if (state.view === "doc") {
    main.replaceChildren(documentView());
    light();
    const spot = state.fact && document.querySelector(`[data-facts~="${CSS.escape(state.fact)}"]`);
    if (spot) spot.scrollIntoView({block: "center"}); else scrollTo(0, 0);
    return;
  }
  const fit = fitting();
  const view = {events: () => [legend(), eventTable(fit.events)], relations: () => relationTable(fit.relations), documents: () => documentTable(fit.documents, fit),
    timeline: () => timeline(fit.events), matrix: () => matrix(fit.events), graph: () => graph(fit.relations)}[state.view];
  const below = [counters(fit), notes(fit), view ? view() : ""].flat().filter(Boolean), form = main.querySelector("form.filters");
  // The control that is in use stays where it is: a list that is walked through by typing, a date half typed.
  if (form && document.activeElement.name && form.contains(document.activeElement)) {
    form.querySelector(".set").replaceWith(filtersSet());
    while (form.nextSibling) form.nextSibling.remove();
    form.after(...below);
  } else main.replaceChildren(el("div", null, filters(), below));
}
document.querySelector("[data-skip]").addEventListener("click", (e) => { e.preventDefault(); $("main").focus(); });
addEventListener("hashchange", draw);
draw();
document.documentElement.dataset.ready = "1";
})();
