// Dragging a card to another column: the same as choosing it under Move.
(() => {
  let held = null;
  document.addEventListener("dragstart", (event) => {
    held = event.target.closest("[data-card]");
    if (held) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragover", (event) => {
    const lane = event.target.closest("[data-lane]");
    if (!held || !lane) return;
    event.preventDefault();
    for (const other of document.querySelectorAll(".lane.over")) if (other !== lane) other.classList.remove("over");
    lane.classList.add("over");
  });
  document.addEventListener("dragend", () => {
    held = null;
    for (const lane of document.querySelectorAll(".lane.over")) lane.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    const lane = event.target.closest("[data-lane]");
    const form = document.getElementById("drag");
    if (!held || !lane || !form || lane.contains(held)) return;
    event.preventDefault();
    form.action = form.dataset.to.replace("/0/", `/${held.dataset.card}/`);
    form.elements.status.value = lane.dataset.lane;
    form.elements.was.value = held.closest("[data-lane]").dataset.lane;
    form.requestSubmit();
  });
  document.addEventListener("DOMContentLoaded", () => {
    if (/^#(card|up|down)-\d+$/.test(location.hash)) document.getElementById(location.hash.slice(1))?.focus();
  });
})();
