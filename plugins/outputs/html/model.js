"use strict";
// The findings, and which of them are shown in which order. Nothing here touches the document but for reading the data
// blocks behind the scripts: each is lines of JSON, deflated, in base64.

const STATUSES = ["FAIL", "ERROR", "WARNING", "INFO", "PASS"];
const SEVERITIES = ["critical", "high", "medium", "low", "informational"];
const collator = new Intl.Collator("en", { numeric: true });

class Finding {
  constructor(row, check, audit) {
    this.check = check;
    this.audit = audit;
    this.status = same(row[1]);
    this.region = same(row[2]);
    this.resource = row[3];
    this.arn = row[4];
    this.type = row[5] ? same(row[5]) : check.type;
    this.message = row[6] || check.title;
    this.digest = row[7];
    this.tags = row[8] || {};
    this.baseline = same(row[9] || "");
  }

  get id() {
    return `auditest-${this.check.id}-${this.audit.account}-${this.region}-${this.digest}`;
  }
}

// One copy of a text that many findings have.
const texts = new Map();
function same(text) {
  if (!texts.has(text)) texts.set(text, text);
  return texts.get(text);
}

const findings = [];
const checks = new Map(); // id -> check
const tally = { status: new Map(), region: new Map(), account: new Map() };
let audit = null; // what the lines that follow belong to

function readLine(line) {
  if (!Array.isArray(line)) {
    if (line.audit) audit = line.audit;
    if (line.check && !checks.has(line.check.id)) checks.set(line.check.id, prepared(line.check));
    return;
  }
  const finding = new Finding(line, checks.get(line[0]), audit);
  findings.push(finding);
  finding.check.count += 1;
  if (finding.status === "FAIL") finding.check.fails += 1;
  add(tally.status, finding.status, 1);
  add(tally.region, finding.region, 1);
  add(tally.account, audit.account, 1);
}

function prepared(check) {
  const groupIds = check.groups.map(([id]) => id);
  const text = [check.id, check.number, check.title, check.service, check.severity, check.remediation, ...groupIds];
  return { ...check, groupIds, text: text.join("\n").toLowerCase(), count: 0, fails: 0 };
}

function add(counts, name, count) {
  counts.set(name, (counts.get(name) || 0) + count);
}

// Findings per value of something that checks have.
function countBy(valuesOf) {
  const counts = new Map();
  for (const check of checks.values()) {
    for (const value of valuesOf(check)) add(counts, value, check.count);
  }
  return counts;
}

// ---- reading the data blocks, also those that the page has not received yet ----
async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const written = Promise.all([writer.write(bytes), writer.close()]);
  const [text] = await Promise.all([new Response(stream.readable).text(), written]);
  return text;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Calls `progress` after every block; gives the number of blocks that could not be read.
async function load(progress) {
  let damaged = 0;
  for (;;) {
    const block = document.querySelector("script.findings");
    const received = document.readyState !== "loading";
    if (!received && !block?.nextElementSibling) {
      await pause(10);
      continue;
    }
    if (!block) return damaged;
    block.remove();
    try {
      const lines = (await unpack(block.textContent)).trimEnd().split("\n");
      for (const line of lines) readLine(JSON.parse(line));
    } catch (error) {
      console.error(error);
      damaged += 1;
    }
    progress();
  }
}

// ---- filters: the chosen values of a facet are alternatives, all facets must match ----
const FACETS = {
  status: (f) => [f.status],
  severity: (f) => [f.check.severity],
  service: (f) => [f.check.service],
  region: (f) => [f.region],
  group: (f) => f.check.groupIds,
  check: (f) => [f.check.id],
  account: (f) => [f.audit.account],
  baseline: (f) => [f.baseline],
};
const chosen = Object.fromEntries(Object.keys(FACETS).map((facet) => [facet, new Set()]));
let search = "";

const isFiltered = () => Boolean(search) || Object.values(chosen).some((values) => values.size);

function filtered() {
  const facets = Object.keys(FACETS).filter((facet) => chosen[facet].size);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!facets.length && !words.length) return findings.slice();
  return findings.filter((f) => {
    if (!facets.every((facet) => FACETS[facet](f).some((value) => chosen[facet].has(value)))) return false;
    if (!words.length) return true;
    const text = [f.resource, f.arn, f.message, f.id, f.type].join("\n").toLowerCase();
    return words.every((word) => f.check.text.includes(word) || text.includes(word));
  });
}

// ---- order ----
const COLUMNS = {
  status: (f) => f.status,
  severity: (f) => f.check.severity,
  check: (f) => f.check.number,
  title: (f) => f.check.title,
  region: (f) => f.region,
  resource: (f) => f.resource,
  message: (f) => f.message,
};
const sorting = { column: "", down: false }; // no column: worst first

// Values are ranked once, so that sorting compares numbers. A collator is too slow for very many values.
function ranks(values) {
  const fixed = { status: STATUSES, severity: SEVERITIES }[sorting.column];
  if (fixed) values = [...fixed];
  else if (values.length < 5000) values.sort(collator.compare);
  else values.sort();
  return new Map(values.map((value, rank) => [value, rank]));
}

function sorted(list) {
  const worst = (f) => STATUSES.indexOf(f.status) * SEVERITIES.length + SEVERITIES.indexOf(f.check.severity);
  let key = worst;
  if (sorting.column) {
    const valueOf = COLUMNS[sorting.column];
    const rank = ranks([...new Set(list.map(valueOf))]);
    key = (f) => (sorting.down ? -1 : 1) * rank.get(valueOf(f)) * 100 + worst(f);
  }
  const keys = new Map(list.map((f) => [f, key(f)]));
  return list.sort((a, b) => keys.get(a) - keys.get(b));
}

// ---- location.hash keeps filters and order ----
function writeHash() {
  const parts = Object.keys(chosen)
    .filter((facet) => chosen[facet].size)
    .map((facet) => `${facet}=${[...chosen[facet]].map(encodeURIComponent).join(",")}`);
  if (search) parts.push(`q=${encodeURIComponent(search)}`);
  if (sorting.column) parts.push(`sort=${sorting.column}${sorting.down ? ",down" : ""}`);
  const hash = parts.join("&");
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", `#${hash}`);
}

function readHash() {
  for (const values of Object.values(chosen)) values.clear();
  search = "";
  Object.assign(sorting, { column: "", down: false });
  for (const part of location.hash.slice(1).split("&")) {
    const [name, ...rest] = part.split("=");
    let values;
    try {
      values = rest.join("=").split(",").map(decodeURIComponent).filter(Boolean);
    } catch {
      continue; // not written by this page
    }
    if (Object.hasOwn(chosen, name)) for (const value of values) chosen[name].add(value);
    else if (name === "q") search = values.join(",");
    else if (name === "sort" && Object.hasOwn(COLUMNS, values[0])) {
      Object.assign(sorting, { column: values[0], down: values[1] === "down" });
    }
  }
}
