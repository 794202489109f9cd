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
    values: (form) => drafts.kept(form).map((one) => [
      one.name, ["checkbox", "radio"].includes(one.type) ? (one.checked ? one.value : null) : one.value, one.type]),
    save(form) {
      try { localStorage.setItem(drafts.key(form), JSON.stringify(drafts.values(form))); } catch { /* full or off */ }
    },
    restore(form) {
      let values;
      try { values = JSON.parse(localStorage.getItem(drafts.key(form))); } catch { values = null; }
      if (!form.hasAttribute("data-refused")) drafts.fill(form, values);
    },
    fill(form, values) {
      if (!Array.isArray(values)) return;
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
    forget(name) {
      if (name === "*") return drafts.forgetAll();
      try { localStorage.removeItem(PREFIX + name); } catch { /* off */ }
    },
    // Whoever has logged out leaves nothing to the next one at this machine.
    forgetAll() {
      for (const kind of ["localStorage", "sessionStorage"]) {
        try {
          for (const key of Object.keys(window[kind])) if (key.startsWith("corpusmith.")) window[kind].removeItem(key);
        } catch { /* off */ }
      }
    },
  };

  // What a session that ended left behind is for the same person.
  try {
    const who = document.body.dataset.who, WHO = "corpusmith.who";
    if (who && (localStorage.getItem(WHO) ?? who) !== who) drafts.forgetAll();
    if (who) localStorage.setItem(WHO, who);
  } catch { /* off */ }

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
    "[data-goes-back]": () => history.back(),
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
    "[data-drafted]": (one) => { const form = one.closest("form[data-draft]"); if (form) drafts.restore(form); },
    "[data-keeps]": (one) => drafts.save(one.form),
    "dialog[data-open]": (one) => { if (!one.open) one.showModal(); },
    "[data-logged-in]": (one) => goOn(one),
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
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.closest(".tabs").scrollLeft = tab.offsetLeft - tab.closest(".tabs").clientWidth / 2;

  // A filter's address says only what is filtered.
  document.addEventListener("htmx:config:request", (event) => {
    const body = event.detail.ctx?.request?.body;
    if (!event.target.matches?.("form[data-filters]") || !(body instanceof FormData)) return;
    for (const [name, value] of [...body]) if (value === "") body.delete(name);
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail?.error?.name !== "AbortError") say(document.body.dataset.unreachable, "bad");
  });

  // ------------------------------------------------------------ a session that ends

  // What a form is sent with is kept until the next page: when that is the login, it is filled in
  // again afterwards. Passwords and files are not kept.
  const SENT = "corpusmith.sent";
  const place = () => location.pathname + location.search;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || document.querySelector("main [data-login]") || again?.contains(form)) return;
    const kept = { place: place(), action: form.getAttribute("action"), values: drafts.values(form) };
    try { sessionStorage.setItem(SENT, JSON.stringify(kept)); } catch { /* full or off */ }
  });
  function comeBack() {
    if (document.querySelector("main [data-login]")) return;
    let kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(SENT)); } catch { /* off */ }
    const answered = document.querySelector("#said .said, [data-refused]");
    const here = kept?.place === place();
    if (here || answered) try { sessionStorage.removeItem(SENT); } catch { /* off */ }
    if (!here) return;
    const form = find(document, "form").find((one) => one.getAttribute("action") === kept.action);
    // A change that no page of ours has answered was sent to a server that was away.
    if (!form || !(document.querySelector("[data-resumed]") || (form.hasAttribute("data-guard") && !answered))) return;
    drafts.fill(form, kept.values);
    if (form.hasAttribute("data-guard")) touched.add(form);
  }
  comeBack();

  // What a script asks for is refused: the page stays as it is, and asks for a login. What the
  // person had asked for is asked again; what asks by itself does that anyway.
  const again = document.getElementById("again");
  let refused = null;
  let asking = false;

  async function logInAgain(byHand = true) {
    const dialog = again.querySelector("dialog");
    if (dialog) { if (byHand && !dialog.open) dialog.showModal(); return; }
    if (asking) return;
    asking = true;
    await htmx.ajax("GET", "/login/part", { target: "#again", swap: "innerHTML" });
    asking = false;
  }
  window.corpusmith.logInAgain = logInAgain;

  const plainFetch = window.fetch.bind(window);
  window.fetch = async (...wish) => {
    const answer = await plainFetch(...wish);
    if (answer.status === 401 && !answer.url.endsWith("/login/part")) logInAgain(false);
    return answer;
  };
  document.addEventListener("htmx:before:response", (event) => {
    const asked = event.detail.ctx;
    if (asked.response.status !== 401 || again.contains(asked.sourceElement)) return;
    event.preventDefault();
    if (!asked.sourceEvent?.isTrusted) return;
    refused = asked;
    logInAgain();
  });

  function goOn(mark) {
    say(mark.dataset.loggedIn);
    again.replaceChildren();
    const { sourceElement: element, sourceEvent: event } = refused ?? {};
    refused = null;
    if (!element?.isConnected) return;
    if (event.type === "click") element.click();
    else if (event.type === "submit") element.requestSubmit(event.submitter);
    else element.dispatchEvent(new Event(event.type, { bubbles: true }));
  }
})();
