// Pages of tasks: what a stream tells is asked for again, piece by piece; a server that went away
// is said to have, and looked for until it is back.
"use strict";

(() => {
  const AGAIN_MS = 1500;
  const NEXT_MS = 700;
  const SOON_MS = 100;
  const PATIENCE_MS = 5000;
  const watched = () => document.querySelector("[data-watch]");
  const away = document.getElementById("away");
  let stream = null;
  let again = 0;
  let over = false;
  let refreshed = 0;
  let waiting = 0;
  let later = 0;

  // ------------------------------------------------------------ asking again

  const tell = (element, name) => element?.dispatchEvent(new CustomEvent(name));
  const busy = (root) => Boolean(root.querySelector("dialog[open]"));
  // An answer replaces what asked for it: what is asked again before it came would be lost.
  const asked = (element) => Boolean(element?.classList.contains("htmx-request"));

  function refresh() {
    clearTimeout(waiting);
    const root = watched();
    const part = root.id === "list" ? root : document.getElementById("live");
    const rest = refreshed + NEXT_MS - Date.now();
    if (rest > 0 || asked(part)) { waiting = setTimeout(refresh, Math.max(rest, SOON_MS)); return; }
    refreshed = Date.now();
    if (part !== root || !busy(root)) tell(part, "told");
  }

  // All of the page, once no dialog is open in which somebody is typing.
  function whole() {
    clearTimeout(later);
    const root = watched();
    if (asked(root)) { later = setTimeout(whole, SOON_MS); return; }
    if (!busy(root)) tell(root, "whole");
    else for (const one of root.querySelectorAll("dialog[open]")) one.addEventListener("close", whole, { once: true });
  }

  const markOf = (task) => `${task.state} ${task.request ?? ""} ${task.can.join(",")}`;

  function heard(event) {
    const root = watched();
    if (event.type === "gone" && root.id === "task") { location.reload(); return; }
    const task = JSON.parse(event.data);
    if (root.id === "task" && markOf(task) !== root.dataset.mark) whole();
    else refresh();
    if (event.type === "ended" && root.id === "task") { over = true; close(); }
  }

  // ------------------------------------------------------------ the stream

  function close() {
    clearTimeout(again);
    stream?.close();
    stream = null;
  }

  function open() {
    close();
    if (document.hidden || over || !watched()) return;
    stream = new EventSource(watched().dataset.watch);
    const patience = setTimeout(() => lost(), PATIENCE_MS);
    stream.addEventListener("open", () => {
      clearTimeout(patience);
      if (!away.hidden) { away.hidden = true; whole(); refresh(); }
    });
    for (const name of ["present", "progress", "ended", "gone"]) stream.addEventListener(name, heard);
    stream.addEventListener("error", () => { clearTimeout(patience); lost(); });
  }

  // Is the task gone, the session over, or the server away? One that hangs counts as away.
  function lost() {
    close();
    fetch(watched().dataset.asks, { signal: AbortSignal.timeout(PATIENCE_MS) })
      .then((answer) => { if ([401, 404].includes(answer.status)) location.reload(); },
        () => { away.hidden = false; })
      .finally(() => { again = setTimeout(open, AGAIN_MS); });
  }

  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else { refresh(); open(); } });
  if (watched()) open();

  // ------------------------------------------------------------ choosing several

  let chosen = new Set();
  const boxes = () => [...document.querySelectorAll('#list input[name="ids"]')];

  function count() {
    const bar = document.getElementById("bulk-bar");
    if (!bar) return;
    chosen = new Set(boxes().filter((one) => one.checked).map((one) => one.value));
    bar.hidden = !chosen.size;
    const text = document.getElementById("bulk-count");
    text.textContent = text.dataset.text.replace("{n}", chosen.size);
    const all = document.getElementById("pick-all");
    all.checked = chosen.size > 0 && chosen.size === boxes().length;
    all.indeterminate = chosen.size > 0 && !all.checked;
  }

  document.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") boxes().forEach((one) => { one.checked = event.target.checked; });
    if (event.target.id === "pick-all" || event.target.name === "ids") count();
  });
  document.addEventListener("htmx:after:swap", () => {
    boxes().forEach((one) => { one.checked = chosen.has(one.value); });
    count();
  });
})();
