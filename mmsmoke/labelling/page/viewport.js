// Where the picture lies in the window, and how large.

const [SMALLEST, LARGEST] = [0.02, 100];
const FROM_PIXELS = 3; // from this scale on, pixels are shown as they are

export class Viewport {
  constructor(stage, sheet) {
    Object.assign(this, { stage, sheet, width: 1, height: 1, x: 0, y: 0, scale: 1, whole: true });
    this.pointer = null; // where it was last, in the window
    this.moved = () => {};
    new ResizeObserver(() => this.whole && this.fit()).observe(stage);
    stage.addEventListener('pointermove', (event) => { this.pointer = this.inStage(event); });
    stage.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoom(this.scale * Math.exp(-event.deltaY / 400), this.inStage(event));
    }, { passive: false });
  }

  resize(width, height) {
    const same = width === this.width && height === this.height;
    Object.assign(this, { width, height });
    this.sheet.style.width = `${width}px`;
    this.sheet.style.height = `${height}px`;
    if (this.whole || !same) {
      this.fit();
    }
  }

  fit() {
    const { clientWidth, clientHeight } = this.stage;
    this.scale = Math.min(clientWidth / this.width, clientHeight / this.height) || 1;
    this.x = (clientWidth - this.width * this.scale) / 2;
    this.y = (clientHeight - this.height * this.scale) / 2;
    this.whole = true;
    this.apply();
  }

  zoom(scale, at) {
    const place = at ?? { x: this.stage.clientWidth / 2, y: this.stage.clientHeight / 2 };
    const next = Math.min(LARGEST, Math.max(SMALLEST, scale));
    this.x = place.x - ((place.x - this.x) * next) / this.scale;
    this.y = place.y - ((place.y - this.y) * next) / this.scale;
    this.scale = next;
    this.whole = false;
    this.apply();
  }

  toggle() {
    if (this.whole) {
      this.zoom(this.scale * 3, this.pointer);
    } else {
      this.fit();
    }
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.whole = false;
    this.apply();
  }

  apply() {
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.sheet.classList.toggle('large', this.scale >= FROM_PIXELS);
    this.moved();
  }

  inStage(event) {
    const box = this.stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  // in pixels of the picture
  inPicture(event) {
    const { x, y } = this.inStage(event);
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }
}
