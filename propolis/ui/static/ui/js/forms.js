// Copy buttons, and password requirements ticked off while typing. The server decides; this only tells early.
(() => {
  const rules = {
    length: (text) => text.length >= 12,
    digits: (text) => text.length > 0 && !/^\d+$/.test(text),
    own: (text, own) => text.length > 0 && !text.toLowerCase().includes(own),
  };

  document.addEventListener("input", (event) => {
    for (const list of document.querySelectorAll("[data-rules-for]")) {
      if (event.target.id !== list.dataset.rulesFor) continue;
      const own = (list.dataset.own || "").split("@")[0].toLowerCase();
      for (const line of list.querySelectorAll("[data-rule]")) {
        line.classList.toggle("met", rules[line.dataset.rule](event.target.value, own || "\0"));
      }
    }
  });

  document.addEventListener("click", async (event) => {
    if (event.target.matches("[data-select]")) event.target.select();
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: "Copied." } }));
    } catch {
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: "Press Ctrl+C to copy the selected link.", tone: "warn" } }));
    }
  });
})();
