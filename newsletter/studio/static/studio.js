// What every page of the Studio does in the browser: light and dark, and the keys that lead somewhere.
"use strict";

window.Studio = window.Studio || {};

Studio.dark = () => document.body.classList.contains("body--dark");

Studio.toggleTheme = () => {
  const dark = !Studio.dark();
  Quasar.Dark.set(dark);
  document.cookie = `newsletter-studio-theme=${dark ? "dark" : "light"};path=/;max-age=31536000;samesite=strict`;
  window.dispatchEvent(new CustomEvent("studio-theme", { detail: { dark } }));
};

(() => {
  const places = { i: "/", s: "/subscribers", x: "/sandbox" };
  const tabs = { c: "compose", k: "checks", t: "test", n: "send" };
  let first = 0;

  const typing = (target) =>
    target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest(".cm-editor");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "?") return document.getElementById("shortcuts-button")?.click();
    if (event.key === "g") return void (first = Date.now());
    if (Date.now() - first > 1500) return;
    first = 0;
    const link = tabs[event.key] && document.querySelector(`[data-tab="${tabs[event.key]}"]`);
    const address = places[event.key] || link?.getAttribute("href");
    if (address) {
      event.preventDefault();
      location.assign(address);
    }
  });
})();
