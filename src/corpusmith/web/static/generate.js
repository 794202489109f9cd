// Forms of Generate: presets, files, the usual limits, and what the preview says of fields.
"use strict";

(() => {
  const form = document.getElementById("making");
  if (!form) return;
  const changed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preset]");
    if (!button) return;
    const wishes = { temperature: "temperature", top_p: "topP", max_tokens: "maxTokens" };
    for (const [name, key] of Object.entries(wishes)) {
      const field = form.elements[name];
      if (field) field.value = button.dataset[key] ?? "";
    }
    changed(form.elements.temperature);
  });

  // A number's usual limit, until a person asks for more.
  function limit() {
    const more = form.elements.more?.checked;
    for (const field of form.querySelectorAll("[data-max]")) {
      if (more) field.removeAttribute("max");
      else field.max = field.dataset.max;
    }
  }
  form.addEventListener("change", limit);
  limit();

  // What the preview says takes the place of what was said when the form came back.
  document.addEventListener("htmx:after:swap", () => {
    for (const slot of document.querySelectorAll(".slotted > .missing, .slotted .missing")) {
      const part = slot.closest(".slotted");
      part.querySelectorAll(".wrong").forEach((one) => one.remove());
      part.querySelectorAll("[aria-invalid]").forEach((one) => one.removeAttribute("aria-invalid"));
    }
  });

  form.addEventListener("change", (event) => {
    const input = event.target;
    if (input.matches("[data-uploads]") && input.files.length) send(input);
  });

  function send(input) {
    const body = new FormData();
    body.append("file", input.files[0]);
    const bar = input.parentElement.querySelector("progress");
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/uploads");
    request.responseType = "json";
    bar.classList.remove("visually-hidden");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
    });
    request.addEventListener("loadend", () => {
      bar.classList.add("visually-hidden");
      input.value = "";
      if (request.status === 401) corpusmith.logInAgain();
      if (request.status !== 201) {
        corpusmith.say(request.response?.error?.message ?? input.dataset.failed, "bad");
        return;
      }
      const select = document.getElementById(input.dataset.uploads);
      const option = new Option(request.response.name, `upload:${request.response.id}`, true, true);
      select.append(option);
      changed(select);
      corpusmith.say(input.dataset.done);
    });
    request.send(body);
  }
})();
