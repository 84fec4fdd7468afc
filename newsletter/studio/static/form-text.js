// A text to type: a line, several, or Markdown with the buttons that it needs.

const TYPES = { url: "url", email: "email", number: "number", date: "date" };
const isDay = (value) => /^\d{4}-\d{2}-\d{2}$/.test(value);

// Put `before` and `after` around what is chosen, or take them off where they are; the browser can undo it.
function wrap(area, before, after = before) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const outside =
    value.slice(start - before.length, start) === before && value.slice(end, end + after.length) === after;
  if (outside) {
    area.setSelectionRange(start - before.length, end + after.length);
    document.execCommand("insertText", false, value.slice(start, end));
    area.setSelectionRange(start - before.length, end - before.length);
  } else {
    document.execCommand("insertText", false, before + value.slice(start, end) + after);
    area.setSelectionRange(start + before.length, end + before.length);
  }
}

function link(area) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const words = value.slice(start, end) || "words";
  document.execCommand("insertText", false, `[${words}](https://)`);
  const address = start + words.length + 3;
  if (end > start) area.setSelectionRange(address, address + 8);
  else area.setSelectionRange(start + 1, start + 1 + words.length);
}

function list(area) {
  const { value } = area;
  const start = value.lastIndexOf("\n", area.selectionStart - 1) + 1;
  const stop = value.indexOf("\n", area.selectionEnd);
  const end = stop < 0 ? value.length : stop;
  const lines = value.slice(start, end).split("\n");
  const isList = lines.every((line) => !line.trim() || line.startsWith("- "));
  const words = lines
    .map((line) => (isList && line.trim() ? line.slice(2) : isList && lines.length > 1 ? line : `- ${line}`))
    .join("\n");
  area.setSelectionRange(start, end);
  document.execCommand("insertText", false, words);
}

const COMMANDS = [
  { name: "Bold", keys: "Ctrl-B", key: "b", icon: "format_bold", does: (area) => wrap(area, "**") },
  { name: "Italic", keys: "Ctrl-I", key: "i", icon: "format_italic", does: (area) => wrap(area, "*") },
  { name: "Link", keys: "Ctrl-K", key: "k", icon: "link", does: link },
  { name: "List", icon: "format_list_bulleted", does: list },
];

export const TextField = {
  inject: ["form"],
  template: `
    <div class="form-text">
      <div v-if="isMarkdown || field.personal" class="form-bar" :class="{ 'form-bar-quiet': !isMarkdown }">
        <template v-if="isMarkdown">
          <button v-for="each in commands" type="button" class="form-icon" :aria-label="each.name"
            :title="each.keys ? each.name + ' (' + each.keys + ')' : each.name"
            @mousedown.prevent @click="run(each)"><q-icon :name="'sym_o_' + each.icon" aria-hidden="true" /></button>
          <span class="grow"></span>
        </template>
        <button v-if="field.personal" type="button" class="form-icon" aria-haspopup="menu"
          :aria-label="'Insert a personal part into ' + field.label"
          title="Insert a personal part" @mousedown.prevent
          @click="form.openPersonal($event.currentTarget, $refs.area)"><q-icon name="sym_o_person_add"
          aria-hidden="true" /></button>
      </div>
      <textarea v-if="isLong" ref="area" :id="id" class="form-input" :class="{ mono: field.control === 'code' }"
        rows="3" v-bind="about"
        :spellcheck="field.control !== 'code'" @input="input" @keydown="key" @blur="left"></textarea>
      <input v-else ref="area" :id="id" class="form-input" :class="{ mono: field.control === 'condition' }"
        :type="type" v-bind="about"
        :min="field.least" :max="field.most" autocomplete="off" :spellcheck="field.control === 'line'" @input="input"
        @blur="left" />
    </div>`,
  props: { field: Object, route: Array, value: String, id: String, named: String, described: String, wrong: Boolean },
  emits: ["change"],
  data: () => ({ commands: COMMANDS }),
  computed: {
    isMarkdown() {
      return this.field.control === "markdown";
    },
    isLong() {
      return this.isMarkdown || this.field.control === "lines" || this.field.control === "code";
    },
    words() {
      const value = (this.value ?? "").replace(/\n+$/, "");
      return this.isLong ? value : value.replace(/\s*\n\s*/g, " ");
    },
    type() {
      if (this.field.control === "date" && this.value && !isDay(this.value)) return "text";
      return TYPES[this.field.control] || "text";
    },
    about() {
      return {
        "data-route": JSON.stringify(this.route),
        "aria-describedby": this.described,
        "aria-invalid": this.wrong || undefined,
        "aria-required": (this.field.required && !this.field.may_be_empty) || undefined,
        placeholder: this.field.otherwise || undefined,
        "aria-label": this.named || undefined,
        "data-personal": this.field.personal ? "" : undefined,
      };
    },
  },
  watch: {
    words() {
      if (document.activeElement !== this.$refs.area) this.follow();
    },
  },
  mounted() {
    this.follow();
    this.grow();
  },
  updated() {
    this.grow();
  },
  methods: {
    // Browsers that can't size a text field by its content are helped.
    grow() {
      if (!this.isLong || CSS.supports("field-sizing", "content")) return;
      this.$refs.area.style.height = "auto";
      this.$refs.area.style.height = `${this.$refs.area.scrollHeight + 2}px`;
    },
    // While it is typed in, the field says what it holds: a line break at its end isn't in the text yet.
    follow() {
      if (this.$refs.area.value !== this.words) this.$refs.area.value = this.words;
    },
    // What was typed last reaches `words` with the next turn; setting an old value would lose what can be undone.
    left() {
      this.$nextTick(() => {
        if (this.$refs.area && document.activeElement !== this.$refs.area) this.follow();
      });
    },
    input(event) {
      this.$emit("change", event.target.value);
    },
    run(command) {
      this.$refs.area.focus();
      command.does(this.$refs.area);
    },
    key(event) {
      if (!this.isMarkdown || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      const command = COMMANDS.find((each) => each.key === event.key.toLowerCase());
      if (!command) return;
      event.preventDefault();
      event.stopPropagation();
      command.does(event.target);
    },
  },
};
