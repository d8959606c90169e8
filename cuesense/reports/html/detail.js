/* Everything about one class, as elements: what it relies on, pictures, budgets, forecast, rivals and curves. */
const classDetail = (() => {
  const whole = (end) => fixed(100 * end, 0);
  const evidence = (entry) => html("dl", { class: "measures" }, ...profileData().cues.flatMap((cue, at) => {
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

  const kept = (entry) => html("div", { class: "kept" }, ...entry.kept.map(([title, value, low, high]) => {
    const bar = svg("svg", { class: "measure", "aria-hidden": "true" },
      svg("line", { class: "track", x1: 0, x2: "100%", y1: 8, y2: 8 }),
      svg("rect", { class: title.match(/shape|texture|color/)?.[0] ?? "", x: 0, y: 4, height: 8, width: `${100 * value}%` }));
    return html("div", {}, html("span", {}, title), bar,
      html("span", {}, percent(value, 0), " ", html("span", { class: "note" }, range([low, high], whole))));
  }));

  /* The words for a budget that is no value are those of the terminal and of markdown. */
  const budgetText = (status, value) => {
    const word = profileData().words[status];
    return !word ? value ?? DASH : value === null ? word : `${word} (to ${value})`;
  };
  const limitedBy = (limit) => {
    const leak = limit.match(/^(leak (?:into|from) )([^]*)$/);
    return leak ? [leak[1], linked(leak[2])] : [limit];
  };
  const budgets = (entry) => sheet(["Augmentation", "Budget", "Drop there, pp", [term("risk", "Risk"), ", ", term("certified")], "Limited by"],
    profileData().augmentations.flatMap(({ title }, at) => {
      if (!entry.budgets[at]) return [];
      const [, status, value, drop, low, high, limit, risk] = entry.budgets[at];
      return [html("tr", {}, html("th", { scope: "row" }, title), html("td", { class: status }, budgetText(status, value)),
        html("td", {}, points(drop), " ", html("span", { class: "note" }, range([low, high], points))),
        html("td", {}, risk || DASH),
        html("td", {}, ...(limit === null ? [DASH] : limitedBy(limit))))];
    }));

  const gained = ([loss, low, high]) => [points(-loss), " ",
    html("span", { class: "note" }, range(low === null || high === null ? [null, null] : [-high, -low], points))];
  const POLICIES = ["With the recommended policy", "With the usual default"];
  const policy = (entry) => sheet(["Forecast for training", "Change, pp", "Risk"], entry.policy.flatMap((part, at) =>
    part ? [html("tr", {}, html("th", { scope: "row" }, POLICIES[at]), html("td", {}, ...gained(part)),
      html("td", {}, percent(part[3])))] : []));
  /* What trainings with a policy showed, beside what was forecast for this very policy. */
  const verified = (entry) => sheet(["Trained with", "Change, pp", "Forecast, pp"],
    profileData().verified.map(([title, place], at) => {
      const [gain, margin] = entry.verified[at], foreseen = place === null ? null : entry.policy?.[place];
      return html("tr", {}, html("th", { scope: "row" }, title),
        html("td", {}, points(gain), margin === null ? "" : html("span", { class: "note" }, ` ±${points(margin)}`)),
        html("td", {}, ...(foreseen ? gained(foreseen) : [DASH])));
    }));
  const forecast = (entry) => sheet(["Augmentation at its strongest", "Change, pp", "Risk", "Forecast"],
    entry.forecast.map(([title, value, loss, low, high, risk, flag]) => html("tr", {},
      html("th", { scope: "row" }, `${title} to ${value}`), html("td", {}, ...gained([loss, low, high])),
      html("td", {}, percent(risk)), html("td", {}, flag))));

  const rivals = (entry) => sheet(["Taken for", "Under", "Share of images"], entry.rivals.map(([rival, perturbation, share]) =>
    html("tr", {}, html("td", {}, linked(rival)), html("td", {}, perturbation), html("td", {}, percent(share)))));
  const takers = (entry) => {
    /* Who is taken for this class: the other end of the same links. */
    const found = profileData().classes.flatMap((other) => other.rivals
      .filter(([rival]) => rival === entry.name).map(([, perturbation, share]) => [other.name, perturbation, share]));
    return found.sort((first, second) => second[2] - first[2]).slice(0, 5);
  };
  const taken = (entry) => {
    const found = takers(entry);
    return found.length ? [sheet(["Takes images of", "Under", "Share of theirs"], found.map(([name, perturbation, share]) =>
      html("tr", {}, html("td", {}, linked(name)), html("td", {}, perturbation), html("td", {}, percent(share)))))] : [];
  };

  const counted = ({ images, accuracy }) => {
    if (!images) return "no images";
    const clean = accuracy === null ? "" : ` ${range(classCurves.wilson(accuracy * images, images), (end) => fixed(100 * end, 1))}`;
    return `${images.toLocaleString("en")} images, clean accuracy ${percent(accuracy)}${clean}`;
  };
  const usual = ({ usual: found }) => {
    if (!found) return [];
    const [drop, augmentation, rival] = found;
    const said = drop > 0 ? [`Under the usual augmentations it loses most by ${augmentation}: ${points(drop)} points`] :
      ["No usual augmentation costs it anything"];
    return [html("p", { class: "loss" }, ...said, ...(drop > 0 && rival ? [", most often to ", linked(rival)] : []), ".")];
  };

  /* What the class relies on, explained where the list of words has it: shape, texture and color it has not. */
  const reliesOn = ({ cue, relies: [shown] }) => {
    const word = shown.startsWith("leans ") ? "lean" : cue;
    return chip(cue, words.knows(word) && shown !== "no images" ? term(word, shown) : shown);
  };

  return (at) => {
    const entry = profileData().classes[at];
    const parts = [
      html("h3", {}, named(entry.name)), html("p", { class: "note" }, counted(entry)),
      html("p", { class: "why" }, reliesOn(entry), entry.relies[1] ? `(${entry.relies[1]}). ` : ". ", entry.why), ...usual(entry)];
    if (entry.flags.length) parts.push(html("p", { class: "note" }, `Note: ${entry.flags.join("; ")}.`));
    if (entry.leans.length) parts.push(html("p", { class: "note" }, `It ${entry.leans.join("; it ")}.`));
    parts.push(...classPictures(at));
    if (entry.budgets.some((budget) => budget)) parts.push(block("Budgets", budgets(entry)));
    if (entry.policy?.some((part) => part)) parts.push(block("Policy", policy(entry)));
    if (entry.verified.length) parts.push(block("Verified by training: change of its recall", verified(entry)));
    if (entry.forecast.length) parts.push(block("Forecast from trainings", forecast(entry)));
    if (entry.images) {
      const none = html("p", { class: "note" }, entry.accuracy
        ? "No notable share of its images is predicted as another class."
        : "None of its images is recognized as it is, so that no augmentation loses any to another class.");
      parts.push(html("div", { class: "pair" }, block("Rivals", entry.rivals.length ? rivals(entry) : none, ...taken(entry)),
        block(["Evidence: ", term("necessity", "lost without the cue"), ", ", term("sufficiency", "kept with it alone")], evidence(entry)),
        ...(entry.kept.length ? [block(entry.keptTitle, kept(entry))] : [])));
    }
    parts.push(...classCurves.draw(at));
    return parts;
  };
})();
