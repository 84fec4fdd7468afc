// The email's document as the Studio shows it: a copy made harmless, brought into the frame by what differs.

const BOX = "studio-box";
const REMOTE = /^\s*(?:[a-z][a-z0-9+.-]*:)?\/\//i;
const SCHEME = /\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi;

// `html` as a document that isn't shown: its media conditions answered for the scheme, its links leading nowhere,
// pictures as boxes with their alternative text where they aren't shown.
export function parsed(html, { scheme = "light", images = true } = {}) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const asked = (words) =>
    words.replace(SCHEME, (_, wanted) => (wanted.toLowerCase() === scheme ? "(min-width: 0)" : "(max-width: 0)"));
  for (const style of page.querySelectorAll("style")) style.textContent = asked(style.textContent);
  for (const element of page.querySelectorAll("[media]")) element.setAttribute("media", asked(element.getAttribute("media")));
  for (const meta of page.querySelectorAll('meta[name="color-scheme"], meta[name="supported-color-schemes"]'))
    if (meta.content.includes("dark")) meta.content = scheme;
  for (const script of page.querySelectorAll("script")) script.type = "text/plain";
  for (const link of page.querySelectorAll("a[target], area[target]")) link.target = "_blank";
  for (const element of page.querySelectorAll("[background]"))
    if (!images || REMOTE.test(element.getAttribute("background"))) element.removeAttribute("background");
  for (const element of page.querySelectorAll('[style*="url("]')) {
    const style = element.getAttribute("style");
    element.setAttribute("style", style.replace(images ? /url\(\s*['"]?[a-z]*:?\/\/[^)]*\)/gi : /url\([^)]*\)/gi, "none"));
  }
  let remote = 0;
  for (const image of page.querySelectorAll("img")) {
    const elsewhere = REMOTE.test(image.getAttribute("src") || "");
    if (elsewhere) remote += 1;
    if (elsewhere || !images) image.replaceWith(box(page, image));
    else image.removeAttribute("srcset");
  }
  return { page, remote };
}

// What stands in a picture's place: as large as it would be, with its words in its own style.
function box(page, image) {
  const made = page.createElement("span");
  const [width, height] = ["width", "height"].map((name) => parseInt(image.getAttribute(name), 10) || 0);
  const size = (width ? `width:${width}px;` : "") + (width && height ? `aspect-ratio:${width}/${height};` : "");
  made.className = `${image.className} ${BOX}`.trim();
  made.setAttribute("style", size + (image.getAttribute("style") || ""));
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", image.alt);
  if (width && width < 4) made.hidden = true;
  made.textContent = image.alt;
  return made;
}

// Make `old` equal to `fresh`, touching only what differs. `replaced(old, fresh)` is told of elements that were exchanged.
export function morph(old, fresh, replaced) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const attribute of fresh.attributes)
    if (old.getAttribute(attribute.name) !== attribute.value) old.setAttributeNode(attribute.cloneNode());
  const [olds, freshes] = [[...old.childNodes], [...fresh.childNodes]];
  const common = Math.min(olds.length, freshes.length);
  let [same, rest] = [0, 0]; // how many are equal at the beginning, and at the end
  // A wrapper around one element isn't compared as a whole: what is in it will be.
  const around = olds.length === freshes.length && old.childElementCount === 1 && fresh.childElementCount === 1;
  while (!around && same < common && olds[same].isEqualNode(freshes[same])) same += 1;
  while (!around && rest < common - same && olds.at(-1 - rest).isEqualNode(freshes.at(-1 - rest))) rest += 1;
  const after = rest ? olds.at(-rest) : null;
  const taken = (node) => old.ownerDocument.adoptNode(node);
  for (let number = same; number < Math.max(olds.length, freshes.length) - rest; number += 1) {
    const was = number < olds.length - rest ? olds[number] : null;
    const is = number < freshes.length - rest ? freshes[number] : null;
    if (!is) was.remove();
    else if (!was) old.insertBefore(taken(is), after);
    else if (was.nodeType === is.nodeType && was.nodeName === is.nodeName) morph(was, is, replaced);
    else {
      old.replaceChild(taken(is), was);
      replaced(was, is);
    }
  }
}

// A row of a table, where all that changed stands in one: only that is parsed, which matters when an email is long.
// `fresh` is `old` but for what stands between its first `start` and its last `end` units. Gives by how much the number
// of pictures from elsewhere changed; null when it can't be done, and all has to be parsed.
export function morphRow(body, old, fresh, start, end, view, replaced) {
  const span = rowAround(fresh, start, fresh.length - end);
  if (!span) return null;
  const [from, to] = span;
  const [was, is] = [old.slice(from, to + old.length - fresh.length), fresh.slice(from, to)].map((row) => onlyRow(row, view));
  const before = (fresh.slice(0, from).match(ROWS) || []).filter((found) => found[1] === "t");
  const shown = body.getElementsByTagName("tr")[before.length];
  // That it is this row, and comes out so when it is parsed alone, is seen by what is shown now.
  if (!was || !is || !shown?.isEqualNode(was.row)) return null;
  morph(shown, is.row, replaced);
  return is.remote - was.remote;
}

const ROWS = /<!--[^]*?-->|<\/?tr[\s>]/g; // what is in a comment isn't counted

// From where to where the innermost row goes that holds `start` to `end` of a text.
function rowAround(html, start, end) {
  const body = html.indexOf("<body");
  let from = start;
  for (let tries = 0; tries < 30; tries += 1) {
    from = html.lastIndexOf("<tr", from - 3); // all of `<tr` stands before what changed
    if (from < body || body < 0) return null;
    if (html.lastIndexOf("<!--", from) > html.lastIndexOf("-->", from)) continue;
    ROWS.lastIndex = from;
    let depth = 0;
    for (let found = ROWS.exec(html); found; found = ROWS.exec(html)) {
      if (found[0].startsWith("<!")) continue;
      depth += found[0][1] === "/" ? -1 : 1;
      if (depth === 0) break;
    }
    const to = depth === 0 ? ROWS.lastIndex : 0;
    if (to && to - 5 >= end) return [from, to];
  }
  return null;
}

function onlyRow(html, view) {
  const { page, remote } = parsed(`<table>${html}</table>`, view);
  const rows = page.body.childNodes.length === 1 ? page.body.firstChild.rows : null;
  const bodies = rows && page.body.firstChild.childNodes.length === 1 ? page.body.firstChild.firstChild.childNodes : [];
  return bodies.length === 1 && bodies[0].localName === "tr" ? { row: bodies[0], remote } : null;
}

// The elements in an element; `<tbody>`, which browsers add, isn't counted.
function children(element) {
  return [...element.children].flatMap((child) => (child.localName === "tbody" ? [...child.children] : [child]));
}

// The element at a path from `<body>`; null where there is none.
export function elementAt(body, path) {
  let element = body;
  for (const number of path) {
    element = children(element)[number];
    if (!element) return null;
  }
  return element;
}

// Where the blocks begin: [{element, block}], in the order of the page.
export function startsIn(body, places) {
  return places.map(([path, block]) => ({ element: elementAt(body, path), block })).filter((start) => start.element);
}

const isAfter = (element, other) => element.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;

// The last start before or around a node.
export function startOf(starts, node) {
  let found = null;
  for (const start of starts) {
    if (!start.element.isConnected) continue;
    if (start.element === node || isAfter(start.element, node)) found = start;
  }
  return found;
}

// What a block covers: {left, top, right, bottom} in the frame's window; null when it isn't there or takes no room.
export function areaOf(starts, block) {
  const number = starts.findIndex((start) => start.block === block && start.element.isConnected);
  if (number < 0) return null;
  const end = starts[number + 1]?.element;
  let area = null;
  for (let element = starts[number].element; element; element = element.nextElementSibling) {
    if (element !== starts[number].element && end && (element === end || element.contains(end) || isAfter(end, element))) break;
    const { left, top, right, bottom } = element.getBoundingClientRect();
    if (right <= left || bottom <= top) continue;
    area = {
      left: Math.min(area?.left ?? left, left), top: Math.min(area?.top ?? top, top),
      right: Math.max(area?.right ?? right, right), bottom: Math.max(area?.bottom ?? bottom, bottom),
    };
  }
  return area;
}
