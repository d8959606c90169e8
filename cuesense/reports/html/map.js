/* The cue map: the class nearest to the pointer is named, and opened by a click; arrow keys go from dot to dot. */
{
  const map = document.getElementById("cue-map");
  const here = document.getElementById("map-here");
  const label = document.getElementById("map-label");
  const REACH = 16; /* pixels around the pointer in which a dot is meant: small dots are hard to hit */
  if (map) {
    const graphic = map.querySelector("svg"), ring = graphic.querySelector(".here");
    const marks = [...document.querySelectorAll(".strips .here")];
    const dots = [...map.querySelectorAll("[data-at]")].map((dot) => ({
      at: Number(dot.dataset.at), x: Number(dot.getAttribute("cx")), y: Number(dot.getAttribute("cy")),
    }));
    const byPlace = new Map(dots.map((dot) => [dot.at, dot]));
    const ZERO = 96, HUNDRED = 392; /* of the strips, as in charts/cue_triangle.py */
    let current = null;

    const leave = () => {
      current = null;
      label.hidden = true;
      ring.setAttribute("cx", -99);
      marks.forEach((mark) => mark.setAttribute("cx", -99));
    };
    /* Beside the dot, and inside the map, whatever the label's place was. */
    const placeLabel = () => {
      if (!current) return;
      label.style.left = 0;
      const scale = graphic.clientWidth / graphic.viewBox.baseVal.width;
      const room = map.clientWidth - label.offsetWidth;
      label.style.left = `${Math.max(0, Math.min(current.x * scale - label.offsetWidth / 2, room))}px`;
      label.style.top = `${current.y * scale + 12}px`;
    };
    const point = (dot) => {
      if (current === dot) return;
      current = dot;
      const { name, relies, place } = profileData().classes[dot.at];
      ring.setAttribute("cx", dot.x);
      ring.setAttribute("cy", dot.y);
      marks.forEach((mark, row) => mark.setAttribute("cx", ZERO + (HUNDRED - ZERO) * place[row]));
      label.replaceChildren(named(name));
      label.hidden = false;
      placeLabel();
      const shares = profileData().cues.map((title, row) => `${title} ${percent(place[row], 0)}`).join(", ");
      here.replaceChildren(named(name), `: ${relies[0]}. Reliance: ${shares}.`);
    };
    const nearest = (event) => {
      const box = graphic.getBoundingClientRect(), scale = graphic.viewBox.baseVal.width / box.width;
      const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
      let best = null, least = (REACH * scale) ** 2;
      for (const dot of dots) {
        const far = (dot.x - x) ** 2 + (dot.y - y) ** 2;
        if (far < least) [best, least] = [dot, far];
      }
      return best;
    };
    /* The next dot in a direction: near, and not far off the straight way. */
    const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const next = ([right, down]) => {
      let best = null, least = Infinity;
      for (const dot of dots) {
        const dx = dot.x - current.x, dy = dot.y - current.y;
        const along = dx * right + dy * down, aside = Math.abs(dx * down) + Math.abs(dy * right);
        if (dot !== current && along > 0 && along + 2 * aside < least) [best, least] = [dot, along + 2 * aside];
      }
      return best;
    };

    map.addEventListener("pointermove", (event) => { const dot = nearest(event); if (dot) point(dot); else leave(); });
    map.addEventListener("pointerleave", leave);
    addEventListener("resize", placeLabel);
    map.addEventListener("click", (event) => { const dot = nearest(event); if (dot) classPanel.open(dot.at); });
    map.addEventListener("focus", () => { if (!current && dots.length) point(dots[0]); });
    map.addEventListener("blur", leave);
    map.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && current) classPanel.open(current.at);
      const direction = DIRECTIONS[event.key];
      if (!direction || !dots.length) return;
      event.preventDefault();
      const dot = current ? next(direction) : dots[0];
      if (dot) point(dot);
    });
    addEventListener("classopened", ({ detail }) => {
      const dot = byPlace.get(detail);
      if (dot) point(dot); else leave();
    });
  }
}
