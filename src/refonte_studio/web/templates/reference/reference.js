"use strict";
(() => {
  const box = document.getElementById("filter");
  const status = document.getElementById("filter-status");
  const entries = [...document.querySelectorAll("[data-text]")];
  document.getElementById("filter-form").hidden = false;
  const apply = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const entry of entries) {
      entry.hidden = !words.every((word) => entry.dataset.text.includes(word));
      if (!entry.hidden && entry.tagName === "ARTICLE") shown += 1;
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      group.hidden = words.length > 0 && !group.querySelector("[data-text]:not([hidden])");
    }
    status.textContent = words.length ? `${shown} shown` : "";
  };
  box.addEventListener("input", apply);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== box) {
      event.preventDefault();
      box.focus();
    } else if (event.key === "Escape" && document.activeElement === box) {
      box.value = "";
      apply();
    }
  });
})();
