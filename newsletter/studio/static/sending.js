// What the chart of a sending needs in the browser: the theme's colours, and labels.
"use strict";

window.Studio = window.Studio || {};

Studio.colour = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
Studio.count = (value) => (Number.isInteger(value) ? value.toLocaleString("en-GB") : "");
Studio.clock = (seconds) => {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (!parts[0] && !parts[1]) return `${Math.round(seconds * 10) / 10} s`;
  return (parts[0] ? parts : parts.slice(1)).map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
};
Studio.acceptedAt = (points) => `${Studio.count(points[0].value[1])} accepted after ${Studio.clock(points[0].value[0])}`;

window.addEventListener("studio-theme", () => emitEvent("studio-theme"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(() => emitEvent("studio-theme"), 100));
