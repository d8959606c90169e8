/* Accuracy of one class against severity, drawn from counts in the sizes of charts/accuracy_panel.py. */
const classCurves = (() => {
  const WIDTH = 216, HEIGHT = 128, LEFT = 32, RIGHT = 10, TOP = 8, BOTTOM = 20;
  const y = (share) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
  const scale = (count) => (at) => LEFT + (WIDTH - LEFT - RIGHT) * at / Math.max(count - 1, 1);
  const path = (shares, x, kind) => svg("path", {
    class: kind, d: shares.map((share, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(share).toFixed(1)}`).join(""),
  });

  /* The score interval of Wilson (1927), as stats/intervals.py has it, for a number of images that may be a fraction. */
  const wilson = (correct, n) => {
    const { z } = profileData(), square = z * z;
    const center = correct + square / 2;
    const half = z * Math.sqrt(correct * (n - correct) / n + square / 4);
    return [center - half, center + half].map((end) => Math.min(Math.max(end / (n + square), 0), 1));
  };
  /* Images of a class that were looked at: clean, then at every severity, of an adaptive run a part. */
  const imageCounts = (curve, at) =>
    [curve.n[at], ...curve.raw.lost.map((_, index) => curve.seen ? curve.seen[index][at] : curve.n[at])];
  /* How many of these are recognized, on average over the repeats; the clean accuracy is that of all images. */
  const correctCounts = (curve, counts, at) => imageCounts(curve, at).map((images, severity) => {
    const change = severity ? (counts.gained[severity - 1][at] - counts.lost[severity - 1][at]) / curve.repeats : 0;
    return Math.min(Math.max(counts.correct[at] * images / curve.n[at] + change, 0), images);
  });

  const frame = (ticks, x) => [
    svg("path", { class: "grid", d: [0, 0.5, 1].map((share) => `M${LEFT} ${y(share)}H${WIDTH - RIGHT}`).join("") }),
    ...[0, 0.5, 1].map((share) => svg("text", { x: LEFT - 5, y: y(share) + 3.5, "text-anchor": "end" }, `${100 * share}`)),
    ...ticks.map((tick, at) => svg("text", { x: x(at), y: HEIGHT - 6, "text-anchor": "middle" }, tick)),
  ];
  const band = (bounds, x) => {
    const there = bounds.map(([, high], at) => `${x(at).toFixed(1)} ${y(high).toFixed(1)}`);
    const back = bounds.map(([low], at) => `${x(at).toFixed(1)} ${y(low).toFixed(1)}`).reverse();
    return svg("path", { class: "band", d: `M${there.concat(back).join("L")}Z` });
  };
  const hover = (curve, at, shares, bounds, x) => shares.map((share, severity) => {
    const lines = [
      `${severity ? curve.values[severity - 1] : "clean"}: ${percent(share)} ${range(bounds[severity], (end) => fixed(100 * end, 1))}`,
      `all classes: ${percent(curve.mean[severity])}`,
    ];
    if (severity) {
      const times = curve.repeats > 1 ? ` in ${curve.repeats} repeats` : "";
      lines.push(`lost ${curve.raw.lost[severity - 1][at]}, gained ${curve.raw.gained[severity - 1][at]}${times}`);
      if (curve.seen) lines.push(`measured on ${curve.seen[severity - 1][at]} of ${curve.n[at]} images`);
    }
    const step = x(1) - x(0);
    return svg("rect", { class: "hover", x: x(severity) - step / 2, y: TOP, width: step, height: HEIGHT - TOP - BOTTOM },
      svg("title", {}, lines.join("\n")));
  });
  const drawn = (curve, at) => {
    const images = imageCounts(curve, at), share = (count, severity) => count / images[severity];
    const correct = correctCounts(curve, curve.raw, at), shares = correct.map(share);
    const bounds = correct.map((count, severity) => wilson(count, images[severity]));
    const x = scale(shares.length);
    const title = shares.map((share, severity) => `${severity ? curve.values[severity - 1] : "clean"} ${percent(share)}`).join(", ");
    const chart = svg("svg", { class: "panel", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Accuracy: ${title}` },
      ...frame(["clean", ...curve.ticks], x), band(bounds, x), path(curve.mean, x, "average"),
      svg("path", { class: "clean", d: `M${LEFT} ${y(shares[0])}H${WIDTH - RIGHT}` }));
    if (curve.corrected)
      chart.append(path(correctCounts(curve, curve.corrected, at).map(share), x, "corrected"));
    chart.append(path(shares, x, "own"));
    shares.forEach((share, severity) => chart.append(svg("circle", { class: "own", cx: x(severity), cy: y(share), r: 2.2 })));
    chart.append(...hover(curve, at, shares, bounds, x));
    return chart;
  };
  const dot = (cue) => html("b", { class: `dot ${cue}`, title: `removes ${cue}` }, profileData().letters[cue]);
  const figure = (curve, at) => {
    const cue = curve.suppresses.length === 1 ? curve.suppresses[0] : "several";
    return html("figure", { class: cue },
      html("figcaption", {}, html("strong", {}, curve.title),
        html("span", { class: "note" }, ...curve.suppresses.map(dot), curve.axis)), drawn(curve, at));
  };
  const KINDS = [["own", "this class, with interval"], ["average", "mean of all classes"], ["clean", "clean accuracy"]];
  const key = () => html("ul", { class: "key" }, ...[...KINDS, ["corrected", "corrected for "]].map(([kind, title]) =>
    html("li", {}, svg("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, svg("path", { class: kind, d: "M1 6H26" })),
      title, ...(kind === "corrected" ? [term("sink", "sinks")] : []))));

  /* Everything known about one class: a key, then a block a role. */
  const draw = (at) => {
    const { curves, roles } = profileData();
    const blocks = Object.entries(roles).flatMap(([role, title]) => {
      const found = curves.filter((curve) => curve.role === role && imageCounts(curve, at).every(Boolean));
      return found.length ? [block(title, html("div", { class: "panels" }, ...found.map((curve) => figure(curve, at))))] : [];
    });
    return blocks.length ? [key(), ...blocks] : [];
  };
  return { draw, wilson };
})();
