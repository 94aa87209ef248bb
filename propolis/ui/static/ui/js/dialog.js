// Opens what htmx put into #dialog, closes it on request, and gives the place back empty.
(() => {
  const place = () => document.getElementById("dialog");

  document.addEventListener("htmx:afterSwap", (event) => {
    const dialog = place();
    if (event.detail.target !== dialog || !dialog.childElementCount) return;
    if (!dialog.open) dialog.showModal();
    const first = dialog.querySelector("[autofocus]");
    if (first) first.focus();
    const heading = dialog.querySelector("h2[id]");
    if (heading) dialog.setAttribute("aria-labelledby", heading.id);
  });

  document.addEventListener("click", (event) => {
    const closer = event.target.closest("[data-close]");
    if (closer && place().open && place().contains(closer)) {
      event.preventDefault();
      place().close();
    }
  });

  // A server answer may close it: HX-Trigger: close-dialog
  document.addEventListener("close-dialog", () => place().close());
  document.addEventListener("DOMContentLoaded", () => {
    place()?.addEventListener("close", () => place().replaceChildren());
  });
})();
