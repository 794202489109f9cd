// Records as a table: choosing several, over pages too. One record: keys for what has a button.
"use strict";

(() => {
  let chosen = new Set();
  const boxes = () => [...document.querySelectorAll('#list input[name="ids"]')];

  function count() {
    const bar = document.getElementById("bulk-bar");
    if (!bar) return;
    const found = boxes();
    chosen = new Set(found.filter((one) => one.checked).map((one) => one.value));
    bar.hidden = !chosen.size;
    const pick = document.getElementById("pick-all");
    pick.checked = chosen.size > 0 && chosen.size === found.length;
    pick.indeterminate = chosen.size > 0 && !pick.checked;
    const every = document.getElementById("all-matching");
    if (every && !pick.checked) every.checked = false;
    if (every) every.closest(".tick").hidden = !pick.checked;
    const text = document.getElementById("bulk-count");
    text.textContent = every?.checked ? text.dataset.all : text.dataset.text.replace("{n}", chosen.size);
    for (const one of bar.querySelectorAll("[data-bulk-said]")) one.textContent = text.textContent;
  }

  document.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") boxes().forEach((one) => { one.checked = event.target.checked; });
    if (["pick-all", "all-matching"].includes(event.target.id) || event.target.name === "ids") count();
  });
  document.addEventListener("htmx:after:swap", count);
  // A page that the browser brings back has its ticks again.
  window.addEventListener("pageshow", count);

  const typing = (element) => element.closest?.("input, textarea, select, [contenteditable], dialog[open]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const found = document.querySelector(`[data-key~="${CSS.escape(event.key)}"]`);
    if (!found) return;
    event.preventDefault();
    found.click();
  });
})();
