// Shows picture after picture; each view says which keys there are and what they do.

import { LabelsView } from './labels.js';
import { MasksView } from './masks.js';
import { listen } from './input.js';
import { get } from './server.js';
import { Viewport } from './viewport.js';
import { ZonesView } from './zones.js';

const AHEAD = 5; // pictures that are loaded before they are needed
const element = (id) => document.getElementById(id);

class Page {
  constructor(state) {
    this.state = state;
    this.stage = element('stage');
    this.sheet = element('sheet');
    this.viewport = new Viewport(this.stage, this.sheet);
    this.index = null;
    this.ready = false; // whether the picture, and what belongs to it, can be seen
    this.shown = 0; // grows with each picture, so that what comes late is known to be late
    this.pictures = new Map();
    this.views = { labels: new LabelsView(this), masks: new MasksView(this), zones: new ZonesView(this) };
    this.view = this.views.labels;
    this.order = [];
    document.title = `${state.folder} – labels`;
    for (const [name, text] of Object.entries(this.filters())) {
      element('filter').add(new Option(text, name));
    }
  }

  filters() {
    const { listed, predictions } = this.state;
    return {
      unlabelled: 'unlabelled',
      all: 'all',
      ...(listed.length ? { suggested: 'suggested' } : {}),
      ...(Object.keys(predictions).length ? { disagreed: 'disagreed' } : {}),
    };
  }

  fits(index, filter = element('filter').value) {
    const labels = this.state.labels[index];
    if (filter === 'unlabelled') {
      return !labels || labels.includes(null);
    }
    if (filter === 'disagreed') {
      const said = this.state.predictions[index] ?? [];
      return Boolean(labels) && said.some((one, k) => one !== null && one !== labels[k]);
    }
    return true;
  }

  // Takes the pictures that a filter lets through now; those stay, whatever becomes of them.
  choose(filter) {
    element('filter').value = filter;
    const all = this.state.names.map((_, index) => index);
    const from = filter === 'suggested' ? this.state.listed : all;
    this.order = from.filter((index) => this.fits(index, filter));
    if (!this.order.length) {
      this.tell(`There are no pictures that are ${filter}.`);
      if (filter !== 'all') {
        return this.choose('all');
      }
    }
    const open = this.order.find((index) => this.fits(index, 'unlabelled'));
    return this.show(this.order.includes(this.index) ? this.index : open ?? this.order[0]);
  }

  // Goes so many pictures on, as far as there are any.
  step(count) {
    const place = Math.max(0, this.order.indexOf(this.index));
    const next = Math.min(this.order.length - 1, Math.max(0, place + count));
    return this.show(this.order[next]);
  }

  // Goes on to what is still to be done; pictures that were skipped come again at the end.
  next() {
    const filter = element('filter').value;
    const place = this.order.indexOf(this.index);
    const rest = this.order.slice(place + 1);
    const again = filter === 'unlabelled' ? this.order.slice(0, place) : [];
    const found = [...rest, ...again].find((index) => this.fits(index));
    if (found !== undefined) {
      return this.show(found);
    }
    const left = this.state.names.filter((_, index) => this.fits(index, 'unlabelled')).length;
    this.tell(left ? `That was the last one; ${left} have no label.` : 'All have a label.');
    this.describe();
    return null;
  }

  picture(index) {
    if (!this.pictures.has(index)) {
      const image = new Image();
      image.draggable = false;
      image.alt = '';
      image.src = `picture/${index}`;
      image.ready = image.decode().catch(() => {});
      this.pictures.set(index, image);
    }
    return this.pictures.get(index);
  }

  async show(index) {
    this.ready = false;
    delete document.body.dataset.ready;
    await this.view.leave?.();
    this.index = index;
    this.shown += 1;
    const turn = this.shown;
    const place = this.order.indexOf(index);
    const near = [index, ...this.order.slice(place + 1, place + 1 + AHEAD), this.order[place - 1]];
    const wanted = new Set(near.filter((one) => one !== undefined));
    for (const one of [...this.pictures.keys()].filter((one) => !wanted.has(one))) {
      this.pictures.delete(one);
    }
    const image = this.picture(index);
    for (const one of wanted) {
      this.picture(one);
    }
    this.describe();
    await image.ready;
    if (turn !== this.shown) {
      return;
    }
    this.sheet.replaceChildren(image);
    if (image.naturalWidth) {
      this.viewport.resize(image.naturalWidth, image.naturalHeight);
    } else {
      this.tell(`${this.state.names[index]} cannot be read; skip it.`);
    }
    try {
      await this.view.show?.(index);
      this.ready = turn === this.shown;
    } catch (error) {
      this.complain(error);
    }
    if (turn === this.shown) {
      document.body.dataset.ready = index;
    }
  }

  async change(name) {
    this.ready = false;
    this.tell('');
    await this.view.leave?.();
    this.view.exit?.();
    this.view = this.views[name];
    this.stage.classList.toggle('draws', name !== 'labels');
    await this.show(this.index);
  }

  isCurrent(index) {
    return index === this.index;
  }

  // Says what the bars have to say of the picture and of all.
  describe() {
    const { labels, names, classes } = this.state;
    const done = labels.filter((one) => one && !one.includes(null));
    const counts = classes.map((name, k) => `${done.filter((one) => one[k]).length} ${name}`);
    const none = done.filter((one) => !one.includes(1)).length;
    element('progress').textContent =
      `${done.length} of ${names.length} labelled: ${counts.join(', ')}, ${none} clear`;
    element('name').textContent = names[this.index];
    const { text, kind } = this.view.state(this.index);
    element('state').textContent = text;
    element('state').className = kind ?? '';
    for (const [name, view] of Object.entries(this.views)) {
      element(`view-${name}`).setAttribute('aria-pressed', view === this.view);
    }
    this.hint();
    window.history.replaceState(null, '', `#${this.viewName()}/${this.index}`);
  }

  viewName() {
    return Object.keys(this.views).find((name) => this.views[name] === this.view);
  }

  hint() {
    const commands = this.commands();
    const there = [...element('keys').children];
    const same = there.map((one) => one.dataset.what).join() === commands.map(whatOf).join();
    const buttons = same ? there : commands.map(buttonOf);
    commands.forEach((command, k) => {
      buttons[k].onclick = () => this.run(command);
      if (command.pressed !== undefined) {
        buttons[k].setAttribute('aria-pressed', command.pressed);
      }
    });
    if (!same) {
      element('keys').replaceChildren(...buttons);
    }
  }

  commands() {
    return [
      ...this.view.commands(),
      { keys: ['ArrowLeft'], sign: '←', text: 'back', run: () => this.step(-1) },
      { keys: ['ArrowRight'], sign: '→', text: 'on', run: () => this.step(1) },
      { keys: ['z'], sign: 'Z', text: 'zoom', run: () => this.viewport.toggle() },
    ];
  }

  // Does what a key or a button stands for; what is done to a picture waits until it can be seen.
  async run(command) {
    if (command.picture && !this.ready) {
      return;
    }
    this.tell('');
    await command.run();
    this.describe();
  }

  tell(text, mild = true) {
    const message = element('message');
    message.textContent = text;
    message.hidden = !text;
    message.classList.toggle('mild', mild);
  }

  complain(error) {
    this.tell(error.message, false);
  }
}

const whatOf = (command) => `${command.sign} ${command.text}`;

function buttonOf(command) {
  const button = document.createElement('button');
  const key = document.createElement('kbd');
  key.textContent = command.sign;
  button.type = 'button';
  button.tabIndex = -1; // keys do the same
  button.dataset.what = whatOf(command);
  button.append(key, ` ${command.text}`);
  return button;
}

async function begin() {
  const page = new Page(await get('state'));
  listen(page);
  const [, view, index] = window.location.hash.match(/^#(labels|masks|zones)\/(\d+)$/) ?? [];
  const { names, listed } = page.state;
  page.index = Number(index) < names.length ? Number(index) : null;
  const open = names.some((_, k) => page.fits(k, 'unlabelled'));
  page.view = page.views[view] ?? page.views.labels;
  page.stage.classList.toggle('draws', page.view !== page.views.labels);
  const first = open && page.view === page.views.labels ? 'unlabelled' : 'all';
  page.choose(listed.length ? 'suggested' : first);
  setInterval(() => page.views.labels.catchUp(), 3000);
}

begin().catch((error) => {
  element('message').hidden = false;
  element('message').textContent = error.message;
});
