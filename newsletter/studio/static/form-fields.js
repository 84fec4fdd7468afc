// The fields of a form: those of a model, and one of them, which may be a group of fields or a list.
import { PictureDrop, thumbnail } from "/static/pictures.js";
import { keyOf } from "/static/form-data.js";
import { FormList } from "/static/form-list.js";
import { TextField } from "/static/form-text.js";

const isEmpty = (value) =>
  value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);

// The fields of the model `name`. `bare` is the key that a text in place of a mapping stands for.
export const FieldSet = {
  name: "FieldSet",
  inject: ["form"],
  template: `
    <div class="form-set">
      <form-field v-for="field in fields" :key="field.key" :field="field" :route="[...route, field.key]"
        :value="values[field.key] ?? null"
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
      return (
        (field.folded || text) && !this.opened[field.key] && !this.form.problemsAt([...this.route, field.key]).length
      );
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
        <component :is="isSingle ? 'label' : 'span'" :for="isSingle ? id : undefined"
          :id="id + '-label'">{{ field.label }}<span
          v-if="field.required && !field.may_be_empty" class="form-required" title="Needed"
          aria-hidden="true"> *</span></component>
        <span class="grow"></span>
        <button v-if="isGroup && value && !field.required" type="button" class="form-icon"
          :aria-label="'Remove ' + field.label"
          :title="'Remove ' + field.label" @click="$emit('change', null, { now: true })"><q-icon name="sym_o_close"
          aria-hidden="true" /></button>
      </div>
      <div v-if="raw !== undefined" class="form-raw">
        <p>This can't be shown as a field: edit the text itself.</p>
        <pre>{{ raw }}</pre>
      </div>
      <text-field v-else-if="isText" :field="field" :route="route" :value="value" :id="id" :named="named"
        :described="described" :wrong="wrong"
        @change="(value, options) => $emit('change', value, options)" />
      <q-select v-else-if="field.control === 'choice'" class="field" outlined dense options-dense emit-value
        map-options :for="id" :id="id + '-box'"
        :model-value="value" :options="choices" :aria-describedby="described" :error="wrong" hide-bottom-space
        @update:model-value="(value) => $emit('change', value, { now: true })" />
      <div v-else-if="field.control === 'picture'" class="form-picture">
        <template v-if="value">
          <span class="picture-frame form-thumbnail">
            <img v-if="isLocal && !missing" :src="small" alt="" @error="missing = true" />
            <span v-else class="form-nothing"><q-icon :name="isLocal ? 'sym_o_broken_image' : 'sym_o_public'"
              aria-hidden="true" />{{ isLocal ? "No such picture" : "From the web" }}</span>
          </span>
          <div class="form-picture-about">
            <input :id="id" class="form-input" type="text" :value="value" :aria-label="field.label"
              :data-route="JSON.stringify(route)" spellcheck="false"
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
        <button v-else type="button" class="form-button"
          @click="$emit('change', form.catalogue.examples[field.model] || {}, { now: true })">
          {{ field.otherwise ? "Use another one" : "Add" }}</button>
      </template>
      <form-list v-else-if="field.control === 'list'" :field="field" :route="route" :value="value || []"
        :labelled="id + '-label'" />
      <p v-if="help" :id="id + '-help'" class="form-help">{{ help }}</p>
      <ul v-if="problems.length" :id="id + '-problems'" class="form-problems">
        <li v-for="each in problems" :class="each.error ? 'bad' : 'warn'">{{ sentence(each.message) }}<span
          v-if="each.hint" class="form-hint">{{ sentence(each.hint) }}</span></li>
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
      return [help, control === "group" || control === "list" ? otherwise && `${otherwise} when left out` : ""]
        .filter(Boolean)
        .join(". ");
    },
    described() {
      return (
        [this.help && this.id + "-help", this.problems.length && this.id + "-problems"].filter(Boolean).join(" ") ||
        undefined
      );
    },
    choices() {
      const known = (this.field.choices || []).map(([value, label]) => ({ value, label }));
      if (this.value && !known.some((each) => each.value === this.value))
        known.push({ value: this.value, label: this.value });
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

FieldSet.components = { FormField };
Object.assign(FormField.components, { FieldSet, FormList });
FormList.components = { FieldSet, FormField };
