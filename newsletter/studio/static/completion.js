// What can stand at a place of an issue's YAML, by its JSON Schema. Plain functions over lines of text.

const indentOf = (line) => line.length - line.trimStart().length;
const KEY = /^(\s*(?:- +)*)(?:"([^"]*)"|'([^']*)'|([\w-]+)) *:(?: |$)/;

const keyOf = (found) => found[2] ?? found[3] ?? found[4];

// The keys and list items around a place, from the outermost: {key} or {item, at, column of its first key}.
function pathTo(lines, number, column) {
  const path = [], own = lines[number].match(/^(\s*)(?:- +)+/);
  let keysBefore = own ? own[1].length + 1 : column, dashesBefore = own ? own[1].length : column;
  for (let at = number - 1; at >= 0 && keysBefore > 0; at--) {
    const line = lines[at];
    if (!line.trim() || line.trimStart().startsWith("#")) continue;
    const indent = indentOf(line), found = line.match(KEY), dashes = line.match(/^\s*(?:- +)+/);
    if (!dashes) {
      if (found && indent < keysBefore) {
        path.unshift({ key: keyOf(found) });
        keysBefore = dashesBefore = indent;
      }
      continue;
    }
    const inner = dashes[0].length;
    if (found && inner < keysBefore) {
      path.unshift({ key: keyOf(found) });
      dashesBefore = inner;
    }
    if (indent < dashesBefore) {
      path.unshift({ item: true, at, column: inner });
      keysBefore = indent + 1; // a list may stand as far left as its key
      dashesBefore = indent;
    }
  }
  if (own) path.push({ item: true, at: number, column: own[0].length });
  return path;
}

// The keys that stand in the same mapping as a line, and their plain values.
function siblings(lines, number, column) {
  const found = {};
  const look = (at, step) => {
    for (; at >= 0 && at < lines.length; at += step) {
      const line = lines[at];
      if (!line.trim() || line.trimStart().startsWith("#")) continue;
      const match = line.match(KEY);
      const begin = match ? match[1].length : indentOf(line);
      if (begin === column && match) found[keyOf(match)] = line.slice(match[0].length).trim();
      if (indentOf(line) < column) return;
    }
  };
  look(number, -1);
  const own = lines[number].match(/^\s*- /);
  if (!own || lines[number].match(/^\s*(?:- +)*/)[0].length === column) {
    for (let at = number + 1; at < lines.length; at++) {
      const line = lines[at];
      if (!line.trim() || line.trimStart().startsWith("#")) continue;
      if (indentOf(line) < column || /^\s*- /.test(line.slice(0, column + 1))) break;
      const match = line.match(KEY);
      if (match && match[1].length === column) found[keyOf(match)] = line.slice(match[0].length).trim();
    }
  }
  return found;
}

function resolve(schema, node) {
  while (node?.$ref) node = schema.$defs[node.$ref.split("/").pop()];
  return node;
}

// Without `null`, and with the kind that `type` names where there are several.
function narrowed(schema, node, type) {
  node = resolve(schema, node);
  const choices = node?.oneOf || node?.anyOf;
  if (!choices) return node;
  const mapping = node.discriminator?.mapping;
  if (mapping) return type && mapping[type] ? resolve(schema, { $ref: mapping[type] }) : { kinds: Object.keys(mapping), node };
  const real = choices.map((each) => resolve(schema, each)).filter((each) => each.type !== "null");
  return real.find((each) => each.properties || each.items || each.enum) || real[0];
}

function schemaAt(schema, lines, path) {
  let node = schema;
  for (const step of path) {
    if (step.item) {
      node = resolve(schema, node)?.items;
      const type = siblings(lines, step.at, step.column).type?.replace(/["']/g, "");
      node = narrowed(schema, node, type);
    } else {
      node = narrowed(schema, resolve(schema, node)?.properties?.[step.key]);
    }
    if (!node) return null;
  }
  return node;
}

const firstSentence = (text) => (text || "").replace(/\s+/g, " ");

// {from, word, options} for a place (numbers count from 0), or null. `choices` are values by key that no schema knows:
// themes, pictures, attributes.
export function completionsAt(lines, number, column, schema, choices) {
  const line = lines[number];
  const before = line.slice(0, column);
  const braces = before.match(/\{\{\s*(?:subscriber\.)?(\w*)$/);
  if (braces) {
    const from = before.length - braces[0].length + braces[0].indexOf("{{") + 2;
    const options = (choices.attributes || []).map((name) => ({
      label: `subscriber.${name}`, type: "variable", apply: ` subscriber.${name} or "…" }}`.replace(/^ /, before[from] === " " ? "" : " "),
    }));
    return { from: before[from] === " " ? from + 1 : from, word: true, options };
  }
  if (before.trimStart().startsWith("#")) return null;
  const value = before.match(/^(\s*(?:- +)*)([\w-]+) *: +(["']?)([^"']*)$/);
  if (value) {
    const path = pathTo(lines, number, value[1].length);
    const parent = schemaAt(schema, lines, path);
    const options = valuesOf(schema, parent, value[2], choices);
    if (!options?.length) return null;
    return { from: before.length - value[4].length, word: true, options };
  }
  const key = before.match(/^(\s*(?:- +)*)([\w-]*)$/);
  if (!key) return null;
  const at = key[1].length;
  const path = pathTo(lines, number, at);
  const node = schemaAt(schema, lines, path);
  if (!node) return null;
  if (node.kinds) {
    return {
      from: at, word: key[2].length > 0,
      options: node.kinds.map((kind) => ({ label: `type: ${kind}`, type: "class", detail: firstSentence(resolve(schema, { $ref: node.node.discriminator.mapping[kind] }).description) })),
    };
  }
  const present = siblings(lines, number, at);
  const required = new Set(node.required || []);
  const options = Object.entries(node.properties || {})
    .filter(([name]) => !(name in present) || name === key[2])
    .map(([name, each]) => ({
      label: name, type: "property", apply: takesBlock(schema, each) ? `${name}:` : `${name}: `,
      info: firstSentence(each.description), boost: required.has(name) ? 2 : name === "when" ? -1 : 0,
      detail: required.has(name) ? "needed" : "",
    }));
  return options.length ? { from: at, word: key[2].length > 0, options } : null;
}

function takesBlock(schema, node) {
  const real = narrowed(schema, node);
  return Boolean(real?.items || real?.properties);
}

function valuesOf(schema, parent, name, choices) {
  if (name === "type" && parent?.kinds) return parent.kinds.map((kind) => ({ label: kind, type: "class", detail: firstSentence(resolve(schema, { $ref: parent.node.discriminator.mapping[kind] }).description) }));
  if (name === "type" && parent?.properties?.type?.const) {
    const kinds = schema.$defs && Object.values(schema.$defs).flatMap((each) => each.properties?.type?.const || []);
    return [...new Set(kinds)].map((kind) => ({ label: kind, type: "class" }));
  }
  if (choices[name]) return choices[name].map((each) => ({ label: each, type: "text" }));
  const node = narrowed(schema, parent?.properties?.[name]);
  const listed = node?.enum || (node?.const ? [node.const] : null);
  return listed?.map((each) => ({ label: String(each), type: "enum" }));
}
