// The template editor: what is said while typing takes the place of what was said when it came back.
"use strict";

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail?.ctx?.target?.id !== "about") return;
  for (const slot of document.querySelectorAll("#template .slotted")) {
    slot.querySelectorAll(".wrong:not(#about .wrong)").forEach((one) => one.remove());
    slot.querySelectorAll("[aria-invalid]").forEach((one) => one.removeAttribute("aria-invalid"));
  }
});
