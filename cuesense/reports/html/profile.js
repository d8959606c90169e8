/* The profile's table opens a class's details: evidence, rivals, budgets and curves, drawn from the embedded counts. */
{
  const data = JSON.parse(document.getElementById("data").textContent);
  const DASH = "–";

  /* Text */

  /* As text.fixed does in Python: a real minus sign, and none before zero. */
  const number = (value, digits) => value.toFixed(digits).replace(/^-(?=[0.]+$)/, "").replace("-", "−");
  const percent = (share) => share === null ? DASH : `${number(100 * share, 1)}\u00a0%`;
  const points = (drop) => drop === null ? DASH : number(100 * drop, 1);
  const decimal = (value) => value === null ? DASH : number(value, 2);
  const range = ([low, high], format) => low === null || high === null ? "" : `[${format(low)}, ${format(high)}]`;

  /* Numbers */

  /* The score interval of Wilson (1927), as stats/intervals.py has it, for a number of images that may be a fraction. */
  const wilson = (correct, n) => {
    const square = data.z * data.z;
    const center = correct + square / 2;
    const half = data.z * Math.sqrt(correct * (n - correct) / n + square / 4);
    return [center - half, center + half].map((end) => Math.min(Math.max(end / (n + square), 0), 1));
  };
  /* Recognized images of a class: clean, then at every severity, on average over the repeats. */
  const correctCounts = (counts, repeats, at) => {
    const clean = counts.correct[at];
    return [clean, ...counts.lost.map((lost, index) => clean + (counts.gained[index][at] - lost[at]) / repeats)];
  };

  /* Elements: text always enters as text, never as markup, so that no name of a class can become an element */

  const build = (make) => (name, attributes = {}, ...children) => {
    const element = make(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const html = build((name) => document.createElement(name));
  const svg = build((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
  const named = (name) => html("bdi", {}, name);
  const chip = (cue) => html("span", { class: `chip ${cue.replace(" ", "-")}` },
    html("b", { "aria-hidden": "true" }, data.letters[cue]), html("span", {}, cue));
  const dot = (cue) => html("b", { class: `dot ${cue}`, title: `removes ${cue}` }, data.letters[cue]);
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

  /* Detail: what the class keeps */

  const kept = (entry) => sheet(["What it keeps", "Share", "Interval"], entry.kept.map(([title, value, low, high]) =>
    html("tr", {}, html("th", { scope: "row" }, title), html("td", {}, percent(value)),
      html("td", {}, range([low, high], (end) => number(100 * end, 1))))));

  /* Detail: accuracy against severity, in the sizes of charts/accuracy_panel.py */

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
  const hover = (curve, at, shares, bounds, x) => shares.map((share, severity) => {
    const lines = [
      `${severity ? curve.values[severity - 1] : "clean"}: ${percent(share)} ${range(bounds[severity], (end) => number(100 * end, 1))}`,
      `all classes: ${percent(curve.mean[severity])}`,
    ];
    if (severity) {
      const times = curve.repeats > 1 ? ` in ${curve.repeats} repeats` : "";
      lines.push(`lost ${curve.raw.lost[severity - 1][at]}, gained ${curve.raw.gained[severity - 1][at]}${times}`);
    }
    const step = x(1) - x(0);
    return svg("rect", { class: "hover", x: x(severity) - step / 2, y: TOP, width: step, height: HEIGHT - TOP - BOTTOM },
      svg("title", {}, lines.join("\n")));
  });
  const drawn = (curve, at) => {
    const n = curve.n[at], correct = correctCounts(curve.raw, curve.repeats, at);
    const shares = correct.map((count) => count / n), bounds = correct.map((count) => wilson(count, n));
    const x = scale(shares.length);
    const title = shares.map((share, severity) => `${severity ? curve.values[severity - 1] : "clean"} ${percent(share)}`).join(", ");
    const chart = svg("svg", { class: "panel", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Accuracy: ${title}` },
      ...frame(["clean", ...curve.ticks], x), band(bounds, x), path(curve.mean, x, "average"),
      svg("path", { class: "clean", d: `M${LEFT} ${y(shares[0])}H${WIDTH - RIGHT}` }));
    if (curve.corrected)
      chart.append(path(correctCounts(curve.corrected, curve.repeats, at).map((count) => count / n), x, "corrected"));
    chart.append(path(shares, x, "own"));
    shares.forEach((share, severity) => chart.append(svg("circle", { class: "own", cx: x(severity), cy: y(share), r: 2.2 })));
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
    ["clean", "clean accuracy"], ["corrected", "corrected for sink classes"]].map(([kind, title]) => html("li", {},
    svg("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, svg("path", { class: kind, d: "M1 6H25" })), title)));
  const curves = (at) => Object.entries(data.roles).flatMap(([role, title]) => {
    const found = data.curves.filter((curve) => curve.role === role && curve.n[at]);
    return found.length ? [html("h4", {}, title), html("div", { class: "panels" }, ...found.map((curve) => figure(curve, at)))] : [];
  });

  /* Detail: budgets and rivals */

  const budgets = (entry) => sheet(["Augmentation", "Budget", "Drop there, pp", "Risk", "Limited by"],
    data.augmentations.flatMap(({ title }, at) => {
      if (!entry.budgets[at]) return [];
      const [, status, value, drop, low, high, limit, risk] = entry.budgets[at];
      const word = data.words[status];
      const shown = !word ? value ?? DASH : value === null ? word : `${word}, to ${value}`;
      return [html("tr", {}, html("th", { scope: "row" }, title), html("td", { class: status }, shown),
        html("td", {}, points(drop), " ", html("span", { class: "note" }, range([low, high], points))),
        html("td", {}, risk || DASH),
        html("td", {}, limit === null ? DASH : named(limit)))];
    }));
  const rivals = (entry) => sheet(["Confused with", "Under", "Share of images"], entry.rivals.map(([rival, perturbation, share]) =>
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
    if (entry.leans.length) parts.push(html("p", { class: "note" }, `It ${entry.leans.join("; it ")}.`));
    if (entry.kept.length) parts.push(block("Kept without each cue and on it alone", kept(entry)));
    if (entry.images) parts.push(html("div", { class: "pair" }, block("Evidence", evidence(entry)),
      block("Rivals", entry.rivals.length ? rivals(entry) : html("p", { class: "note" }, "No notable share of its images is predicted as another class."))));
    if (Object.keys(entry.budgets).some((name) => entry.budgets[name])) parts.push(block("Budgets", budgets(entry)));
    const panels = curves(at);
    if (panels.length) parts.push(key(), ...panels);
    return html("tr", { class: "detail" }, html("td", { colspan: table.tHead.rows[0].cells.length },
      html("div", { class: "body" }, ...parts)));
  };

  /* Rows: open and close, sort and filter */

  const button = (row) => row.cells[0].firstElementChild;
  const close = () => {
    body.querySelector("tr.detail")?.remove();
    const row = body.querySelector("tr.open");
    row?.classList.remove("open");
    if (row) button(row).setAttribute("aria-expanded", "false");
    return row;
  };
  const open = (row) => {
    close();
    row.classList.add("open");
    button(row).setAttribute("aria-expanded", "true");
    row.after(detail(position(row)));
  };
  const position = (row) => Number(row.id.replace("class-", ""));
  const sortValue = (row, { dataset: { sort } }) => {
    const entry = data.classes[position(row)], cue = data.cues.indexOf(sort);
    if (cue >= 0) return entry.evidence[cue]?.[0] ?? null;
    if (sort.startsWith("budget:")) {
      const column = data.augmentations.findIndex(({ name }) => `budget:${name}` === sort);
      return entry.budgets[column]?.[0] ?? null;
    }
    return sort === "cue" ? Object.keys(data.letters).indexOf(entry.cue) : entry[sort];
  };
  const { table, body, rows, start } = classTable({
    sortValue,
    largestFirst: (heading) => heading.dataset.sort === "lean" || data.cues.includes(heading.dataset.sort),
    inFilter: (row, cue) => data.classes[position(row)].cue === cue,
    beforeUpdate: () => close(),
    onLink: open,
  });

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    /* A click that ends a selection of text is none on the row. */
    if (!rows.includes(row) || String(getSelection())) return;
    if (row.classList.contains("open")) close(); else open(row);
  });
  document.addEventListener("keydown", (event) => {
    const row = event.key === "Escape" && close();
    if (row) button(row).focus();
  });
  start();
}
