// The outline: one row a block, to click, drag, and walk through by keyboard. Rows come from the server; a move is
// shown at once, and comes back from there.
const HEAD = -1;

export default {
  template: `
    <nav class="outline" :class="{ 'outline-stale': stale }" aria-label="Blocks of the issue">
      <p v-if="stale" class="outline-note" role="status">As it was before the fault</p>
      <button type="button" class="outline-go outline-head" :aria-current="current === -1"
        :tabindex="tab === -1 ? 0 : -1"
        data-index="-1" title="Subject, date, theme" @click="go(-1)" @dblclick="go(-1, true)"
        @keydown="key($event, -1)">
        <q-icon name="sym_o_mail" aria-hidden="true" />
        <span class="outline-title">Issue</span>
        <span v-if="head[0]" class="outline-dot bad"></span>
        <span v-else-if="head[1]" class="outline-dot warn"></span>
        <span class="outline-said">{{ said(["", "", false, ...head]) }}</span>
      </button>
      <ol class="outline-rows" ref="list">
        <li v-for="(row, index) in rows" :key="index" class="outline-row"
          v-memo="[row, current === index, tab === index, menuFor === index, stale]"
          :class="{ current: current === index, open: menuFor === index }" @contextmenu.prevent="openMenu(index)">
          <button type="button" class="outline-go" :aria-current="current === index" :tabindex="tab === index ? 0 : -1"
            :data-index="index" :title="label(row) + (row[1] ? ': ' + row[1] : '')" aria-describedby="outline-keys"
            @click="go(index)" @dblclick="go(index, true)" @keydown="key($event, index)">
            <q-icon :name="icon(row)" aria-hidden="true" />
            <span class="outline-said">{{ label(row) }}{{ row[1] ? ": " : "" }}</span>
            <span class="outline-title" :class="{ 'outline-kind': !row[1] }" :aria-hidden="!row[1]"
              v-text="row[1] || label(row)"></span>
            <q-icon v-if="row[2]" name="sym_o_group" class="outline-some" aria-hidden="true" />
            <span v-if="row[3]" class="outline-dot bad"></span>
            <span v-else-if="row[4]" class="outline-dot warn"></span>
            <span class="outline-said">{{ said(row) }}</span>
          </button>
          <button type="button" class="outline-more" tabindex="-1" :aria-label="'More for ' + (row[1] || label(row))"
            aria-haspopup="menu" :aria-expanded="menuFor === index" :disabled="stale" @click="openMenu(index)">
            <q-icon name="sym_o_more_horiz" aria-hidden="true" />
          </button>
        </li>
      </ol>
      <span id="outline-keys"
        class="outline-said">Alt and arrow up or down moves it, Ctrl-D duplicates it, Delete removes it.</span>
      <q-menu v-model="menuOpen" :target="menuTarget" no-parent-event anchor="bottom right" self="top right"
        class="outline-menu" aria-label="Block" @hide="menuClosed">
        <div class="outline-actions" @keydown="menuKey">
          <button v-for="each in actions" :key="each.name" type="button" role="menuitem" class="outline-action"
            :disabled="each.off" @click="act(each.name)">
            <q-icon :name="each.icon" aria-hidden="true" /><span>{{ each.label }}</span><kbd
              aria-hidden="true">{{ each.keys }}</kbd>
          </button>
        </div>
      </q-menu>
    </nav>`,
  props: { looks: Object },
  emits: ["go", "move", "duplicate", "remove", "restore"],
  data: () => ({
    rows: [],
    head: [0, 0],
    current: -2,
    tab: HEAD,
    stale: false,
    menuOpen: false,
    menuFor: -2,
    menuTarget: false,
  }),
  computed: {
    actions() {
      const index = this.menuFor;
      return [
        { name: "up", label: "Move up", icon: "sym_o_arrow_upward", keys: "Alt ↑", off: index <= 0 },
        {
          name: "down",
          label: "Move down",
          icon: "sym_o_arrow_downward",
          keys: "Alt ↓",
          off: index >= this.rows.length - 1,
        },
        { name: "duplicate", label: "Duplicate", icon: "sym_o_content_copy", keys: "Ctrl D" },
        { name: "remove", label: "Remove", icon: "sym_o_delete", keys: "Del" },
      ];
    },
  },
  async mounted() {
    const { Sortable } = await import("nicegui-sortable");
    let next = null;
    this.sortable = Sortable.create(this.$refs.list, {
      animation: 130,
      delay: 180,
      delayOnTouchOnly: true,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 4,
      filter: ".outline-more",
      preventOnFilter: false,
      ghostClass: "outline-ghost",
      fallbackClass: "outline-carried",
      scrollSensitivity: 60,
      scrollSpeed: 14,
      onChoose: (event) => (next = event.item.nextSibling),
      // Vue owns the rows: put the element back where Vue left it, and move what it shows.
      onEnd: ({ item, oldIndex, newIndex }) => {
        this.$refs.list.insertBefore(item, next);
        if (oldIndex !== newIndex) this.move(oldIndex, newIndex);
      },
    });
  },
  beforeUnmount() {
    this.sortable?.destroy();
  },
  methods: {
    label(row) {
      return this.looks[row[0]]?.[0] || (row[0] === "?" ? "Block" : row[0]);
    },
    icon(row) {
      return "sym_o_" + (this.looks[row[0]]?.[1] || "help");
    },
    said([, , some, errors, warnings]) {
      const counted = (count, word) => count && `${count} ${word}${count > 1 ? "s" : ""}`;
      const parts = [some && "only for some", counted(errors, "error"), counted(warnings, "warning")].filter(Boolean);
      return parts.length ? ", " + parts.join(", ") : "";
    },
    // Called by the server.
    setRows(rows) {
      this.rows = rows;
      this.tab = Math.min(this.tab, rows.length - 1);
      if (this.focusAt !== undefined) this.focusRow(this.focusAt);
      this.focusAt = undefined;
    },
    patch(changed) {
      for (const [index, row] of changed) this.rows[index] = row;
    },
    setHead(head) {
      this.head = head;
    },
    setStale(stale) {
      this.stale = stale;
      this.sortable?.option("disabled", stale);
    },
    mark(index) {
      this.current = index;
      if (!this.$el.contains(document.activeElement)) this.tab = Math.max(index, HEAD);
      this.$nextTick(() => this.button(index)?.scrollIntoView({ block: "nearest" }));
    },
    removed(number) {
      Quasar.Notify.create({
        message: "Block removed",
        position: "bottom",
        timeout: 8000,
        type: "info",
        attrs: { role: "status" },
        actions: [
          { label: "Undo", color: "white", noCaps: true, handler: () => this.$emit("restore", { number }) },
          { icon: "sym_o_close", color: "white", round: true, "aria-label": "Close" },
        ],
      });
    },
    // What the reader does.
    button(index) {
      return this.$el.querySelector(`[data-index="${index}"]`);
    },
    focusRow(index) {
      this.tab = Math.max(HEAD, Math.min(index, this.rows.length - 1));
      this.$nextTick(() => this.button(this.tab)?.focus());
    },
    go(index, focus = false) {
      this.tab = this.current = index;
      this.$emit("go", { index, focus });
    },
    walk(index) {
      this.focusRow(index);
      clearTimeout(this.walking);
      this.walking = setTimeout(() => this.go(this.tab), 90);
    },
    move(old, index) {
      if (this.stale || index < 0 || index >= this.rows.length) return;
      clearTimeout(this.walking);
      this.rows.splice(index, 0, ...this.rows.splice(old, 1));
      this.current = index;
      this.focusRow(index);
      this.$emit("move", { old, new: index });
    },
    duplicate(index) {
      if (this.stale) return;
      this.focusAt = index + 1;
      this.$emit("duplicate", { index });
    },
    remove(index) {
      if (this.stale) return;
      this.focusAt = Math.min(index, this.rows.length - 2);
      this.$emit("remove", { index });
    },
    key(event, index) {
      const plain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
      const alt = event.altKey && !event.ctrlKey && !event.metaKey;
      const ctrl = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
      const block = index > HEAD;
      const does =
        (plain &&
          {
            ArrowUp: () => this.walk(index - 1),
            ArrowDown: () => this.walk(index + 1),
            Home: () => this.walk(HEAD),
            End: () => this.walk(this.rows.length - 1),
            Enter: () => this.go(index, true),
            Delete: block && (() => this.remove(index)),
            Backspace: block && (() => this.remove(index)),
          }[event.key]) ||
        (alt &&
          block &&
          { ArrowUp: () => this.move(index, index - 1), ArrowDown: () => this.move(index, index + 1) }[event.key]) ||
        (ctrl && block && event.key.toLowerCase() === "d" && (() => this.duplicate(index))) ||
        (block &&
          (event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) &&
          (() => this.openMenu(index)));
      if (!does) return;
      event.preventDefault();
      event.stopPropagation();
      does();
    },
    openMenu(index) {
      if (this.stale) return;
      this.menuFor = this.tab = index;
      this.menuTarget = this.button(index).parentElement;
      this.menuOpen = true;
      setTimeout(() => document.querySelector(".outline-menu [role=menuitem]:not(:disabled)")?.focus(), 60);
    },
    menuKey(event) {
      const items = [...event.currentTarget.querySelectorAll("[role=menuitem]:not(:disabled)")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    },
    act(name) {
      const index = this.menuFor;
      this.menuOpen = false;
      if (name === "up") this.move(index, index - 1);
      else if (name === "down") this.move(index, index + 1);
      else this[name](index);
    },
    menuClosed() {
      this.menuFor = -2;
    },
  },
};
