// A long text, line by line, of which only the lines that changed are drawn anew.
const TOKEN = /(zq[g-v]{5}\d{4}[a-z])/;

export default {
  template: `<div class="preview-lines" :class="{ numbered }" tabindex="0" role="region" :aria-label="label"><pre ref="pre"></pre></div>`,
  props: { label: String, numbered: Boolean },
  created() {
    Object.assign(this, { revision: 0, text: "", lines: [] });
  },
  mounted() {
    this.$emit("ready");
  },
  methods: {
    show(revision, base, start, end, middle) {
      if (base && base !== this.revision) return this.$emit("ready");
      this.text = base ? this.text.slice(0, start) + middle + this.text.slice(this.text.length - end) : middle;
      this.revision = revision;
      const lines = this.text.replace(/\n$/, "").split("\n");
      const common = Math.min(lines.length, this.lines.length);
      let [same, rest] = [0, 0];
      while (same < common && lines[same] === this.lines[same]) same += 1;
      while (rest < common - same && lines.at(-1 - rest) === this.lines.at(-1 - rest)) rest += 1;
      const pre = this.$refs.pre;
      const after = rest ? pre.children[this.lines.length - rest] : null;
      for (let number = this.lines.length - rest - same; number > 0; number -= 1) pre.children[same].remove();
      const drawn = document.createDocumentFragment();
      for (const line of lines.slice(same, lines.length - rest)) drawn.append(this.draw(line));
      pre.insertBefore(drawn, after);
      this.lines = lines;
    },
    draw(line) {
      const made = document.createElement("code");
      line.split(TOKEN).forEach((part, number) => {
        if (number % 2 === 0) return made.append(part);
        const token = document.createElement("mark");
        token.textContent = part;
        token.title = "A personal part: the provider puts in what each reader gets here";
        made.append(token);
      });
      made.append("\n");
      return made;
    },
  },
};
