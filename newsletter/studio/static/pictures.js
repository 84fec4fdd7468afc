// Pictures: bringing a file to the issue, and choosing one of the workspace's. Used by the form and by the palette.

export const thumbnail = (stem, src) => `/picture/${encodeURIComponent(stem)}?src=${encodeURIComponent(src)}`;

// Gives the picture's `src`; throws an Error whose message is for the reader.
export async function upload(stem, file) {
  const address = `/picture/${encodeURIComponent(stem)}?name=${encodeURIComponent(file.name || "picture")}`;
  let answer;
  try {
    const response = await fetch(address, { method: "POST", body: file });
    answer = await response.json();
  } catch {
    throw new Error("The picture didn't get through. Is the Studio still running?");
  }
  if (!answer.src) throw new Error(answer.message || "The picture can't be used.");
  return answer.src;
}

const TYPES = ".jpg,.jpeg,.png,.gif,.webp,image/jpeg,image/png,image/gif,image/webp";

// Where a picture is dropped, pasted, or chosen from the disk. Gives its src by `picked`.
export const PictureDrop = {
  template: `
    <div class="picture-drop" :class="{ over, busy, 'picture-small': small }" @dragenter.prevent="over = true"
      @dragover.prevent="over = true"
      @dragleave.self="over = false" @drop.prevent="drop" @paste="paste">
      <template v-if="small">
        <button type="button" class="form-icon" :disabled="busy" aria-label="Another picture from this computer"
          title="Another picture from this computer"
          @click="$refs.file.click()"><q-icon name="sym_o_upload" aria-hidden="true" /></button>
        <button type="button" class="form-icon" :disabled="busy" aria-label="Another picture from the workspace"
          title="Another picture from the workspace"
          @click="$emit('browse')"><q-icon name="sym_o_photo_library" aria-hidden="true" /></button>
        <span v-if="busy" role="status">Reading it …</span>
      </template>
      <template v-else>
        <q-icon name="sym_o_add_photo_alternate" aria-hidden="true" />
        <span v-if="busy" role="status">Reading it …</span>
        <span v-else>Drop a picture here, or</span>
        <span class="picture-ways">
          <button type="button" class="form-button" :disabled="busy" @click="$refs.file.click()">Choose a file</button>
          <button v-if="!bare" type="button" class="form-button" :disabled="busy"
            @click="$emit('browse')">From the workspace</button>
        </span>
      </template>
      <input ref="file" type="file" accept="${TYPES}" class="picture-file" tabindex="-1" aria-label="Picture file"
        @change="chosen" />
      <p v-if="fault" class="picture-fault" role="alert">{{ fault }}</p>
    </div>`,
  props: { stem: String, bare: Boolean, small: Boolean },
  emits: ["picked", "browse"],
  data: () => ({ over: false, busy: false, fault: "" }),
  methods: {
    drop(event) {
      this.over = false;
      this.take(event.dataTransfer.files[0]);
    },
    paste(event) {
      const file = [...(event.clipboardData?.files || [])][0];
      if (!file) return;
      event.preventDefault();
      this.take(file);
    },
    chosen(event) {
      this.take(event.target.files[0]);
      event.target.value = "";
    },
    async take(file) {
      if (!file || this.busy) return;
      this.fault = "";
      this.busy = true;
      try {
        this.$emit("picked", await upload(this.stem, file));
      } catch (error) {
        this.fault = error.message;
      } finally {
        this.busy = false;
      }
    },
  },
};

// A dialog with all pictures of the workspace, and a place to bring another one.
export const PictureChooser = {
  components: { PictureDrop },
  template: `
    <q-dialog v-model="shown" :aria-label="title" @hide="answer(null)">
      <div class="sheet wide-sheet picture-sheet">
        <h2>{{ title }}</h2>
        <picture-drop :stem="stem" bare @picked="answer" />
        <div v-if="pictures.length" class="picture-grid" role="list" aria-label="Pictures of the workspace">
          <div v-for="each in pictures" :key="each.src" role="listitem">
            <button type="button" class="picture-choice" :title="each.src" @click="answer(each.src)">
              <span class="picture-frame"><img :src="small(each.src)" alt="" loading="lazy" /></span>
              <span class="picture-name">{{ each.src }}</span>
              <span class="picture-size">{{ each.width }} × {{ each.height }}</span>
            </button>
          </div>
        </div>
        <p v-else-if="read" class="muted">There are no pictures in the workspace yet.</p>
        <div class="sheet-buttons">
          <button type="button" class="form-button" @click="answer(null)">Cancel</button>
          <button v-if="later" type="button" class="form-button" @click="answer('')">Choose it later</button>
        </div>
      </div>
    </q-dialog>`,
  props: { stem: String },
  data: () => ({ shown: false, title: "", later: false, pictures: [], read: false }),
  methods: {
    small(src) {
      return thumbnail(this.stem, src);
    },
    // Asks, and gives the chosen src; null when it was cancelled, "" when the picture is to be chosen later.
    ask(title, { later = false } = {}) {
      this.title = title;
      this.later = later;
      this.shown = true;
      this.read = false;
      fetch(`/pictures/${encodeURIComponent(this.stem)}`)
        .then((response) => response.json())
        .then((pictures) => ((this.pictures = pictures), (this.read = true)))
        .catch(() => (this.read = true));
      return new Promise((resolve) => (this.resolve = resolve));
    },
    answer(src) {
      this.resolve?.(src);
      this.resolve = null;
      this.shown = false;
    },
  },
};
