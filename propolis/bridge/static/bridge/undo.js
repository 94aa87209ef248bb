// "Print" on a receipt.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
