"use strict";
// The table. Only the rows in sight are in the document, between two spaces that stand for all others. The table keeps
// the keyboard's focus itself and names its active row, so that no focus is lost when rows come and go.

const PRINTED_ROWS = 1000;
const MARGIN_ROWS = 8; // rendered above and below what is in sight
const MAX_HEIGHT = 12e6; // browsers lay out no element higher than about 17 million pixels
let shown = []; // what passes the filters, sorted
let active = 0; // index into shown
let rendered = ""; // which rows are in the document
let printing = false;

const space = () => element("tr", { class: "space", "aria-hidden": "true" }, element("td", { colspan: 7 }));
const above = space();
const below = space();

function showColumns() {
  const heads = Object.keys(COLUMNS).map((column) => {
    const name = column.charAt(0).toUpperCase() + column.slice(1);
    const head = button({ click: () => sortBy(column) }, name);
    return element("th", { scope: "col", role: "columnheader", class: column, "data-column": column }, head);
  });
  byId("columns").replaceChildren(...heads);
}

// A column sorts up, then down, then the table is worst first again.
function sortBy(column) {
  if (sorting.column !== column) Object.assign(sorting, { column, down: false });
  else if (!sorting.down) sorting.down = true;
  else Object.assign(sorting, { column: "", down: false });
  refresh();
}

// After any change of filters, order or findings.
function refresh({ keepPlace = false } = {}) {
  const current = opened || (keepPlace && shown[active]);
  shown = sorted(filtered());
  active = Math.max(0, current ? shown.indexOf(current) : 0);
  if (!keepPlace) writeHash();
  showChoices();
  const total = `${formatted(findings.length)} findings`;
  const some = shown.length === findings.length ? total : `${formatted(shown.length)} of ${total}`;
  byId("count").textContent = loading ? `${some}, loading …` : some;
  byId("table").setAttribute("aria-rowcount", shown.length + 1);
  byId("empty").textContent = findings.length ? "No finding matches the filters." : "The audit has no findings.";
  byId("empty").hidden = loading || shown.length > 0;
  const place = bodyTop() - stickyHeight();
  if (!keepPlace && window.scrollY > place) window.scrollTo(0, place);
  render(true);
  if (opened && !keepPlace) showDetail(opened, false);
}

const rowHeight = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
const bodyTop = () => byId("rows").getBoundingClientRect().top + window.scrollY;

// What covers the table's first rows while the page is scrolled.
function stickyHeight() {
  const sticky = [byId("filters"), byId("columns").parentElement]
    .filter((part) => getComputedStyle(part).position === "sticky");
  return sticky.reduce((sum, part) => sum + part.offsetHeight, 0);
}

// Rows that together are higher than a page can be are scrolled through faster: `scale` rows' pixels per pixel.
function geometry() {
  const height = rowHeight();
  const full = shown.length * height;
  const total = Math.min(full, MAX_HEIGHT);
  const view = window.innerHeight;
  const scale = total > view ? (full - view) / (total - view) : 1;
  return { height, total, view, scale, top: bodyTop() };
}

function render(anew = false) {
  if (printing) return;
  const { height, total, view, scale, top } = geometry();
  const scrolled = Math.max(0, Math.min(window.scrollY - top, total - view));
  const offset = scrolled * scale;
  const first = Math.max(0, Math.floor(offset / height) - MARGIN_ROWS);
  const last = Math.min(shown.length, Math.ceil((offset + view) / height) + MARGIN_ROWS);
  const start = Math.max(0, scrolled - offset + first * height);
  if (!anew && rendered === `${first} ${last} ${start}`) return;
  rendered = `${first} ${last} ${start}`;
  above.firstChild.style.height = `${start}px`;
  below.firstChild.style.height = `${Math.max(0, total - start - (last - first) * height)}px`;
  byId("rows").replaceChildren(above, ...rows(first, last), below);
  markActive();
}

const rows = (first, last) => shown.slice(first, last).map((finding, i) => tableRow(finding, first + i));

function tableRow(f, index) {
  const cell = (column, content) => element("td", { role: "gridcell", class: column }, content);
  const text = (column) => {
    const value = COLUMNS[column](f);
    return element("td", { role: "gridcell", class: column, title: value }, value);
  };
  return element(
    "tr", { role: "row", id: `row-${index}`, "data-index": index, "aria-rowindex": index + 2 },
    cell("status", badge(f.status)), cell("severity", level(f.check.severity)),
    ...["check", "title", "region", "resource", "message"].map(text),
  );
}

function markActive() {
  for (const row of byId("rows").querySelectorAll("[data-index]")) {
    row.setAttribute("aria-selected", Number(row.dataset.index) === active);
  }
  const row = byId(`row-${active}`);
  if (row) byId("table").setAttribute("aria-activedescendant", row.id);
  else byId("table").removeAttribute("aria-activedescendant");
}

// Make a row the active one and bring it into sight.
function move(index) {
  if (!shown.length) return;
  active = Math.max(0, Math.min(shown.length - 1, index));
  const { height, scale, view, top } = geometry();
  const scrolled = window.scrollY - top; // negative while the table starts below the window's upper edge
  const offset = scrolled > 0 ? scrolled * scale : scrolled;
  const highest = active * height - stickyHeight();
  const lowest = (active + 1) * height - view;
  const wanted = Math.max(lowest, Math.min(highest, offset));
  if (wanted !== offset) window.scrollTo(0, top + (wanted > 0 ? wanted / scale : wanted));
  render();
  markActive();
}

function onTableKey(event) {
  if (event.target !== byId("table") || event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(1, Math.floor((window.innerHeight - stickyHeight()) / rowHeight()) - 1);
  const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -shown.length, End: shown.length };
  if (event.key in steps) move(active + steps[event.key]);
  else if ((event.key === "Enter" || event.key === " ") && shown.length) showDetail(shown[active]);
  else return;
  event.preventDefault();
}

function onTableClick(event) {
  const row = event.target.closest("[data-index]");
  if (!row || String(getSelection())) return; // text was selected, not a row clicked
  active = Number(row.dataset.index);
  markActive();
  showDetail(shown[active]);
}

// ---- paper has no scrolling: the filtered rows themselves, up to a sensible number ----
function beforePrint() {
  printing = true;
  const total = `${formatted(shown.length)} of ${formatted(findings.length)} findings`;
  const cut = `the first ${formatted(PRINTED_ROWS)} are printed, filter the report for others`;
  const filters = Object.entries(chosen)
    .filter(([, values]) => values.size)
    .map(([facet, values]) => `${facet} ${[...values].join(" or ")}`);
  if (search) filters.push(`search “${search}”`);
  const notes = [total, ...filters, shown.length > PRINTED_ROWS && cut];
  byId("printed").textContent = notes.filter(Boolean).join("; ");
  byId("rows").replaceChildren(...rows(0, PRINTED_ROWS));
}

function afterPrint() {
  printing = false;
  render(true);
}
