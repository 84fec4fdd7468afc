// The palette: all kinds of block, found by typing, chosen by arrow keys and Enter or by a click.
import { PictureChooser } from "/static/pictures.js";

export default {
  components: { PictureChooser },
  template: `
    <div class="palette">
      <button type="button" class="palette-open" ref="button" aria-haspopup="dialog" :aria-expanded="shown"
        aria-keyshortcuts="Control+/" title="Add block (Ctrl-/)" @click="open">
        <q-icon name="sym_o_add" aria-hidden="true" /><span>Add block</span>
      </button>
      <q-menu v-model="shown" :target="$refs.button" no-parent-event no-focus no-refocus anchor="bottom left"
        self="top left"
        :offset="[0, 6]" max-height="none" class="palette-menu" role="dialog" aria-label="Add block" @show="opened"
        @hide="closed">
        <div class="palette-box" @keydown="key">
          <div class="palette-find">
            <q-icon name="sym_o_search" aria-hidden="true" />
            <input ref="find" v-model="words" type="text" role="combobox" aria-expanded="true"
              aria-controls="palette-list"
              aria-autocomplete="list" :aria-activedescendant="chosen && 'palette-' + chosen.kind"
              aria-label="Find a kind of block"
              placeholder="Find a kind of block" autocomplete="off" spellcheck="false" />
          </div>
          <div id="palette-list" role="listbox" aria-label="Kinds of block" class="palette-list" ref="list">
            <div v-for="group in found" :key="group.name" role="group" :aria-label="group.name">
              <div class="palette-group" aria-hidden="true">{{ group.name }}</div>
              <div v-for="each in group.kinds" :key="each.kind" :id="'palette-' + each.kind" role="option"
                class="palette-kind"
                :aria-selected="each === chosen" @mousemove="at = flat.indexOf(each)" @click="choose(each)">
                <q-icon :name="'sym_o_' + each.icon" aria-hidden="true" />
                <span><span class="palette-label">{{ each.label }}</span> <span
                  class="palette-about">{{ each.about }}</span></span>
              </div>
            </div>
          </div>
          <p v-if="!flat.length" class="palette-none" role="status">No kind of block is called that.</p>
        </div>
      </q-menu>
      <picture-chooser ref="chooser" :stem="stem" />
    </div>`,
  props: { groups: Array, stem: String },
  emits: ["choose"],
  data: () => ({ shown: false, words: "", at: 0 }),
  computed: {
    found() {
      const wanted = this.words.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (each) => {
        const said = `${each.label} ${each.also} ${each.about}`.toLowerCase();
        return wanted.every((word) => said.includes(word));
      };
      // What begins with the words comes before what mentions them.
      const rank = (each) =>
        `${each.label} ${each.also}`
          .toLowerCase()
          .split(" ")
          .some((word) => word.startsWith(wanted[0] || ""))
          ? 0
          : 1;
      const kept = this.groups.map((group) => ({
        ...group,
        kinds: group.kinds.filter(fits).sort((a, b) => rank(a) - rank(b)),
      }));
      const best = (group) => Math.min(...group.kinds.map(rank));
      return kept.filter((group) => group.kinds.length).sort((a, b) => best(a) - best(b));
    },
    flat() {
      return this.found.flatMap((group) => group.kinds);
    },
    chosen() {
      return this.flat[Math.min(this.at, this.flat.length - 1)];
    },
  },
  watch: {
    words() {
      this.at = 0;
    },
  },
  mounted() {
    this.onKey = (event) => {
      if (event.key !== "/" || !(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented) return;
      event.preventDefault();
      this.open();
    };
    window.addEventListener("keydown", this.onKey);
  },
  beforeUnmount() {
    window.removeEventListener("keydown", this.onKey);
  },
  methods: {
    open() {
      this.before = document.activeElement;
      this.words = "";
      this.at = 0;
      this.shown = true;
    },
    opened() {
      this.$refs.find.focus();
    },
    closed() {
      if (!this.chosenNow) this.before?.focus({ preventScroll: true });
      this.chosenNow = false;
    },
    key(event) {
      const last = this.flat.length - 1;
      const at = { ArrowDown: this.at >= last ? 0 : this.at + 1, ArrowUp: this.at <= 0 ? last : this.at - 1 }[
        event.key
      ];
      if (at !== undefined) {
        event.preventDefault();
        this.at = at;
        this.$nextTick(() =>
          document.getElementById(`palette-${this.chosen?.kind}`)?.scrollIntoView({ block: "nearest" }),
        );
      } else if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        if (this.chosen) this.choose(this.chosen);
      } else if (event.key === "Escape" || event.key === "Tab") {
        event.preventDefault();
        event.stopPropagation();
        this.shown = false;
      }
    },
    // A kind that needs a picture asks for it first; without one the form says that it is missing.
    async choose(each) {
      const focus = Boolean(this.before?.closest?.(".cm-editor"));
      this.chosenNow = true;
      this.shown = false;
      let src = "";
      if (each.picture) {
        const answer = await this.$refs.chooser.ask(`${each.label}: which picture?`, { later: true });
        if (answer === null) return;
        src = answer;
      }
      this.$emit("choose", { kind: each.kind, src, focus });
    },
  },
};
