// Menus open under their button, inside the window, and close on Escape and a click elsewhere. "/" goes to the search field.
(() => {
  const GAP = 4;

  const place = (menu) => {
    const button = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
    if (!button) return;
    const at = button.getBoundingClientRect();
    const fits = at.bottom + GAP + menu.offsetHeight <= window.innerHeight;
    const top = fits ? at.bottom + GAP : Math.max(GAP, at.top - GAP - menu.offsetHeight);
    const left = Math.max(GAP, Math.min(at.right - menu.offsetWidth, window.innerWidth - menu.offsetWidth - GAP));
    Object.assign(menu.style, { inset: "auto", margin: "0", top: `${top}px`, left: `${left}px` });
  };

  document.addEventListener("toggle", (event) => {
    if (event.newState === "open" && event.target.matches(".menu.below")) place(event.target);
  }, true);
  document.addEventListener("scroll", (event) => {
    for (const menu of document.querySelectorAll(".menu.below:popover-open")) {
      if (!menu.contains(event.target)) place(menu);
    }
  }, true);

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
