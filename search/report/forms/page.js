"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  if (window.parent !== window) document.documentElement.classList.add("embedded");

  // The page's parts as they came, before anything here changes them: by the heading that they stand under.
  const groups = (part) => {
    const found = new Map();
    let key = "";
    for (const node of part.children) {
      if (node.matches("h2[id]")) key = node.id;
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(node);
    }
    return found;
  };
  const text = (nodes) => nodes.map((node) => node.outerHTML).join("");
  const came = (page) => new Map(["header", "main"].map((name) => [name, new Map([...groups(page.querySelector(name))].map(([key, nodes]) => [key, text(nodes)]))]));
  let served = came(document);

  // Figures take the colours of text and grid from the page, also when those change.
  const draw = (places) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const place of places) {
      const figure = JSON.parse(place.nextElementSibling.textContent);
      const { layout } = figure;
      layout.font = { ...layout.font, color: colour("--ink"), family: getComputedStyle(document.body).fontFamily };
      layout.hoverlabel = { ...layout.hoverlabel, bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink") } };
      for (const axis of ["xaxis", "yaxis"]) {
        layout[axis] = { ...layout[axis], gridcolor: colour("--grid"), linecolor: colour("--line"), zerolinecolor: colour("--line") };
      }
      Plotly.react(place, figure.data, layout, { responsive: true, displayModeBar: false });
    }
  };
  const plots = (nodes) => nodes.flatMap((node) => [...node.querySelectorAll(".plot")]);
  draw(plots([document.body]));
  dark.addEventListener("change", () => draw(plots([document.body])));

  // A click on a column's head sorts by it; numbers are in data-value, an empty one stays at the end.
  const value = (row, column) => {
    const cell = row.cells[column];
    const given = cell.dataset.value;
    if (given === undefined) return cell.textContent.trim().toLowerCase();
    return given === "" ? null : Number(given);
  };
  const compare = (one, other) => (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true }));
  const order = (head, direction) => {
    const row = head.parentElement;
    const column = [...row.cells].indexOf(head);
    const body = row.closest("table").tBodies[0];
    for (const cell of row.cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((line) => [value(line, column), line]);
    rows.sort(([one], [two]) => (one === null || two === null ? (one === null) - (two === null) : sign * compare(one, two)));
    body.append(...rows.map(([, line]) => line));
  };
  const turn = (head, button) => {
    const first = head.classList.contains("n") && !head.hasAttribute("data-up") ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    order(head, head.getAttribute("aria-sort") === first ? other : first);
    button.focus();
  };
  const makeSortable = (nodes) => {
    for (const head of nodes.flatMap((node) => [...node.querySelectorAll("table.sortable thead th")])) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => turn(head, button));
    }
  };
  makeSortable([document.body]);

  // What a reader has done to a part goes over to its new form: order, scrolling, focus, what is open, the figures.
  const named = (nodes, selector, name) => new Map(nodes.flatMap((node) => [...(node.matches(selector) ? [node] : []), ...node.querySelectorAll(selector)]).map((node) => [name(node), node]));
  const region = (node) => node.getAttribute("aria-label");
  const summary = (node) => node.querySelector("summary").textContent;
  const takeOver = (before, after) => {
    const [regions, opened] = [named(after, ".scroll", region), named(after, "details", summary)];
    for (const [name, old] of named(before, "details", summary)) if (opened.has(name)) opened.get(name).open = old.open;
    for (const [name, old] of named(before, ".scroll", region)) {
      const fresh = regions.get(name);
      if (!fresh) continue;
      const sorted = old.querySelector("th[aria-sort]");
      const head = sorted && fresh.querySelector("thead tr").cells[sorted.cellIndex];
      if (head) order(head, sorted.getAttribute("aria-sort"));
      const focus = [old, ...old.querySelectorAll("button")].indexOf(document.activeElement);
      const place = [old.scrollLeft, old.scrollTop];
      requestAnimationFrame(() => {
        fresh.scrollTo(...place);
        [fresh, ...fresh.querySelectorAll("button")][focus]?.focus({ preventScroll: true });
      });
    }
    const drawings = named(before, ".plot", (node) => node.id);
    for (const place of plots(after)) if (drawings.has(place.id)) place.replaceWith(drawings.get(place.id));
  };

  // The parts that have changed, from a newer page of the same run; false where that needs what this page has not.
  window.renew = (newer) => {
    const page = new DOMParser().parseFromString(newer, "text/html");
    if (!window.Plotly && page.querySelector(".plot")) return false;
    const arrived = came(page);
    for (const [name, parts] of arrived) {
      const [part, before, after] = [document.querySelector(name), groups(document.querySelector(name)), groups(page.querySelector(name))];
      for (const [key, nodes] of before) if (!after.has(key)) nodes.forEach((node) => node.remove());
      let behind = null;
      for (const [key, nodes] of after) {
        const old = before.get(key) ?? [];
        if (parts.get(key) === served.get(name).get(key)) {
          behind = old.at(-1);
          continue;
        }
        const fresh = nodes.map((node) => document.adoptNode(node));
        makeSortable(fresh);
        takeOver(old, fresh);
        if (behind) behind.after(...fresh);
        else part.prepend(...fresh);
        old.forEach((node) => node.remove());
        draw(plots(fresh));
        behind = fresh.at(-1);
      }
    }
    served = arrived;
    return true;
  };
})();
