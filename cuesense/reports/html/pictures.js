/* The pictures of one class: the image that flips first, clean and perturbed, with the model's answer under each.
   They are read from the page when the first class opens. */
const classPictures = (() => {
  const stored = lazily(() => readJson("pictures"));
  /* Beside a wrong answer the data name the class itself; beside a right one the likeliest other output, where it is
     one of the classes. */
  const other = (right, rival, second) => {
    if (second === null || !right && !rival) return [];
    const [before, after] = right ? ["next: ", ""] : ["", " itself"];
    return [html("span", { class: "note" }, before, rival ? named(rival) : "another output", `${after} ${percent(second, 0)}`)];
  };
  const tile = (title, [value, image, answer, probability, right, rival, second]) => {
    const shown = probability === null ? "" : ` ${percent(probability, 0)}`;
    const mark = right ? "✓" : "✗", said = right ? "right" : "wrong";
    return html("figure", { class: right ? "right" : "wrong" },
      html("img", {
        src: `data:image/webp;base64,${image}`, alt: `${title} ${value}: ${answer}${shown}, ${said}`, loading: "lazy", decoding: "async",
      }),
      html("figcaption", {}, html("span", { class: "note value" }, value),
        html("span", { class: "answer" }, html("b", { title: said }, mark), " ", named(answer), shown),
        ...other(right, rival, second)));
  };
  const strip = ([title, clean, tiles]) => html("div", { class: "strip" }, html("h5", {}, title),
    html("div", { class: "tiles-row" }, tile(title, clean), ...tiles.map((found) => tile(title, found))));
  const FIRST = 4; /* strips that are open at once; they come with the most telling first */
  const rest = (strips) => strips.length ? [html("details", { class: "rest" },
    html("summary", {}, `${strips.length} more perturbation${strips.length > 1 ? "s" : ""}`), ...strips.map(strip))] : [];
  return (at) => {
    /* Strips of the same image name the one that has its clean picture. */
    const found = stored().strips[at]?.map(([title, clean, tiles], _, all) =>
      [title, typeof clean === "number" ? all[clean][1] : clean, tiles]);
    return found ? [block("What the model answers", html("p", { class: "note" },
      "For each perturbation the image whose answer changes first: clean, then mild to strong. ✓ right, with the likeliest other answer; ✗ wrong, with the probability of the class itself."),
    ...found.slice(0, FIRST).map(strip), ...rest(found.slice(FIRST)))] : [];
  };
})();
