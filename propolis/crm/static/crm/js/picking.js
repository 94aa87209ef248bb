// A field that names a company or a contact offers the records that match what is typed so far.
(() => {
  let waiting = 0;
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches?.("input[data-pick]")) return;
    const list = document.getElementById(`pick-${field.dataset.pick}`);
    if (!list) return;
    field.setAttribute("list", list.id);
    clearTimeout(waiting);
    const text = field.value.trim();
    if (text.length < 2 || /#\d+$/.test(text)) return;
    waiting = setTimeout(async () => {
      const answer = await fetch(`${list.dataset.from}?q=${encodeURIComponent(text)}`);
      if (answer.ok && field.value.trim() === text) list.innerHTML = await answer.text();
    }, 200);
  });
})();
