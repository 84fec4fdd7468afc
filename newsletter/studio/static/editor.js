// The YAML editor: CodeMirror with our colours, completion from the schema, problems underlined, and a kept copy of
// what isn't saved yet.
import * as CM from "nicegui-codemirror";
import { completionsAt } from "/static/completion.js";

const setProblems = CM.StateEffect.define();

const problemField = CM.StateField.define({
  create: () => [],
  update(problems, transaction) {
    for (const effect of transaction.effects) if (effect.is(setProblems)) return effect.value;
    if (!transaction.docChanged) return problems;
    return problems.map((each) => ({
      ...each,
      from: transaction.changes.mapPos(each.from, 1),
      to: transaction.changes.mapPos(each.to, -1),
    }));
  },
  provide: (field) =>
    CM.EditorView.decorations.from(field, (problems) =>
      CM.Decoration.set(
        problems
          .filter((each) => each.from < each.to)
          .map((each) => CM.Decoration.mark({ class: `cm-problem ${each.severity}` }).range(each.from, each.to)),
        true,
      ),
    ),
});

class ProblemMarker extends CM.GutterMarker {
  constructor(severity) {
    super();
    this.severity = severity;
  }
  eq(other) {
    return other.severity === this.severity;
  }
  toDOM() {
    const dot = document.createElement("span");
    dot.className = `cm-problem-dot ${this.severity}`;
    return dot;
  }
}

const problemGutter = CM.gutter({
  class: "cm-problem-gutter",
  lineMarker(view, line) {
    const here = view.state.field(problemField).filter((each) => each.from >= line.from && each.from <= line.to);
    if (!here.length) return null;
    return new ProblemMarker(here.some((each) => each.severity === "error") ? "error" : "warning");
  },
  lineMarkerChange: (update) => update.state.field(problemField) !== update.startState.field(problemField),
});

const problemTooltip = CM.hoverTooltip((view, position) => {
  const here = view.state
    .field(problemField)
    .filter((each) => position >= each.from - 1 && position <= Math.max(each.to, each.from + 1));
  if (!here.length) return null;
  return {
    pos: here[0].from,
    above: true,
    create() {
      const dom = document.createElement("div");
      dom.className = "cm-problem-tip";
      for (const each of here) {
        const message = document.createElement("div");
        message.className = `message ${each.severity}`;
        message.textContent = each.message;
        dom.append(message);
        if (each.hint) {
          const hint = document.createElement("div");
          hint.className = "hint";
          hint.textContent = each.hint;
          dom.append(hint);
        }
      }
      return { dom };
    },
  };
});

// The grammar's names of what stands where, as classes that the style sheet colours.
const COLOURS = {
  propertyName: "key", string: "string", content: "string", lineComment: "comment", comment: "comment",
  keyword: "keyword", labelName: "keyword", typeName: "keyword", separator: "mark", punctuation: "mark",
  squareBracket: "mark", brace: "mark", meta: "comment", attributeValue: "string",
};
const highlighter = {
  style(tags) {
    for (const tag of tags) {
      for (const each of tag.set || [tag]) {
        const found = COLOURS[each.name];
        if (found) return `tok-${found}`;
      }
    }
    return null;
  },
};

const theme = CM.EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "13px", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { caretColor: "var(--accent)", padding: "10px 0 40vh" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 6%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent) !important",
  },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
});

const utf16 = (text, column) => [...text].slice(0, column).join("").length;

export default {
  template: `<div></div>`,
  props: { value: String, base: String, keep: String, schema: Object, choices: Object, label: String },
  mounted() {
    const self = this;
    this.quiet = false;
    const changes = CM.EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        this.keepCopy();
        if (!this.quiet) this.emitText();
      }
      if (update.selectionSet || update.docChanged) this.emitCursor();
    });
    const save = () => {
      clearTimeout(this.sending);
      this.sendText();
      this.$emit("save");
      return true;
    };
    // CodeMirror knows a source again by its identity.
    const completion = [
      {
        autocomplete: ({ state, pos, explicit }) => {
          const line = state.doc.lineAt(pos);
          const lines = state.doc.toString().split("\n");
          const found = completionsAt(lines, line.number - 1, pos - line.from, self.schema, self.choices);
          if (!found || (!explicit && !found.word)) return null;
          return { from: line.from + found.from, options: found.options, validFor: /^[\w-]*$/ };
        },
      },
    ];
    this.view = new CM.EditorView({
      doc: this.value,
      parent: this.$el,
      extensions: [
        CM.Prec.high(
          CM.keymap.of([
            { key: "Mod-s", run: save, preventDefault: true },
            { key: "Mod-/", run: () => (this.$emit("palette"), true), preventDefault: true },
            // Tab leaves the editor after Escape, so that the keyboard isn't trapped in it.
            { key: "Escape", run: (view) => (view.setTabFocusMode(2000), false) },
          ]),
        ),
        CM.basicSetup,
        problemField,
        problemGutter,
        problemTooltip,
        changes,
        theme,
        CM.syntaxHighlighting(highlighter),
        CM.keymap.of([CM.indentWithTab]),
        CM.indentUnit.of("  "),
        CM.EditorView.lineWrapping,
        CM.EditorView.contentAttributes.of({ "aria-label": this.label, spellcheck: "true", tabindex: "0" }),
        CM.EditorState.languageData.of(() => completion),
      ],
    });
    const yaml = CM.languages.find((language) => language.name === "YAML");
    yaml.load().then((support) => this.view.dispatch({ effects: CM.StateEffect.appendConfig.of(support) }));
    this.offerCopy();
    window.Studio = Object.assign(window.Studio || {}, { editor: this });
  },
  beforeUnmount() {
    this.view.destroy();
  },
  methods: {
    text() {
      return this.view.state.doc.toString();
    },
    // At most one text is on its way for each turn of the event loop: a held key doesn't queue up hundreds.
    emitText() {
      this.typedAt = performance.now();
      if (this.sending) return;
      this.sending = setTimeout(() => this.sendText(), 0);
    },
    sendText() {
      this.sending = 0;
      const text = this.text();
      if (text === this.sent) return;
      this.sent = text;
      this.$emit("typed", { text });
    },
    emitCursor() {
      const line = this.view.state.doc.lineAt(this.view.state.selection.main.head).number;
      if (line !== this.line) this.$emit("cursor", { line: (this.line = line) });
    },
    // What isn't saved is kept in the browser, in case the server or the browser is gone before it is.
    keepCopy() {
      clearTimeout(this.keeping);
      this.keeping = setTimeout(() => this.storeCopy(), 120);
    },
    storeCopy() {
      const text = this.text();
      if (text === this.savedText()) localStorage.removeItem(this.keep);
      else localStorage.setItem(this.keep, JSON.stringify({ text, base: this.currentBase || this.base, at: Date.now() }));
    },
    savedText() {
      return this.currentSaved ?? this.value;
    },
    offerCopy() {
      window.addEventListener("pagehide", () => this.storeCopy());
      const kept = localStorage.getItem(this.keep);
      if (!kept) return;
      const { text, base, at } = JSON.parse(kept);
      if (text !== this.value) this.$emit("kept", { text, base, at });
    },
    // Called by the server.
    saved(text, base) {
      this.currentSaved = text;
      this.currentBase = base;
      this.storeCopy();
    },
    // Edits count UTF-16 units of the text that the server knew; each says what it replaces.
    apply(edits, length) {
      const doc = this.view.state.doc;
      if (doc.length !== length || edits.some((edit) => doc.sliceString(edit.from, edit.to) !== edit.was)) return false;
      this.view.dispatch({
        changes: edits.map(({ from, to, insert }) => ({ from, to, insert })),
        annotations: [CM.isolateHistory.of("full"), CM.Transaction.userEvent.of("input.studio")],
      });
      return true;
    },
    replace(text, undoable) {
      const old = this.text();
      if (old === text) return;
      let start = 0;
      while (start < old.length && start < text.length && old[start] === text[start]) start++;
      let end = 0;
      while (end < old.length - start && end < text.length - start && old.at(-1 - end) === text.at(-1 - end)) end++;
      this.quiet = !undoable;
      this.view.dispatch({
        changes: { from: start, to: old.length - end, insert: text.slice(start, text.length - end) },
        annotations: CM.isolateHistory.of("full"),
      });
      this.quiet = false;
      this.sent = undoable ? this.sent : text;
    },
    goTo(line, column, focus) {
      const doc = this.view.state.doc;
      const at = doc.line(Math.max(1, Math.min(line, doc.lines)));
      const position = Math.min(at.from + utf16(at.text, column - 1), at.to);
      this.view.dispatch({
        selection: { anchor: position },
        effects: CM.EditorView.scrollIntoView(position, { y: "center" }),
      });
      if (focus) this.view.focus();
    },
    showProblems(problems) {
      const doc = this.view.state.doc;
      const placed = [];
      for (const { line, column, length, ...rest } of problems) {
        if (line > doc.lines) continue;
        const at = doc.line(line);
        const from = Math.min(at.from + utf16(at.text, column - 1), at.to);
        const to = Math.min(from + utf16(at.text.slice(from - at.from), length), at.to);
        placed.push({ from: to > from ? from : Math.max(at.from, from - 1), to, ...rest });
      }
      this.view.dispatch({ effects: setProblems.of(placed) });
    },
    undo() {
      CM.undo(this.view);
    },
    redo() {
      CM.redo(this.view);
    },
    focus() {
      this.view.focus();
    },
  },
};
