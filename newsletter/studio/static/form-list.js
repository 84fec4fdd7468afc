// A list in a form: entries that can be opened, moved, removed and added.
import { thumbnail } from "/static/pictures.js";
import { keyOf, summary } from "/static/form-data.js";

export const FormList = {
  name: "FormList",
  inject: ["form"],
  template: `
    <div class="form-list" role="group" :aria-labelledby="labelled">
      <div v-for="(each, index) in value" :key="index" class="form-entry" :class="{ 'form-entry-line': isLine }">
        <div class="form-entry-head">
          <form-field v-if="isLine" :named="(item.label || 'Entry') + ' ' + (index + 1)" :field="item"
            :route="[...route, index]" :value="each" class="grow"
            @change="(value, options) => form.set([...route, index], value, options)" />
          <button v-else type="button" class="form-entry-title" :aria-expanded="isOpen(index)"
            @click="opened[index] = !isOpen(index)">
            <q-icon :name="isOpen(index) ? 'sym_o_expand_more' : 'sym_o_chevron_right'" aria-hidden="true" />
            <img v-if="picture(each)" :src="picture(each)" alt="" class="form-entry-picture"
              @error="$event.target.remove()" />
            <span class="ellipsis">{{ title(each, index) }}</span><span v-if="wrong(index)" class="outline-dot bad">
            </span>
          </button>
          <button type="button" class="form-icon" :disabled="!index" :aria-label="'Move up: ' + title(each, index)"
            title="Move up" @click="move(index, index - 1)"><q-icon name="sym_o_arrow_upward" aria-hidden="true" />
            </button>
          <button type="button" class="form-icon" :disabled="index === value.length - 1"
            :aria-label="'Move down: ' + title(each, index)" title="Move down" @click="move(index, index + 1)"><q-icon
            name="sym_o_arrow_downward" aria-hidden="true" /></button>
          <button type="button" class="form-icon" :aria-label="'Remove ' + title(each, index)" title="Remove"
            @click="remove(index)"><q-icon name="sym_o_close" aria-hidden="true" /></button>
        </div>
        <template v-if="!isLine && isOpen(index)">
          <div v-if="form.writtenAt([...route, index]) !== undefined" class="form-raw">
            <p>This can't be shown as fields: edit the text itself.</p>
            <pre>{{ form.writtenAt([...route, index]) }}</pre>
          </div>
          <field-set v-else :key="index + ':' + turn" :name="modelOf(each)" :route="[...route, index]" :value="each"
            :bare="item.bare" />
        </template>
      </div>
      <p v-if="!value.length && field.required" class="form-help">None yet.</p>
      <div v-if="!field.most || value.length < field.most" class="form-add">
        <button type="button" class="form-button" :id="'form-' + route.join('/')"
          :aria-haspopup="item.kinds ? 'menu' : undefined" @click="begin">
          <q-icon name="sym_o_add"
            aria-hidden="true" /> Add {{ item.kinds ? "a block" : (item.label || "one").toLowerCase() }}
          <q-menu v-if="item.kinds" v-model="choosing" no-parent-event class="form-menu" aria-label="Kind of block">
            <div class="form-menu-items">
              <button v-for="kind in item.kinds" type="button" role="menuitem" class="form-menu-item form-menu-kind"
                @click.stop="add(kind)">
                <q-icon :name="'sym_o_' + form.catalogue.looks[kind][1]" aria-hidden="true" />
                <span>{{ form.catalogue.looks[kind][0] }}</span>
              </button>
            </div>
          </q-menu>
        </button>
      </div>
    </div>`,
  props: { field: Object, route: Array, value: Array, labelled: String },
  data: () => ({ opened: {}, turn: 0, choosing: false }),
  computed: {
    item() {
      return this.field.item;
    },
    isLine() {
      return this.item.control !== "group" && this.item.control !== "block";
    },
  },
  methods: {
    isOpen(index) {
      return this.opened[index] ?? (this.value.length <= 2 || (this.route.length < 2 && this.item.model === "Column"));
    },
    modelOf(each) {
      return this.item.control === "block" ? each?.type || "" : this.item.model;
    },
    title(each, index) {
      const kind = this.item.control === "block" ? this.form.catalogue.looks[each?.type]?.[0] || "Block" : "";
      const words = summary(each);
      return [kind, words].filter(Boolean).join(": ") || `${this.item.label || "Entry"} ${index + 1}`;
    },
    picture(each) {
      const src = each?.src || each?.image?.src;
      return typeof src === "string" && src && !/^[a-z][a-z0-9+.-]*:/i.test(src) ? thumbnail(this.form.stem, src) : "";
    },
    wrong(index) {
      const prefix = keyOf([...this.route, index]);
      const found = Object.entries(this.form.shown.problems).filter(
        ([key]) => key === prefix || key.startsWith(prefix + "/"),
      );
      return found.some(([, problems]) => problems.some((each) => each.error));
    },
    // Which are open goes along with the entries.
    reorder(change) {
      const open = this.value.map((_, index) => this.isOpen(index));
      change(open);
      this.opened = { ...open };
      this.turn++;
    },
    move(index, to) {
      this.reorder((open) => open.splice(to, 0, ...open.splice(index, 1)));
      this.form.list({ do: "move", route: this.route, index, new: to });
    },
    remove(index) {
      this.reorder((open) => open.splice(index, 1));
      if (this.value.length === 1 && !this.field.required) this.form.set(this.route, null, { now: true });
      else this.form.list({ do: "remove", route: this.route, index });
    },
    begin() {
      if (this.item.kinds) this.choosing = true;
      else this.add(this.item.model || "");
    },
    async add(name) {
      this.choosing = false;
      let value = this.form.catalogue.examples[name] ?? {};
      if (value.src === "") {
        const src = await this.form.choosePicture("Which picture?");
        if (!src) return;
        value = { ...value, src };
      }
      const index = this.value.length;
      if (index === 1 || index === 2) this.reorder(() => {});
      this.opened[index] = true;
      this.form.list({ do: "insert", route: this.route, index, value });
      this.$nextTick(() => {
        const entry = this.$el.querySelectorAll(":scope > .form-entry")[index];
        const first = entry?.querySelector("input:not([type=file]), textarea");
        first?.focus();
        first?.select();
      });
    },
  },
};
