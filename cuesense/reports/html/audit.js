"use strict";
(() => {
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const PAGE = 100;
  const view = { column: null, text: false, descending: false, filter: "", query: "", limit: PAGE };
  document.documentElement.classList.add("script");

  const name = (row) => row.cells[0].textContent;
  const value = (row) => {
    if (view.column === 0) return name(row);
    const given = row.cells[view.column].dataset.value;
    return given === undefined ? null : view.text ? given : Number(given);
  };
  const compare = (a, b) => {
    const [first, second] = [value(a), value(b)];
    if (first === null || second === null) return (first === null) - (second === null);
    const order = view.text ? first.localeCompare(second, "en", { numeric: true }) : first - second;
    return view.descending ? -order : order;
  };
  const matches = (row) => (!view.filter || row.dataset.kind.split(" ").includes(view.filter))
    && name(row).toLowerCase().includes(view.query);
  const refresh = () => {
    const order = view.column === null ? rows : [...rows].sort(compare);
    const found = order.filter(matches);
    rows.forEach((row) => { row.hidden = true; });
    found.slice(0, view.limit).forEach((row) => { row.hidden = false; });
    body.append(...order);
    const shown = Math.min(found.length, view.limit), rest = found.length - shown;
    const more = document.getElementById("more");
    document.getElementById("shown").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
    more.textContent = `Show ${rest.toLocaleString("en")} more`;
    more.parentElement.hidden = rest === 0;
  };
  const press = (filter) => document.querySelectorAll("[data-filter]").forEach((control) =>
    control.setAttribute("aria-pressed", String(control.dataset.filter === filter)));
  const follow = () => {
    const row = rows.find(({ id }) => `#${id}` === location.hash);
    if (!row) return;
    if (row.hidden) {
      Object.assign(view, { filter: "", query: "", limit: Infinity });
      document.getElementById("search").value = "";
      press("");
      refresh();
    }
    row.scrollIntoView({ block: "start" });
  };

  table.tHead.addEventListener("click", (event) => {
    const cell = event.target.closest("button")?.closest("[data-sort]");
    if (!cell) return;
    const text = cell.dataset.sort === "text", again = view.column === cell.cellIndex;
    Object.assign(view, { column: cell.cellIndex, text, descending: again ? !view.descending : !text });
    table.tHead.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    cell.setAttribute("aria-sort", view.descending ? "descending" : "ascending");
    refresh();
  });
  document.querySelector(".filters").addEventListener("click", (event) => {
    const control = event.target.closest("[data-filter]");
    if (!control) return;
    Object.assign(view, { filter: control.dataset.filter, limit: PAGE });
    press(view.filter);
    refresh();
  });
  document.getElementById("search").addEventListener("input", (event) => {
    Object.assign(view, { query: event.target.value.trim().toLowerCase(), limit: PAGE });
    refresh();
  });
  document.getElementById("more").addEventListener("click", () => {
    view.limit = Infinity;
    refresh();
  });
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { if (!view.query && !view.filter) { view.limit = Infinity; refresh(); } });
  refresh();
  follow();
})();
