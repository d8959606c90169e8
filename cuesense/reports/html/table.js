"use strict";
/* The table of classes, the same on every page: search, filter, sort, more rows, and links to a row.
   A page calls classTable once and says what its columns sort by, which rows a filter keeps, and which row an address
   names. */
const classTable = ({
  sortValue, largestFirst, inFilter, alsoKeep = () => true,
  most = 100, /* rows at once: a browser lays out so many in no time, 1,000 only after a pause */
  byAddress = (rows) => rows.find(({ id }) => `#${id}` === location.hash),
}) => {
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  /* Rows come sorted by the column that says so, if any does. */
  const sorted = table.tHead.querySelector("[data-order]");
  const view = { heading: sorted, descending: sorted?.dataset.order === "descending", filter: "", query: "", limit: most };
  /* Only rows that are shown need their place: moving 1,000 rows takes a browser longer than sorting them. */
  let order = rows, found = rows, arranged = true;
  const collator = new Intl.Collator("en", { numeric: true });
  const count = (number) => number.toLocaleString("en");
  const name = (row) => row.cells[0].textContent;
  const compare = ([, first], [, second]) => {
    /* Unknown values come last in both directions. */
    if (first === null || second === null) return (first === null) - (second === null);
    const order = typeof first === "string" ? collator.compare(first, second) : first - second;
    return view.descending ? -order : order;
  };
  const matches = (row) => (!view.filter || inFilter(row, view.filter)) && (!view.query || name(row).toLowerCase().includes(view.query)) && alsoKeep(row);
  const update = (changes = {}) => {
    Object.assign(view, changes);
    if (changes.heading) {
      order = rows.map((row) => [row, sortValue(row, view.heading)]).sort(compare).map(([row]) => row);
      arranged = false;
    }
    found = order.filter(matches);
    const top = found.slice(0, view.limit), visible = new Set(top);
    if (!arranged && view.limit === Infinity) {
      body.append(...order);
      arranged = true;
    } else if (!arranged) body.prepend(...top);
    rows.forEach((row) => { if (row.hidden === visible.has(row)) row.hidden = !row.hidden; });
    const shown = Math.min(found.length, view.limit), rest = found.length - shown;
    const more = document.getElementById("more");
    document.getElementById("shown").textContent = `${count(shown)} of ${count(rows.length)} shown`;
    more.textContent = `Show ${count(rest)} more`;
    more.parentElement.hidden = rest === 0;
  };
  const press = (filter) => document.querySelectorAll("[data-filter]").forEach((control) =>
    control.setAttribute("aria-pressed", String(control.dataset.filter === filter)));
  const followLink = () => {
    const row = byAddress(rows);
    if (!row) return;
    if (row.hidden) {
      document.getElementById("search").value = "";
      press("");
      update({ filter: "", query: "", limit: Infinity });
    }
    row.scrollIntoView({ block: "start" });
  };

  table.tHead.addEventListener("click", (event) => {
    const heading = event.target.closest("button")?.closest("[data-sort]");
    if (!heading) return;
    const descending = view.heading === heading ? !view.descending : largestFirst(heading);
    const order = descending ? "descending" : "ascending";
    table.tHead.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    table.tHead.querySelectorAll("[data-order]").forEach((other) => { delete other.dataset.order; });
    /* A column of several bars has a button for each: the arrow is the button's, the state the column's. */
    heading.dataset.order = order;
    heading.closest("th").setAttribute("aria-sort", order);
    update({ heading, descending });
  });
  document.querySelector(".filters").addEventListener("click", (event) => {
    const control = event.target.closest("[data-filter]");
    if (!control) return;
    press(control.dataset.filter);
    update({ filter: control.dataset.filter, limit: most });
  });
  document.getElementById("search").addEventListener("input", (event) =>
    update({ query: event.target.value.trim().toLowerCase(), limit: most }));
  document.getElementById("more").addEventListener("click", () => update({ limit: Infinity }));
  addEventListener("hashchange", followLink);
  /* Paper has no button for more rows. */
  addEventListener("beforeprint", () => { if (!view.query && !view.filter) update({ limit: Infinity }); });
  /* start: shows the first rows and then the one that the address names; a page calls it when it is ready. */
  return { body, firstRows: () => update({ limit: most }), visible: () => found, start: () => {
    update();
    document.documentElement.classList.add("ready");
    followLink();
  } };
};
