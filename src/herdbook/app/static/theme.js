// Light and dark: what the person chose is kept; without a choice the page follows the system.

import { by, forgetColours } from "./lib/el.js";

/** @param {() => void} repaint paints again what is painted in colours of the page */
export function bindTheme(repaint) {
  const theme = by("theme");
  const dress = () => {
    document.documentElement.style.colorScheme = theme.value;
    localStorage.setItem("theme", theme.value);
    forgetColours();
    repaint();
  };
  theme.value = localStorage.getItem("theme") || "light dark";
  theme.addEventListener("change", dress);
  dress();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
}
