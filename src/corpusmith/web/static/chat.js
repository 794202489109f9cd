// A talk: Enter sends, what was said is shown while the reply is awaited, the newest stays in sight.
"use strict";

(() => {
  const form = document.getElementById("chat");
  if (!form) return;
  let typing = false;
  let sent = "";
  let next = "";

  form.addEventListener("keydown", (event) => {
    // Enter that ends a word of an input method is not meant for us.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target.name !== "say") return;
    event.preventDefault();
    if (event.target.value.trim()) form.requestSubmit(form.querySelector("[value=send]"));
  });

  const last = () => { const talk = document.getElementById("so-far"); talk.scrollTop = talk.scrollHeight; };

  form.addEventListener("submit", (event) => {
    const say = form.elements.say;
    const pending = document.getElementById("pending");
    pending.textContent = event.submitter?.value === "send" ? say.value : "";
    pending.closest(".talk").hidden = !pending.textContent;
    typing = event.submitter?.value !== "clear";
    sent = say.value;
    last();
  });

  // What was typed while the reply was awaited is not lost with the box that it was typed in.
  document.addEventListener("htmx:before:swap", () => {
    next = form.elements.say.value === sent ? "" : form.elements.say.value;
  });

  document.addEventListener("htmx:after:swap", () => {
    last();
    if (next && !form.elements.say.value) form.elements.say.value = next;
    if (typing) form.elements.say.focus();
    typing = false;
  });
})();
