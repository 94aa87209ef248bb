// A form is sent once however often it is clicked; copy buttons; and password requirements ticked off while typing. The server decides; this only tells early.
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

  const sent = new Map();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.getAttribute("method") !== "post" || form.hasAttribute("hx-post")) return;
    // A download leaves the page as it is: it may be asked for again after a moment.
    if (performance.now() - (sent.get(form) ?? -Infinity) < 10000) event.preventDefault();
    else sent.set(form, performance.now());
  });
  // Back to a page that the browser kept: its forms are new again.
  window.addEventListener("pageshow", () => sent.clear());

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
