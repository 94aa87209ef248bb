// Menus open under their button, inside the window, and close on Escape and a click elsewhere. "/" goes to the search field.
(() => {
  const GAP = 4;

  const place = (menu) => {
    const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
    if (!button) return;
    // Measured with the whole window to itself: where it stood last may leave it less.
    Object.assign(menu.style, { inset: "0", margin: "0", display: "block" });
    const { offsetWidth: width, offsetHeight: height } = menu;
    const at = button.getBoundingClientRect();
    const fits = at.bottom + GAP + height <= window.innerHeight;
    const top = fits ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height);
    const left = Math.max(GAP, Math.min(at.right - width, window.innerWidth - width - GAP));
    Object.assign(menu.style, { inset: `${top}px auto auto ${left}px`, display: "" });
  };

  // Before it opens, not after: it is never seen where it stood last.
  document.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open" && event.target.matches(".menu.below")) place(event.target);
  }, true);
  const opened = () => document.querySelectorAll(".menu.below:popover-open");
  document.addEventListener("scroll", (event) => {
    for (const menu of opened()) if (!menu.contains(event.target)) place(menu);
  }, true);
  window.addEventListener("resize", () => opened().forEach(place));

  const unfolded = () => [...document.querySelectorAll("details.menu-at[open]")];

  document.addEventListener("click", (event) => {
    for (const menu of unfolded()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of unfolded()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.getElementById("search");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  });
})();
