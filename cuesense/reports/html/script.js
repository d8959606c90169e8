"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const PAGE = 100, DASH = "–";
  const view = { sort: null, descending: false, label: "", query: "", limit: PAGE };
  document.documentElement.classList.add("script");

  /* Text */

  const number = (value, digits) => value.toFixed(digits).replace(/^-(?=[0.]+$)/, "").replace("-", "−");
  const percent = (share) => share === null ? DASH : `${number(100 * share, 1)}\u00a0%`;
  const points = (drop) => drop === null ? DASH : number(100 * drop, 1);
  const decimal = (value) => value === null ? DASH : number(value, 2);
  const range = ([low, high], say) => low === null || high === null ? "" : `[${say(low)}, ${say(high)}]`;

  /* Numbers */

  const wilson = (right, n) => {
    const square = data.z * data.z;
    const center = right + square / 2;
    const half = data.z * Math.sqrt(right * (n - right) / n + square / 4);
    return [center - half, center + half].map((end) => Math.min(Math.max(end / (n + square), 0), 1));
  };
  const rights = (counts, repeats, at) => {
    const clean = counts.right[at];
    return [clean, ...counts.lost.map((lost, rung) => clean + (counts.gained[rung][at] - lost[at]) / repeats)];
  };

  /* Elements: text always enters as text, never as markup */

  const build = (make) => (name, attributes = {}, ...children) => {
    const element = make(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const html = build((name) => document.createElement(name));
  const svg = build((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
  const named = (name) => html("bdi", {}, name);
  const chip = (label) => html("span", { class: `chip ${label}` },
    html("b", { "aria-hidden": "true" }, data.labels[label]), html("span", {}, label));
  const dot = (cue) => html("b", { class: `dot ${cue}`, title: `removes ${cue}` }, data.labels[cue]);
  const sheet = (headings, lines) => html("table", { class: "sheet" },
    html("thead", {}, html("tr", {}, ...headings.map((heading) => html("th", { scope: "col" }, heading)))),
    html("tbody", {}, ...lines));

  /* Detail: evidence */

  const evidence = (entry) => html("dl", { class: "measures" }, ...data.cues.flatMap((cue, at) => {
    const interval = entry.evidence[at];
    if (!interval) return [];
    const [value, low, high, alone] = interval;
    const along = (share) => `${100 * Math.min(Math.max(share, 0), 1)}%`;
    const bar = svg("svg", { class: "measure", "aria-hidden": "true" },
      svg("line", { class: "track", x1: 0, x2: "100%", y1: 8, y2: 8 }));
    if (value !== null) bar.append(svg("rect", { class: cue, x: 0, y: 2, height: 12, width: along(value) }));
    if (low !== null && high !== null) {
      bar.append(svg("line", { class: "whisker", x1: along(low), x2: along(high), y1: 8, y2: 8 }));
      for (const end of [low, high])
        bar.append(svg("line", { class: "whisker", x1: along(end), x2: along(end), y1: 4, y2: 12 }));
    }
    return [html("dt", {}, cue), html("dd", {}, bar,
      html("span", {}, decimal(value), html("span", { class: "note" }, range([low, high], decimal)),
      alone === null ? "" : html("span", { class: "note" }, ` keeps ${decimal(alone)} alone`)))];
  }));

  /* Detail: dose-response */

  const WIDTH = 216, HEIGHT = 128, LEFT = 32, RIGHT = 10, TOP = 8, BOTTOM = 20;
  const y = (share) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
  const scale = (count) => (at) => LEFT + (WIDTH - LEFT - RIGHT) * at / Math.max(count - 1, 1);
  const path = (shares, x, kind) => svg("path", {
    class: kind, d: shares.map((share, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(share).toFixed(1)}`).join(""),
  });
  const frame = (ticks, x) => [
    ...[0, 0.5, 1].flatMap((share) => [
      svg("path", { class: "grid", d: `M${LEFT} ${y(share)}H${WIDTH - RIGHT}` }),
      svg("text", { x: LEFT - 5, y: y(share) + 3.5, "text-anchor": "end" }, `${100 * share}`),
    ]),
    ...ticks.map((tick, at) => svg("text", { x: x(at), y: HEIGHT - 6, "text-anchor": "middle" }, tick)),
  ];
  const band = (bounds, x) => {
    const there = bounds.map(([, high], at) => `${x(at)} ${y(high)}`);
    const back = bounds.map(([low], at) => `${x(at)} ${y(low)}`).reverse();
    return svg("path", { class: "band", d: `M${there.concat(back).join("L")}Z` });
  };
  const hover = (curve, at, shares, bounds, x) => shares.map((share, rung) => {
    const lines = [
      `${rung ? curve.doses[rung - 1] : "clean"}: ${percent(share)} ${range(bounds[rung], (end) => number(100 * end, 1))}`,
      `all classes: ${percent(curve.mean[rung])}`,
    ];
    if (rung) {
      const times = curve.repeats > 1 ? ` in ${curve.repeats} repeats` : "";
      lines.push(`lost ${curve.raw.lost[rung - 1][at]}, gained ${curve.raw.gained[rung - 1][at]}${times}`);
    }
    const step = x(1) - x(0);
    return svg("rect", { class: "hover", x: x(rung) - step / 2, y: TOP, width: step, height: HEIGHT - TOP - BOTTOM },
      svg("title", {}, lines.join("\n")));
  });
  const drawn = (curve, at) => {
    const n = curve.n[at], right = rights(curve.raw, curve.repeats, at);
    const shares = right.map((count) => count / n), bounds = right.map((count) => wilson(count, n));
    const x = scale(shares.length);
    const said = shares.map((share, rung) => `${rung ? curve.doses[rung - 1] : "clean"} ${percent(share)}`).join(", ");
    const chart = svg("svg", { class: "panel", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Accuracy: ${said}` },
      ...frame(["clean", ...curve.ticks], x), band(bounds, x), path(curve.mean, x, "average"),
      svg("path", { class: "clean", d: `M${LEFT} ${y(shares[0])}H${WIDTH - RIGHT}` }));
    if (curve.corrected)
      chart.append(path(rights(curve.corrected, curve.repeats, at).map((count) => count / n), x, "corrected"));
    chart.append(path(shares, x, "own"));
    shares.forEach((share, rung) => chart.append(svg("circle", { class: "own", cx: x(rung), cy: y(share), r: 2.2 })));
    chart.append(...hover(curve, at, shares, bounds, x));
    return chart;
  };
  const figure = (curve, at) => {
    const cue = curve.suppresses.length === 1 ? curve.suppresses[0] : "several";
    return html("figure", { class: cue },
      html("figcaption", {}, html("strong", {}, curve.title),
      html("span", { class: "note" }, ...curve.suppresses.map(dot), curve.axis)), drawn(curve, at));
  };
  const key = () => html("ul", { class: "key" }, ...[["own", "this class, with interval"], ["average", "mean of all classes"],
    ["clean", "clean accuracy"], ["corrected", "corrected for sinks"]].map(([kind, said]) => html("li", {},
    svg("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, svg("path", { class: kind, d: "M1 6H25" })), said)));
  const curves = (at) => Object.entries(data.roles).flatMap(([role, title]) => {
    const found = data.curves.filter((curve) => curve.role === role && curve.n[at]);
    return found.length ? [html("h4", {}, title), html("div", { class: "panels" }, ...found.map((curve) => figure(curve, at)))] : [];
  });

  /* Detail: budgets and rivals */

  const budgets = (entry) => sheet(["Augmentation", "Budget", "Drop there, pp", "Limited by"],
    data.augmentations.flatMap(({ title }, at) => {
      if (!entry.budgets[at]) return [];
      const [, status, dose, drop, low, high, limit] = entry.budgets[at];
      const shown = dose === null ? status : status === "unlimited" ? `${dose}, unlimited` : dose;
      return [html("tr", {}, html("th", { scope: "row" }, title), html("td", { class: status }, shown),
        html("td", {}, points(drop), " ", html("span", { class: "note" }, range([low, high], points))),
        html("td", {}, limit === null ? DASH : named(limit)))];
    }));
  const rivals = (entry) => sheet(["Taken for", "Under", "Share of images"], entry.rivals.map(([rival, perturbation, share]) =>
    html("tr", {}, html("td", {}, named(rival)), html("td", {}, perturbation), html("td", {}, percent(share)))));
  const block = (title, content) => html("div", {}, html("h4", {}, title), content);
  const counted = ({ images, accuracy }) => {
    if (!images) return "no images";
    const clean = accuracy === null ? "" : ` ${range(wilson(accuracy * images, images), (end) => number(100 * end, 1))}`;
    return `${images.toLocaleString("en")} images, clean accuracy ${percent(accuracy)}${clean}`;
  };
  const detail = (at) => {
    const entry = data.classes[at];
    const parts = [html("h3", {}, named(entry.name)), html("p", { class: "note" }, counted(entry)),
      html("p", { class: "why" }, chip(entry.cue), " ", entry.why)];
    if (entry.flags.length) parts.push(html("p", { class: "note" }, `Flags: ${entry.flags.join("; ")}.`));
    if (entry.images) parts.push(html("div", { class: "pair" }, block("Evidence", evidence(entry)),
      block("Rivals", entry.rivals.length ? rivals(entry) : html("p", { class: "note" }, "No class takes a notable share of its images."))));
    if (Object.keys(entry.budgets).some((name) => entry.budgets[name])) parts.push(block("Budgets", budgets(entry)));
    const panels = curves(at);
    if (panels.length) parts.push(key(), ...panels);
    return html("tr", { class: "detail" }, html("td", { colspan: table.tHead.rows[0].cells.length },
      html("div", { class: "body" }, ...parts)));
  };

  /* Rows: open, sort, filter */

  const button = (row) => row.cells[0].firstElementChild;
  const close = () => {
    body.querySelector("tr.detail")?.remove();
    const open = body.querySelector("tr.open");
    open?.classList.remove("open");
    if (open) button(open).setAttribute("aria-expanded", "false");
    return open;
  };
  const open = (at) => {
    close();
    rows[at].classList.add("open");
    button(rows[at]).setAttribute("aria-expanded", "true");
    rows[at].after(detail(at));
  };
  const value = (at) => {
    const entry = data.classes[at], cue = data.cues.indexOf(view.sort);
    if (cue >= 0) return entry.evidence[cue]?.[0] ?? null;
    if (view.sort.startsWith("budget:")) {
      const which = data.augmentations.findIndex(({ name }) => `budget:${name}` === view.sort);
      return entry.budgets[which]?.[0] ?? null;
    }
    return view.sort === "cue" ? Object.keys(data.labels).indexOf(entry.cue) : entry[view.sort];
  };
  const compare = (a, b) => {
    const [first, second] = [value(a), value(b)];
    if (first === null || second === null) return (first === null) - (second === null) || a - b;
    const sign = view.descending ? -1 : 1;
    const order = typeof first === "string" ? first.localeCompare(second, "en", { numeric: true }) : first - second;
    return sign * order || a - b;
  };
  const matches = ({ name, cue }) =>
    (!view.label || cue === view.label) && name.toLowerCase().includes(view.query);
  const refresh = () => {
    close();
    const order = rows.map((_, at) => at);
    if (view.sort) order.sort(compare);
    const found = order.filter((at) => matches(data.classes[at]));
    rows.forEach((row) => { row.hidden = true; });
    found.forEach((at, place) => { rows[at].hidden = place >= view.limit; });
    body.append(...order.map((at) => rows[at]));
    const shown = Math.min(found.length, view.limit), rest = found.length - shown;
    document.getElementById("shown").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
    document.getElementById("more").textContent = `Show ${rest.toLocaleString("en")} more`;
    document.getElementById("more").parentElement.hidden = rest === 0;
  };
  const follow = () => {
    const at = Number(/^#class-(\d+)$/.exec(location.hash)?.[1] ?? NaN);
    if (!rows[at]) return;
    if (rows[at].hidden) {
      Object.assign(view, { label: "", query: "", limit: Infinity });
      document.getElementById("search").value = "";
      press("");
      refresh();
    }
    open(at);
    rows[at].scrollIntoView({ block: "start" });
  };
  const press = (label) => document.querySelectorAll("[data-filter]").forEach((control) =>
    control.setAttribute("aria-pressed", String(control.dataset.filter === label)));

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    const at = rows.indexOf(row);
    if (at < 0 || String(getSelection())) return;
    if (row.classList.contains("open")) close(); else open(at);
  });
  table.tHead.addEventListener("click", (event) => {
    const cell = event.target.closest("button")?.closest("[data-sort]");
    if (!cell) return;
    const again = view.sort === cell.dataset.sort;
    Object.assign(view, { sort: cell.dataset.sort, descending: again ? !view.descending : data.cues.includes(cell.dataset.sort) });
    table.tHead.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    cell.closest("[data-sort]").setAttribute("aria-sort", view.descending ? "descending" : "ascending");
    refresh();
  });
  document.querySelector(".filters").addEventListener("click", (event) => {
    const control = event.target.closest("[data-filter]");
    if (!control) return;
    Object.assign(view, { label: control.dataset.filter, limit: PAGE });
    press(view.label);
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
  document.addEventListener("keydown", (event) => {
    const row = event.key === "Escape" && close();
    if (row) button(row).focus();
  });
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { if (!view.query && !view.label) { view.limit = Infinity; refresh(); } });
  refresh();
  follow();
})();
