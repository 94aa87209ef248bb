// "Send 4 fields": the button says what it does, the line beside it how many are ticked.
(() => {
  const count = (form) => {
    const boxes = [...form.querySelectorAll("input[name=field]")];
    const ticked = boxes.filter((box) => box.checked).length;
    const said = form.querySelector("[data-send-count]");
    const button = form.querySelector(".dialog-foot button.primary");
    if (!button || !said) return;
    said.textContent = `${ticked} of ${boxes.length} field${boxes.length === 1 ? "" : "s"} ticked`;
    said.hidden = boxes.length === 0;
    const words = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    const leads = form.querySelectorAll("input[name=lead]:checked").length;
    const parts = [];
    if (ticked || !leads) parts.push(`${ticked} field${ticked === 1 ? "" : "s"}`);
    if (leads) parts.push(`${leads} lead${leads === 1 ? "" : "s"}`);
    if (words && (boxes.length || leads)) words.textContent = `Send ${parts.join(" and ")}`;
  };
  const all = () => document.querySelectorAll("form[data-send]").forEach(count);
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-send]");
    if (form) count(form);
  });
  document.addEventListener("htmx:afterSettle", all);
  document.addEventListener("DOMContentLoaded", all);
})();
