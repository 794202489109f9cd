// Settings: days are those of the viewer; a reload of what is shown once sends nothing again.
"use strict";

(() => {
  const zone = document.querySelector("[data-zone]");
  if (zone) {
    zone.value = new Date().getTimezoneOffset();
    // Of no day there is no zone: an address says only what is filtered.
    document.addEventListener("htmx:config:request", (event) => {
      const body = event.detail.ctx?.request?.body;
      if (body instanceof FormData && !body.get("from") && !body.get("to")) body.delete("zone");
    });
  }
  const once = document.querySelector("[data-once]");
  if (once) history.replaceState(null, "", once.dataset.once);
})();
