// The frame that shows an email: without scripts, updated in place, as wide as the reader wants it.
import { areaOf, morph, morphRow, parsed, startOf, startsIn } from "/static/preview_document.js";

const EMPTY = '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body></body></html>';
const [NARROWEST, WIDEST, DESKTOP, PHONE] = [280, 1200, 600, 375];
const AROUND = 6; // pixels between a block and its outline

// Beside the email's own style sheets, and outside of its body.
const OWN_STYLE = `
  .studio-box { display: inline-block; box-sizing: border-box; max-width: 100%; min-height: 1.6em; padding: 3px 6px;
    overflow: hidden; vertical-align: top; word-break: normal;
    border: 1px dashed color-mix(in srgb, currentColor 45%, transparent); }
  studio-outline, studio-cut { position: absolute; z-index: 2147483647; pointer-events: none; box-sizing: border-box; }
  studio-outline { border: 2px solid var(--studio-accent); border-radius: 4px; opacity: .75;
    box-shadow: 0 0 0 4px color-mix(in srgb, var(--studio-accent) 16%, transparent); }
  studio-cut { left: 0; right: 0; border-top: 2px dashed var(--studio-bad); text-align: center; }
  studio-cut::after { content: attr(data-words); display: inline-block; padding: 2px 12px; border-radius: 0 0 8px 8px;
    background: var(--studio-bad-soft); color: var(--studio-bad); font: 600 12px/20px sans-serif; }
  [data-studio-inverted] { filter: invert(1) hue-rotate(180deg); }
  [data-studio-inverted] img, [data-studio-inverted] studio-outline, [data-studio-inverted] studio-cut {
    filter: invert(1) hue-rotate(180deg); }`;

export default {
  template: `
    <div class="preview-stage" ref="stage">
      <div class="preview-sheet" ref="sheet">
        <iframe ref="frame" sandbox="allow-same-origin" :title="label"></iframe>
        <div v-if="sizable" ref="grip" class="preview-grip" role="slider" tabindex="0" aria-label="Width of the email"
          aria-orientation="horizontal" aria-valuemin="${NARROWEST}" aria-valuemax="${WIDEST}"></div>
      </div>
    </div>`,
  props: { label: String, sizable: Boolean, view: Object },
  created() {
    // Not reactive: documents and long texts.
    Object.assign(this, { revision: 0, html: "", starts: [], cut: null, block: null, idle: "", width: 0, document: null });
  },
  mounted() {
    const frame = this.$refs.frame;
    // Again, too, when the page moved the frame, or a browser let a link be followed in spite of all.
    frame.addEventListener("load", () => {
      if (frame.contentDocument?.URL === "about:srcdoc") this.begin();
      else frame.srcdoc = EMPTY;
    });
    frame.srcdoc = EMPTY;
    this.resizing = new ResizeObserver(() => this.fit());
    this.resizing.observe(this.$refs.stage);
    if (this.sizable) this.gripped();
  },
  beforeUnmount() {
    this.resizing.disconnect();
    this.settling?.disconnect();
  },
  watch: {
    view: {
      deep: true,
      handler(now, before) {
        if (typeof now.width !== "number") this.width = 0; // a number comes from here
        this.fit();
        if (now.scheme !== before.scheme || now.images !== before.images) this.paint();
      },
    },
  },
  methods: {
    begin() {
      const page = (this.document = this.$refs.frame.contentDocument);
      Object.assign(this, { revision: 0, html: "", starts: [], cut: null });
      const style = page.createElement("style");
      style.textContent = OWN_STYLE;
      page.documentElement.append(style);
      page.addEventListener("click", (event) => this.clicked(event));
      page.addEventListener("auxclick", (event) => event.preventDefault());
      page.addEventListener("submit", (event) => event.preventDefault());
      for (const name of ["mouseover", "focusin"]) page.addEventListener(name, (event) => this.pointed(event));
      page.addEventListener("keydown", (event) => this.passOn(event));
      this.settling?.disconnect();
      this.settling = new ResizeObserver(() => this.place());
      this.settling.observe(page.body);
      this.say("");
      this.fit();
      this.$emit("ready");
    },
    // Called by the server.

    // The email is what it was at `base`, with `middle` between its first `start` and its last `end` units.
    show(revision, base, start, end, middle) {
      if (base && base !== this.revision) return this.$emit("ready");
      const old = this.html;
      this.html = base ? old.slice(0, start) + middle + old.slice(old.length - end) : middle;
      this.revision = revision;
      if (!base || !this.paintRow(old, start, end)) this.paint();
    },
    // Where the blocks of this revision begin, and where Gmail cuts.
    places(revision, blocks, cut) {
      if (revision !== this.revision || !this.document) return;
      this.starts = startsIn(this.document.body, blocks);
      this.cut = cut && startsIn(this.document.body, [[cut, null]])[0];
      this.place();
      if (this.waiting) this.mark(this.block);
    },
    mark(block) {
      this.block = block;
      const area = this.place();
      this.waiting = block !== null && !area;
      if (area) this.bringIntoView(area);
      const isHidden = this.waiting && this.starts.length && !this.starts.some((start) => start.block === block);
      const idle = isHidden ? "The block you are at isn’t shown to this reader" : "";
      if (idle !== this.idle) {
        this.idle = idle;
        this.say("");
      }
    },

    // The document.
    paintRow(old, start, end) {
      if (!this.document) return false;
      const begin = performance.now();
      const replaced = (was, is) => this.replaced(was, is);
      const more = morphRow(this.document.body, old, this.html, start, end, this.shownAs(), replaced);
      if (more === null) return false;
      this.changed(this.remote + more, { row: performance.now() - begin });
      return true;
    },
    shownAs() {
      const { scheme, images } = this.view;
      return { scheme: scheme === "dark" ? "dark" : "light", images };
    },
    paint() {
      if (!this.document || !this.html) return;
      const begin = performance.now();
      const { page, remote } = parsed(this.html, this.shownAs());
      const built = performance.now();
      const [shown, replaced] = [this.document, (old, fresh) => this.replaced(old, fresh)];
      const [root, fresh] = [shown.documentElement, page.documentElement];
      for (const { name } of [...root.attributes]) if (!fresh.hasAttribute(name)) root.removeAttribute(name);
      for (const attribute of fresh.attributes) root.setAttributeNode(attribute.cloneNode());
      root.toggleAttribute("data-studio-inverted", this.view.scheme === "inverted");
      morph(shown.head, page.head, replaced);
      morph(shown.body, page.body, replaced);
      this.changed(remote, { parse: built - begin, change: performance.now() - built });
    },
    // What lies over it isn't placed before it is painted: that would have the layout made twice.
    changed(remote, times) {
      if (remote !== this.remote) this.$emit("remote", (this.remote = remote));
      requestAnimationFrame(() => setTimeout(() => this.painted(times)));
    },
    painted(times) {
      this.place();
      if (!this.sizable) return;
      const at = performance.now();
      window.Studio = Object.assign(window.Studio || {}, { painted: { revision: this.revision, at, ...times } });
      window.dispatchEvent(new CustomEvent("studio-painted", { detail: window.Studio.painted }));
    },
    replaced(old, fresh) {
      for (const start of [...this.starts, this.cut]) if (start?.element === old) start.element = fresh;
    },

    // What lies over it.
    place() {
      if (!this.document) return null;
      const area = this.block === null ? null : areaOf(this.starts, this.block);
      const over = this.over("studio-outline", area !== null);
      const view = this.$refs.frame.contentWindow;
      if (area) {
        Object.assign(over.style, {
          left: `${area.left + view.scrollX - AROUND}px`, top: `${area.top + view.scrollY}px`,
          width: `${area.right - area.left + 2 * AROUND}px`, height: `${area.bottom - area.top}px`,
        });
      }
      const cut = this.over("studio-cut", Boolean(this.cut?.element.isConnected));
      if (cut) {
        cut.dataset.words = "Gmail cuts off here";
        cut.style.top = `${this.cut.element.getBoundingClientRect().top + view.scrollY}px`;
      }
      return area;
    },
    over(name, wanted) {
      const root = this.document.documentElement;
      let found = root.querySelector(`:scope > ${name}`);
      if (!wanted) return found?.remove() ?? null;
      if (!found) root.append((found = this.document.createElement(name)));
      if (found.dataset.theme !== document.body.className) {
        found.dataset.theme = document.body.className;
        const ours = getComputedStyle(document.body);
        for (const each of ["accent", "bad", "bad-soft"])
          found.style.setProperty(`--studio-${each}`, ours.getPropertyValue(`--${each}`));
      }
      return found;
    },
    bringIntoView({ top, bottom }) {
      const view = this.$refs.frame.contentWindow;
      const height = view.innerHeight;
      if (top < height - 40 && bottom > 40) return;
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      view.scrollTo({ top: view.scrollY + top - height / 5, behavior: still ? "auto" : "smooth" });
    },

    // The pointer and the keys.
    clicked(event) {
      event.preventDefault();
      const link = event.target.closest?.("a[href]");
      const start = startOf(this.starts, event.target);
      if (link) this.say(`${link.getAttribute("href")} (links aren’t followed here)`);
      else if (start && start.block === null) this.say("This part comes from newsletter.yaml");
      if (start && start.block !== null) this.$emit("block", start.block);
    },
    pointed(event) {
      const link = event.target.closest?.("a[href]");
      this.say(link ? link.getAttribute("href") : "");
    },
    say(words) {
      const status = this.beside(".preview-status");
      if (!status) return;
      status.textContent = words || this.idle || "Click a part of the email to go to its text";
      status.classList.toggle("preview-link", Boolean(words));
    },
    // What the pane has to be told, when this is its frame.
    beside(selector) {
      return this.sizable ? this.$el.closest(".preview")?.querySelector(selector) : null;
    },
    // The Studio's own shortcuts work in here, too.
    passOn(event) {
      const { key, code, ctrlKey, metaKey, shiftKey, altKey } = event;
      if (["Tab", "Enter", " "].includes(key)) return;
      const same = { key, code, ctrlKey, metaKey, shiftKey, altKey, bubbles: true, cancelable: true };
      if (!this.$el.dispatchEvent(new KeyboardEvent("keydown", same))) event.preventDefault();
    },

    // The width.
    fit() {
      const [stage, sheet, frame] = [this.$refs.stage, this.$refs.sheet, this.$refs.frame];
      const room = stage.clientWidth - (this.sizable ? 36 : 0);
      const height = stage.clientHeight;
      if (room <= 0 || height <= 0) return;
      const named = { desktop: Math.min(WIDEST, Math.max(DESKTOP, room)), phone: PHONE };
      const width = this.width || (named[this.view.width] ?? this.view.width);
      const scale = Math.min(1, room / width);
      Object.assign(sheet.style, { width: `${width * scale}px`, height: `${height}px` });
      const transform = scale < 1 ? `scale(${scale})` : "";
      Object.assign(frame.style, { width: `${width}px`, height: `${height / scale}px`, transform });
      this.shownWidth = width;
      this.scale = scale;
      if (!this.sizable) return;
      const percent = scale < 1 ? `, shown at ${Math.round(scale * 100)} %` : "";
      const shown = this.beside(".preview-width");
      if (shown) shown.textContent = `${Math.round(width)} px${scale < 1 ? ` · ${Math.round(scale * 100)} %` : ""}`;
      this.$refs.grip.setAttribute("aria-valuenow", String(Math.round(width)));
      this.$refs.grip.setAttribute("aria-valuetext", `${Math.round(width)} pixels${percent}`);
      if (this.waiting) this.mark(this.block);
      else this.place();
    },
    setWidth(width) {
      this.width = Math.max(NARROWEST, Math.min(WIDEST, Math.round(width)));
      this.fit();
    },
    gripped() {
      const grip = this.$refs.grip;
      grip.addEventListener("pointerdown", (down) => {
        grip.setPointerCapture(down.pointerId);
        const [begin, scale] = [this.shownWidth, this.scale];
        this.$el.classList.add("preview-dragging");
        const move = (event) => this.setWidth(begin + ((event.clientX - down.clientX) * 2) / scale);
        grip.addEventListener("pointermove", move);
        grip.addEventListener("lostpointercapture", () => {
          grip.removeEventListener("pointermove", move);
          this.$el.classList.remove("preview-dragging");
          this.$emit("width", this.shownWidth);
        }, { once: true });
      });
      grip.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -10, ArrowDown: -10, ArrowRight: 10, ArrowUp: 10, PageDown: -50, PageUp: 50 }[event.key];
        const to = step ? this.shownWidth + step : { Home: NARROWEST, End: WIDEST }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        this.setWidth(to);
        this.$emit("width", this.shownWidth);
      });
    },
  },
};
