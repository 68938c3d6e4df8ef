// Yes and no: a key a picture. Labels are shown at once and saved one after the other.

import { get, post } from './server.js';

const MINUTE = 60000;
const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

export class LabelsView {
  constructor(page) {
    this.page = page;
    this.saved = [...page.state.labels];
    this.done = []; // what can be undone
    this.times = [];
    this.chosen = null; // labels of several classes before Enter
    this.waiting = new Map(); // picture -> labels that are not saved yet
    this.queue = Promise.resolve();
  }

  isBusy() {
    return this.waiting.size > 0;
  }

  commands() {
    const { classes } = this.page.state;
    const single = classes.length === 1;
    const now = this.now();
    const yes = classes.map((name, k) => ({
      keys: [String(k + 1)],
      sign: String(k + 1),
      text: name,
      pressed: Boolean(now?.[k]),
      picture: true,
      run: () => (single ? this.label([1]) : this.toggle(k)),
    }));
    const save = { keys: ['Enter'], sign: '⏎', text: 'save', picture: true, run: () => this.label(this.chosen ?? now ?? this.none()) };
    const no = {
      keys: ['0'], sign: '0', text: single ? `no ${classes[0]}` : 'none of them',
      pressed: Boolean(now) && now.every((label) => label === 0),
      picture: true,
      run: () => this.label(this.none()),
    };
    return [
      ...yes,
      no,
      ...(single ? [] : [save]),
      { keys: [' ', 's'], sign: 'space', text: 'skip', run: () => this.page.next() },
      { keys: ['u', 'Backspace'], sign: 'U', text: 'undo', run: () => this.undo() },
    ];
  }

  none() {
    return this.page.state.classes.map(() => 0);
  }

  now() {
    return this.chosen ?? this.page.state.labels[this.page.index];
  }

  toggle(k) {
    this.chosen = (this.now() ?? this.none()).map((label, j) => Number(j === k ? !label : label));
  }

  leave() {
    this.chosen = null;
  }

  label(labels) {
    const { index, state } = this.page;
    const clean = labels.map(Number);
    const entry = { index, before: state.labels[index] ?? null, after: clean };
    this.chosen = null;
    this.done.push(entry);
    this.times.push(performance.now());
    this.put(entry, clean);
    return this.page.next();
  }

  async undo() {
    const entry = this.done.pop();
    if (!entry) {
      this.page.tell('There is nothing to undo.');
      return;
    }
    this.times.pop();
    this.put(entry, entry.before, entry.after);
    await this.page.show(entry.index);
  }

  // Shows labels at once, and saves them after all that came before.
  put(entry, labels, onlyIf) {
    const { state } = this.page;
    const { index } = entry;
    state.labels[index] = labels;
    this.waiting.set(index, (this.waiting.get(index) ?? 0) + 1);
    this.mark();
    this.queue = this.queue.then(async () => {
      const condition = onlyIf === undefined ? {} : { only_if: onlyIf };
      try {
        const found = await post(`label/${index}`, { labels, since: state.version, ...condition });
        this.settle(index);
        this.take(found);
        if (!found.done) {
          this.page.tell('Somebody else has labelled it meanwhile; that label stays.');
        }
      } catch (error) {
        this.settle(index);
        state.labels[index] = this.saved[index];
        this.done = this.done.filter((one) => one !== entry);
        await this.page.show(index);
        this.page.complain(error);
      }
      this.mark();
      this.page.describe();
    });
  }

  settle(index) {
    const left = this.waiting.get(index) - 1;
    if (left) {
      this.waiting.set(index, left);
    } else {
      this.waiting.delete(index);
    }
  }

  take({ version, labels }) {
    const { state } = this.page;
    state.version = version;
    for (const [index, found] of Object.entries(labels)) {
      this.saved[index] = found;
      if (!this.waiting.has(Number(index)) && !same(state.labels[index], found)) {
        state.labels[index] = found;
      }
    }
  }

  // Asks what others have labelled.
  async catchUp() {
    if (this.isBusy()) {
      return;
    }
    try {
      const found = await get(`changes/${this.page.state.version}`);
      if (found.version > this.page.state.version) {
        this.take(found);
        this.page.describe();
      }
    } catch (error) {
      if (document.getElementById('message').hidden) { // what is not saved is said already
        this.page.complain(error);
      }
    }
    this.mark();
  }

  mark() {
    document.body.dataset.waiting = this.waiting.size;
    const now = performance.now();
    const lately = this.times.filter((time) => now - time < MINUTE);
    const span = Math.min(MINUTE, now - (this.times[0] ?? now));
    const rate = span > 5000 ? Math.round((lately.length * MINUTE) / span) : null;
    document.getElementById('rate').textContent = rate === null ? '' : `${rate} a minute`;
  }

  state(index) {
    const { classes, predictions } = this.page.state;
    const labels = this.now();
    const names = classes.filter((_, k) => labels?.[k]);
    const said = (predictions[index] ?? []).map((one, k) => [one, classes[k]]);
    const list = said.filter(([one]) => one !== null).map(([one, name]) => (one ? name : `no ${name}`));
    const text = !labels ? 'no label yet' : names.length ? names.join(', ') : this.noneText();
    const open = this.chosen ? ' (Enter saves)' : '';
    return {
      text: text + open + (list.length ? ` · the list says ${list.join(', ')}` : ''),
      kind: !labels ? '' : names.length ? 'yes' : 'no',
    };
  }

  noneText() {
    const { classes } = this.page.state;
    return classes.length === 1 ? `no ${classes[0]}` : 'none';
  }
}
