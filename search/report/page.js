"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Figures take the colours of text and grid from the page, also when those change.
  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const place of document.querySelectorAll(".plot")) {
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
  if (document.querySelector(".plot")) {
    draw();
    dark.addEventListener("change", draw);
  }

  // A click on a column's head sorts by it; numbers are in data-value, an empty one stays at the end.
  const value = (row, column) => {
    const cell = row.cells[column];
    const given = cell.dataset.value;
    if (given === undefined) return cell.textContent.trim().toLowerCase();
    return given === "" ? null : Number(given);
  };
  const compare = (one, other) => (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true }));
  const sort = (head, button) => {
    const row = head.parentElement;
    const column = [...row.cells].indexOf(head);
    const body = row.closest("table").tBodies[0];
    const first = head.classList.contains("n") && !head.hasAttribute("data-up") ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const cell of row.cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((line) => [value(line, column), line]);
    rows.sort(([one], [two]) => (one === null || two === null ? (one === null) - (two === null) : sign * compare(one, two)));
    body.append(...rows.map(([, line]) => line));
    button.focus();
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(head, button));
    }
  }
})();
