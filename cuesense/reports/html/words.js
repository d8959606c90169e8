/* A word explained where it stands: pointing at it, focusing it or tapping it shows its meaning; Escape hides it.
   The meaning itself stands in the list of words, to which aria-describedby points. */
const words = (() => {
  const tip = document.getElementById("tip");
  let shownFor = null;
  const meaning = (word) => document.getElementById(`word-${word.replace(" ", "-")}`);
  const hide = () => {
    const was = shownFor;
    tip.hidden = true;
    shownFor = null;
    return was !== null;
  };
  const show = (word) => {
    tip.textContent = meaning(word.dataset.word).textContent;
    tip.hidden = false;
    shownFor = word;
    const at = word.getBoundingClientRect(), { width, height } = tip.getBoundingClientRect();
    const room = document.documentElement.clientWidth - width - 8;
    const below = at.bottom + 8 + height < innerHeight || at.top < height + 8;
    tip.style.left = `${Math.max(8, Math.min(at.left + at.width / 2 - width / 2, room))}px`;
    tip.style.top = `${below ? at.bottom + 6 : at.top - height - 6}px`;
  };
  const wordOf = (event) => event.target.closest?.("[data-word]");
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const word = wordOf(event);
    if (word) show(word);
    /* The tip itself may be pointed at, to read or select its text (WCAG 2.2, 1.4.13). */
    else if (shownFor && event.target !== tip && document.activeElement !== shownFor) hide();
  });
  document.addEventListener("focusin", (event) => { const word = wordOf(event); if (word) show(word); else hide(); });
  document.addEventListener("click", (event) => { const word = wordOf(event); if (word) show(word); else if (event.target !== tip) hide(); });
  /* Focus may scroll, and a panel scrolls by itself: the meaning stays beside its word. */
  addEventListener("scroll", () => { if (shownFor) show(shownFor); }, { passive: true, capture: true });
  return { hide, knows: (word) => meaning(word) !== null };
})();
const term = (word, shown = word) => html("button", {
  type: "button", class: "term", "data-word": word, "aria-describedby": `word-${word.replace(" ", "-")}`,
}, shown);
