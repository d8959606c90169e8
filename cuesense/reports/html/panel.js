/* The panel of one class: opened by a link (#class=NAME) from anywhere on the page, closed by Escape. */
const classPanel = (() => {
  const panel = document.getElementById("panel");
  const detail = document.getElementById("detail");
  const PREFIX = "#class=";
  let order = () => [], opener = null, shown = null;

  const decoded = (text) => { try { return decodeURIComponent(text); } catch { return null; } };
  const meant = (hash) => hash.startsWith(PREFIX) ? positionOf().get(decoded(hash.slice(PREFIX.length))) ?? null : null;
  const mark = (at, open) => document.querySelector(`#table tr[data-at="${at}"]`)?.classList.toggle("open", open);
  const neighbor = (step) => {
    const known = order(), place = known.indexOf(shown);
    /* Where the table shows no class at all, the open one stays. */
    return place < 0 ? known[0] ?? shown : known[(place + step + known.length) % known.length];
  };
  const name = (at) => profileData().classes[at].name;
  const show = (at) => {
    if (shown === null) opener = document.activeElement;
    else mark(shown, false);
    shown = at;
    unknown.textContent = "";
    detail.replaceChildren(...classDetail(at));
    stopOnce(detail);
    panel.setAttribute("aria-label", `Class ${name(at)}`);
    const known = order(), place = known.indexOf(at);
    document.getElementById("place").textContent = place < 0 ? "" : `${(place + 1).toLocaleString("en")} of ${known.length.toLocaleString("en")}`;
    panel.hidden = false;
    panel.scrollTop = 0;
    mark(at, true);
    document.documentElement.classList.add("opened");
    dispatchEvent(new CustomEvent("classopened", { detail: at }));
    if (!panel.contains(document.activeElement)) panel.focus({ preventScroll: true });
  };
  const hide = () => {
    if (shown === null) return;
    mark(shown, false);
    shown = null;
    panel.hidden = true;
    detail.replaceChildren();
    document.documentElement.classList.remove("opened");
    dispatchEvent(new CustomEvent("classopened", { detail: null }));
    if (opener?.isConnected) opener.focus({ preventScroll: true });
    opener = null;
  };
  /* An address may come from the page of another profile: what it names is said, and it stays as it is. */
  const unknown = document.getElementById("unknown");
  const nameIn = (hash) => { const text = decoded(hash.slice(PREFIX.length)) ?? "?"; return text.length > 80 ? `${text.slice(0, 79)}…` : text; };
  const follow = () => {
    const at = meant(location.hash);
    unknown.textContent = at === null && location.hash.startsWith(PREFIX) ? `No class “${nameIn(location.hash)}” in this profile.` : "";
    if (at === null) hide(); else if (at !== shown) show(at);
  };
  /* Without its fragment the address is the page again; going back opens the class once more. */
  const close = () => {
    if (shown === null) return false;
    history.pushState(null, "", location.href.split("#")[0]);
    hide();
    return true;
  };
  /* The address changes without the browser's jump to the row of the class: the reader stays where the link was. */
  const open = (at) => {
    if (at === shown) return;
    history.pushState(null, "", classLink(name(at)));
    show(at);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#class=']");
    const at = link && !event.ctrlKey && !event.metaKey && !event.shiftKey ? meant(link.hash) : null;
    if (at === null) return;
    event.preventDefault();
    open(at);
  });
  document.getElementById("previous").addEventListener("click", () => open(neighbor(-1)));
  document.getElementById("next").addEventListener("click", () => open(neighbor(1)));
  document.getElementById("close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !words.hide()) close();
    if (shown === null || event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, [role=group][tabindex]")) return;
    if (event.key === "ArrowLeft") open(neighbor(-1));
    if (event.key === "ArrowRight") open(neighbor(1));
  });
  addEventListener("hashchange", follow);
  addEventListener("popstate", follow);
  /* An address with a class makes the browser look at its row once the page is there, which takes the focus away. */
  addEventListener("load", () => { if (shown !== null) panel.focus({ preventScroll: true }); });
  return { open, start: (orderOfClasses) => { order = orderOfClasses; follow(); } };
})();
