// Files on their way here, with how far they are; an export's address, which says all that is chosen.
"use strict";

(() => {
  const input = document.querySelector("[data-sends-file]");
  const box = document.getElementById("sending");
  const size = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

  function send() {
    const body = new FormData();
    body.append("file", input.files[0]);
    const bar = box.querySelector("progress");
    const told = box.querySelector("[data-text]");
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("POST", "/api/v1/uploads");
    request.responseType = "json";
    box.hidden = false;
    input.disabled = true;
    document.getElementById("stop-sending").addEventListener("click", stop);
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.value = (100 * event.loaded) / event.total;
      told.textContent = told.dataset.text.replace("{done}", size(event.loaded)).replace("{whole}", size(event.total));
    });
    request.addEventListener("loadend", () => {
      document.getElementById("stop-sending").removeEventListener("click", stop);
      if (request.status === 201) {
        const next = new URL(input.dataset.sendsFile, location.href);
        next.searchParams.set("upload", request.response.id);
        location.assign(next);
        return;
      }
      box.hidden = true;
      input.disabled = false;
      input.value = "";
      if (request.readyState === XMLHttpRequest.DONE) {
        corpusmith.say(request.response?.error?.message ?? input.dataset.failed, "bad");
      }
    });
    request.send(body);
  }
  input?.addEventListener("change", () => { if (input.files.length) send(); });

  // ------------------------------------------------------------ export

  const form = document.getElementById("exporting");
  if (!form) return;
  function tell() {
    const wishes = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value !== "") wishes.append(name, value);
    history.replaceState(history.state, "", `${location.pathname}?${wishes}`);
  }
  for (const kind of ["input", "change"]) form.addEventListener(kind, tell);
  // A look may have been asked for before the options of another format were there: once more, then.
  let asked = "";
  document.addEventListener("htmx:after:swap", () => {
    tell();
    const link = document.getElementById("download");
    if (!link || asked === location.search) return;
    const there = new URL(link.href).searchParams;
    const same = [...new URLSearchParams(location.search)].every(([name, one]) => there.get(name) === one);
    if (same) return;
    asked = location.search;
    form.dispatchEvent(new Event("change"));
  });
  form.addEventListener("submit", (event) => event.preventDefault());
})();
