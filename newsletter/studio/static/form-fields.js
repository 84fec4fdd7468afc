// The fields of a form: those of a model, one field, a group of fields, a list of entries.
import { PictureDrop, thumbnail } from "/static/pictures.js";
import { keyOf, summary } from "/static/form-data.js";
import { TextField } from "/static/form-text.js";

const isEmpty = (value) => value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);

// The fields of the model `name`. `bare` is the key that a text in place of a mapping stands for.
export const FieldSet = {
  name: "FieldSet",
  inject: ["form"],
  template: `
    <div class="form-set">
      <form-field v-for="field in fields" :key="field.key" :field="field" :route="[...route, field.key]" :value="values[field.key] ?? null"
        @change="(value, options) => change(field, value, options)" />
      <button v-if="folded.length" type="button" class="form-more" aria-expanded="false" @click="unfold">
        <q-icon name="sym_o_add" aria-hidden="true" /><span>{{ more }}</span>
      </button>
    </div>`,
  props: { name: String, route: Array, value: [Object, String], bare: String },
  data: () => ({ opened: {} }),
  computed: {
    all() {
      return this.form.model(this.name);
    },
    values() {
      return typeof this.value === "string" ? { [this.bare]: this.value } : this.value || {};
    },
    fields() {
      return this.all.filter((field) => !this.isFolded(field));
    },
    folded() {
      return this.all.filter((field) => this.isFolded(field) && field.control !== "text-only");
    },
    more() {
      const names = this.folded.map((field) => field.label);
      return names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
    },
  },
  watch: {
    // What was shown stays where it is while it is emptied.
    values: {
      immediate: true,
      handler(values) {
        for (const field of this.all) if (!isEmpty(values[field.key])) this.opened[field.key] = true;
      },
    },
  },
  methods: {
    isFolded(field) {
      const text = field.control === "text-only";
      return (field.folded || text) && !this.opened[field.key] && !this.form.problemsAt([...this.route, field.key]).length;
    },
    unfold() {
      const first = this.folded[0];
      for (const field of this.folded) this.opened[field.key] = true;
      this.$nextTick(() => document.getElementById("form-" + keyOf([...this.route, first.key]))?.focus());
    },
    change(field, value, options) {
      const kept = value === "" && !field.required ? null : value;
      if (typeof this.value !== "string") this.form.set([...this.route, field.key], kept, options);
      else if (field.key === this.bare) this.form.set(this.route, value, options);
      else if (kept !== null) this.form.set(this.route, { ...this.values, [field.key]: kept }, options);
    },
  },
};

export const FormField = {
  name: "FormField",
  inject: ["form"],
  components: { PictureDrop, TextField },
  template: `
    <div class="form-field" :class="['form-of-' + field.control, { 'form-wrong': wrong }]">
      <div v-if="field.label && !named" class="form-label">
        <component :is="isSingle ? 'label' : 'span'" :for="isSingle ? id : undefined" :id="id + '-label'">{{ field.label }}<span
          v-if="field.required && !field.may_be_empty" class="form-required" title="Needed" aria-hidden="true"> *</span></component>
        <span class="grow"></span>
        <button v-if="isGroup && value && !field.required" type="button" class="form-icon" :aria-label="'Remove ' + field.label"
          :title="'Remove ' + field.label" @click="$emit('change', null, { now: true })"><q-icon name="sym_o_close" aria-hidden="true" /></button>
      </div>
      <div v-if="raw !== undefined" class="form-raw">
        <p>This can't be shown as a field: edit the text itself.</p>
        <pre>{{ raw }}</pre>
      </div>
      <text-field v-else-if="isText" :field="field" :route="route" :value="value" :id="id" :named="named" :described="described" :wrong="wrong"
        @change="(value, options) => $emit('change', value, options)" />
      <q-select v-else-if="field.control === 'choice'" class="field" outlined dense options-dense emit-value map-options :for="id" :id="id + '-box'"
        :model-value="value" :options="choices" :aria-describedby="described" :error="wrong" hide-bottom-space
        @update:model-value="(value) => $emit('change', value, { now: true })" />
      <div v-else-if="field.control === 'picture'" class="form-picture">
        <template v-if="value">
          <span class="picture-frame form-thumbnail">
            <img v-if="isLocal && !missing" :src="small" alt="" @error="missing = true" />
            <span v-else class="form-nothing"><q-icon :name="isLocal ? 'sym_o_broken_image' : 'sym_o_public'" aria-hidden="true" />{{ isLocal ? "No such picture" : "From the web" }}</span>
          </span>
          <div class="form-picture-about">
            <input :id="id" class="form-input" type="text" :value="value" :aria-label="field.label" :data-route="JSON.stringify(route)" spellcheck="false"
              :aria-describedby="described" :aria-invalid="wrong" @input="$emit('change', $event.target.value)" />
            <picture-drop small :stem="form.stem" @picked="picked" @browse="browse" />
          </div>
        </template>
        <picture-drop v-else :stem="form.stem" @picked="picked" @browse="browse" />
      </div>
      <template v-else-if="isGroup">
        <div v-if="value" class="form-group" role="group" :aria-labelledby="id + '-label'">
          <field-set :name="field.model" :route="route" :value="value" :bare="field.bare" />
        </div>
        <picture-drop v-else-if="isPicture" :stem="form.stem" @picked="addPicture" @browse="browse" />
        <button v-else type="button" class="form-button" @click="$emit('change', form.catalogue.examples[field.model] || {}, { now: true })">
          {{ field.otherwise ? "Use another one" : "Add" }}</button>
      </template>
      <form-list v-else-if="field.control === 'list'" :field="field" :route="route" :value="value || []" :labelled="id + '-label'" />
      <p v-if="help" :id="id + '-help'" class="form-help">{{ help }}</p>
      <ul v-if="problems.length" :id="id + '-problems'" class="form-problems">
        <li v-for="each in problems" :class="each.error ? 'bad' : 'warn'">{{ sentence(each.message) }}<span v-if="each.hint" class="form-hint">{{ sentence(each.hint) }}</span></li>
      </ul>
    </div>`,
  props: { field: Object, route: Array, value: null, named: String },
  emits: ["change"],
  data: () => ({ missing: false }),
  computed: {
    id() {
      return "form-" + keyOf(this.route);
    },
    isGroup() {
      return this.field.control === "group";
    },
    isPicture() {
      return this.form.model(this.field.model).some((field) => field.control === "picture");
    },
    isText() {
      return !["choice", "picture", "group", "list", "block", "text-only"].includes(this.field.control);
    },
    isSingle() {
      return this.isText || this.field.control === "choice" || (this.field.control === "picture" && this.value);
    },
    isLocal() {
      return !/^[a-z][a-z0-9+.-]*:/i.test(this.value);
    },
    small() {
      return thumbnail(this.form.stem, this.value);
    },
    raw() {
      return this.form.writtenAt(this.route);
    },
    problems() {
      return this.form.problemsAt(this.route);
    },
    wrong() {
      return this.problems.some((each) => each.error);
    },
    help() {
      const { help, otherwise, control } = this.field;
      if (control === "group" && this.value) return "";
      return [help, control === "group" || control === "list" ? otherwise && `${otherwise} when left out` : ""].filter(Boolean).join(". ");
    },
    described() {
      return [this.help && this.id + "-help", this.problems.length && this.id + "-problems"].filter(Boolean).join(" ") || undefined;
    },
    choices() {
      const known = (this.field.choices || []).map(([value, label]) => ({ value, label }));
      if (this.value && !known.some((each) => each.value === this.value)) known.push({ value: this.value, label: this.value });
      return this.field.required ? known : [{ value: null, label: this.field.otherwise || "None" }, ...known];
    },
  },
  watch: {
    value() {
      this.missing = false;
    },
  },
  methods: {
    sentence(words) {
      return words.replaceAll("`", "").replace(/^./, (first) => first.toUpperCase());
    },
    picked(src) {
      this.$emit("change", src, { now: true });
      // What it shows is asked for next.
      this.$nextTick(() => document.getElementById("form-" + keyOf([...this.route.slice(0, -1), "alt"]))?.focus());
    },
    addPicture(src) {
      this.$emit("change", { src, alt: "" }, { now: true });
      this.$nextTick(() => document.getElementById(this.id + "/alt")?.focus());
    },
    async browse() {
      const src = await this.form.choosePicture("Which picture?");
      if (src) this.isGroup ? this.addPicture(src) : this.picked(src);
    },
  },
};

// A list: entries that can be opened, moved, removed and added.
export const FormList = {
  name: "FormList",
  inject: ["form"],
  template: `
    <div class="form-list" role="group" :aria-labelledby="labelled">
      <div v-for="(each, index) in value" :key="index" class="form-entry" :class="{ 'form-entry-line': isLine }">
        <div class="form-entry-head">
          <form-field v-if="isLine" :named="(item.label || 'Entry') + ' ' + (index + 1)" :field="item" :route="[...route, index]" :value="each" class="grow"
            @change="(value, options) => form.set([...route, index], value, options)" />
          <button v-else type="button" class="form-entry-title" :aria-expanded="isOpen(index)" @click="opened[index] = !isOpen(index)">
            <q-icon :name="isOpen(index) ? 'sym_o_expand_more' : 'sym_o_chevron_right'" aria-hidden="true" />
            <img v-if="picture(each)" :src="picture(each)" alt="" class="form-entry-picture" @error="$event.target.remove()" />
            <span class="ellipsis">{{ title(each, index) }}</span><span v-if="wrong(index)" class="outline-dot bad"></span>
          </button>
          <button type="button" class="form-icon" :disabled="!index" :aria-label="'Move up: ' + title(each, index)" title="Move up" @click="move(index, index - 1)"><q-icon name="sym_o_arrow_upward" aria-hidden="true" /></button>
          <button type="button" class="form-icon" :disabled="index === value.length - 1" :aria-label="'Move down: ' + title(each, index)" title="Move down" @click="move(index, index + 1)"><q-icon name="sym_o_arrow_downward" aria-hidden="true" /></button>
          <button type="button" class="form-icon" :aria-label="'Remove ' + title(each, index)" title="Remove" @click="remove(index)"><q-icon name="sym_o_close" aria-hidden="true" /></button>
        </div>
        <template v-if="!isLine && isOpen(index)">
          <div v-if="form.writtenAt([...route, index]) !== undefined" class="form-raw">
            <p>This can't be shown as fields: edit the text itself.</p><pre>{{ form.writtenAt([...route, index]) }}</pre>
          </div>
          <field-set v-else :key="index + ':' + turn" :name="modelOf(each)" :route="[...route, index]" :value="each" :bare="item.bare" />
        </template>
      </div>
      <p v-if="!value.length && field.required" class="form-help">None yet.</p>
      <div v-if="!field.most || value.length < field.most" class="form-add">
        <button type="button" class="form-button" :id="'form-' + route.join('/')" :aria-haspopup="item.kinds ? 'menu' : undefined" @click="begin">
          <q-icon name="sym_o_add" aria-hidden="true" /> Add {{ item.kinds ? "a block" : (item.label || "one").toLowerCase() }}
          <q-menu v-if="item.kinds" v-model="choosing" no-parent-event class="form-menu" aria-label="Kind of block">
            <div class="form-menu-items">
              <button v-for="kind in item.kinds" type="button" role="menuitem" class="form-menu-item form-menu-kind" @click.stop="add(kind)">
                <q-icon :name="'sym_o_' + form.catalogue.looks[kind][1]" aria-hidden="true" /><span>{{ form.catalogue.looks[kind][0] }}</span>
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
      const found = Object.entries(this.form.shown.problems).filter(([key]) => key === prefix || key.startsWith(prefix + "/"));
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

FieldSet.components = { FormField };
Object.assign(FormField.components, { FieldSet, FormList });
FormList.components = { FieldSet, FormField };
