/* The table of classes: what its columns sort by, and which rows its choices keep. */
{
  const choices = [...document.querySelectorAll("[data-by]")];
  const SAFETY = ["at risk", "limited", "undetermined", "safe"];
  const position = (row) => Number(row.dataset.at);
  const sortValue = (row, { dataset: { sort } }) => {
    const { classes, cues, letters, augmentations } = profileData();
    const entry = classes[position(row)], cue = cues.indexOf(sort);
    if (cue >= 0) return entry.evidence[cue]?.[0] ?? null;
    if (sort.startsWith("budget:"))
      return entry.budgets[augmentations.findIndex(({ name }) => `budget:${name}` === sort)]?.[0] ?? null;
    if (sort === "usual") return entry.usual?.[0] ?? null;
    if (sort === "safety") return row.dataset.safety ? SAFETY.indexOf(row.dataset.safety) : null;
    return sort === "cue" ? Object.keys(letters).indexOf(entry.cue) : entry[sort];
  };
  const KEEPS = {
    lean: (row, wanted) => row.dataset.lean === (wanted === "none" ? "" : wanted),
    safety: (row, wanted) => row.dataset.safety === wanted,
    images: (row, wanted) => Number(wanted) < 0 ? Number(row.dataset.images) < -wanted : Number(row.dataset.images) >= wanted,
  };
  const { body, firstRows, start, visible } = classTable({
    sortValue,
    largestFirst: ({ dataset: { sort } }) => ["lean", "usual", ...profileData().cues].includes(sort),
    inFilter: (row, cue) => row.dataset.cue === cue,
    alsoKeep: (row) => choices.every(({ dataset: { by }, value }) => !value || KEEPS[by](row, value)),
    byAddress: () => null,
    most: 50, /* its rows have charts */
  });
  choices.forEach((choice) => choice.addEventListener("change", firstRows));
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    /* A click that ends a selection of text is none on the row. */
    if (!row || event.target.closest("a") || String(getSelection())) return;
    classPanel.open(position(row));
  });
  /* A narrow window has no room for every column: what is left out is said. */
  const leftOut = document.getElementById("left-out");
  const sayLeftOut = () => {
    const gone = [...document.querySelectorAll("#table thead th")].filter((head) => getComputedStyle(head).display === "none")
      .map((head) => head.dataset.column ?? head.textContent.toLowerCase());
    leftOut.hidden = !gone.length;
    leftOut.textContent = `No room at this width for ${gone.join(", ")}: a class’s details have them all.`;
  };
  addEventListener("resize", sayLeftOut);
  sayLeftOut();
  start();
  const order = () => visible().map(position);
  classPanel.start(order);
  printClasses(order);
  document.querySelectorAll("main > section:not(#classes)").forEach(stopOnce);
  /* Once the page is there and the browser idle, so that the first press need not wait for it. */
  addEventListener("load", () => window.requestIdleCallback?.(() => profileData()));
}
