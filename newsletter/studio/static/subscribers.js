// The Subscribers pages in the browser: the back button tells the page what to show, and `/` leads to the search.
"use strict";

addEventListener("popstate", () => emitEvent("subscribers-address", location.search));

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const search = document.querySelector(".subscribers-search input");
  if (search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});
