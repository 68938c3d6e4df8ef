// Corrects masks by brush: what is saved, or what a model proposes.

import { get, getBytes, postBytes } from './server.js';

const IGNORED = 255;
const MEMORY = 200e6; // bytes of masks that undo keeps
const OPACITY = 128;
const WAIT = 300; // milliseconds after a stroke until it is saved

// as in mmsmoke: orange, then well separated hues; grey for what is ignored
function colourOf(value) {
  if (value === IGNORED) {
    return [150, 150, 150];
  }
  const hue = (1 / 12 + 0.618 * (value - 1)) % 1;
  return [5, 3, 1].map((n) => {
    const k = (n + hue * 6) % 6;
    return Math.round(255 * (1 - Math.max(0, Math.min(k, 4 - k, 1))));
  });
}

export class MasksView {
  constructor(page) {
    this.page = page;
    this.brush = 1;
    this.radius = 12;
    this.unsaved = new Map(); // picture -> mask and the version that it was made of
    this.mask = null;
    this.canvas = document.createElement('canvas');
    this.ring = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    this.circle = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
    this.circle.setAttribute('class', 'brush');
    this.ring.append(this.circle);
    this.saving = Promise.resolve();
  }

  isBusy() {
    return this.unsaved.size > 0;
  }

  commands() {
    const { classes } = this.page.state;
    const brush = (value, key, text) => ({
      keys: [key], sign: key.toUpperCase(), text, pressed: this.brush === value,
      run: () => { this.brush = value; },
    });
    const proposes = this.mask?.from === 'proposal';
    return [
      ...classes.map((name, k) => brush(k + 1, String(k + 1), name)),
      brush(0, 'e', 'eraser'),
      brush(IGNORED, 'i', 'unsure'),
      { keys: ['[', '-', ','], sign: '[', text: 'smaller', repeats: true, run: () => this.size(1 / 1.25) },
      { keys: [']', '+', '.'], sign: ']', text: 'larger', repeats: true, run: () => this.size(1.25) },
      ...(this.page.state.proposes ? [{ keys: ['a'], sign: 'A', text: 'accept', picture: true, run: () => this.accept() }] : []),
      { keys: ['r'], sign: 'R', text: proposes ? 'reject' : 'clear', picture: true, run: () => this.clear() },
      { keys: ['u', 'Backspace'], sign: 'U', text: 'undo', picture: true, run: () => this.undo() },
      { keys: ['h'], sign: 'H', text: 'hide', pressed: this.canvas.hidden, run: () => { this.canvas.hidden = !this.canvas.hidden; } },
      { keys: [' ', 'Enter'], sign: 'space', text: 'next', run: () => this.page.next() },
    ];
  }

  size(factor) {
    this.radius = Math.min(400, Math.max(0.5, this.radius * factor));
    this.circle.setAttribute('r', this.radius);
  }

  async show(index) {
    const info = await get(`info/${index}`);
    const [width, height] = info.size;
    let values = new Uint8Array(width * height);
    let from = 'nothing';
    if (this.unsaved.has(index)) {
      this.open(index, this.unsaved.get(index));
      return;
    }
    if (info.mask) {
      values = await getBytes(`mask/${index}`);
      from = 'mask';
    } else if (info.proposal) {
      values = await getBytes(`proposal/${index}`);
      from = 'proposal';
    }
    if (this.page.isCurrent(index) && this.page.view === this) {
      this.open(index, { index, width, height, values, from, version: info.mask, undo: [] });
    }
  }

  open(index, mask) {
    this.mask = mask;
    const { width, height } = mask;
    this.canvas.width = width;
    this.canvas.height = height;
    this.ring.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.circle.setAttribute('r', this.radius);
    this.page.viewport.resize(width, height);
    this.page.sheet.append(this.canvas, this.ring);
    this.draw(0, 0, width, height);
    this.page.describe();
  }

  // Draws the part of the mask that has changed.
  draw(left, top, right, bottom) {
    const { width, values } = this.mask;
    const [wide, high] = [right - left, bottom - top];
    if (wide < 1 || high < 1) {
      return;
    }
    const colours = new Map();
    const pixels = new ImageData(wide, high);
    for (let y = 0; y < high; y += 1) {
      for (let x = 0; x < wide; x += 1) {
        const value = values[(top + y) * width + left + x];
        if (value) {
          if (!colours.has(value)) {
            colours.set(value, [...colourOf(value), OPACITY]);
          }
          pixels.data.set(colours.get(value), 4 * (y * wide + x));
        }
      }
    }
    this.canvas.getContext('2d').putImageData(pixels, left, top);
  }

  remember() {
    const { mask } = this;
    mask.undo.push({ values: mask.values.slice(), from: mask.from });
    const most = Math.max(3, Math.floor(MEMORY / mask.values.length));
    mask.undo.splice(0, mask.undo.length - most);
  }

  down(place) {
    this.remember();
    this.last = place;
    this.stroke(place, place);
  }

  move(place) {
    this.circle.setAttribute('cx', place.x);
    this.circle.setAttribute('cy', place.y);
    if (this.last && this.mask) {
      this.stroke(this.last, place);
      this.last = place;
    }
  }

  up() {
    if (this.last) {
      this.last = null;
      this.changed('mask');
    }
  }

  // Gives its value to each pixel whose centre is within the brush, anywhere between two places.
  stroke(a, b) {
    const { width, height, values } = this.mask;
    const r = this.radius;
    const left = Math.max(0, Math.floor(Math.min(a.x, b.x) - r));
    const right = Math.min(width, Math.ceil(Math.max(a.x, b.x) + r));
    const top = Math.max(0, Math.floor(Math.min(a.y, b.y) - r));
    const bottom = Math.min(height, Math.ceil(Math.max(a.y, b.y) + r));
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const length = dx * dx + dy * dy || 1;
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) {
        const [px, py] = [x + 0.5 - a.x, y + 0.5 - a.y];
        const along = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
        if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= r * r) {
          values[y * width + x] = this.brush;
        }
      }
    }
    this.draw(left, top, right, bottom);
  }

  changed(from) {
    const { mask } = this;
    mask.from = from;
    this.unsaved.set(mask.index, mask);
    this.mark();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), WAIT);
    this.page.describe();
  }

  accept() {
    if (this.mask.from === 'proposal') {
      this.remember();
      this.changed('mask');
    }
    return this.page.next();
  }

  clear() {
    this.remember();
    this.mask.values.fill(0);
    this.draw(0, 0, this.mask.width, this.mask.height);
    this.changed('mask');
  }

  undo() {
    const before = this.mask.undo.pop();
    if (!before) {
      this.page.tell('There is nothing to undo.');
      return;
    }
    this.mask.values = before.values;
    this.draw(0, 0, this.mask.width, this.mask.height);
    this.changed('mask');
  }

  async leave() {
    this.up();
    this.mask = null;
    await this.save();
  }

  // Saves all that is not saved, one after the other; strokes that come meanwhile wait.
  save() {
    clearTimeout(this.timer);
    this.saving = this.saving.then(async () => {
      for (const mask of [...this.unsaved.values()].filter((one) => one.from !== 'outdated')) {
        const values = mask.values.slice();
        try {
          const version = await postBytes(`mask/${mask.index}`, values, mask.version);
          mask.version = version;
          if (values.every((value, k) => value === mask.values[k])) {
            this.unsaved.delete(mask.index);
          }
        } catch (error) {
          await this.refused(mask, error);
        }
      }
      this.mark();
      this.page.describe();
    });
    return this.saving;
  }

  // Keeps a mask that was changed elsewhere until somebody draws on in it.
  async refused(mask, error) {
    if (error.status !== 409) {
      this.page.complain(error);
      return;
    }
    mask.from = 'outdated';
    const name = this.page.state.names[mask.index];
    this.page.tell(`${error.message}. Draw on in ${name} to replace that mask, or reload the page to see it.`, false);
    try {
      mask.version = (await get(`info/${mask.index}`)).mask;
    } catch {
      // the next try to save it is refused, too, and asks again
    }
  }

  mark() {
    document.body.dataset.unsaved = this.unsaved.size;
  }

  state(index) {
    const { mask } = this;
    if (!mask || mask.index !== index) {
      return { text: '' };
    }
    const what = {
      nothing: 'no mask yet', proposal: 'proposed: A accepts, R rejects', mask: 'mask',
      outdated: 'not saved: changed elsewhere',
    }[mask.from];
    const kept = { mask: this.unsaved.has(index) ? ', not saved yet' : ', saved' }[mask.from];
    return { text: what + (kept ?? '') };
  }
}
