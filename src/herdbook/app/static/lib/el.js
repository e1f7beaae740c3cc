// Elements without a framework: made from a tag, its properties and its children.

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] `on` holds listeners, `data` the dataset; names with a hyphen are attributes
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function el(tag, properties = {}, ...children) {
  const made = /** @type {any} */ (document.createElement(tag));
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "on") for (const [kind, listener] of Object.entries(value)) made.addEventListener(kind, listener);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name.includes("-") || name === "for" || name === "role") made.setAttribute(name, String(value));
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** @param {string} id @returns {any} */
export function by(id) {
  return document.getElementById(id);
}

/** A message for screen readers. @param {string} text */
export function speak(text) {
  by("spoken").textContent = text;
}

let alarmed = 0;
/** A fault that the person must see; it goes away by itself. @param {string} text */
export function alarm(text) {
  const place = by("alarm");
  place.textContent = text;
  place.hidden = !text;
  clearTimeout(alarmed);
  if (text) alarmed = setTimeout(() => alarm(""), 12000);
}

/** @type {Map<string, string>} asking the browser takes longer than drawing */
const colours = new Map();

/** Another theme has other colours. */
export function forgetColours() {
  colours.clear();
}

/** The colours of the page's theme. @param {string} name @returns {string} */
export function colour(name) {
  const known = colours.get(name);
  if (known) return known;
  const probe = by("spoken");
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color;
  probe.style.color = "";
  colours.set(name, found);
  return found;
}

/** Size a canvas to its place in pixels of the screen. @param {HTMLCanvasElement} canvas @returns {[number, number, number]} */
export function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return [width, height, ratio];
}
