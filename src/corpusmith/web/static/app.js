// What pages need of a browser: times in its zone, menus, dialogs, copying, drafts. No page depends
// on it for what it says. Values come from attributes; nothing here makes markup of them.
"use strict";

(() => {
  const root = document.documentElement;
  const language = root.lang;
  const find = (where, selector) => [...where.querySelectorAll(selector)];

  // ------------------------------------------------------------ times

  const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

  function ago(moment) {
    const seconds = (moment - Date.now()) / 1000;
    if (Math.abs(seconds) > 7 * 86400) return exact.format(moment);
    for (const [unit, length] of UNITS) {
      if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
    }
    return relative.format(0, "second");
  }

  function tell(element) {
    const moment = new Date(element.dateTime);
    if (isNaN(moment)) return;
    const kind = element.dataset.time;
    const text = kind === "ago" ? ago(moment) : kind === "day" ? day.format(moment) : exact.format(moment);
    if (element.textContent !== text) element.textContent = text;
    element.title = full.format(moment);
  }

  // ------------------------------------------------------------ messages

  function say(text, tone = "good") {
    const box = document.createElement("div");
    box.className = `said ${tone}`;
    const inner = document.createElement("div");
    inner.textContent = text;
    box.append(inner);
    document.getElementById("toasts").append(box);
    setTimeout(() => box.remove(), tone === "bad" ? 10000 : 4000);
  }
  window.corpusmith = { say };

  // ------------------------------------------------------------ drafts

  const PREFIX = "corpusmith.draft.";
  const drafts = {
    key: (form) => PREFIX + form.getAttribute("data-draft"),
    kept: (form) => find(form, "[name]").filter(
      (one) => !["password", "file", "hidden", "submit"].includes(one.type) && !one.closest("[data-no-draft]")),
    save(form) {
      const values = drafts.kept(form).map((one) => [
        one.name, ["checkbox", "radio"].includes(one.type) ? (one.checked ? one.value : null) : one.value, one.type]);
      try { localStorage.setItem(drafts.key(form), JSON.stringify(values)); } catch { /* full or off */ }
    },
    restore(form) {
      let values;
      try { values = JSON.parse(localStorage.getItem(drafts.key(form))); } catch { values = null; }
      if (!Array.isArray(values) || form.hasAttribute("data-refused")) return;
      const places = {};
      let changed = false;
      for (const [name, value, type] of values) {
        const at = (places[name] = (places[name] ?? -1) + 1);
        const one = drafts.kept(form).filter((other) => other.name === name)[at];
        if (!one || one.type !== type) continue;
        if (["checkbox", "radio"].includes(type)) {
          changed ||= one.checked !== (value !== null);
          one.checked = value !== null;
        } else if (value !== null && one.value !== value) {
          one.value = value;
          changed = true;
        }
      }
      const note = form.querySelector("[data-draft-note]");
      if (changed && note) note.hidden = false;
      if (changed) form.dispatchEvent(new Event("change", { bubbles: true }));
    },
    forget(name) { try { localStorage.removeItem(PREFIX + name); } catch { /* off */ } },
  };

  let leaving = false;
  const touched = new Set();

  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form");
    if (!form) return;
    if (form.hasAttribute("data-draft")) drafts.save(form);
    else if (form.hasAttribute("data-guard")) touched.add(form);
  });
  document.addEventListener("submit", (event) => {
    leaving = true;
    touched.delete(event.target);
    setTimeout(() => { leaving = false; }, 3000);
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && [...touched].some((form) => form.isConnected)) event.preventDefault();
  });

  // ------------------------------------------------------------ clicks

  async function copy(button) {
    const source = document.getElementById(button.dataset.copies);
    const text = source.value ?? source.textContent;
    try {
      await navigator.clipboard.writeText(text);
      say(button.dataset.done);
    } catch {
      getSelection().selectAllChildren(source);
      say(button.dataset.failed, "warn");
    }
  }

  const CLICKS = {
    "[data-opens]": (one) => document.getElementById(one.dataset.opens).showModal(),
    "[data-closes]": (one) => one.closest("dialog").close(),
    "[data-dismisses]": (one) => one.closest(".said").remove(),
    "[data-copies]": copy,
    "[data-forgets]": (one) => { drafts.forget(one.dataset.forgets); location.reload(); },
    "[data-menu]": (one) => {
      const open = document.getElementById(one.getAttribute("aria-controls")).classList.toggle("open");
      one.setAttribute("aria-expanded", String(open));
    },
    "[data-fills]": (one) => {
      const field = document.getElementById(one.dataset.fills);
      field.value = one.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    },
    "[data-picks]": (one) => document.getElementById(one.dataset.picks).click(),
  };

  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(CLICKS)) {
      const found = event.target.closest?.(selector);
      if (found) act(found);
    }
    // A click beside a dialog's content is one on its backdrop.
    if (event.target instanceof HTMLDialogElement && event.detail > 0) event.target.close();
  });

  // ------------------------------------------------------------ theme

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dress = () => {
    if (root.dataset.theme === "auto") root.dataset.bsTheme = dark.matches ? "dark" : "light";
    else root.dataset.bsTheme = root.dataset.theme;
  };
  dark.addEventListener("change", dress);

  // ------------------------------------------------------------ files

  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest?.("[data-drop]");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind !== "drop" || !event.dataTransfer.files.length) return;
      const input = document.getElementById(zone.dataset.drop);
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-sends]") && event.target.value) event.target.form.requestSubmit();
  });

  // ------------------------------------------------------------ what arrives

  const ARRIVALS = {
    "time[data-time]": tell,
    "[data-forget-draft]": (one) => drafts.forget(one.dataset.forgetDraft),
    "form[data-draft]": (one) => drafts.restore(one),
    "dialog[data-open]": (one) => { if (!one.open) one.showModal(); },
  };
  function arrive(where) {
    for (const [selector, act] of Object.entries(ARRIVALS)) {
      if (where.matches?.(selector)) act(where);
      find(where, selector).forEach(act);
    }
  }
  arrive(document);
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node.nodeType === 1) arrive(node);
    }
  }).observe(document.body, { childList: true, subtree: true });
  setInterval(() => find(document, 'time[data-time="ago"]').forEach(tell), 30000);

  document.querySelector("[data-refused] [aria-invalid=true]")?.focus();

  // A filter's address says only what is filtered.
  document.addEventListener("htmx:config:request", (event) => {
    const body = event.detail.ctx?.request?.body;
    if (!event.target.matches?.("form[data-filters]") || !(body instanceof FormData)) return;
    for (const [name, value] of [...body]) if (value === "") body.delete(name);
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail?.error?.name !== "AbortError") say(document.body.dataset.unreachable, "bad");
  });
})();
