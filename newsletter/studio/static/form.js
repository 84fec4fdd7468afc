// The form for a block, or for the head. What is typed is shown at once, and sent to the server a moment later;
// what the server says of the text is taken over, but for the field that is being typed in and for what is on its way.
import { PictureChooser } from "/static/pictures.js";
import { FieldSet } from "/static/form-fields.js";
import { applied, keyOf, valueAt } from "/static/form-data.js";

const TYPED = 150;
const LONGEST = 450;
const EMPTIED = 800;

export default {
  components: { FieldSet, PictureChooser },
  template: `
    <div class="form" @focusin="focused" @focusout="left">
      <template v-if="shown">
        <header class="form-head">
          <q-icon :name="'sym_o_' + look[1]" aria-hidden="true" />
          <h2>{{ look[0] }}</h2>
          <span v-if="shown.data?.when" class="chip info">only for some</span>
          <span class="grow"></span>
          <span v-if="shown.index !== null" class="muted small num">{{ shown.index + 1 }} of {{ shown.count }}</span>
        </header>
        <p class="form-about">{{ look[2] }}</p>
      </template>
      <div v-if="fault" class="banner bad form-fault" role="status">
        <span
          class="banner-text">The text has a fault in line {{ fault.line }}: {{ fault.message }}.
          The form comes back once it is mended.</span>
        <button type="button" class="form-button" @click="$emit('place', fault)">Go there</button>
      </div>
      <div v-if="shown" class="form-body" :class="{ 'form-off': fault }" :inert="Boolean(fault)">
        <ul v-if="others.length" class="form-others">
          <li v-for="each in others" :class="each.error ? 'bad' : 'warn'">{{ each.message }}<span v-if="each.hint"
            class="form-hint">{{ each.hint }}</span></li>
        </ul>
        <div v-if="shown.written[''] !== undefined" class="form-raw">
          <p>There is no form for this: edit the text itself.</p>
          <pre>{{ shown.written[""] }}</pre>
          <button type="button" class="form-button"
            @click="$emit('place', { line: shown.line, column: 1 })">Go there</button>
        </div>
        <field-set v-else :key="identity" :name="shown.name" :route="[]" :value="shown.data" />
      </div>
      <q-menu v-model="menuOpen" :target="menuTarget" no-parent-event anchor="bottom right" self="top right"
        class="form-menu" no-focus no-refocus aria-label="Personal parts" @hide="leaveMenu">
        <div class="form-menu-items" @keydown="menuKey">
          <button v-for="[label, words] in personal" type="button" role="menuitem" class="form-menu-item"
            @click="insertPersonal(words)">
            <span>{{ label }}</span><code>{{ words }}</code>
          </button>
        </div>
      </q-menu>
      <picture-chooser ref="chooser" :stem="stem" />
    </div>`,
  props: { catalogue: Object, personal: Array, stem: String, keep: String },
  emits: ["seen", "done", "resume", "place"],
  provide() {
    return { form: this };
  },
  data: () => ({ shown: null, fault: null, identity: 0, menuOpen: false, menuTarget: false }),
  computed: {
    look() {
      if (this.shown.index === null) return ["Issue", "mail", "What inboxes show of it, and how it looks."];
      return this.catalogue.looks[this.shown.name] || [this.shown.name || "Block", "help", ""];
    },
    // Problems of keys that have no field here.
    others() {
      const keys = new Set((this.catalogue.models[this.shown.name] || []).map((field) => field.key));
      const entries = Object.entries(this.shown.problems).filter(([key]) => !keys.has(key.split("/")[0]));
      return entries.flatMap(([, problems]) => problems);
    },
  },
  created() {
    // Ops that were sent, and those that wait to be: each with its number, by which the server says what it has done.
    this.number = 0;
    this.sent = [];
    this.waiting = [];
    this.unheard = [];
  },
  mounted() {
    this.watching = new ResizeObserver(() => this.tellSeen());
    this.watching.observe(this.$el);
    this.onKey = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s") this.flush();
    };
    window.addEventListener("keydown", this.onKey, true);
    window.addEventListener("pagehide", (this.onHide = () => this.flush()));
    this.resuming = setTimeout(() => this.resume(), 1200);
  },
  beforeUnmount() {
    this.watching.disconnect();
    clearTimeout(this.telling);
    clearTimeout(this.resuming);
    window.removeEventListener("keydown", this.onKey, true);
    window.removeEventListener("pagehide", this.onHide);
  },
  methods: {
    // Called by the server.
    show(token, number, made) {
      this.sent = this.sent.filter((op) => op.number > number);
      this.fault = made.fault || null;
      if (made.fault) return;
      const same = this.shown && this.shown.index === made.index && this.shown.name === made.name;
      const typing =
        same && document.activeElement?.closest?.(".form") === this.$el ? document.activeElement.dataset.route : null;
      if (!same) this.flush();
      let data = made.data;
      if (same) {
        for (const op of [...this.sent, ...this.waiting]) data = applied(data, op);
        this.latest = data;
        if (typing !== null && typing !== undefined) {
          const route = JSON.parse(typing);
          const mine = valueAt(this.shown.data, route);
          if (mine !== valueAt(data, route) && typeof mine === "string")
            data = applied(data, { do: "set", route, value: mine });
        }
      } else {
        this.identity++;
        this.latest = data;
      }
      this.token = token;
      this.shown = { ...made, data };
      if (!same) this.$nextTick(() => this.$el.scrollTo?.(0, 0));
    },
    // The server has made the changes up to this number, and the editor keeps them from now on.
    heard(number) {
      this.unheard = this.unheard.filter((op) => op.number > number);
      this.keepCopy();
    },
    // Whether the form can be seen. What is emitted before the socket stands may come in another order.
    tellSeen() {
      clearTimeout(this.telling);
      this.telling = setTimeout(() => {
        if (!window.did_handshake) return this.tellSeen();
        const seen = this.$el.offsetParent !== null;
        if (seen !== this.isSeen) this.$emit("seen", (this.isSeen = seen));
      }, 20);
    },
    // What fields say.
    model(name) {
      return this.catalogue.models[name] || [];
    },
    problemsAt(route) {
      return this.shown.problems[keyOf(route)] || [];
    },
    writtenAt(route) {
      return this.shown.written[keyOf(route)];
    },
    // A value that was typed or chosen. An emptied one waits longer: it is mostly about to be typed anew.
    set(route, value, { now = false } = {}) {
      this.shown.data = applied(this.shown.data, { do: "set", route, value });
      const last = this.waiting.at(-1);
      if (last?.do === "set" && keyOf(last.route) === keyOf(route)) last.value = value;
      else this.waiting.push({ do: "set", route, value });
      this.keepCopy();
      if (now) this.flush();
      else this.later(value === null || value === "" ? EMPTIED : TYPED);
    },
    // Something done to a list.
    list(op) {
      this.shown.data = applied(this.shown.data, op);
      this.waiting.push(op);
      this.flush();
    },
    later(wait) {
      const now = performance.now();
      this.since ??= now;
      clearTimeout(this.timer);
      this.timer = setTimeout(
        () => this.flush(),
        wait === EMPTIED ? wait : Math.max(0, Math.min(wait, this.since + LONGEST - now)),
      );
      const root = document.querySelector(".compose");
      if (root) root.dataset.dirty = "yes";
    },
    flush() {
      clearTimeout(this.timer);
      this.since = undefined;
      if (!this.waiting.length) return;
      const ops = this.waiting;
      this.waiting = [];
      for (const op of ops) op.number = ++this.number;
      this.sent.push(...ops);
      this.unheard.push(...ops.map((op) => ({ ...op, index: this.shown.index, name: this.shown.name })));
      this.keepCopy();
      this.$emit("done", { token: this.token, number: this.number, ops: ops.map(({ number, ...op }) => op) });
    },
    // What was typed and isn't in the text yet is kept in the browser, in case the server is gone before it is.
    keepCopy() {
      const { index, name } = this.shown;
      const ops = [...this.unheard, ...this.waiting.map((op) => ({ ...op, index, name }))].filter(
        (op) => op.do === "set",
      );
      if (ops.length) localStorage.setItem(this.keep, JSON.stringify(ops));
      else localStorage.removeItem(this.keep);
    },
    resume() {
      const kept = localStorage.getItem(this.keep);
      if (kept && !this.sent.length && !this.waiting.length) this.$emit("resume", { ops: JSON.parse(kept) });
    },
    // Pictures and personal parts.
    choosePicture(title) {
      return this.$refs.chooser.ask(title);
    },
    focused(event) {
      if (event.target.dataset.personal !== undefined) this.lastField = event.target;
    },
    // What the text says of a field shows once it isn't typed in any more.
    left() {
      this.flush();
      if (!this.sent.length && this.shown) this.shown.data = this.latest;
    },
    openPersonal(button, field) {
      this.lastField = field;
      this.menuTarget = button;
      this.menuOpen = true;
      setTimeout(() => document.querySelector(".form-menu [role=menuitem]")?.focus(), 60);
    },
    insertPersonal(words) {
      this.menuOpen = false;
      this.lastField.focus();
      document.execCommand("insertText", false, words);
    },
    // The menu holds no focus back (its own way of that takes it from the field again): with it gone, the field has it.
    leaveMenu() {
      if (document.activeElement === document.body || document.activeElement?.closest(".form-menu"))
        this.lastField?.focus();
    },
    menuKey(event) {
      if (event.key === "Tab") {
        event.preventDefault();
        this.menuOpen = false;
        return;
      }
      const items = [...event.currentTarget.querySelectorAll("[role=menuitem]")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    },
  },
};
