"use strict";
// Answers of a bundle, filtered and searched without a server: columns and texts come as scripts, chunk by chunk.
const form = document.getElementById("wanted"), shown = document.getElementById("found"), asPrinted = [...shown.childNodes];
const size = Number(form.dataset.size), rowsOf = [], textsOf = [];
let turn = 0, due = 0;

function takeRows(columns) {
  const words = Object.entries(columns).filter(([, column]) => column.texts);
  for (let at = 0; at < columns.score.length; at++) {
    const row = {id: rowsOf.length, score: columns.score[at], change: columns.change[at], length: columns.length[at]};
    for (const [name, column] of words) row[name] = column.texts[column.rows[at]];
    rowsOf.push(row);
  }
}
function takeTexts(texts) { for (const text of texts) textsOf.push(text.toLowerCase()); }
const loaded = {rows: 0, texts: 0};
const load = kind => new Promise((done, failed) => {
  const script = document.createElement("script");
  script.src = `${encodeURIComponent(form.dataset.stem)}.${kind}-${loaded[kind]}.js`;
  script.onload = () => { loaded[kind]++; done(); }; script.onerror = () => failed(new Error(script.src));
  document.head.append(script);
});
let loading = Promise.resolve();
const loadAll = (kind, told) => loading = loading.catch(() => {}).then(async () => {
  while (loaded[kind] < Number(form.dataset[kind])) { told(loaded[kind], Number(form.dataset[kind])); await load(kind); }
});

function phrases(words) {
  return words.toLowerCase().split('"').flatMap((part, at) => at % 2 ? [part.trim()] : part.split(/\s+/)).filter(Boolean);
}
const number = text => text.trim() === "" || isNaN(text.trim()) ? null : Number(text);
function fits(row, wanted, asked) {
  const least = number(wanted.least ?? ""), most = number(wanted.most ?? ""), shortest = number(wanted.shortest ?? ""), longest = number(wanted.longest ?? "");
  return (!wanted.role || row.role === wanted.role) && (!wanted.side || row.side === wanted.side) && (!wanted.category || row.category === wanted.category)
    && (!wanted.holds || row.prompt.toLowerCase().includes(wanted.holds.toLowerCase())) && (!wanted.failed || row.failure !== "")
    && (!wanted.change || (row.change !== null && Math.sign(row.change) === {better: 1, worse: -1, same: 0}[wanted.change]))
    && (least === null || (row.score !== null && row.score >= least)) && (most === null || (row.score !== null && row.score <= most))
    && (shortest === null || (row.length !== null && row.length >= shortest)) && (longest === null || (row.length !== null && row.length <= longest))
    && (!wanted.review || {good: row.verdict === "good", bad: row.verdict === "bad", any: row.verdict !== "", none: row.verdict === "" && row.failure === "", commented: row.comment !== ""}[wanted.review])
    && [textsOf[row.id], row.comment.toLowerCase()].some(text => asked.every(phrase => text.includes(phrase)));
}
function ordered(rows, order, descending) {
  if (!order) return descending ? rows.reverse() : rows;
  const way = descending ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [a[order], b[order]];
    if (x === null || y === null) return (x === null) - (y === null);
    return (typeof x === "string" ? x.localeCompare(y) : x - y) * way;
  });
}

function made(name, content, attributes = {}) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...[content].flat());
  return element;
}
const decimal = value => value.toFixed(2), signed = value => (value > 0 ? "+" : "") + decimal(value);
function line(row) {
  const page = Math.floor(row.id / size), address = `${encodeURIComponent(form.dataset.stem)}${page ? `.page-${page}.htm` : ".html"}#a${row.id}`;
  const role = row.role && row.role !== row.prompt ? [" ", made("span", row.role, {class: "tag"})] : [];
  const decoding = row.decoding ? [" ", made("span", row.decoding, {class: "muted"})] : [];
  const verdict = row.verdict ? [made("span", `reviewed: ${row.verdict}`, {class: "tag"}), " "] : [];
  const review = row.verdict || row.comment ? [made("span", [...verdict, row.comment], {class: "notes"})] : [];
  return made("tr", [
    made("th", [made("a", row.query, {href: address}), ...review], {scope: "row", class: "names"}),
    made("td", [row.prompt, ...role, ...decoding]), made("td", row.side.replace("_", "-")), made("td", row.category),
    made("td", row.score === null ? made("span", row.failure, {class: "bad"}) : decimal(row.score), {class: "n", "data-label": "score"}),
    made("td", row.change === null ? "" : made("span", signed(row.change), {class: row.change > 0 ? "good" : row.change < 0 ? "bad" : ""}), {class: "n", "data-label": "against base"}),
    made("td", row.length === null ? "" : row.length.toLocaleString("en"), {class: "n", "data-label": "characters"}),
  ]);
}
const say = text => shown.querySelector("[role=status]").textContent = text;
function show(found, wanted, page) {
  const pages = Math.ceil(found.length / size), to = other => `#${new URLSearchParams({...wanted, page: other})}`;
  const table = asPrinted.find(node => node.className === "scroll").cloneNode(true), rows = found.slice(page * size, (page + 1) * size);
  const none = made("tr", made("td", "No answer fits. Take a filter away, or all of them.", {colspan: 7}));
  table.querySelector("tbody").replaceChildren(...(rows.length ? rows.map(line) : [none]));
  const turns = [[page > 0, "prev", "Previous", page - 1], [page + 1 < pages, "next", "Next", page + 1]];
  const links = turns.filter(([there]) => there).map(([, rel, label, other]) => made("a", label, {rel, href: to(other)}));
  const status = `${found.length.toLocaleString("en")} answer${found.length === 1 ? "" : "s"} of ${rowsOf.length.toLocaleString("en")}${pages > 1 ? `, page ${page + 1} of ${pages}` : ""}`;
  shown.replaceChildren(made("p", status, {class: "muted", role: "status"}), table, made("p", links, {class: "actions pages"}));
}
async function search(wanted, page) {
  const mine = ++turn, asked = phrases(wanted.words ?? "");
  if (!Object.keys(wanted).length) { shown.replaceChildren(...asPrinted); return; }
  const told = (done, all) => { if (mine === turn && all > 1) say(`Reading file ${done + 1} of ${all}`); };
  try {
    await loadAll("rows", told);
    if (asked.length) await loadAll("texts", told);
  } catch { say("A file of this bundle is missing: write it again."); return; }
  if (mine !== turn) return;
  show(ordered(rowsOf.filter(row => fits(row, wanted, asked)), wanted.order, wanted.descending), wanted, page);
}
const given = () => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
function follow_address() {
  const hash = location.hash.slice(1);
  if (!hash.includes("=")) {
    turn++; shown.replaceChildren(...asPrinted);
    const row = /^a\d+$/.test(hash) && document.getElementById(hash), details = row && row.querySelector("details");
    if (details) { details.open = true; row.scrollIntoView({block: "start"}); details.querySelector("summary").focus({preventScroll: true}); }
    return;
  }
  const wanted = Object.fromEntries(new URLSearchParams(hash)), page = Number(wanted.page ?? 0) || 0;
  delete wanted.page;
  for (const field of form.elements) {
    if (field.type === "checkbox") field.checked = field.name in wanted;
    else if (field.name) field.value = wanted[field.name] ?? "";
  }
  search(wanted, page);
}
function typedNow() {
  const wanted = given();
  history.replaceState(null, "", Object.keys(wanted).length ? `#${new URLSearchParams(wanted)}` : location.pathname);
  search(wanted, 0);
}
form.hidden = false;
form.addEventListener("submit", event => { event.preventDefault(); typedNow(); });
form.addEventListener("reset", () => setTimeout(typedNow));
form.addEventListener("input", () => { clearTimeout(due); due = setTimeout(typedNow, 150); });
addEventListener("hashchange", follow_address);
follow_address();
