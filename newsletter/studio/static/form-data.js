// Plain data of a form: what stands at a route, and what an op makes of it, as the server does it.

export const keyOf = (route) => route.join("/");

export function valueAt(data, route) {
  for (const step of route) data = data?.[step];
  return data ?? null;
}

export function applied(data, op) {
  const [step, ...rest] = op.route;
  if (step === undefined) {
    if (op.do === "set") return op.value;
    const made = Array.isArray(data) ? [...data] : [];
    if (op.do === "insert") made.splice(op.index, 0, op.value);
    else {
      const taken = made.splice(op.index, 1);
      if (op.do === "move") made.splice(op.new, 0, ...taken);
    }
    return made;
  }
  const below = applied(data?.[step], { ...op, route: rest });
  if (typeof step === "number")
    return (Array.isArray(data) ? data : []).map((each, index) => (index === step ? below : each));
  const made = { ...(data && typeof data === "object" ? data : {}), [step]: below };
  if (below === null) delete made[step];
  return made;
}

// A line about an entry of a list: the first words in it.
export function summary(value) {
  if (typeof value === "string") return value;
  const telling = ["headline", "title", "label", "text", "body", "caption", "alt", "src", "network"];
  for (const key of telling)
    if (typeof value?.[key] === "string" && value[key].trim()) return value[key].trim().split("\n")[0];
  return "";
}
