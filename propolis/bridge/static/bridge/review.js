// L, C and S press the buttons of "Needs review"; not while somebody types, and not with Ctrl, Alt or Meta.
(() => {
  const typing = (target) => target.closest("input:not([type=radio]), textarea, select, [contenteditable], dialog[open]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (!["l", "c", "s"].includes(key)) return;
    const button = document.querySelector(`[data-review-key="${key}"]:not([disabled])`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
})();
