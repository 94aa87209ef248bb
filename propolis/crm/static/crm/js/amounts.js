// Enter in the grid of amounts goes to the same column of the next row, as in a spreadsheet.
(() => {
  document.addEventListener("keydown", (event) => {
    const column = event.target.dataset?.column;
    if (event.key !== "Enter" || !column) return;
    event.preventDefault();
    const fields = [...document.querySelectorAll(`[data-column="${column}"]`)];
    const next = fields[fields.indexOf(event.target) + (event.shiftKey ? -1 : 1)];
    if (next) next.focus();
    else event.target.blur();
  });
})();
