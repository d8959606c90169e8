"use strict";
/* What the other scripts of a profile's page share: its numbers, text of numbers, and elements. */

/* The counts are large: they are read when something first needs them or the browser is idle, not when the page opens. */
const lazily = (read) => { let known; return () => known ??= read(); };
const readJson = (id) => JSON.parse(document.getElementById(id).textContent);
const profileData = lazily(() => readJson("data"));

const DASH = "–";
/* As text.fixed does in Python: a real minus sign, and none before zero. */
const fixed = (value, digits) => value.toFixed(digits).replace(/^-(?=[0.]+$)/, "").replace("-", "−");
const percent = (share, digits = 1) => share === null ? DASH : `${fixed(100 * share, digits)}\u00a0%`;
const points = (drop) => drop === null ? DASH : fixed(100 * drop, 1);
const decimal = (value) => value === null ? DASH : fixed(value, 2);
const range = ([low, high], format) => low === null || high === null ? "" : `[${format(low)}, ${format(high)}]`;

/* Text always enters as text, never as markup, so that no name of a class can become an element. */
const builder = (make) => (name, attributes = {}, ...children) => {
  const element = make(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};
const html = builder((name) => document.createElement(name));
const svg = builder((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
/* As links.class_name writes it in Python: no line ends after a hyphen inside a word. Under small pictures one may end
   after an underscore, rather than anywhere. */
const named = (name) => html("bdi", {}, ...name.split(/([\p{L}\p{N}_]+(?:-[\p{L}\p{N}_]+)+)/u).flatMap((part, at) =>
  at % 2 && [...part].length <= 16 ? html("span", { class: "whole" }, part)
    : part.split(/(?<=_)/).flatMap((piece, place) => place ? [html("wbr"), piece] : piece)));
const chip = (cue, shown = cue) => html("span", { class: `chip ${cue.replace(" ", "-")}` },
  html("b", { "aria-hidden": "true" }, profileData().letters[cue]), html("span", {}, shown));
/* A heading is text, or a list of texts and words to explain. */
const sheet = (headings, lines) => html("table", { class: "sheet" },
  html("thead", {}, html("tr", {}, ...headings.map((heading) => html("th", { scope: "col" }, ...[heading].flat())))),
  html("tbody", {}, ...lines));
const block = (title, ...content) => html("div", { class: "block" }, html("h4", {}, ...[title].flat()), ...content);

/* A class's link, as links.class_id writes it in Python. */
const classLink = (name) => `#class=${encodeURIComponent(name)}`;
const linked = (name) => positionOf().has(name) ? html("a", { href: classLink(name) }, named(name)) : named(name);
const positionOf = lazily(() => new Map(profileData().classes.map(({ name }, at) => [name, at])));
/* Of links to one class that follow each other the first is a stop of the Tab key. */
const stopOnce = (place) => {
  let last = null;
  for (const control of place.querySelectorAll("a, button, input, select, summary, [tabindex]")) {
    const target = control.matches("a[href^='#class=']") ? control.hash : null;
    if (target !== null && target === last) control.tabIndex = -1;
    last = target;
  }
};
