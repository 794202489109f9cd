// A report in its frame: as tall as what it says, so that only the page is scrolled.
"use strict";

(() => {
  const frame = document.querySelector("[data-report]");
  const measure = () => {
    const body = frame.contentDocument?.body;
    if (body && body.scrollHeight) frame.style.height = `${body.scrollHeight + 8}px`;
  };
  const begin = () => {
    const body = frame.contentDocument?.body;
    if (!body || frame.contentDocument.URL === "about:blank") return;
    measure();
    new ResizeObserver(measure).observe(body);
  };
  // The report follows the page's theme; where it is read stays, for only the page is scrolled.
  const dress = () => {
    const address = new URL(frame.src);
    const theme = document.documentElement.dataset.bsTheme;
    if (address.searchParams.get("theme") === theme) return;
    address.searchParams.set("theme", theme);
    frame.src = address.href;
  };
  new MutationObserver(dress)
    .observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  frame.addEventListener("load", begin);
  if (frame.contentDocument?.readyState === "complete") begin();
})();
