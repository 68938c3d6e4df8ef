// Draws polygons of a camera view: where to look, what to ignore, and chimneys.

import { get, post } from './server.js';

const SVG = 'http://www.w3.org/2000/svg';
const NEAR = 9; // pixels of the screen within which a corner is meant
const KINDS = { zones: ['w', 'watch'], ignored: ['i', 'ignore'], polygons: ['c', 'chimney'] };

export class ZonesView {
  constructor(page) {
    this.page = page;
    this.kind = 'zones';
    this.open = []; // corners of the polygon that is being drawn
    this.drawn = null;
    this.made = null; // where drawn is from: a picture of the view, and the version of the file
    this.chosen = null; // kind and number of the polygon that keys are about
    this.done = [];
    this.svg = document.createElementNS(SVG, 'svg');
    this.saving = Promise.resolve();
    this.pending = 0;
  }

  isBusy() {
    return this.pending > 0;
  }

  commands() {
    const kinds = Object.entries(KINDS).map(([kind, [key, text]]) => ({
      keys: [key], sign: key.toUpperCase(), text, pressed: this.kind === kind,
      run: () => { this.kind = kind; this.render(); },
    }));
    return [
      ...kinds,
      { keys: ['Enter'], sign: '⏎', text: 'close', picture: true, run: () => this.close() },
      { keys: ['Escape'], sign: 'Esc', text: 'cancel', run: () => { this.open = []; this.chosen = null; this.render(); } },
      { keys: ['d', 'Delete'], sign: 'D', text: 'delete', picture: true, run: () => this.remove() },
      { keys: ['u', 'Backspace'], sign: 'U', text: 'undo', picture: true, run: () => this.undo() },
      { keys: [' '], sign: 'space', text: 'next', run: () => this.page.step(1) },
    ];
  }

  async show(index) {
    this.drawn = null;
    await this.saving;
    const [info, found] = await Promise.all([get(`info/${index}`), get(`drawn/${index}`)]);
    if (!this.page.isCurrent(index) || this.page.view !== this) {
      return;
    }
    if (info.view !== this.info?.view) {
      Object.assign(this, { open: [], chosen: null, done: [] });
    }
    this.info = info;
    this.take(index, found);
    this.page.viewport.moved = () => this.render();
    this.page.viewport.resize(...info.size);
    this.svg.setAttribute('viewBox', `0 0 ${info.size.join(' ')}`);
    this.page.sheet.append(this.svg);
    this.render();
    this.page.describe();
  }

  take(index, { drawn, version }) {
    this.drawn = drawn;
    this.made = { index, version };
  }

  exit() {
    this.page.viewport.moved = () => {};
    this.open = [];
    this.drawn = null;
  }

  // The file's coordinates are those of the pictures that were drawn on.
  toFile({ x, y }) {
    const { scale, offset } = this.info;
    return [x / scale[0] + offset[0], y / scale[1] + offset[1]];
  }

  toPicture([x, y]) {
    const { scale, offset } = this.info;
    return [(x - offset[0]) * scale[0], (y - offset[1]) * scale[1]];
  }

  isNear(corner, place) {
    const [x, y] = this.toPicture(corner);
    return Math.hypot(x - place.x, y - place.y) * this.page.viewport.scale <= NEAR;
  }

  down(place) {
    if (this.open.length) {
      if (this.open.length > 2 && this.isNear(this.open[0], place)) {
        this.close();
        return;
      }
      this.open.push(this.toFile(place));
    } else {
      this.chosen = this.find(place);
      if (this.chosen) {
        this.before = JSON.stringify(this.drawn);
      } else {
        this.open = [this.toFile(place)];
      }
    }
    this.render();
  }

  find(place) {
    for (const kind of Object.keys(KINDS)) {
      for (const [number, polygon] of this.drawn[kind].entries()) {
        const corner = polygon.findIndex((one) => this.isNear(one, place));
        if (corner >= 0) {
          return { kind, number, corner };
        }
      }
    }
    return null;
  }

  move(place) {
    if (this.before && this.chosen) {
      const { kind, number, corner } = this.chosen;
      this.drawn[kind][number][corner] = this.toFile(place);
      this.dragged = true;
    }
    this.hover = place;
    if (this.drawn && (this.open.length || this.before)) {
      this.render();
    }
  }

  up() {
    if (this.before && this.dragged) {
      this.done.push(this.before);
      this.save();
    }
    this.before = null;
    this.dragged = false;
  }

  close() {
    if (this.open.length < 3) {
      this.page.tell('A polygon needs three corners: click them, then press Enter.');
      return;
    }
    this.done.push(JSON.stringify(this.drawn));
    this.drawn[this.kind].push(this.open);
    this.open = [];
    this.save();
  }

  remove() {
    if (!this.chosen) {
      this.page.tell('Click a corner of what is to be deleted first.');
      return;
    }
    this.done.push(JSON.stringify(this.drawn));
    this.drawn[this.chosen.kind].splice(this.chosen.number, 1);
    this.chosen = null;
    this.save();
  }

  undo() {
    if (this.open.length) {
      this.open.pop();
      this.render();
    } else if (this.done.length) {
      this.drawn = JSON.parse(this.done.pop());
      this.chosen = null;
      this.save();
    } else {
      this.page.tell('There is nothing to undo.');
    }
  }

  save() {
    const { made } = this;
    const content = JSON.parse(JSON.stringify(this.drawn));
    this.render();
    this.pending += 1;
    this.mark();
    this.saving = this.saving.then(async () => {
      try {
        made.version = (await post(`drawn/${made.index}`, content, made.version)).version;
      } catch (error) {
        this.page.complain(error);
        if (error.status === 409) {
          await this.reload(made, error);
        }
      }
      this.pending -= 1;
      this.mark();
      this.page.describe();
    });
  }

  // Shows what is there now; all that was made of an earlier version is refused as this was.
  async reload(made, error) {
    try {
      const found = await get(`drawn/${made.index}`);
      if (made === this.made) {
        Object.assign(this, { chosen: null, before: null, done: [] });
        this.take(made.index, found);
        this.render();
      }
      this.page.tell(`${error.message}. It is shown as it is now: draw again what you drew last.`, false);
    } catch (failure) {
      this.page.complain(failure);
    }
  }

  mark() {
    document.body.dataset.pending = this.pending;
  }

  async leave() {
    this.up();
    await this.saving;
  }

  render() {
    if (!this.drawn) {
      return;
    }
    const shapes = [];
    const add = (name, points, kind, chosen) => {
      const shape = document.createElementNS(SVG, name);
      shape.setAttribute('points', points.map((one) => one.join()).join(' '));
      shape.setAttribute('class', chosen ? `${kind} chosen` : kind);
      shapes.push(shape);
    };
    const corners = [];
    for (const kind of Object.keys(KINDS)) {
      this.drawn[kind].forEach((polygon, number) => {
        const chosen = this.chosen?.kind === kind && this.chosen.number === number;
        add('polygon', polygon.map((one) => this.toPicture(one)), kind, chosen);
        corners.push(...polygon);
      });
    }
    if (this.open.length) {
      const line = this.open.map((one) => this.toPicture(one));
      add('polyline', this.hover ? [...line, [this.hover.x, this.hover.y]] : line, this.kind, true);
      corners.push(...this.open);
    }
    for (const corner of corners) {
      const circle = document.createElementNS(SVG, 'circle');
      const [x, y] = this.toPicture(corner);
      circle.setAttribute('cx', x);
      circle.setAttribute('cy', y);
      circle.setAttribute('r', 4 / this.page.viewport.scale);
      shapes.push(circle);
    }
    this.svg.replaceChildren(...shapes);
  }

  state() {
    if (!this.drawn) {
      return { text: '' };
    }
    const words = { zones: 'watched', ignored: 'ignored', polygons: 'chimneys' };
    const counts = Object.entries(words).map(([kind, word]) => `${this.drawn[kind].length} ${word}`);
    const view = this.info.view ? `view ${this.info.view}: ` : '';
    return { text: view + counts.join(', ') };
  }
}
