// Review mode. The next records are here already; what is said is sent behind, one after another,
// and comes back as the card that the server now has. Nothing here makes markup of a value.
"use strict";

(() => {
  const AHEAD = 12;
  const root = document.getElementById("review");
  if (!root) return;
  const cards = document.getElementById("cards");
  const end = document.getElementById("review-end");
  const saving = document.getElementById("review-saving");
  const all = () => [...cards.querySelectorAll("article[data-record]")];
  let now = null;
  let done = Number(root.dataset.done);
  const total = Number(root.dataset.total);

  // ------------------------------------------------------------ showing

  const addressOf = (record) => {
    const url = new URL(root.dataset.path, location.href);
    if (record) url.searchParams.set("record", record);
    return url;
  };

  function show(card) {
    for (const one of all()) one.hidden = one !== card;
    now = card;
    end.hidden = Boolean(card);
    history.replaceState(null, "", addressOf(card?.dataset.record));
    (card ?? end).focus({ preventScroll: true });
    scrollTo(0, 0);
    ahead();
  }

  function count(change = 0) {
    done = Math.max(0, Math.min(total, done + change));
    root.querySelector(".review-progress progress").value = done;
    document.getElementById("review-count").textContent =
      root.dataset.progress.replace("{done}", done.toLocaleString(document.documentElement.lang)).replace("{total}", total.toLocaleString(document.documentElement.lang));
  }

  function step(by) {
    const found = all();
    const place = now ? found.indexOf(now) : found.length;
    if (by > 0) {
      if (found[place + 1]) show(found[place + 1]);
      else if (!cards.querySelector("[data-next]")) show(null);
      else { wanted = true; ahead(); }
      return;
    }
    if (found[place - 1]) show(found[place - 1]);
  }

  // ------------------------------------------------------------ bringing more

  let asking = false;
  let wanted = false;

  function take(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content;
  }

  async function ahead() {
    const found = all();
    const left = found.length - (now ? found.indexOf(now) : found.length) - 1;
    const next = cards.querySelector("[data-next]");
    if (asking || !next || left >= AHEAD) return;
    asking = true;
    try {
      const answer = await fetch(next.dataset.next);
      if (!answer.ok) throw new Error(answer.status);
      const piece = take(await answer.text());
      const known = new Set(all().map((one) => one.dataset.record));
      for (const one of [...piece.querySelectorAll("article[data-record]")]) if (known.has(one.dataset.record)) one.remove();
      next.remove();
      cards.append(piece);
    } catch {
      wanted = false;
      corpusmith.say(root.dataset.lost, "bad");
    }
    asking = false;
    if (wanted) { wanted = false; step(1); }
  }

  // ------------------------------------------------------------ saying

  let line = Promise.resolve();
  let waiting = 0;

  function inLine(work) {
    waiting += 1;
    saving.textContent = saving.dataset.text;
    line = line.then(work).catch(() => corpusmith.say(root.dataset.lost, "bad")).finally(() => {
      waiting -= 1;
      if (!waiting) saving.textContent = "";
    });
    return line;
  }

  // The form's own fields, those that the person changed; with them what a key says.
  function said(card, more) {
    const body = new FormData(card.querySelector("form"));
    const note = body.get("note").trim();
    if (!note && !body.has("had_note")) body.delete("note");
    const norm = (text) => text.split(/[,，]/).map((one) => one.trim()).filter(Boolean).join(",");
    const same = norm(body.get("tags")) === norm(body.get("tags_before"));
    if (same) body.delete("tags");
    for (const [name, value] of Object.entries(more)) body.set(name, value);
    return body;
  }

  const fieldsOf = (form) => [...form.querySelectorAll("[name]:not([type=hidden])")];
  const typed = (card) => JSON.stringify(fieldsOf(card).map((one) => one.value));

  function send(card, more, quiet = false) {
    const body = said(card, more);
    if (!["state", "rating", "note", "tags"].some((name) => body.has(name))) return;
    const sent = typed(card);
    inLine(async () => {
      const form = card.querySelector("form");
      const answer = await fetch(form.action, { method: "POST", body, keepalive: true }).catch(() => null);
      if (!answer || !answer.ok) {
        const why = answer?.headers.get("content-type")?.includes("json") ? (await answer.json()).message : root.dataset.lost;
        corpusmith.say(why, "bad");
        show(card);
        return;
      }
      const fresh = take(await answer.text()).querySelector("article");
      count(Number(fresh.dataset.done) - Number(card.dataset.done));
      renew(card, fresh, sent);
      if (!quiet) corpusmith.say(root.dataset.saved);
    });
  }

  // What others or the server have changed is shown anew. The fields stay where they are, with the
  // caret in them; what was typed while an answer was on its way stays, and stays a draft.
  function renew(card, fresh, sent) {
    const form = card.querySelector("form");
    const other = fresh.querySelector("form");
    const later = typed(card) !== sent;
    Object.assign(card.dataset, fresh.dataset);
    for (const one of [...card.children]) if (one !== form) one.remove();
    for (const one of [...fresh.children]) if (one !== other) form.before(one);
    for (const one of form.querySelectorAll("[type=hidden]")) one.remove();
    form.prepend(...other.querySelectorAll("[type=hidden]"));
    if (later) return;
    for (const one of fieldsOf(form)) {
      const value = other.querySelector(`[name="${one.name}"]`).value;
      if (one.value !== value) one.value = value;
    }
    try { localStorage.removeItem("corpusmith.draft." + form.dataset.draft); } catch { /* off */ }
  }

  function undo() {
    inLine(async () => {
      const answer = await fetch(root.dataset.undo, { method: "POST" });
      const told = await answer.json();
      corpusmith.say(told.message, answer.ok ? "good" : "warn");
      if (!answer.ok || !told.record) return;
      const part = new URL(root.dataset.part, location.href);
      part.searchParams.set("record", told.record);
      const fresh = take(await (await fetch(part)).text()).querySelector("article");
      if (!fresh) return;
      const before = all().find((one) => one.dataset.record === String(told.record));
      if (before) {
        count(Number(fresh.dataset.done) - Number(before.dataset.done));
        renew(before, fresh, typed(before));
      } else {
        cards.insertBefore(fresh, now);
      }
      show(before ?? fresh);
    });
  }

  // ------------------------------------------------------------ keys

  const decide = (state) => { if (now) { send(now, { state }, true); step(1); } };
  const rate = (rating) => { if (now) send(now, { rating }); };
  const into = (name) => now?.querySelector(`[name="${name}"]`).focus();
  const ACTS = {
    next: () => step(1), previous: () => step(-1), undo,
    approve: () => decide("approved"), reject: () => decide("rejected"),
    edit: () => { if (now) line.then(() => { location.href = now.dataset.edit; }); },
    tag: () => into("tags"), comment: () => into("note"),
    help: () => document.getElementById("keys").showModal(),
    1: () => rate("1"), 2: () => rate("2"), 3: () => rate("3"), 4: () => rate("4"), 5: () => rate("5"), 0: () => rate("none"),
  };
  const KEYS = {
    j: "next", ArrowRight: "next", k: "previous", ArrowLeft: "previous", a: "approve", r: "reject", e: "edit",
    u: "undo", t: "tag", c: "comment", "?": "help", 0: "0", 1: "1", 2: "2", 3: "3", 4: "4", 5: "5",
  };
  const inField = (element) => element.closest?.("input, textarea, select, dialog");

  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const field = inField(event.target);
    if (field && now?.contains(field)) {
      const send_it = event.key === "Enter" && (event.ctrlKey || event.metaKey || field.name === "tags");
      if (send_it) { event.preventDefault(); send(now, {}); now.focus(); }
      if (event.key === "Escape") now.focus();
      return;
    }
    if (field || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    ACTS[act]();
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) ACTS[button.dataset.act]();
  });
  cards.addEventListener("submit", (event) => { event.preventDefault(); if (now) send(now, {}); });
  window.addEventListener("beforeunload", (event) => { if (waiting) event.preventDefault(); });

  show(all()[0] ?? null);
})();
