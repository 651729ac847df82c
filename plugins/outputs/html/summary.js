"use strict";
// What stands above the table: the header, the counts that choose filters when clicked, and the filters themselves.
// Every value is set as text or attribute; the page's policy forbids anything else.

const SHOWN_SERVICES = 6;
const SHOWN_CHECKS = 7;
const SELECTS = { service: "service", region: "region", group: "group", check: "check", account: "account-filter" };
const byId = (id) => document.getElementById(id);
const formatted = new Intl.NumberFormat("en-US").format;
let allServices = false;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "click") made.addEventListener("click", value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const button = (attributes, ...children) => element("button", { type: "button", ...attributes }, ...children);
const badge = (status) => element("span", { class: `badge ${status.toLowerCase()}` }, status);

function level(severity) {
  const word = severity === "informational" ? "info" : severity;
  return element("span", { class: `level ${severity}` }, word.charAt(0).toUpperCase() + word.slice(1));
}

// ---- choosing: chips add and take away a value, counts choose exactly what they count ----
function toggle(facet, value) {
  if (!chosen[facet].delete(value)) chosen[facet].add(value);
  refresh();
}

function chooseOnly(values) {
  const facets = Object.entries(values);
  const already = facets.every(([facet, value]) => chosen[facet].size === 1 && chosen[facet].has(value));
  for (const [facet, value] of facets) {
    chosen[facet].clear();
    if (!already) chosen[facet].add(value);
  }
  refresh();
}

function clearFilters() {
  for (const values of Object.values(chosen)) values.clear();
  search = byId("search").value = "";
  refresh();
}

// Which filters and which order are on, in every control that shows it.
function showChoices() {
  for (const control of document.querySelectorAll("[data-facet]")) {
    control.setAttribute("aria-pressed", chosen[control.dataset.facet].has(control.dataset.value));
  }
  for (const control of document.querySelectorAll("[data-only]")) {
    const facets = Object.entries(JSON.parse(control.dataset.only));
    control.setAttribute("aria-pressed", facets.every(([facet, value]) => chosen[facet].has(value)));
  }
  for (const [facet, id] of Object.entries(SELECTS)) {
    byId(id).value = [...chosen[facet]][0] || "";
    byId(id).classList.toggle("on", chosen[facet].size > 0);
  }
  for (const head of byId("columns").children) {
    const on = head.dataset.column === sorting.column;
    head.setAttribute("aria-sort", on ? (sorting.down ? "descending" : "ascending") : "none");
  }
  byId("clear").disabled = !isFiltered();
}

// ---- what depends on the findings there are, not on the filters ----
function summarize() {
  showHeader();
  showRun();
  showStatuses();
  showMatrix();
  showWorst();
  fillSelects();
}

function showHeader() {
  if (!audit) return;
  byId("account").textContent = audit.name ? `${audit.name} (${audit.account})` : audit.account;
  const facts = [
    `AWS compliance audit of ${audit.time.replace("T", " ").replace("Z", " UTC")}`,
    `${checks.size} checks`,
    `${tally.region.size} regions`,
    audit.profile && `profile ${audit.profile}`,
  ];
  byId("facts").textContent = facts.filter(Boolean).join("  ·  ");
}

// What the run says of itself: it stands behind the findings, and is missing in a file that was cut off.
function showRun() {
  const block = byId("run");
  if (!block) return;
  const bytes = Uint8Array.from(atob(block.textContent), (character) => character.charCodeAt(0));
  const run = JSON.parse(new TextDecoder().decode(bytes));
  const shown = {
    Coverage: run.coverage,
    Finished: run.finished ? null : "no: the run did not finish, this report is incomplete",
    Identity: run.identity,
    Regions: run.regions.length ? run.regions.join(", ") : "none",
    Duration: run.duration,
    Suite: run.suite,
  };
  const list = Object.entries(shown)
    .filter(([, value]) => value)
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  byId("about").replaceChildren(...list);
  byId("about").hidden = false;
  if (!run.finished) say("The run did not finish: this report is incomplete.");
}

function facetButton(facet, value, attributes, ...children) {
  return button(
    { "data-facet": facet, "data-value": value, click: () => toggle(facet, value), ...attributes },
    ...children,
  );
}

function percentage(count) {
  const share = (100 * count) / (findings.length || 1);
  return count && share < 1 ? "<1 %" : `${Math.round(share)} %`;
}

function showStatuses() {
  const cards = STATUSES.map((status) => {
    const count = tally.status.get(status) || 0;
    return facetButton(
      "status", status, { class: `card ${status.toLowerCase()}` },
      badge(status),
      element("span", { class: "number" }, formatted(count)),
      element("span", { class: "share" }, percentage(count)),
    );
  });
  byId("cards").replaceChildren(...cards);
  byId("status").replaceChildren(...STATUSES.map((status) => facetButton("status", status, {}, status)));
  const counts = countBy((check) => [check.severity]);
  const chips = SEVERITIES.map((severity) =>
    facetButton("severity", severity, { title: `${formatted(counts.get(severity) || 0)} findings` }, level(severity)),
  );
  byId("severity").replaceChildren(...chips);
}

function onlyButton(values, attributes, ...children) {
  return button({ "data-only": JSON.stringify(values), click: () => chooseOnly(values), ...attributes }, ...children);
}

function showMatrix() {
  const services = new Map();
  for (const check of checks.values()) {
    if (!check.fails) continue;
    const counts = services.get(check.service) || SEVERITIES.map(() => 0);
    counts[SEVERITIES.indexOf(check.severity)] += check.fails;
    services.set(check.service, counts);
  }
  if (!services.size) {
    byId("matrix").replaceChildren(element("p", { class: "muted" }, "None."));
    return;
  }
  // Worst first: more critical failures, then more high ones, and so on.
  const rows = [...services].sort(([, a], [, b]) => b.map((count, i) => count - a[i]).find(Boolean) || 0);
  const most = Math.max(...rows.flatMap(([, counts]) => counts));
  const heads = [element("th", { scope: "col" }, "Service")];
  heads.push(...SEVERITIES.map((severity) => element("th", { scope: "col" }, level(severity))));
  const body = rows
    .slice(0, allServices ? rows.length : SHOWN_SERVICES)
    .map(([service, counts]) =>
      element(
        "tr", {},
        element("th", { scope: "row" }, onlyButton({ status: "FAIL", service }, {}, service)),
        ...counts.map((count, i) => matrixCell(service, SEVERITIES[i], count, most)),
      ),
    );
  byId("matrix").replaceChildren(
    element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body)),
  );
  if (rows.length > SHOWN_SERVICES) {
    const more = () => {
      allServices = !allServices;
      showMatrix();
      showChoices();
      byId("matrix").querySelector(".more").focus();
    };
    const label = allServices ? "Fewer services" : `All ${rows.length} services`;
    byId("matrix").append(button({ class: "more", "aria-expanded": allServices, click: more }, label));
  }
}

function matrixCell(service, severity, count, most) {
  if (!count) return element("td", {}, element("span", { class: "muted" }, "·"));
  const label = `${formatted(count)} ${severity} failures in ${service}`;
  const cell = onlyButton(
    { status: "FAIL", service, severity }, { class: `heat ${severity}`, "aria-label": label }, formatted(count),
  );
  cell.style.setProperty("--heat", `${Math.round(12 + (38 * Math.log1p(count)) / Math.log1p(most))}%`);
  return element("td", {}, cell);
}

function showWorst() {
  const worst = [...checks.values()]
    .filter((check) => check.fails)
    .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || b.fails - a.fails);
  const items = worst.slice(0, SHOWN_CHECKS).map((check) =>
    element("li", {}, onlyButton(
      { status: "FAIL", check: check.id }, { title: `${check.number} ${check.title}` },
      level(check.severity),
      element("span", { class: "title" }, check.title),
      element("span", { class: "number" }, formatted(check.fails)),
    )),
  );
  if (worst.length > SHOWN_CHECKS) {
    items.push(element("li", { class: "muted" }, `and ${worst.length - SHOWN_CHECKS} more`));
  }
  byId("worst").replaceChildren(...(items.length ? items : [element("li", { class: "muted" }, "None.")]));
}

function fillSelects() {
  const titles = new Map([...checks.values()].flatMap((check) => check.groups));
  const names = new Map([...checks.values()].map((check) => [check.id, `${check.number} ${check.title}`]));
  const group = (id) => (titles.get(id) === id ? id : `${id}: ${titles.get(id)}`);
  fillSelect("service", "All services", countBy((check) => [check.service]));
  fillSelect("region", "All regions", tally.region);
  fillSelect("group", "All groups", countBy((check) => check.groupIds), group);
  fillSelect("check", "All checks", countBy((check) => [check.id]), (id) => names.get(id));
  fillSelect("account", "All accounts", tally.account);
  byId("account-filter").hidden = tally.account.size < 2;
}

function fillSelect(facet, everything, counts, label = (value) => value || "(none)") {
  const options = [...counts]
    .map(([value, count]) => [value, label(value), count])
    .sort(([, a], [, b]) => collator.compare(a, b))
    .map(([value, text, count]) => element("option", { value }, `${text} (${formatted(count)})`));
  byId(SELECTS[facet]).replaceChildren(element("option", { value: "" }, everything), ...options);
}
