"use strict";
// The panel with the details of a finding, and what starts everything.

let opened = null; // the finding in the panel
let loading = true;
let held = false; // a mouse button or finger is down

function showDetail(finding, takeFocus = true) {
  opened = finding;
  const at = shown.indexOf(finding);
  const { check, audit: origin } = finding;
  const step = (by) => {
    move(at + by);
    showDetail(shown[active]);
  };
  const previous = button({ id: "previous", "aria-label": "Previous finding", click: () => step(-1) }, "‹");
  const next = button({ id: "next", "aria-label": "Next finding", click: () => step(1) }, "›");
  previous.disabled = at <= 0;
  next.disabled = at < 0 || at === shown.length - 1;
  const place = at < 0 ? "" : `${formatted(at + 1)} of ${formatted(shown.length)}`;
  const tags = Object.entries(finding.tags).map(([key, value]) =>
    element("span", { class: "tag" }, element("b", {}, key), ` ${value}`),
  );
  const groups = check.groups.map(([id, title]) =>
    button({ class: "tag", title: `${title}: show only this group`, click: () => chooseOnly({ group: id }) }, id),
  );
  const facts = {
    Resource: copyable(finding.resource),
    ARN: finding.arn && finding.arn !== finding.resource ? copyable(finding.arn) : null,
    Type: finding.type,
    Region: finding.region,
    Account: origin.name ? `${origin.name} (${origin.account})` : origin.account,
    Unit: origin.unit || null,
    Profile: origin.profile || null,
    Tags: tags.length ? element("span", { class: "tags" }, ...tags) : null,
    Check: check.id === check.number ? check.id : `${check.number} (${check.id})`,
    Service: check.service,
    Level: `${check.level}, ${check.scored.toLowerCase()}`,
    Groups: groups.length ? element("span", { class: "tags" }, ...groups) : null,
    Audited: `${origin.time.replace("T", " ").replace("Z", " UTC")}, partition ${origin.partition}`,
    "Finding ID": copyable(finding.id),
    Baseline: finding.baseline
      ? button({ class: "tag", title: "Show only these", click: () => chooseOnly({ baseline: finding.baseline }) }, finding.baseline)
      : null,
  };
  const list = Object.entries(facts)
    .filter(([, value]) => value !== null)
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  const focused = document.activeElement.id;
  byId("detail").replaceChildren(
    element(
      "div", { class: "bar" }, previous, next, element("span", { class: "place" }, place),
      button({ id: "close", "aria-label": "Close the details", click: closeDetail }, "✕"),
    ),
    element("p", { class: "labels" }, badge(finding.status), level(check.severity)),
    element("h2", { id: "detail-title" }, `${check.number}  ${check.title}`),
    element("p", { class: `message ${finding.status.toLowerCase()}` }, finding.message),
    element("h3", {}, "Remediation"),
    ...remedy(check),
    element("h3", {}, "Finding"),
    element("dl", {}, ...list),
  );
  byId("detail").hidden = false;
  byId("report").inert = getComputedStyle(byId("detail")).getPropertyValue("--covers") === "1";
  document.body.classList.add("detailed");
  if (!takeFocus) return;
  byId("detail").scrollTop = 0;
  const used = [previous, next].find((one) => one.id === focused && !one.disabled);
  (used || byId("detail")).focus();
}

function closeDetail() {
  opened = null;
  byId("detail").hidden = true;
  byId("report").inert = false;
  document.body.classList.remove("detailed");
  byId("table").focus({ preventScroll: true });
}

function remedy(check) {
  const parts = [element("p", {}, check.remediation)];
  if (check.command) parts.push(element("div", { class: "command" }, copyable(check.command, "pre")));
  // Checks may be the user's own: nothing but web pages becomes a link.
  if (/^https?:\/\//i.test(check.url)) {
    const link = { href: check.url, target: "_blank", rel: "noopener noreferrer" };
    parts.push(element("p", {}, element("a", link, check.url)));
  } else if (check.url) parts.push(element("p", {}, check.url));
  return parts;
}

function copyable(text, tag = "code") {
  const value = element(tag, {}, text);
  const copy = button({ class: "copy", "aria-label": `Copy ${text.slice(0, 60)}`, click: copied }, "Copy");
  async function copied() {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(value); // no access to the clipboard: ready for Ctrl-C
      copy.textContent = "Selected";
    }
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  }
  return element("span", { class: "copyable" }, value, copy);
}

// ---- light and dark: as the system has it until the button is used ----
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  byId("theme").textContent = isDark() ? "Light mode" : "Dark mode";
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (systemDark.matches ? "dark" : "light")) === "dark";

function say(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = false;
}

function listen() {
  let typing = 0;
  byId("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      search = byId("search").value.trim();
      refresh();
    }, 120);
  });
  for (const [facet, id] of Object.entries(SELECTS)) {
    byId(id).addEventListener("change", () => {
      chosen[facet].clear();
      if (byId(id).value) chosen[facet].add(byId(id).value);
      refresh();
    });
  }
  byId("clear").addEventListener("click", clearFilters);
  byId("more-filters").addEventListener("click", () => {
    const isOpen = byId("filters").classList.toggle("open");
    byId("more-filters").setAttribute("aria-expanded", isOpen);
  });
  byId("table").addEventListener("keydown", onTableKey);
  byId("rows").addEventListener("click", onTableClick);
  byId("theme").addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
  systemDark.addEventListener("change", () => setTheme());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && opened) closeDetail();
    else if (event.key === "/" && !/^(INPUT|SELECT)$/.test(event.target.tagName)) byId("search").focus();
    else return;
    event.preventDefault();
  });
  for (const [kinds, down] of [[["pointerdown"], true], [["pointerup", "pointercancel", "blur"], false]]) {
    for (const kind of kinds) addEventListener(kind, () => (held = down));
  }
  // The table's head sticks right below the filters, which wrap when there is little room.
  new ResizeObserver(([{ target }]) => {
    document.documentElement.style.setProperty("--filters", `${target.offsetHeight}px`);
  }).observe(byId("filters"));
  addEventListener("scroll", () => render(), { passive: true });
  addEventListener("resize", () => render(true));
  addEventListener("hashchange", useHash);
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
}

function useHash() {
  readHash();
  byId("search").value = search;
  refresh();
}

// Sorting what came so far takes longer the more it is: no more than a sixth of the time goes into it.
let due = 0;
function showProgress() {
  const begun = performance.now();
  if (held || begun < due) return; // a row that is replaced while a button is down is never clicked
  summarize();
  refresh({ keepPlace: true });
  due = performance.now() + 5 * (performance.now() - begun);
}

async function start() {
  setTheme();
  showColumns();
  listen();
  readHash();
  byId("search").value = search;
  if (!("DecompressionStream" in window)) {
    loading = false;
    say("This browser cannot unpack the findings: it has no DecompressionStream. Browsers since 2023 have it.");
    return;
  }
  const damaged = await load(showProgress);
  while (held) await pause(20);
  loading = false;
  summarize();
  refresh({ keepPlace: true });
  if (damaged) say(`The file is damaged: ${damaged} of its parts cannot be read, their findings are missing here.`);
}

start();
