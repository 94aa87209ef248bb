// A fact edited in place keeps the keyboard: into the field when it opens, back to its pencil when it is saved or
// left; Escape leaves.
(() => {
  document.addEventListener("htmx:load", (event) => {
    const fact = event.detail.elt;
    if (!fact.matches?.(".fact")) return;
    const field = fact.querySelector("input:not([type=hidden]), select, textarea");
    (field || fact.querySelector(".edit"))?.focus();
    // Whoever typed already keeps what was typed.
    if (field?.matches("input:not([type=checkbox])") && field.value === field.defaultValue) field.select?.();
  });
  document.addEventListener("keydown", (event) => {
    const fact = event.key === "Escape" && event.target.closest?.(".fact.editing");
    if (fact) fact.querySelector("[id^=cancel-]").click();
  });
})();
