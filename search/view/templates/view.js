"use strict";
const body = document.body, root = body.dataset.root, fixed = "static" in body.dataset, page = body.dataset.page;
const rows = () => [...document.querySelectorAll("table.rows tbody tr")].filter(row => !row.hidden);
const link = row => row && row.querySelector("th a");

// Sorting: by a cell's data-value, or its words.
const key = (row, column) => { const cell = row.cells[column]; return cell ? (cell.dataset.value ?? cell.textContent.trim()) : ""; };
function sortBy(table, column, descending) {
  const numbers = [...table.tBodies[0].rows].every(row => key(row, column) === "" || !isNaN(key(row, column)));
  const order = (a, b) => {
    const [x, y] = [key(a, column), key(b, column)];
    if (x === "" || y === "") return (x === "") - (y === "");
    return (numbers ? x - y : x.localeCompare(y)) * (descending ? -1 : 1);
  };
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
}
for (const table of document.querySelectorAll("table.sortable"))
  table.querySelectorAll("thead th").forEach((head, column) => {
    if (!head.textContent.trim() || head.querySelector(".hidden")) return;
    const button = document.createElement("button");
    button.type = "button"; button.textContent = head.textContent; head.replaceChildren(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, column, descending);
    });
  });

// The list of runs: filter, select, compare.
const filter = document.getElementById("filter"), state = document.getElementById("state"), kind = document.getElementById("kind"), compare = document.getElementById("compare");
function narrow() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of document.querySelectorAll("#runs tbody tr[data-name]"))
    row.hidden = !(words.every(word => row.textContent.toLowerCase().includes(word)) && (!state.value || row.dataset.state === state.value) && (!kind.value || row.dataset.kind === kind.value));
  const shown = rows().length;
  document.getElementById("count").textContent = `${shown} run${shown === 1 ? "" : "s"}`;
}
const picked = () => [...document.querySelectorAll(".pick:checked")].map(box => box.value);
function compareSelected() {
  if (!fixed && picked().length) location.href = root + "compare?" + new URLSearchParams(picked().map(name => ["run", name]));
}
if (page === "index") {
  filter.addEventListener("input", narrow); for (const choice of [state, kind]) choice.addEventListener("change", narrow);
  filter.form.addEventListener("submit", event => event.preventDefault());
  document.addEventListener("change", event => { if (event.target.matches(".pick")) compare.disabled = !picked().length; });
  if (compare) compare.addEventListener("click", compareSelected);
}

// The list of answers follows its filters as they are typed; the address follows too.
const wanted = document.getElementById("wanted");
let typed = 0, asked = 0;
async function renewAnswers() {
  const query = new URLSearchParams([...new FormData(wanted)].filter(([, value]) => value !== "")), turn = ++asked;
  const found = document.getElementById("found"); found.classList.add("waiting");
  const fresh = await part(`?${query}`, "#found");
  if (!fresh || turn !== asked) return;
  document.getElementById("found").replaceWith(fresh);
  history.replaceState(null, "", `?${query}`);
  current = -1;
}
if (wanted && !fixed) wanted.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(renewAnswers, 150); });

// The prompts to compare: those of another run, and narrowed down by what they hold.
const picker = document.getElementById("picker");
if (page === "compare" && picker) {
  picker.addEventListener("input", event => {
    if (event.target.id !== "filter") return;
    const words = event.target.value.toLowerCase();
    for (const label of picker.querySelectorAll("fieldset label"))
      label.hidden = !label.textContent.toLowerCase().includes(words) && !label.querySelector(":checked");
  });
  picker.addEventListener("change", async event => {
    if (event.target.id !== "of") return;
    const query = new URLSearchParams(new FormData(picker.closest("form")));
    const fresh = await part(`compare?${query}`, "#picker");
    if (fresh) { picker.replaceChildren(...fresh.childNodes); document.getElementById("of").focus(); }
  });
}

// The report in its frame is as high as it is long.
const frame = document.getElementById("report");
function fit() { try { frame.style.height = frame.contentDocument.documentElement.offsetHeight + 20 + "px"; } catch { frame.style.height = "90vh"; } } // an origin of its own: a file opened from disk, an experiment's page
if (frame) { frame.addEventListener("load", () => { fit(); setTimeout(fit, 600); }); addEventListener("resize", fit); }

// Live: whatever changes on disk is read again.
let reading = Promise.resolve();
async function part(address, selector) {
  const reply = await fetch(address, {cache: "no-store"});
  if (!reply.ok) return null;
  const text = await reply.text();
  return selector ? new DOMParser().parseFromString(text, "text/html").querySelector(selector) : text;
}
async function renewRows(changed) {
  const kept = picked(), fresh = await part(location.href, "#runs tbody"), sorted = document.querySelector("#runs th[aria-sort]");
  if (!fresh) return;
  document.querySelector("#runs tbody").replaceWith(fresh);
  for (const row of fresh.rows) {
    const box = row.querySelector(".pick");
    if (box) box.checked = kept.includes(box.value);
    row.classList.toggle("changed", changed.includes(row.dataset.name));
  }
  if (sorted) sortBy(sorted.closest("table"), sorted.cellIndex, sorted.getAttribute("aria-sort") === "descending");
  narrow();
}
const address = name => name.split("/").map(encodeURIComponent).join("/");
let reportDue = 0, reportWaits = 0, reportRead; // as it was last read; null where there was none
async function renewReport() {
  const begun = Date.now(), newer = await part(`${root}report/${address(body.dataset.run)}?parts`);
  const before = reportRead; reportRead = newer;
  let upToDate;
  try { upToDate = newer === null || (frame.contentWindow.renew?.(newer) ?? before !== null); }
  catch { upToDate = before === undefined || before === newer; } // an experiment's page: an origin of its own
  if (!upToDate) frame.src = frame.src;
  fit();
  reportDue = Date.now() + Math.max(2000, 4 * (Date.now() - begun)); // a large run is not read all the time
}
async function renewRun() {
  const html = await part(`${root}live/${address(body.dataset.run)}`);
  if (html === null) return;
  const live = document.getElementById("live"), announced = document.getElementById("announced");
  live.innerHTML = html;
  showNotes(live);
  body.dataset.state = live.querySelector(".state").textContent;
  const said = `${body.dataset.state}, ${(live.querySelector(".tile")?.textContent ?? "").trim().replace(/\s+/g, " ")}`;
  if (said !== announced.textContent) announced.textContent = said;
  clearTimeout(reportWaits);
  reportWaits = setTimeout(() => { reading = reading.then(renewReport).catch(() => {}); }, Math.max(0, reportDue - Date.now()));
}
if (!fixed && (page === "index" || page === "run")) {
  const events = new EventSource(root + "events");
  let anew = true; // the first message names all runs
  events.onopen = () => { body.dataset.live = "on"; anew = true; };
  events.onerror = () => { body.dataset.live = "off"; };
  events.onmessage = event => {
    const changed = JSON.parse(event.data);
    const marked = anew ? [] : changed;
    anew = false;
    if (page === "index") reading = reading.then(() => renewRows(marked)).catch(() => {});
    else if (changed.includes(body.dataset.run)) reading = reading.then(renewRun).catch(() => {});
  };
  addEventListener("pagehide", () => events.close());
}

// Tags and the note, where they can be edited: only what is changed here is sent, so that nobody else's change is undone.
const edit = document.getElementById("edit"), tags = document.getElementById("tags"), note = document.getElementById("note");
const listed = text => text.split(",").map(tag => tag.trim()).filter(Boolean);
async function send(where, change) { // what is written then; null where nothing is, and why is said
  const said = document.getElementById("saved");
  said.textContent = "saving …";
  const request = {method: "POST", body: JSON.stringify(change), referrerPolicy: "same-origin"}; // names this page as where it comes from
  const reply = await fetch(root + where, request).catch(() => null);
  const written = await reply?.json().catch(() => null);
  said.textContent = reply?.ok ? "saved" : `not saved: ${written?.error ?? (reply ? `the view answered ${reply.status}` : "the view does not answer, open the address that it printed")}`;
  return reply?.ok ? written : null;
}
async function saveNotes(event) {
  event.preventDefault();
  const before = listed(tags.defaultValue), now = listed(tags.value);
  const change = {add: now.filter(tag => !before.includes(tag)), remove: before.filter(tag => !now.includes(tag))};
  if (note.value !== note.defaultValue) change.note = note.value;
  const written = await send(`notes/${address(body.dataset.run)}`, change);
  if (written) { tags.value = tags.defaultValue = written.tags.join(", "); note.value = note.defaultValue = written.note; }
}
function showNotes(live) { // of somebody else, unless somebody writes here
  if (!edit || tags.value !== tags.defaultValue || note.value !== note.defaultValue) return;
  tags.value = tags.defaultValue = [...live.querySelectorAll(".tag")].map(tag => tag.textContent).join(", ");
  note.value = note.defaultValue = live.querySelector(".written")?.textContent ?? "";
}
if (edit) edit.querySelector("form").addEventListener("submit", saveNotes);

// A review of an answer: pressing a verdict that stands takes it away; only what is changed here is sent.
const review = document.getElementById("review"), comment = document.getElementById("comment");
async function saveReview(event) {
  event.preventDefault();
  const pressed = event.submitter.value, stands = review.dataset.good;
  const change = {blind: "blind" in review.dataset};
  if (pressed) change.good = pressed === stands ? null : pressed === "yes";
  if (comment.value !== comment.defaultValue) change.comment = comment.value;
  const written = await send(`review/${address(body.dataset.run)}?${review.dataset.place}`, change);
  if (!written) return;
  if (change.blind && written.good !== null) { location.reload(); return; }
  comment.value = comment.defaultValue = written.comment;
  const verdict = review.dataset.good = written.good === null ? "" : written.good ? "yes" : "no";
  for (const button of review.querySelectorAll("[aria-pressed]")) button.setAttribute("aria-pressed", button.value === verdict);
}
if (review) review.addEventListener("submit", saveReview);
const judge = value => review?.querySelector(`[value=${value}]`).click();

// The keyboard.
let current = -1;
function go(step) {
  const all = rows(); if (!all.length) return;
  current = Math.min(all.length - 1, Math.max(0, current + step));
  document.querySelectorAll("tr.current").forEach(row => row.classList.remove("current"));
  all[current].classList.add("current"); all[current].scrollIntoView({block: "nearest"});
  const target = link(all[current]); if (target) target.focus({preventScroll: true});
}
const help = document.getElementById("keys");
const follow = relation => { const target = document.querySelector(`a[rel=${relation}]`); if (target) target.click(); };
const actions = {
  j: () => go(1), k: () => go(-1), "/": () => filter && filter.focus(), c: compareSelected, n: () => follow("next"), p: () => follow("prev"),
  b: () => follow("alternate"), u: () => { location.href = body.dataset.up ?? (fixed ? root + "index.html" : root || "./"); }, "?": () => help && help.showModal(),
  e: () => { if (edit) { edit.open = true; tags.focus(); } else comment?.focus(); }, "+": () => judge("yes"), "-": () => judge("no"),
  x: () => { const box = rows()[current]?.querySelector(".pick"); if (box && !box.disabled) box.click(); },
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
});
document.querySelector("button.keys")?.addEventListener("click", () => help.showModal());
