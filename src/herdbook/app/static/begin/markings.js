// The three kinds of marking as drawings: two animals that meet, what is known of them afterwards, and what on another day.

/** @typedef {[string, Record<string, string | number>, ...any]} Drawn */

const [BLUE, ORANGE] = ["#0072b2", "#d55e00"];
// Where the two animals are before they meet, afterwards, and on another day.
const PLACES = /** @type {const} */ ({ before: [[34, 30], [34, 86]], after: [[150, 86], [150, 30]], later: [[236, 30], [236, 86]] });

/** @param {string} name @param {Record<string, string | number>} attributes @param {...Node} children */
function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/** @param {number} x @param {number} y @param {string} text @param {string} [kind] */
function words(x, y, text, kind = "word") {
  const made = svg("text", { x, y, class: kind, "text-anchor": "middle" });
  made.textContent = text;
  return made;
}

/** An animal seen from above: head, body, legs, and the tags that it carries. @param {readonly number[]} at @param {number} size @param {string[]} tags */
function animal([x, y], size, tags) {
  const legs = [-7, 0, 7].map((dx) => svg("path", { d: `M ${dx} -11 l ${dx / 4 + 1} 5 M ${dx} 11 l ${dx / 4 + 1} -5`, class: "legs" }));
  return svg("g", { transform: `translate(${x} ${y}) scale(${size})` },
    ...legs,
    svg("ellipse", { rx: 13, ry: 6.5, class: "body" }),
    svg("circle", { cx: 15, r: 4.5, class: "body" }),
    ...tags.map((colour, k) => svg("circle", { cx: k * 8 - 5, r: 3.4, fill: colour, stroke: "white", "stroke-width": 1 })),
  );
}

/** A path from where an animal was to where it is: what is known is drawn through, what may be exchanged is dashed.
 * @param {number} animal @param {string} colour @param {boolean} sure */
function path(animal, colour, sure) {
  const [[x0, y0], [x1, y1]] = [PLACES.before[animal], PLACES.after[animal]];
  return svg("path", { d: `M ${x0 + 22} ${y0} C 84 ${y0}, 98 ${y1}, ${x1 - 20} ${y1}`, fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": sure ? "none" : "4 4" });
}

/** What is drawn for each kind: names before and after the animals met, and on another day. */
const KINDS = {
  marked: { names: ["BO", "OB"], after: ["BO", "OB"], later: ["BO", "OB"], tags: [[BLUE, ORANGE], [ORANGE, BLUE]], sizes: [1, 1], colours: [BLUE, ORANGE], sure: true, tells: "Two animals with tags in two colours meet. Both keep their names, BO and OB, also on the next day." },
  unmarked: { names: ["1", "2"], after: ["1", "2"], later: ["?", "?"], tags: [[], []], sizes: [1.05, 0.85], colours: [BLUE, ORANGE], sure: true, tells: "Two animals that differ a little meet. Both keep their numbers, 1 and 2; in another experiment nobody knows who they are." },
  none: { names: ["", ""], after: ["?", "?"], later: ["", ""], tags: [[], []], sizes: [1, 1], colours: ["var(--quiet)", "var(--quiet)"], sure: false, tells: "Two animals meet. Afterwards nobody knows which is which, and on another day neither." },
};

/** @param {string} kind */
export function drawMarking(kind) {
  const drawn = KINDS[/** @type {keyof typeof KINDS} */ (kind)];
  if (!drawn) return null;
  const place = svg("svg", { viewBox: "0 0 272 136", class: "drawing", role: "img", "aria-label": drawn.tells });
  for (const k of [0, 1]) {
    place.append(path(k, drawn.colours[k], drawn.sure));
    for (const [when, names] of /** @type {const} */ ([["before", drawn.names], ["after", drawn.after], ["later", drawn.later]])) {
      const [x, y] = PLACES[when][k];
      place.append(animal([x, y], drawn.sizes[k], drawn.tags[k]), words(x, y + 25, names[k]));
    }
  }
  place.append(svg("path", { d: "M 194 8 V 128", class: "border" }), words(92, 131, "they meet", "small"), words(236, 131, kind === "marked" ? "next day" : "another day", "small"));
  return place;
}
