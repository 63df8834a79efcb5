// The dashboard of nvent_sched: all rows are here, only those on the screen are in the page.
//
// The kernel sends rows as they change (see the docstring of `nvent_sched.widgets`); filter,
// order, scrolling, count-downs and lateness are decided here, so they work while the kernel
// is busy. Nothing a user wrote is ever parsed as HTML: texts go in by `textContent` only.

const ROW = 30, PANEL = 318, PANEL_NARROW = 560, ROWS_SHOWN = 18, ROWS_COMPACT = 8;
const LATE_MS = 5000, LOST_MS = 15000, HERE_MS = 30000, WAIT_MS = 1200, SORT_MS = 1000, STRIP_WIDTHS = { wide: 156, medium: 110, narrow: 90 }, HOLD_MS = 4000;
const STATES = ["failing", "late", "retrying", "running", "waiting", "paused", "finished"];
const RANK = Object.fromEntries(STATES.map((state, rank) => [state, rank]));
const FAILED = new Set(["failed", "timed_out", "lost", "dead_lettered"]);
const ALL_REASON = "all paused in the dashboard";
const SPANS = [["20 min", 15, 5], ["3 h", 150, 30], ["1 day", 1080, 360], ["1 week", 8640, 1440]];
const SHAPES = {
  failing: "M8 1l7 7-7 7-7-7z",
  late: "M8 1l7.5 14H.5z",
  retrying: "M8 2a6 6 0 1 1-5.7 4.1l1.9.6A4 4 0 1 0 8 4v3L3.8 3.4 8 0z",
  running: "M3 1l11 7-11 7z",
  waiting: "M8 3.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z",
  paused: "M3 2h3.6v12H3zM9.4 2H13v12H9.4z",
  finished: "M1.5 8.5L4 6l3 3 6-6.5L15.2 5 7 13.5z",
};
const ICONS = {
  run: "M9.5 0L2.5 9.2h4.3L5.6 16l7.6-9.8H8.6z",
  pause: "M3.5 2h3v12h-3zM9.5 2h3v12h-3z",
  resume: "M4 2l9.5 6L4 14z",
  more: "M3 6.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3zm5 0a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3zm5 0a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3z",
};
let nextView = 0;

// --- Small things

function el(tag, className = "", text = null) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}

// The parser knows which namespace an icon is in; this text is ours, and the only one parsed.
const ICON = document.createElement("template");
ICON.innerHTML = '<svg viewBox="0 0 16 16" aria-hidden="true"><path></path></svg>';

function icon(path) {
  const svg = ICON.content.firstChild.cloneNode(true);
  svg.firstChild.setAttribute("d", path);
  return svg;
}

// Write only what differs: most of a row is the same as a second ago.
function setText(node, text) { if (node.__text !== text) { node.__text = text; node.textContent = text; } }
function setClass(node, name) { if (node.className !== name) node.className = name; }
function setAttr(node, name, value) {
  if (value === null) { if (node.hasAttribute(name)) node.removeAttribute(name); }
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
function setScale(node, share) {
  const value = `scaleX(${Math.max(0, Math.min(1, share)).toFixed(3)})`;
  if (node.__scale !== value) { node.__scale = value; node.style.transform = value; }
}

const number = (n) => n.toLocaleString("en-US");
const two = (n) => String(n).padStart(2, "0");

function clockWords(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 3600) return `${two(Math.floor(s / 60))}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
  const days = Math.floor(s / 86400);
  return days < 400 ? `${days} d ${Math.floor(s / 3600) % 24} h` : `${Math.floor(days / 365)} years`;
}
function agoWords(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}
function lengthWords(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
  const s = Math.round(ms / 1000);
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
}
function timeWords(ms, now) {
  const at = new Date(ms), text = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return Math.abs(ms - now) < 64800000 ? text : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${text}`;
}
const signOf = (outcome) => outcome === "succeeded" ? "✓" : FAILED.has(outcome) ? "✗" : outcome === "cancelled" ? "■" : "»";
const kindOf = (outcome) => outcome === "succeeded" ? "good" : FAILED.has(outcome) ? "bad" : "odd";
const outcomeWords = (outcome) => outcome.replace("_", " ");

function stripWords(strip) {
  if (!strip) return "no runs yet";
  let failed = 0, odd = 0;
  for (const c of strip) { if (c === "." || c === "x") odd++; else if (c < "a") failed++; }
  return `last ${strip.length}: ${strip.length - failed - odd} went well, ${failed} failed` + (odd ? `, ${odd} not run or cancelled` : "");
}

// Is the page around us dark? What it says itself, else the colour behind us.
function isDark(root) {
  const body = document.body, said = body.getAttribute("data-jp-theme-light");
  if (said) return said === "false";
  if (body.classList.contains("vscode-dark") || body.classList.contains("vscode-high-contrast")) return true;
  if (body.classList.contains("vscode-light")) return false;
  for (let node = root.parentNode; node; node = node.parentNode || node.host) {
    if (!(node instanceof Element)) { if (node.host) { node = node.host; } else continue; }
    const rgb = getComputedStyle(node).backgroundColor.match(/[\d.]+/g);
    if (rgb && (rgb.length < 4 || Number(rgb[3]) > 0.5)) return rgb[0] * 0.3 + rgb[1] * 0.59 + rgb[2] * 0.11 < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

// --- The jobs: rows, filter and order

class Jobs {
  constructor() { this.byId = new Map(); this.order = []; this.k = {}; this.tags = []; this.sort = "state"; this.isDown = false;
    this.text = ""; this.tag = ""; this.state = ""; this.isInternalShown = false; this.isOrderStale = true; this.internal = 0; }

  columns(names) { names.forEach((name, place) => { this.k[name] = place; }); }
  fill(rows) {
    const opened = this.byId;
    this.byId = new Map();
    for (const row of rows) this.put(row, opened.get(row[0]));
    this.isOrderStale = true;
  }
  put(a, known = this.byId.get(a[0])) {
    const k = this.k, id = a[k.id];
    const job = known || { id, seenAt: 0, pending: {} };
    const words = `${id} ${a[k.name]} ${a[k.tags].join(" ")} ${a[k.words]}`;
    if (job.words !== words) { job.words = words; job.text = words.toLowerCase(); }
    if (known && known.a && known.a[k.next] !== a[k.next]) job.seenAt = 0;
    job.a = a;
    this.byId.set(id, job);
    return job;
  }
  merge(rows, gone) {
    for (const a of rows) this.put(a);
    for (const id of gone) this.byId.delete(id);
    this.isOrderStale = true;
  }
  // As `state_of` in nvent_sched/_views/status/rows.py.
  stateOf(job, now) {
    const a = job.a, k = this.k;
    if (a[k.status] === "paused" && !a[k.going]) return "paused";
    if (a[k.streak]) return "failing";
    if (a[k.going]) return "running";
    if (a[k.again] !== null) return "retrying";
    if (a[k.status] === "finished") return "finished";
    return a[k.next] !== null && a[k.next] + LATE_MS < now ? "late" : "waiting";
  }
  count(now) {
    const k = this.k, counts = Object.fromEntries(STATES.map((state) => [state, 0])), tags = new Map();
    let next = null, all = 0, internal = 0, allPaused = 0, going = 0;
    for (const job of this.byId.values()) {
      job.state = this.stateOf(job, now);
      const a = job.a;
      if (a[k.role]) { internal++; if (!this.isInternalShown) continue; }
      all++;
      counts[job.state]++;
      if (a[k.going]) going++;
      if (a[k.note] === ALL_REASON) allPaused++;
      if (a[k.next] !== null && a[k.status] === "active" && (next === null || a[k.next] < next)) next = a[k.next];
      for (const tag of a[k.tags]) tags.set(tag, (tags.get(tag) || 0) + 1);
    }
    this.internal = internal;
    this.tags = [...tags].sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1)).slice(0, 12).sort((x, y) => (x[0] < y[0] ? -1 : 1));
    return { counts, next, all, allPaused, going };
  }
  isShown(job) {
    const a = job.a, k = this.k;
    if (a[k.role] && !this.isInternalShown) return false;
    if (this.state && !(this.state === "running" ? a[k.going] : job.state === this.state || (this.state === "late" && job.state === "retrying"))) return false;
    if (this.tag && !a[k.tags].includes(this.tag)) return false;
    return !this.text || this.text.split(/\s+/).every((word) => job.text.includes(word));
  }
  keyOf(job) {
    const a = job.a, k = this.k, last = Infinity;
    switch (this.sort) {
      case "next": return a[k.going] ? -1 : a[k.next] === null ? last : a[k.next];
      case "last": return a[k.finished] === null ? last : -a[k.finished];
      case "took": return a[k.took] === null ? last : -a[k.took];
      case "runs": return -(a[k.failures] * 1e9 + a[k.runs]);
      default: return RANK[job.state];
    }
  }
  arrange() {
    const shown = [], k = this.k, sign = this.isDown ? -1 : 1;
    for (const job of this.byId.values()) if (this.isShown(job)) shown.push(job);
    if (this.sort === "id" || this.sort === "words") {
      const place = k[this.sort];
      shown.sort((x, y) => sign * (x.a[place] < y.a[place] ? -1 : x.a[place] > y.a[place] ? 1 : x.id < y.id ? -1 : 1));
    } else {
      for (const job of shown) { job.key = this.keyOf(job); job.due = job.a[k.next] === null ? Infinity : job.a[k.next]; }
      shown.sort((x, y) => sign * (x.key - y.key) || x.due - y.due || (x.id < y.id ? -1 : 1));
    }
    this.order = shown;
    this.isOrderStale = false;
  }
}

// --- One view

class View {
  constructor(model, root) {
    this.model = model;
    this.vid = `v${Date.now().toString(36)}${nextView++}`;
    this.options = model.get("options") || {};
    this.mode = this.options.mode || "table";
    this.isCompact = Boolean(this.options.compact);
    this.jobs = new Jobs();
    this.head = null;
    this.offset = 0; this.seq = 0; this.heardAt = 0; this.isFull = false; this.helloAt = 0;
    this.isVisible = false; this.isOver = false;
    this.open = null; this.focus = null; this.span = 0;
    this.details = new Map(); this.lanes = new Map();
    this.pool = new Map(); this.spare = [];
    this.waiting = new Map(); this.rid = 0;
    this.sortedAt = 0; this.counts = null; this.removing = null; this.isAllAsked = false;
    this.colours = null; this.told = null; this.detailTab = "error";
    this.root = root;
    this.build();
    this.start();
  }

  now() { return Date.now() + this.offset; }
  send(content) { this.model.send({ ...content, vid: this.vid }); }

  // -- What is there once

  build() {
    const root = this.root;
    root.className = "nv";
    root.setAttribute("data-lm-suppress-shortcuts", "true");
    root.setAttribute("role", "region");
    root.setAttribute("aria-label", "Jobs of the scheduler");
    if (this.isCompact) root.classList.add("compact");
    this.banner = el("div", "nv-banner");
    this.banner.hidden = true;
    this.buildHead();
    this.buildTools();
    this.buildList();
    this.foot = el("div", "nv-foot");
    this.live = el("span", "nv-live off", "opening");
    this.range = el("span");
    this.toldLine = el("span", "nv-told cut");
    this.toldLine.setAttribute("role", "status");
    this.keys = el("span", "nv-keys");
    for (const [key, words] of [["↑↓", "move"], ["Enter", "details"], ["r", "run now"], ["p", "pause"], ["/", "filter"]]) {
      this.keys.append(el("kbd", "", key), ` ${words}`);
    }
    this.foot.append(this.live, this.range, this.toldLine, this.keys);
    this.alarm = el("div", "sr");
    this.alarm.setAttribute("aria-live", "polite");
    root.append(this.banner, this.headBox);
    if (!this.isCompact) root.append(this.tools);
    root.append(this.grid, this.foot, this.alarm);
  }

  buildHead() {
    this.headBox = el("div", "nv-head");
    const title = el("div", "nv-title");
    this.title = el("b", "cut", "…");
    this.where = el("span", "cut");
    title.append(this.title, this.where);
    this.headBox.append(title);
    this.cells = {};
    for (const name of ["jobs", "running", "failing", "late", "paused"]) {
      const cell = el("button", "nv-count"), count = el("b", "", "0");
      cell.append(count, el("span", "", name));
      cell.addEventListener("click", () => this.filterState(name === "jobs" ? "" : name));
      cell.title = name === "jobs" ? "show all jobs" : `show only what is ${name}`;
      this.cells[name] = { cell, count };
      this.headBox.append(cell);
    }
    const next = el("div", "nv-count");
    this.nextCount = el("b", "", "–");
    next.append(this.nextCount, el("span", "", "next run"));
    const rate = el("div", "nv-rate"), under = el("div");
    this.rate = el("canvas");
    this.rate.setAttribute("role", "img");
    this.rateWords = [el("span", "", "runs a minute"), el("span")];
    under.append(...this.rateWords);
    rate.append(this.rate, under);
    this.instances = el("div", "nv-instances");
    this.headBox.append(next, rate, this.instances);
  }

  buildTools() {
    this.tools = el("div", "nv-tools");
    this.input = el("input");
    this.input.type = "search";
    this.input.placeholder = "Filter jobs   /";
    this.input.setAttribute("aria-label", "Filter jobs by id, name, tag or schedule");
    this.input.addEventListener("input", () => { this.jobs.text = this.input.value.trim().toLowerCase(); this.rearrange(); });
    this.tagBox = el("div", "nv-tags");
    this.spanBox = el("select");
    this.spanBox.setAttribute("aria-label", "How much time the timeline shows");
    SPANS.forEach(([name], place) => { const option = el("option", "", name); option.value = String(place); this.spanBox.append(option); });
    this.spanBox.addEventListener("change", () => { this.span = Number(this.spanBox.value); this.lanes.clear(); this.wantAt = 0; this.want(); this.draw(true); });
    const modes = el("div", "nv-switch");
    this.modeButtons = {};
    for (const mode of ["table", "timeline"]) {
      const button = this.modeButtons[mode] = el("button", "", mode === "table" ? "Table" : "Timeline");
      button.addEventListener("click", () => this.setMode(mode));
      modes.append(button);
    }
    this.allButton = el("button", "nv-button nv-needs", "Pause all");
    this.allButton.addEventListener("click", () => this.askAll());
    this.tools.append(this.input, this.tagBox, this.spanBox, modes, this.allButton);
  }

  buildList() {
    this.grid = el("div");
    this.grid.setAttribute("role", "grid");
    this.grid.setAttribute("aria-label", "Jobs");
    this.cols = el("div", "nv-cols");
    this.cols.setAttribute("role", "row");
    this.body = el("div", "nv-body");
    this.body.setAttribute("role", "rowgroup");
    this.space = el("div", "nv-space");
    this.space.setAttribute("role", "presentation");
    this.empty = el("div", "nv-empty");
    this.panel = el("div", "nv-panel");
    this.panel.hidden = true;
    this.panel.setAttribute("role", "row");
    this.panelIn = el("div", "nv-panelIn");
    this.panelIn.setAttribute("role", "gridcell");
    this.panel.append(this.panelIn);
    this.body.append(this.empty, this.space);
    this.grid.append(this.cols, this.body);
    this.buildColumns();
  }

  buildColumns() {
    const heads = this.mode === "table"
      ? [["state", "State", "c-state"], ["id", "Job", "c-id"], ["words", "Schedule", "c-words"], ["next", "Next", "c-next"], ["last", "Last run", "c-last"], ["took", "Duration", "c-took right"], [null, "Recent runs", "c-strip"], ["runs", "Runs / failed", "c-runs right"], [null, "", "c-act"]]
      : [["state", "State", "c-state"], ["id", "Job", "c-id"], ["next", "Next", "c-next"], ["axis", "", "c-axis"], [null, "", "c-act"]];
    this.cols.replaceChildren();
    this.axis = null;
    for (const [key, words, name] of heads) {
      const head = el("div", name);
      head.setAttribute("role", "columnheader");
      if (key === "axis") {
        this.axis = el("div", "nv-axis");
        head.append(el("span", "sr", "Timeline"), this.axis);
      } else if (key === null) {
        head.append(words ? el("span", "", words) : el("span", "sr", "Actions"));
      } else {
        const button = el("button", "", words);
        button.addEventListener("click", () => this.sortBy(key));
        head.append(button);
        head.dataset.key = key;
        if (key === this.jobs.sort) head.classList.add("sorted");
        head.setAttribute("aria-sort", key !== this.jobs.sort ? "none" : this.jobs.isDown ? "descending" : "ascending");
      }
      this.cols.append(head);
    }
  }

  // -- Beginning and end

  start() {
    const root = this.root, on = (target, name, act, how) => { target.addEventListener(name, act, how); this.undo.push(() => target.removeEventListener(name, act, how)); };
    this.undo = [];
    const heard = (content, buffers) => this.hear(content, buffers);
    this.model.on("msg:custom", heard);
    this.undo.push(() => this.model.off("msg:custom", heard));
    on(root, "keydown", (event) => this.key(event));
    for (const name of ["keyup", "keypress"]) on(root, name, (event) => event.stopPropagation());
    on(root, "contextmenu", (event) => event.stopPropagation());
    on(this.body, "scroll", () => { this.scrolled = this.body.scrollTop; this.later(); });
    for (const name of ["pointermove", "pointerdown", "keydown"]) on(this.body, name, () => { this.touchedAt = Date.now(); });
    on(this.body, "pointerleave", () => { this.touchedAt = 0; });
    on(document, "visibilitychange", () => this.look());
    const seen = new IntersectionObserver((entries) => { this.isSeen = entries[entries.length - 1].isIntersecting; this.look(); });
    seen.observe(root);
    const sized = new ResizeObserver(() => this.resize());
    sized.observe(root);
    const themed = new MutationObserver(() => this.dress());
    themed.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-jp-theme-name", "data-theme", "style"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    on(scheme, "change", () => this.dress());
    const timer = setInterval(() => this.tick(), 1000);
    this.undo.push(() => { seen.disconnect(); sized.disconnect(); themed.disconnect(); clearInterval(timer); cancelAnimationFrame(this.frame); clearTimeout(this.soon); });
    this.isSeen = true;
    this.openedAt = Date.now();
    this.dress();
    this.take(this.model.get("snap") || {});
    this.resize();
    this.isVisible = !document.hidden;
    this.hello();
  }

  close() {
    this.isOver = true;
    for (const undo of this.undo) undo();
    this.send({ t: "bye" });
  }

  hello() {
    this.helloAt = Date.now();
    this.send({ t: "hello" });
  }

  look() {
    const isVisible = this.isSeen && !document.hidden;
    if (isVisible === this.isVisible) return;
    this.isVisible = isVisible;
    this.heardAt = Date.now();
    this.saidAt = Date.now();
    this.send({ t: "vis", on: isVisible });
    if (isVisible) this.draw(true);
  }

  dress() {
    const said = this.options.theme, theme = said === "light" || said === "dark" ? said : isDark(this.root) ? "dark" : "light";
    setAttr(this.root, "data-theme", theme);
    this.colours = null;
    this.later(true);
  }

  // Style may come after the first drawing: ask again until it is there.
  palette() {
    if (this.colours) return this.colours;
    const style = getComputedStyle(this.root), read = (name) => style.getPropertyValue(name).trim();
    const found = { good: read("--good-fill"), bad: read("--bad"), odd: read("--odd-fill"), run: read("--run"), line: read("--line"), dim: read("--dim"), accent: read("--accent"), faint: read("--faint") };
    if (!found.good) { this.later(true, 200); return found; }
    this.generation = (this.generation || 0) + 1;
    this.colours = found;
    return found;
  }

  resize() {
    const width = this.root.clientWidth, size = width >= 1080 ? "wide" : width >= 720 ? "medium" : "narrow";
    if (width === this.width) return;
    this.width = width;
    this.forgetSizes();
    this.size = size;
    for (const name of ["medium", "narrow"]) this.root.classList.toggle(name, name === size);
    this.later(true);
  }

  // Sizes are measured once: to ask for one after a change makes the browser lay out at once.
  forgetSizes() { this.rateWidth = this.laneWidth = this.gutterOf = 0; }

  // -- What the kernel says

  take(snap) {
    if (!snap.rows) return;
    this.jobs.columns(snap.columns);
    this.jobs.fill(snap.rows);
    this.head = snap.head;
    this.snapAt = snap.now;
    this.rearrange();
  }

  hear(content, buffers) {
    if (this.isOver || !content) return;
    this.heardAt = Date.now();
    switch (content.t) {
      case "full": this.hearFull(content, buffers); break;
      case "d": case "h": this.hearDelta(content); break;
      case "res": this.hearReply(content); break;
      case "detail": this.details.set(content.id, content.detail); if (this.open === content.id) this.drawPanel(true); break;
      case "lanes": for (const [id, lane] of Object.entries(content.lanes)) this.lanes.set(id, lane); this.later(true); break;
    }
  }

  hearFull(content, buffers) {
    const raw = buffers && buffers[0];
    const bytes = raw instanceof DataView ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength) : raw;
    const rows = JSON.parse(new TextDecoder().decode(bytes));
    this.offset = content.now - Date.now();
    this.seq = content.seq;
    this.isFull = true;
    this.jobs.columns(content.columns);
    this.jobs.fill(rows);
    this.head = content.head;
    this.rearrange();
    this.keep();
  }

  hearDelta(content) {
    if (!this.isFull) return;
    if (content.seq !== this.seq + 1) {  // something was dropped on the way
      if (Date.now() - this.helloAt > 2000) this.hello();
      return;
    }
    this.seq = content.seq;
    this.offset = Math.max(this.offset - 20, content.now - Date.now());
    if (content.head) this.head = content.head;
    if (content.rows) {
      this.tellFailures(content.rows);
      if (this.mode === "timeline") for (const a of content.rows) this.extendLane(a);
      this.jobs.merge(content.rows, content.gone);
      if (this.open !== null) this.refreshPanel(content);
    }
    this.later();
  }

  tellFailures(rows) {
    const k = this.jobs.k, failed = [];
    for (const a of rows) {
      const known = this.jobs.byId.get(a[k.id]);
      if (known && a[k.streak] && a[k.failures] > known.a[k.failures]) failed.push(a[k.id]);
    }
    if (failed.length) this.alarm.textContent = failed.length > 3 ? `${failed.length} jobs failed` : `${failed.join(", ")} failed`;
  }

  refreshPanel(content) {
    if (content.gone.includes(this.open)) { this.toggle(this.open); return; }
    if (content.rows.some((a) => a[this.jobs.k.id] === this.open) && Date.now() - (this.detailAt || 0) > 1000) this.askDetail();
  }

  // What a saved notebook shows, if it keeps widgets: no traffic, as it is not sent.
  keep() {
    this.keptAt = Date.now();
    const rows = this.jobs.order.slice(0, 200).map((job) => job.a), names = Object.entries(this.jobs.k).sort((x, y) => x[1] - y[1]).map((each) => each[0]);
    this.model.set("snap", { now: this.now(), head: this.head, columns: names, rows, count: this.jobs.byId.size });
  }

  // -- What the user does

  act(verb, id, button) {
    const rid = `${this.vid}-${++this.rid}`;
    const timer = setTimeout(() => this.tell("waiting for the kernel: it is busy running a cell", ""), WAIT_MS);
    this.waiting.set(rid, { timer, verb, id });
    const job = this.jobs.byId.get(id);
    if (job) { job.pending[verb] = rid; this.later(true); }
    if (button) button.setAttribute("aria-busy", "true");
    this.send({ t: "act", rid, verb, id: id || "" });
  }

  hearReply(content) {
    const known = this.waiting.get(content.rid);
    if (!known) return;
    this.waiting.delete(content.rid);
    clearTimeout(known.timer);
    const job = this.jobs.byId.get(known.id);
    if (job) delete job.pending[known.verb];
    for (const each of this.root.querySelectorAll("[aria-busy]")) if (!each.closest(".nv-row")) each.removeAttribute("aria-busy");
    this.tell(content.text, content.ok ? "" : "bad");
    this.later(true);
  }

  tell(text, kind) {
    setText(this.toldLine, text);
    setClass(this.toldLine, `nv-told cut ${kind}`);
    this.toldLine.title = text;
    clearTimeout(this.told);
    this.told = setTimeout(() => setText(this.toldLine, ""), kind === "bad" ? 20000 : 8000);
  }

  askAll() {
    const isResume = this.counts && this.counts.allPaused > 0;
    if (isResume) { this.act("resume_all", null, this.allButton); return; }
    clearTimeout(this.allAsked);
    if (!this.isAllAsked) { this.isAllAsked = true; this.later(true); this.allAsked = setTimeout(() => { this.isAllAsked = false; this.later(true); }, 5000); return; }
    this.isAllAsked = false;
    this.act("pause_all", null, this.allButton);
  }

  filterState(state) { this.jobs.state = this.jobs.state === state ? "" : state; this.rearrange(); }
  filterTag(tag) { this.jobs.tag = this.jobs.tag === tag ? "" : tag; this.rearrange(); }

  sortBy(key) {
    const jobs = this.jobs;
    if (jobs.sort === key) jobs.isDown = !jobs.isDown; else { jobs.sort = key; jobs.isDown = false; }
    this.buildColumns();
    this.rearrange();
    const again = this.cols.querySelector(`[data-key="${key}"] button`);
    if (again) again.focus();
  }

  setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    for (const row of this.pool.values()) row.node.remove();
    this.pool.clear();
    this.spare = [];
    this.buildColumns();
    this.wantAt = 0;
    this.root.classList.toggle("timeline", mode === "timeline");
    this.forgetSizes();
    this.draw(true);
  }

  toggle(id) {
    this.open = this.open === id ? null : id;
    this.removing = null;
    if (this.open !== null) { this.detailTab = null; this.askDetail(); }
    this.draw(true);
    if (this.open !== null) this.reveal(this.jobs.order.findIndex((job) => job.id === id));
  }

  askDetail() { this.detailAt = Date.now(); this.send({ t: "detail", id: this.open }); }

  reveal(place) {
    if (place < 0) return;
    const top = this.topOf(place), end = top + ROW + (this.jobs.order[place].id === this.open ? this.panelHeight() : 0);
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    else if (end > this.body.scrollTop + this.body.clientHeight) this.body.scrollTop = Math.min(top, end - this.body.clientHeight);
    this.scrolled = this.body.scrollTop;
    this.draw(false);
  }

  move(place) {
    const order = this.jobs.order;
    if (!order.length) return;
    const to = Math.max(0, Math.min(order.length - 1, place));
    this.focus = order[to].id;
    this.reveal(to);
    const row = this.pool.get(this.focus);
    if (row) row.node.focus({ preventScroll: true });
  }

  key(event) {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0], isTyping = target === this.input || target.tagName === "SELECT";
    if (event.key === "Escape") {
      if (isTyping && this.input.value) { this.input.value = ""; this.jobs.text = ""; this.rearrange(); }
      else if (this.open !== null) { const id = this.open; this.toggle(id); this.move(this.jobs.order.findIndex((job) => job.id === id)); }
      else if (isTyping) this.move(0);
      return;
    }
    if (isTyping) { if (event.key === "ArrowDown" && target === this.input) { event.preventDefault(); this.move(0); } return; }
    if (event.key === "/" && !this.isCompact) { event.preventDefault(); this.input.focus(); this.input.select(); return; }
    const row = target.closest && target.closest(".nv-row");
    if (!row || target !== row) return;
    const place = this.jobs.order.findIndex((job) => job.id === row.dataset.id), page = Math.max(1, Math.floor(this.body.clientHeight / ROW) - 1);
    const moves = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0, End: Infinity };
    if (event.key in moves) { event.preventDefault(); this.move(moves[event.key]); }
    else if (event.key === "Enter" || event.key === " ") { event.preventDefault(); this.toggle(row.dataset.id); this.move(place); }
    else if (event.key === "r") this.act("run_now", row.dataset.id);
    else if (event.key === "p") this.act(this.isPaused(row.dataset.id) ? "resume" : "pause", row.dataset.id);
  }

  isPaused(id) { const job = this.jobs.byId.get(id); return Boolean(job) && job.a[this.jobs.k.status] === "paused"; }

  // -- Drawing

  rearrange() {
    this.counts = this.jobs.count(this.now());
    this.jobs.arrange();
    this.sortedAt = Date.now();
    this.draw(true);
  }

  later(isAll = false, wait = 0) {
    this.isAllDue = this.isAllDue || isAll;
    if (wait) { clearTimeout(this.soon); this.soon = setTimeout(() => this.later(isAll), wait); return; }
    if (this.frame || this.isOver) return;
    this.frame = requestAnimationFrame(() => { this.frame = 0; const all = this.isAllDue; this.isAllDue = false; this.draw(all); });
  }

  tick() {
    if (!this.isVisible) return;
    const now = Date.now();
    if (now - (this.saidAt || 0) > HERE_MS) { this.saidAt = now; this.send({ t: "vis", on: true }); }
    if (this.isFull && now - (this.keptAt || 0) > 5000) this.keep();
    this.want();
    this.jobs.isOrderStale = true;  // jobs become late by themselves
    this.draw(true);
  }

  draw(isAll) {
    if (this.isOver) return;
    if (isAll) this.round = (this.round || 0) + 1;
    const jobs = this.jobs, isHeld = Date.now() - (this.touchedAt || 0) < HOLD_MS;
    if (jobs.isOrderStale && Date.now() - this.sortedAt >= SORT_MS) {
      this.counts = jobs.count(this.now());
      // Rows must not jump from under a click; who left or came is seen all the same.
      if (!isHeld || Date.now() - this.sortedAt > 15000 || jobs.order.some((job) => jobs.byId.get(job.id) !== job) || jobs.byId.size !== this.sizeThen) { jobs.arrange(); this.sortedAt = Date.now(); this.sizeThen = jobs.byId.size; }
    }
    if (!this.counts) this.counts = jobs.count(this.now());
    this.drawHead();
    if (!this.isCompact) this.drawTools();
    this.drawRows();
    this.drawFoot();
    if (this.axis && isAll) this.drawAxis();
  }

  drawHead() {
    const head = this.head, now = this.now(), counts = this.counts;
    if (!head) return;
    const url = head.url, short = url.split(/[?#]/)[0].replace(/\/+$/, "").split("/").pop() || url;
    setText(this.title, short);
    this.title.title = url;
    setText(this.where, this.isStopped() ? "saved" : `running · ${url.split(":")[0]}`);
    const shown = { jobs: counts.all + (head.leftOut || 0), running: counts.going, failing: counts.counts.failing, late: counts.counts.late + counts.counts.retrying, paused: counts.counts.paused };
    for (const [name, { cell, count }] of Object.entries(this.cells)) {
      setText(count, number(shown[name]));
      setClass(cell, `nv-count ${name} ${shown[name] ? "some" : "none"}`);
      setAttr(cell, "aria-pressed", String(name === "jobs" ? !this.jobs.state : this.jobs.state === name));
      if (name === "jobs") setAttr(cell, "aria-pressed", null);
    }
    setText(this.nextCount, counts.next === null ? "–" : counts.next <= now ? "due" : clockWords(counts.next - now));
    this.drawRate(head);
    this.drawInstances(head, now);
    const isSaved = this.isStopped();
    const text = isSaved ? `Saved snapshot from ${timeWords(this.snapAt || now, 0)}: no kernel is connected` : head.trouble ? `Out of date: ${head.trouble}` : "";
    this.banner.hidden = !text;
    setText(this.banner, text);
    this.banner.classList.toggle("saved", isSaved);
  }

  isStopped() { return !this.isFull && Date.now() - this.openedAt > 8000; }

  drawRate(head) {
    const minutes = head.minutes || [], colours = this.palette();
    this.rateWidth = this.rateWidth || this.rate.clientWidth;
    const key = JSON.stringify(minutes) + this.rateWidth + this.generation + this.size;
    if (this.rate.__key === key) return;
    this.rate.__key = key;
    let runs = 0, failed = 0;
    for (const [n, f] of minutes) { runs += n; failed += f; }
    const now = this.now(), from = head.rateFrom && head.rateFrom > now - 3540000 ? agoWords(now - head.rateFrom) : "hour";
    setText(this.rateWords[0], this.size === "medium" ? `last ${from}` : `runs a minute, last ${from}`);
    setText(this.rateWords[1], this.size === "medium" ? number(runs) : `${number(runs)} runs, ${number(failed)} failed`);
    setAttr(this.rate, "aria-label", `${runs} runs in the last hour, ${failed} failed`);
    const paint = this.context(this.rate, this.rateWidth, 30);
    if (!paint) { this.rate.__key = null; return; }
    const { g, width, height } = paint, most = Math.max(1, ...minutes.map((each) => each[0]));
    const step = width / minutes.length;
    minutes.forEach(([n, f], place) => {
      const x = place * step, w = Math.max(1, step - 1.2);
      if (!n) { g.fillStyle = colours.line; g.fillRect(x, height - 1, w, 1); return; }
      const tall = Math.max(2, (height - 1) * n / most), red = f ? Math.max(2, tall * f / n) : 0;
      g.fillStyle = colours.good; g.fillRect(x, height - tall, w, tall - red);
      g.fillStyle = colours.bad; g.fillRect(x, height - tall, w, red);
    });
  }

  context(canvas, width, height) {
    const ratio = Math.max(1, devicePixelRatio || 1);
    if (!width) return null;
    const w = Math.round(width * ratio), h = Math.round(height * ratio);
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    return { g, width, height };
  }

  drawInstances(head, now) {
    const listed = [...head.instances].sort((x, y) => Number(y.own) - Number(x.own) || x.started - y.started), box = this.instances;
    const shown = listed.slice(0, 3), more = listed.length - shown.length;
    while (box.children.length < Math.max(1, shown.length) + (more > 0 ? 1 : 0)) {
      const line = el("div", "nv-instance"), lease = el("span", "lease");
      lease.append(el("i"));
      line.append(el("span", "who cut"), lease, el("span", "age"));
      box.append(line);
    }
    while (box.children.length > Math.max(1, shown.length) + (more > 0 ? 1 : 0)) box.lastChild.remove();
    const write = (line, who, age, share, name, title) => {
      setText(line.children[0], who); setText(line.children[2], age); setScale(line.children[1].firstChild, share);
      line.children[1].style.visibility = share === null ? "hidden" : ""; line.children[1].firstChild.style.transformOrigin = "left";
      setClass(line, `nv-instance ${name}`); setAttr(line, "title", title);
    };
    if (!shown.length) { write(box.children[0], "no instance runs jobs", "", null, "lost", ""); return; }
    shown.forEach((each, place) => {
      const age = now - each.beat, isLost = age > head.deadAfter, host = each.host || each.id;
      const who = each.own ? `${host} · here` : `${host} · ${each.pid}`;
      write(box.children[place], who, isLost ? `✗ lost ${agoWords(age)}` : `${agoWords(age)} ago`, isLost ? 0 : 1 - age / head.deadAfter, `${isLost ? "lost" : ""} ${each.own ? "own" : ""}`,
        `${each.id}, nvent_sched ${each.release}, last heartbeat ${agoWords(age)} ago, ${each.running} of ${number(each.slots)} slots taken`);
    });
    if (more > 0) write(box.lastChild, `and ${number(more)} more`, "", null, "", listed.slice(3).map((each) => each.id).join("\n"));
  }

  drawTools() {
    const jobs = this.jobs, chips = jobs.tags.map(([tag, count]) => [tag, tag, count]);
    if (jobs.internal) chips.push(["\u0000", "internal", jobs.internal]);
    const key = JSON.stringify(chips.map((each) => [each[0], each[2]])) + jobs.tag + jobs.isInternalShown;
    if (this.tagBox.__key !== key) {
      this.tagBox.__key = key;
      const focused = this.root.getRootNode().activeElement, held = focused && focused.dataset ? focused.dataset.tag : undefined;
      this.tagBox.replaceChildren(...chips.map(([tag, words, count]) => {
        const isInternal = tag === "\u0000", chip = el("button", "nv-tag", words);
        chip.append(el("b", "", number(count)));
        chip.dataset.tag = tag;
        chip.setAttribute("aria-pressed", String(isInternal ? jobs.isInternalShown : jobs.tag === tag));
        chip.title = isInternal ? "what awaits, watchdogs and triggers keep as jobs" : `only jobs with the tag ${tag}`;
        chip.addEventListener("click", () => { if (isInternal) { jobs.isInternalShown = !jobs.isInternalShown; this.rearrange(); } else this.filterTag(tag); });
        return chip;
      }));
      if (held !== undefined) for (const chip of this.tagBox.children) if (chip.dataset.tag === held) chip.focus();
    }
    for (const [mode, button] of Object.entries(this.modeButtons)) setAttr(button, "aria-pressed", String(mode === this.mode));
    this.spanBox.hidden = this.mode !== "timeline";
    this.root.classList.toggle("timeline", this.mode === "timeline");
    const isResume = this.counts.allPaused > 0, active = this.counts.all - this.counts.counts.paused - this.counts.counts.finished;
    setText(this.allButton, isResume ? `Resume all ${number(this.counts.allPaused)}` : this.isAllAsked ? `Pause ${number(active)} jobs?` : "Pause all");
    this.allButton.classList.toggle("sure", this.isAllAsked && !isResume);
    this.allButton.disabled = !this.isConnected();
  }

  isConnected() { return this.isFull && Date.now() - this.heardAt < LOST_MS; }

  panelHeight() { return this.size === "narrow" ? PANEL_NARROW : this.size === "medium" ? 400 : PANEL; }

  topOf(place) {
    const open = this.openPlace;
    return place * ROW + (open >= 0 && place > open ? this.panelHeight() : 0);
  }

  drawRows() {
    const order = this.jobs.order, body = this.body;
    this.openPlace = this.open === null ? -1 : order.findIndex((job) => job.id === this.open);
    const most = this.options.height || (this.isCompact ? ROWS_COMPACT : ROWS_SHOWN) * ROW;
    const whole = order.length * ROW + (this.openPlace >= 0 ? this.panelHeight() : 0);
    const height = this.options.height || Math.min(Math.max(most, this.openPlace >= 0 ? this.panelHeight() + 6 * ROW : 0), Math.max(whole, ROW));
    if (this.bodyHeight !== height || this.spaceHeight !== whole) {
      this.bodyHeight = height; this.spaceHeight = whole;
      body.style.height = `${height}px`; this.space.style.height = `${whole}px`;
      this.scrolled = body.scrollTop;  // what is shorter may have moved it
    }
    if (this.gutterOf !== whole + height) { this.gutterOf = whole + height; this.cols.style.paddingRight = `${12 + body.offsetWidth - body.clientWidth}px`; }
    this.drawEmpty(order.length);
    setAttr(this.grid, "aria-rowcount", String(order.length + 1));
    const top = this.scrolled || 0, end = top + height;
    let first = Math.max(0, Math.floor((top - (this.openPlace >= 0 && top > this.topOf(this.openPlace) + ROW ? this.panelHeight() : 0)) / ROW) - 2);
    const wanted = new Map();
    let place = first;
    for (; place < order.length && this.topOf(place) < end + ROW; place++) wanted.set(order[place].id, place);
    this.first = first; this.last = place;
    for (const [id, row] of this.pool) if (!wanted.has(id)) { this.pool.delete(id); row.node.hidden = true; this.spare.push(row); }
    for (const [id, at] of wanted) {
      let row = this.pool.get(id);
      if (!row) {
        row = this.spare.pop() || this.buildRow();
        row.node.hidden = false;
        row.id = id;
        row.node.dataset.id = id;
        this.pool.set(id, row);
        this.wantAt = Math.min(this.wantAt || 0, Date.now() - 4600);
      }
      this.fillRow(row, order[at], at);
    }
    this.drawPanel(false);
    this.onScreen = [...wanted.keys()];
    const firstSeen = order.length ? Math.min(order.length, Math.floor(top / ROW) + 1) : 0, lastSeen = Math.min(order.length, Math.max(firstSeen, Math.floor(end / ROW)));
    this.rangeWords = order.length ? `${number(firstSeen)}–${number(lastSeen)} of ${number(order.length)}` : "no jobs";
  }

  drawEmpty(count) {
    this.empty.hidden = count > 0;
    if (count) return;
    const isFiltered = this.jobs.byId.size > 0;
    const key = `${isFiltered}${this.jobs.text}${this.isFull}`;
    if (this.empty.__key === key) return;
    this.empty.__key = key;
    const said = el("b", "", isFiltered ? "No job is like that" : this.isFull ? "There are no jobs yet" : "Reading the jobs…");
    this.empty.replaceChildren(said);
    if (isFiltered) {
      const clear = el("button", "nv-button", "Show all");
      clear.addEventListener("click", () => { Object.assign(this.jobs, { text: "", tag: "", state: "" }); this.input.value = ""; this.rearrange(); });
      this.empty.append(clear);
    } else if (this.isFull) this.empty.append(el("code", "", 'scheduler.schedule(function, Interval(minutes=5), id="first")'));
  }

  buildRow() {
    const node = el("div", "nv-row"), cells = el("div", "cells"), row = { node };
    node.setAttribute("role", "row");
    cells.setAttribute("role", "presentation");
    const cell = (name, tag = "div") => { const made = el(tag, name); made.setAttribute("role", "gridcell"); cells.append(made); return made; };
    row.state = cell("nv-state");
    row.shape = icon(SHAPES.waiting);
    row.word = el("span");
    row.state.append(row.shape, row.word);
    row.job = cell("nv-job cut");
    row.prefix = el("i"); row.name = el("span"); row.more = el("em");
    row.job.append(row.prefix, row.name, row.more);
    if (this.mode === "table") row.words = cell("nv-words cut");
    row.next = cell("nv-next");
    row.nextText = el("span"); row.thin = el("span", "thin"); row.bar = el("span", "bar");
    row.thin.append(el("i"));
    row.barText = [el("span"), el("span")];
    const inBar = el("span");
    inBar.append(...row.barText);
    row.bar.append(el("i"), inBar);
    row.next.append(row.nextText, row.thin, row.bar);
    if (this.mode === "table") {
      row.last = cell("nv-last cut");
      row.sign = el("span"); row.ago = el("span");
      row.last.append(row.sign, row.ago);
      const took = cell("nv-took");
      row.took = el("span"); row.usual = el("span", "nv-usual");
      row.usual.append(el("i"), el("u"));
      took.append(row.took, row.usual);
      row.strip = el("canvas", "nv-strip");
      row.strip.setAttribute("role", "img");
      cell("c-strip").append(row.strip);
      const runs = cell("nv-runs");
      row.runs = el("span"); row.failures = el("span");
      runs.append(row.runs, " / ", row.failures);
    } else {
      row.lane = el("canvas", "nv-lane");
      row.lane.setAttribute("role", "img");
      row.lane.addEventListener("pointermove", (event) => this.nameRun(row, event));
      cell("c-lane").append(row.lane);
    }
    const actions = cell("nv-actions");
    const button = (path, act) => {
      const made = el("button");
      made.tabIndex = -1;
      made.append(icon(path));
      made.addEventListener("click", (event) => { event.stopPropagation(); act(); });
      actions.append(made);
      return made;
    };
    row.runNow = button(ICONS.run, () => this.act("run_now", row.id));
    row.pause = button(ICONS.pause, () => this.act(this.isPaused(row.id) ? "resume" : "pause", row.id));
    row.detail = button(ICONS.more, () => this.toggle(row.id));
    node.append(cells);
    node.addEventListener("click", () => { this.focus = row.id; this.toggle(row.id); });
    node.addEventListener("focus", () => { this.focus = row.id; });
    this.space.append(node);
    return row;
  }

  fillRow(row, job, place) {
    // Between two ticks only those rows are written that the kernel changed.
    const stamp = `${this.round}|${place}|${this.topOf(place)}|${this.generation}`;
    if (row.drawn === job.a && row.stamp === stamp) return;
    row.drawn = job.a; row.stamp = stamp;
    const a = job.a, k = this.jobs.k, now = this.now(), state = this.jobs.stateOf(job, now), id = job.id;
    const top = `translateY(${this.topOf(place)}px)`;
    if (row.top !== top) { row.top = top; row.node.style.transform = top; }
    setClass(row.node, id === this.open ? "nv-row open" : "nv-row");
    setAttr(row.node, "data-state", state);
    setAttr(row.node, "aria-rowindex", String(place + 2));
    setAttr(row.node, "tabindex", id === this.focus || (place === 0 && !this.pool.has(this.focus)) ? "0" : "-1");
    if (row.drawnState !== state) { row.drawnState = state; row.shape.firstChild.setAttribute("d", SHAPES[state]); setText(row.word, state); row.state.title = state; }
    const cut = id.lastIndexOf(".") > 0 ? id.lastIndexOf(".") + 1 : a[k.role] ? a[k.role].length : 0;
    setText(row.prefix, id.slice(0, cut)); setText(row.name, id.slice(cut)); setText(row.more, a[k.name]);
    const why = a[k.error] || a[k.note];
    setAttr(row.job, "title", `${id}${a[k.name] ? `\n${a[k.name]}` : ""}${why ? `\n${why}` : ""}`);
    this.fillNext(row, job, state, now);
    if (this.mode === "table") this.fillTable(row, job, now); else this.drawLane(row, job, now);
    this.fillActions(row, job);
  }

  fillNext(row, job, state, now) {
    const a = job.a, k = this.jobs.k, next = a[k.next];
    if (a[k.going]) {
      const since = Math.max(0, now - a[k.started]), usual = a[k.usual], share = a[k.progress], bar = row.bar.firstChild;
      setClass(row.next, "nv-next running");
      const many = a[k.going] > 1 ? `${a[k.going]}× ` : "", again = a[k.attempt] > 1 ? `try ${a[k.attempt]}, ` : "";
      if (share !== null) {
        setClass(row.bar, "bar");
        setScale(bar, share);
        setText(row.barText[0], `${many}${Math.floor(share * 100)}%`);
        setText(row.barText[1], share > 0.02 && share < 1 && since > 1500 ? `${clockWords(since / share - since)} left` : clockWords(since));
      } else {
        setClass(row.bar, "bar guess");
        setScale(bar, usual > 500 ? Math.min(1, since / usual) : 1);
        setText(row.barText[0], `${many}${again}${agoWords(since)}`);
        setText(row.barText[1], usual > 1000 ? since > usual * 1.5 ? `${(since / usual).toFixed(since < usual * 10 ? 1 : 0)}× usual` : `~${clockWords(Math.max(0, usual - since))}` : "");
      }
      setText(row.nextText, "");
      setAttr(row.next, "title", `running for ${lengthWords(since)}${a[k.progressNote] ? `: ${a[k.progressNote]}` : ""}${share === null && usual ? `, usually ${lengthWords(usual)}` : ""}`);
      return;
    }
    const at = state === "retrying" || (a[k.again] !== null && (next === null || a[k.again] < next)) ? a[k.again] : next;
    if (at === null || a[k.status] !== "active") {
      setClass(row.next, "nv-next dim none");
      setText(row.nextText, a[k.status] === "paused" ? "paused" : at === null ? "–" : `in ${clockWords(at - now)}`);
      setAttr(row.next, "title", a[k.note] || null);
      return;
    }
    const left = at - now, isLate = left < -LATE_MS;
    setClass(row.next, isLate ? "nv-next late" : "nv-next");
    const words = isLate ? `late by ${clockWords(-left)}` : left <= 0 ? "due" : `in ${clockWords(left)}`;
    setText(row.nextText, at === a[k.again] ? `again ${words}` : words);
    setAttr(row.next, "title", new Date(at).toLocaleString());
    if (!job.seenAt) job.seenAt = a[k.finished] !== null && a[k.finished] < next ? a[k.finished] : now;
    setScale(row.thin.firstChild, isLate ? 1 : 1 - left / Math.max(1, at - job.seenAt));
  }

  fillTable(row, job, now) {
    const a = job.a, k = this.jobs.k, outcome = a[k.outcome], took = a[k.took], usual = a[k.usual];
    setText(row.words, a[k.words]);
    setAttr(row.words, "title", a[k.words]);
    if (outcome === null) { setText(row.sign, ""); setText(row.ago, "–"); setAttr(row.last, "title", null); }
    else {
      setText(row.sign, `${signOf(outcome)} `); setClass(row.sign, kindOf(outcome));
      setText(row.ago, `${agoWords(now - a[k.finished])} ago`);
      setAttr(row.last, "title", `${outcomeWords(outcome)}, ${new Date(a[k.finished]).toLocaleString()}`);
    }
    setText(row.took, lengthWords(took));
    const isKnown = took !== null && usual > 0;
    setClass(row.usual, !isKnown ? "nv-usual unknown" : took > usual * 1.75 ? "nv-usual slow" : "nv-usual");
    if (isKnown) { setScale(row.usual.firstChild, took / (2 * usual)); setAttr(row.usual, "title", `usually ${lengthWords(usual)}`); }
    this.drawStrip(row, a[k.strip]);
    setText(row.runs, number(a[k.runs]));
    setText(row.failures, number(a[k.failures]));
    setAttr(row.failures, "style", a[k.failures] ? "color:var(--bad);font-weight:650" : null);
  }

  drawStrip(row, strip) {
    const colours = this.palette(), wideAll = STRIP_WIDTHS[this.size] || 0, key = `${strip}${wideAll}${this.generation}`;
    if (row.drawnStrip === key) return;
    row.drawnStrip = key;
    const words = stripWords(strip);
    setAttr(row.strip, "aria-label", words);
    setAttr(row.strip, "title", words);
    const paint = this.context(row.strip, wideAll, 22);
    if (!paint) { row.drawnStrip = null; return; }
    const { g, width, height } = paint, step = width / 24, wide = Math.max(1.5, step - 1.6);
    g.fillStyle = colours.line;
    g.fillRect(0, height - 1, width, 1);
    for (let i = 0; i < strip.length; i++) {
      const c = strip[i], x = (24 - strip.length + i) * step;
      if (c === "." || c === "x") { g.fillStyle = colours.odd; g.fillRect(x, height - (c === "x" ? 7 : 4), wide, c === "x" ? 7 : 4); continue; }
      const isBad = c < "a", level = c.toLowerCase().charCodeAt(0) - 97;
      const tall = isBad ? height : 4 + (height - 5) * level / 15;
      g.fillStyle = isBad ? colours.bad : colours.good;
      g.fillRect(x, height - tall, wide, tall);
    }
  }

  fillActions(row, job) {
    const isPaused = this.isPaused(job.id), isOn = this.isConnected(), isOpen = job.id === this.open;
    const isDone = job.a[this.jobs.k.status] === "finished";
    const say = (button, words, isBusy) => {
      setAttr(button, "aria-label", `${words} ${job.id}`); setAttr(button, "title", words);
      setAttr(button, "aria-busy", isBusy ? "true" : null);
      if (button.disabled !== !isOn) button.disabled = !isOn;
    };
    say(row.runNow, "Run now", job.pending.run_now);
    say(row.pause, isPaused ? "Resume" : "Pause", job.pending.pause || job.pending.resume);
    row.pause.style.visibility = isDone ? "hidden" : "";
    const path = isPaused ? ICONS.resume : ICONS.pause;
    if (row.pausePath !== path) { row.pausePath = path; row.pause.firstChild.firstChild.setAttribute("d", path); }
    setAttr(row.detail, "aria-label", `Details of ${job.id}`); setAttr(row.detail, "title", "Details");
    setAttr(row.detail, "aria-expanded", String(isOpen));
  }

  drawFoot() {
    const isOn = this.isConnected(), age = Date.now() - (this.heardAt || this.openedAt);
    const words = isOn ? "live" : this.isFull ? `connection to the scheduler is lost, last heard ${agoWords(age)} ago` : this.isStopped() ? "saved" : "opening";
    setText(this.live, words);
    setClass(this.live, `nv-live ${isOn ? "" : this.isFull ? "lost" : "off"}`);
    const more = this.head && this.head.leftOut ? `, ${number(this.head.leftOut)} more are in the store` : "";
    setText(this.range, this.rangeWords + more);
  }

  // -- The panel of one job

  drawPanel(isNew) {
    const panel = this.panel, inside = this.panelIn, place = this.openPlace;
    if (this.open === null || place === undefined || place < 0) { if (panel.parentNode) panel.remove(); this.panelId = null; return; }
    if (!panel.parentNode) this.space.append(panel);
    panel.hidden = false;
    panel.style.transform = `translateY(${this.topOf(place) + ROW}px)`;
    panel.style.height = `${this.panelHeight()}px`;
    if (this.panelId === this.open && !isNew && this.panelDue === this.panelKey()) return;
    const scroll = [...inside.children].map((each) => each.scrollTop), isSame = this.panelId === this.open;
    const focused = this.root.getRootNode().activeElement, held = focused && panel.contains(focused) ? focused.dataset.key : null;
    this.panelId = this.open;
    this.panelDue = this.panelKey();
    const job = this.jobs.byId.get(this.open), detail = this.details.get(this.open);
    inside.replaceChildren(this.buildFacts(job, detail), this.buildRuns(detail), this.buildWhy(detail));
    if (isSame) [...inside.children].forEach((each, at) => { each.scrollTop = scroll[at] || 0; });
    if (held) { const again = panel.querySelector(`[data-key="${held}"]`); if (again) again.focus(); }
  }

  panelKey() { return `${this.removing}${this.isPaused(this.open)}${this.isConnected()}${this.size}${this.detailTab}`; }

  buildFacts(job, detail) {
    const box = el("div", "facts"), buttons = el("div", "buttons"), id = this.open, isOn = this.isConnected();
    const add = (key, words, name, act) => {
      const button = el("button", `nv-button ${name}`, words);
      button.dataset.key = key;
      button.disabled = !isOn;
      button.addEventListener("click", (event) => { event.stopPropagation(); act(button); });
      buttons.append(button);
    };
    if (this.removing === id) {
      buttons.append(el("span", "bad", "Remove it with its history?"));
      add("sure", "Remove", "sure", () => { this.removing = null; this.act("remove", id); });
      add("keep", "Keep", "", () => { this.removing = null; this.drawPanel(true); });
    } else {
      add("run", "Run now", "", () => this.act("run_now", id));
      if (job && job.a[this.jobs.k.status] !== "finished") add("pause", this.isPaused(id) ? "Resume" : "Pause", "", () => this.act(this.isPaused(id) ? "resume" : "pause", id));
      add("remove", "Remove…", "danger", () => { this.removing = id; this.drawPanel(true); this.panel.querySelector('[data-key="keep"]').focus(); });
    }
    box.append(buttons);
    if (!detail) { box.append(el("div", "dim", detail === null ? "It is gone." : "Reading…")); return box; }
    box.append(list([...detail.facts, ["policies", detail.policies.map((each) => each.join(" ")).join(", ")]]));
    box.append(el("h4", "", "Next"));
    const coming = el("ol");
    for (const each of detail.coming) {
      const line = el("li", "", each.text);
      line.title = `here: ${new Date(each.at).toLocaleString()}`;
      if (each.note) line.append(el("span", "note", `  ${each.note}`));
      coming.append(line);
    }
    if (!detail.coming.length) coming.append(el("li", "dim", "nothing is due"));
    box.append(coming);
    return box;
  }

  buildRuns(detail) {
    const box = el("div", "runs");
    box.append(el("h4", "", "Last runs"));
    if (!detail) return box;
    const table = el("table", "nv-runsList"), now = this.now();
    for (const run of detail.runs) {
      const line = el("tr"), going = run.outcome === null;
      const state = going ? run.started !== null ? "▶ running" : run.state === "claimed" ? "● starting" : `● ${run.state}` : `${signOf(run.outcome)} ${outcomeWords(run.outcome)}`;
      line.append(el("td", going ? "run" : kindOf(run.outcome), state + (run.count > 1 ? ` × ${number(run.count)}` : "")));
      line.append(el("td", "", timeWords(run.started || run.scheduled, now)));
      line.append(el("td", "", going ? "…" : lengthWords(run.took)));
      const more = [run.origin === "schedule" ? "" : run.origin, run.attempt > 1 ? `try ${run.attempt}` : "", run.text].filter(Boolean).join(", ");
      line.append(el("td", "", more));
      line.title = `${run.id}\n${run.instance}${run.text ? `\n${run.text}` : ""}`;
      table.append(line);
    }
    box.append(detail.runs.length ? table : el("div", "dim", "none yet"));
    return box;
  }

  buildWhy(detail) {
    const box = el("div", "why"), head = el("h4");
    if (!detail) { box.append(el("h4", "", "Last error")); return box; }
    const tab = this.detailTab || (detail.error ? "error" : "log");
    const has = [["error", detail.error ? `Last error, ${agoWords(this.now() - detail.errorAt)} ago` : "Last error"], ["log", `Log${detail.log.length ? `, ${detail.log.length} ${detail.log.length === 1 ? "line" : "lines"}` : ""}`]];
    for (const [key, words] of has) {
      const button = el("button", "", words);
      button.dataset.key = `tab-${key}`;
      button.setAttribute("aria-pressed", String(key === tab));
      button.addEventListener("click", (event) => { event.stopPropagation(); this.detailTab = key; this.drawPanel(true); });
      head.append(button);
    }
    box.append(head);
    const text = tab === "error" ? detail.error : detail.log.join("\n");
    if (!text) { box.append(el("div", "dim", tab === "error" ? "none is kept" : "nothing was logged or printed")); return box; }
    const pre = el("pre"), lines = text.replace(/\s+$/, "").split("\n");
    pre.tabIndex = 0;
    lines.forEach((line, place) => {
      const isLast = tab === "error" && place === lines.length - 1, isFrame = tab === "error" && /^\s+File "/.test(line);
      pre.append(el("span", isLast ? "last" : isFrame ? "frame" : "", line), "\n");
    });
    box.append(pre);
    return box;
  }

  // -- The timeline

  window() {
    const [, back, ahead] = SPANS[this.span], now = this.now();
    return { now, from: now - back * 60000, until: now + ahead * 60000 };
  }

  // Ask for what the rows on the screen show beyond their own data; every five seconds.
  want() {
    if (!this.isFull || !this.onScreen || Date.now() - (this.wantAt || 0) < 5000) return;
    this.wantAt = Date.now();
    const k = this.jobs.k, isTimeline = this.mode === "timeline", { from, until } = this.window();
    const ids = this.onScreen.filter((id) => {
      const job = this.jobs.byId.get(id);
      return job && (isTimeline || (job.a[k.strip].length < Math.min(24, job.a[k.runs]) && job.askedFor !== job.a[k.runs] && (job.askedFor = job.a[k.runs])));
    }).slice(0, 60);
    if (ids.length) this.send({ t: "want", ids, lanes: isTimeline, since: Math.floor(from), until: Math.ceil(until) });
  }

  extendLane(a) {
    const k = this.jobs.k, lane = this.lanes.get(a[k.id]);
    if (!lane || a[k.finished] === null || a[k.outcome] === null) return;
    const known = this.jobs.byId.get(a[k.id]);
    if (known && known.a[k.finished] === a[k.finished]) return;
    lane.past = lane.past.filter((each) => each[2] !== "going");
    lane.past.unshift([a[k.finished] - (a[k.took] || 0), a[k.finished], a[k.outcome]]);
    lane.past.length = Math.min(lane.past.length, 200);
  }

  drawAxis() {
    const { now, from, until } = this.window(), width = this.axis.clientWidth;
    if (!width) return;
    const place = (at) => (at - from) / (until - from) * width, steps = [60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800];
    const room = Math.max(2, Math.floor(width / 96)), step = (steps.find((each) => (until - from) / 1000 / each <= room) || 172800) * 1000;
    const marks = [], zone = new Date(now).getTimezoneOffset() * 60000;
    for (let at = Math.ceil((from - zone) / step) * step + zone; at < until; at += step) if (Math.abs(place(at) - place(now)) > 46 && place(at) > 22 && place(at) < width - 18) marks.push(at);
    this.marks = marks;
    this.axis.replaceChildren(...marks.map((at) => {
      const when = new Date(at), isDay = step >= 86400000;
      const mark = el("span", "", isDay ? when.toLocaleDateString(undefined, { weekday: "short", day: "numeric" }) : `${two(when.getHours())}:${two(when.getMinutes())}`);
      mark.style.left = `${place(at)}px`;
      return mark;
    }));
    const mark = el("span", "now", "now");
    mark.style.left = `${place(now)}px`;
    this.axis.append(mark);
  }

  drawLane(row, job, now) {
    const { from, until } = this.window(), a = job.a, k = this.jobs.k, lane = this.lanes.get(job.id), colours = this.palette();
    const width = this.laneWidth = this.laneWidth || row.lane.clientWidth;
    // A pixel of time: what has not moved by one need not be drawn again.
    const pixel = (until - from) / Math.max(1, width), key = `${job.id}|${Math.floor(now / pixel)}|${width}|${this.generation}|${this.span}|${a[k.going]}|${a[k.finished]}|${a[k.next]}|${lane ? lane.past.length + lane.coming.length : -1}`;
    if (row.drawnLane === key) return;
    row.drawnLane = key;
    const paint = this.context(row.lane, width, 29);
    if (!paint) { row.drawnLane = null; return; }
    const { g, height } = paint, x = (at) => (at - from) / (until - from) * width;
    g.fillStyle = colours.line;
    for (const at of this.marks || []) g.fillRect(Math.round(x(at)), 0, 1, height);
    const past = lane ? lane.past : a[k.finished] !== null ? [[a[k.finished] - (a[k.took] || 0), a[k.finished], a[k.outcome]]] : [];
    let good = 0, bad = 0;
    for (let i = past.length - 1; i >= 0; i--) {
      const [start, end, outcome] = past[i];
      if (outcome === "going" || (end || start) < from) continue;
      const isOdd = outcome === "missed" || outcome === "skipped_overlap", left = Math.max(0, x(start)), wide = Math.max(3, x(end || start) - left);
      if (FAILED.has(outcome)) bad++; else good++;
      g.fillStyle = outcome === "succeeded" ? colours.good : FAILED.has(outcome) ? colours.bad : colours.odd;
      if (isOdd) g.fillRect(left, height - 9, 3, 5);
      else if (FAILED.has(outcome)) g.fillRect(left, 3, wide, height - 6);
      else g.fillRect(left, 8, wide, height - 16);
    }
    if (a[k.going]) { const left = Math.max(0, x(a[k.started])); g.fillStyle = colours.run; g.fillRect(left, 5, Math.max(3, x(now) - left), height - 10); }
    g.strokeStyle = colours.dim;
    g.lineWidth = 1.2;
    const coming = lane && lane.coming.length ? lane.coming : a[k.next] !== null ? [a[k.next]] : [];
    let lastX = -9;
    for (const at of coming) {
      const cx = x(at);
      if (at < now - 1000 || cx > width || cx - lastX < 9) continue;
      lastX = cx;
      g.beginPath(); g.arc(cx, height / 2, 3, 0, 7); g.stroke();
    }
    g.fillStyle = colours.accent;
    g.fillRect(Math.round(x(now)), 0, 1.5, height);
    setAttr(row.lane, "aria-label", `${good + bad} runs shown, ${bad} failed`);
  }

  nameRun(row, event) {
    const lane = this.lanes.get(row.id);
    if (!lane) return;
    const { now, from, until } = this.window(), at = from + event.offsetX / row.lane.clientWidth * (until - from), reach = (until - from) / row.lane.clientWidth * 4;
    const run = lane.past.find(([start, end]) => at >= start - reach && at <= (end || now) + reach), due = run ? null : lane.coming.find((each) => Math.abs(each - at) <= reach);
    setAttr(row.lane, "title", run ? `${run[2] === "going" ? "▶ running" : `${signOf(run[2])} ${outcomeWords(run[2])}`}, ${timeWords(run[0], now)}${run[1] ? `, ${lengthWords(run[1] - run[0])}` : ""}` : due ? `due ${timeWords(due, now)}` : null);
  }
}

function list(pairs) {
  const made = el("dl");
  for (const [name, value] of pairs) made.append(el("dt", "", name), el("dd", "", value));
  return made;
}

function render({ model, el: box }) {
  const root = document.createElement("div");
  box.append(root);
  const view = new View(model, root);
  return () => view.close();
}

export default { render };
