// The Compose page in the browser: what is shown beside the text, the width of the preview, and leaving with unsaved text.
"use strict";

(() => {
  const remembered = (name, otherwise) => localStorage.getItem(`newsletter-compose-${name}`) || otherwise;
  const remember = (name, value) => localStorage.setItem(`newsletter-compose-${name}`, value);

  const setMode = (root, mode) => {
    root.dataset.mode = mode;
    for (const button of root.querySelectorAll("[data-mode-button]"))
      button.setAttribute("aria-pressed", String(button.dataset.modeButton === mode));
  };

  const setWidth = (root, share) => {
    const kept = Math.max(0.25, Math.min(0.75, share));
    root.style.setProperty("--preview", `${(kept * 100).toFixed(1)}%`);
    root.querySelector(".compose-divider").setAttribute("aria-valuenow", String(Math.round(kept * 100)));
    remember("preview", kept);
    return kept;
  };

  const begin = (root) => {
    setMode(root, remembered("mode", "text"));
    let share = setWidth(root, Number(remembered("preview", 0.48)));
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-mode-button]");
      if (button) {
        setMode(root, button.dataset.modeButton);
        remember("mode", button.dataset.modeButton);
      }
    });
    const divider = root.querySelector(".compose-divider");
    divider.addEventListener("pointerdown", (down) => {
      divider.setPointerCapture(down.pointerId);
      root.classList.add("dragging");
      const move = (event) => {
        const box = root.getBoundingClientRect();
        share = setWidth(root, (box.right - event.clientX) / box.width);
      };
      divider.addEventListener("pointermove", move);
      divider.addEventListener("lostpointercapture", () => {
        divider.removeEventListener("pointermove", move);
        root.classList.remove("dragging");
      }, { once: true });
    });
    divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: 0.02, ArrowRight: -0.02 }[event.key];
      if (step) share = setWidth(root, share + step);
    });
    // The other pages about this issue read the file: save before going there.
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-tab]");
      if (!link || root.dataset.dirty !== "yes" || event.ctrlKey || event.metaKey || event.button) return;
      event.preventDefault();
      emitEvent("studio-leave", link.getAttribute("href"));
    });
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s" && !event.defaultPrevented) {
        event.preventDefault();
        window.Studio.editor?.$emit("save");
      }
    });
  };

  const waiting = setInterval(() => {
    const root = document.querySelector(".compose");
    if (!root) return;
    clearInterval(waiting);
    begin(root);
  }, 20);
})();
