// Messages: those of the page, those a server answer sends (HX-Trigger: toast), and requests that failed.
(() => {
  const say = (text) => {
    const status = document.getElementById("status");
    if (!status) return;
    status.textContent = "";
    requestAnimationFrame(() => { status.textContent = text; });
  };

  const show = (text, tone) => {
    const place = document.getElementById("toasts");
    const made = document.getElementById("toast-template").content.cloneNode(true);
    const toast = made.querySelector(".toast");
    toast.classList.add(tone || "ok");
    toast.querySelector("[data-text]").textContent = text;
    place.append(made);
    say(text);
  };

  const sentence = (xhr) => {
    const page = new DOMParser().parseFromString(xhr.responseText || "", "text/html");
    const found = page.querySelector("[data-problem]");
    return found ? found.textContent.trim() : "That did not work. Reload the page and try again.";
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss]");
    if (button) button.closest(".toast").remove();
  });
  document.addEventListener("toast", (event) => show(event.detail.text || event.detail.value, event.detail.tone));
  document.addEventListener("announce", (event) => say(event.detail.text || event.detail.value));
  document.addEventListener("htmx:responseError", (event) => show(sentence(event.detail.xhr), "bad"));
  document.addEventListener("htmx:sendError", () => show("Propolis does not answer. Check the connection and try again.", "bad"));
  document.addEventListener("DOMContentLoaded", () => {
    const text = [...document.querySelectorAll("#toasts [data-text]")].map((t) => t.textContent.trim()).join(" ");
    if (text) say(text);
    document.querySelector(".error-summary")?.focus();
  });
})();
