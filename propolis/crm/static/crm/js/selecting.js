// Ticking a whole page of a table, and how many are ticked. Without it single rows can still be ticked.
(() => {
  const tell = (form) => {
    const ticked = form.querySelectorAll('input[name="id"]:checked').length;
    const words = form.querySelector("[data-selected]");
    const whole = form.querySelector('input[name="all"]');
    if (words) words.textContent = whole?.checked ? "All selected" : `${ticked} selected`;
    const all = form.querySelector("[data-select-page]");
    const rows = form.querySelectorAll('input[name="id"]').length;
    if (all) {
      all.checked = ticked === rows;
      all.indeterminate = ticked > 0 && ticked < rows;
    }
  };

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form.selectable");
    if (!form) return;
    const row = event.target.matches('[data-select-page], input[name="id"]');
    const whole = form.querySelector('input[name="all"]');
    if (!row && event.target !== whole) return;
    if (event.target.matches("[data-select-page]") || (event.target === whole && whole.checked)) {
      for (const box of form.querySelectorAll('input[name="id"]')) box.checked = event.target.checked;
    }
    // A row that is unticked is meant to be left out: it is not all of them any more.
    if (row && whole && !event.target.checked) whole.checked = false;
    tell(form);
  });
  // What the server would refuse, and the ticks would be lost with the page.
  const needed = { add: ["list", "Choose a list."], remove: ["list", "Choose a list."], assign: ["salesperson", "Choose a salesperson."] };
  document.addEventListener("submit", (event) => {
    const [name, text] = (event.target.matches("form.selectable") && needed[event.submitter?.value]) || [];
    const field = name && event.target.querySelector(`select[name="${name}"]`);
    if (!field || field.value) return;
    event.preventDefault();
    field.focus();
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone: "warn" } }));
  }, true); // before the form counts as sent
  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("form.selectable")) tell(form);
  });
})();
