'use strict';
// Draws the examples of a report and thresholds their maps anew whenever the slider moves.
// Each example has a picture and one lossless image: red is the score of the CAM, blue the truth
// (128 where it is unknown), bits of green are the mask of the segmentor and the pseudo mask.
// Of several classes, blue is the number of the true one, and another image has the numbers of the
// one whose score it is, of the segmentor's and of the pseudo mask's (255 where that is open).

const data = JSON.parse(document.getElementById('data').textContent);
const controls = ['threshold', 'split', 'group', 'outcome'];
const input = Object.fromEntries(controls.map((name) => [name, document.getElementById(name)]));

function pixelsOf(address) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement('canvas');
      canvas.width = image.naturalWidth;
      canvas.height = image.naturalHeight;
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(image, 0, 0);
      resolve(context.getImageData(0, 0, canvas.width, canvas.height));
    };
    image.onerror = () => reject(new Error('an image of the report cannot be read'));
    image.src = address;
  });
}

function panel(title, name) {
  const box = document.createElement('div');
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `${title} of ${name}`);
  box.append(canvas, title);
  return { box, canvas };
}

// colourOf(i) gives [r, g, b, opacity] of pixel i, or nothing where the picture stays as it is
function tinted(picture, colourOf) {
  const out = new ImageData(new Uint8ClampedArray(picture.data), picture.width, picture.height);
  for (let i = 0; i < picture.width * picture.height; i += 1) {
    const colour = colourOf(i);
    if (colour) {
      for (let c = 0; c < 3; c += 1) {
        const place = 4 * i + c;
        out.data[place] += (colour[c] - out.data[place]) * colour[3];
      }
    }
  }
  return out;
}

function draw(canvas, pixels) {
  if (canvas.width !== pixels.width || canvas.height !== pixels.height) {
    canvas.width = pixels.width;
    canvas.height = pixels.height;
  }
  canvas.getContext('2d').putImageData(pixels, 0, 0);
}

// Gives a function of the threshold; the slider calls it often, so each colour is worked out once.
function thresholded(picture, maps, best) {
  const whole = (image) => new Uint32Array(image.data.buffer); // a pixel at a time
  const out = new ImageData(picture.width, picture.height);
  const [clear, called, pixels] = [picture, tinted(picture, (i) => colours[best(i)]), out].map(whole);
  return (threshold) => {
    for (let i = 0; i < pixels.length; i += 1) {
      pixels[i] = maps.data[4 * i] / 255 > threshold ? called[i] : clear[i];
    }
    return out;
  };
}

const [SEGMENTOR, LABEL, LABEL_OPEN] = [128, 64, 32]; // as pack_example has it
const colours = [null, ...data.classes.map(({ colour }) => [...colour, 0.5])]; // background first
const grey = [128, 128, 128, 0.7];
const UNKNOWN = 128;

// Functions of a pixel's place that give numbers of classes: whose score it is, the segmentor's,
// the pseudo mask's (255 where that is open) and the true one (128 where it is unknown).
function labelsOf(maps, classes) {
  const bits = (i) => maps.data[4 * i + 1];
  const blue = (i) => maps.data[4 * i + 2];
  if (classes) {
    const [best, segmentor, label] = [0, 1, 2].map((c) => (i) => classes.data[4 * i + c]);
    return { best, segmentor, label, truth: blue };
  }
  return {
    best: () => 1,
    segmentor: (i) => (bits(i) & SEGMENTOR ? 1 : 0),
    label: (i) => (bits(i) & LABEL ? 1 : bits(i) & LABEL_OPEN ? 255 : 0),
    truth: (i) => (blue(i) === UNKNOWN ? UNKNOWN : blue(i) && 1),
  };
}

// the mean over the classes that are there
function iouAt(maps, labels, threshold) {
  const [hit, called, truth] = [0, 1, 2].map(() => colours.map(() => 0));
  for (let i = 0; i < maps.data.length / 4; i += 1) {
    const is = labels.truth(i);
    if (is !== UNKNOWN) {
      const says = maps.data[4 * i] / 255 > threshold ? labels.best(i) : 0;
      hit[is] += says === is;
      called[says] += 1;
      truth[is] += 1;
    }
  }
  const ious = [];
  for (let k = 1; k < colours.length; k += 1) {
    if (truth[k]) {
      ious.push((100 * hit[k]) / (called[k] + truth[k] - hit[k]));
    }
  }
  return ious.length ? ious.reduce((sum, iou) => sum + iou, 0) / ious.length : null;
}

function drawLegend() {
  for (const { name, colour } of data.classes.length > 1 ? data.classes : []) {
    const mark = document.createElement('span');
    mark.className = 'mark';
    mark.style.backgroundColor = `rgb(${colour.join(',')})`;
    document.getElementById('legend').append(mark, `${name} `);
  }
}

async function build(example) {
  const figure = document.createElement('figure');
  const caption = document.createElement('figcaption');
  const panels = document.createElement('div');
  panels.className = 'panels';
  figure.append(caption, panels);
  document.getElementById('cards').append(figure);
  const addresses = [example.picture, example.maps, example.classes].filter(Boolean);
  const [picture, maps, classes] = await Promise.all(addresses.map(pixelsOf));
  const labels = labelsOf(maps, classes);
  const views = {};
  for (const title of data.panels) {
    if (title === 'pseudo mask' && !example.label) {
      continue; // nothing learned from this image
    }
    const { box, canvas } = panel(title, example.name);
    panels.append(box);
    views[title] = canvas;
  }
  draw(views.image, picture);
  draw(views.CAM, tinted(picture, (i) => [...data.heat[maps.data[4 * i]], 0.6]));
  const colourOf = (value, open) => (value === open ? grey : colours[value]);
  if (views.segmentor) {
    draw(views.segmentor, tinted(picture, (i) => colourOf(labels.segmentor(i), 255)));
  }
  if (views['pseudo mask']) {
    draw(views['pseudo mask'], tinted(picture, (i) => colourOf(labels.label(i), 255)));
  }
  if (example.truth) {
    draw(views.truth, tinted(picture, (i) => colourOf(labels.truth(i), UNKNOWN)));
  } else {
    views.truth.parentElement.textContent = 'truth: not known';
  }
  const mask = thresholded(picture, maps, labels.best);
  return { example, figure, caption, maps, labels, mask, canvas: views['CAM > threshold'] };
}

function show(card, threshold) {
  const { example } = card;
  card.figure.hidden = ['split', 'group', 'outcome'].some(
    (name) => input[name].value !== 'all' && input[name].value !== example[name],
  );
  if (card.figure.hidden) {
    return null;
  }
  draw(card.canvas, card.mask(threshold));
  const iou = example.truth ? iouAt(card.maps, card.labels, threshold) : null;
  const parts = [example.name, `${example.split}, ${example.group}`, example.says];
  if (iou !== null) {
    parts.push(`CAM: IoU ${iou.toFixed(1)}`);
  }
  if (example.iou !== null) {
    parts.push(`${example.tested}: IoU ${example.iou.toFixed(1)}`);
  }
  card.caption.textContent = parts.join(' · ');
  return iou;
}

function render(cards) {
  const threshold = Number(input.threshold.value) / 100;
  document.getElementById('threshold-value').textContent = threshold.toFixed(2);
  const ious = cards.map((card) => show(card, threshold));
  const shown = cards.filter((card) => !card.figure.hidden).length;
  const known = ious.filter((iou) => iou !== null);
  const mean = known.reduce((sum, iou) => sum + iou, 0) / known.length;
  document.getElementById('status').textContent =
    `${shown} of ${cards.length} examples` +
    (known.length ? `; mean IoU of CAM > ${threshold.toFixed(2)} over those with ${data.classes.length > 1 ? 'a class' : 'smoke'}: ${mean.toFixed(1)} %` : '');
}

// so that a link shows what its sender sees
function writeAddress() {
  const values = controls.map((name) => `${name}=${encodeURIComponent(input[name].value)}`);
  window.history.replaceState(null, '', `#${values.join('&')}`);
}

// leaves out what this report does not have
function readAddress() {
  for (const [name, value] of new URLSearchParams(window.location.hash.slice(1))) {
    const choices = [...(input[name]?.options ?? [])].map((option) => option.value);
    if (choices.includes(value) || (name === 'threshold' && /^\d+$/.test(value))) {
      input[name].value = value;
    }
  }
}

drawLegend();
Promise.all(data.examples.map(build)).then((cards) => {
  const changed = () => {
    render(cards);
    writeAddress();
  };
  const followAddress = () => {
    readAddress();
    render(cards);
  };
  for (const name of controls) {
    input[name].addEventListener('input', changed);
  }
  document.getElementById('reset').addEventListener('click', () => {
    input.threshold.value = Math.round(100 * data.threshold);
    changed();
  });
  window.addEventListener('hashchange', followAddress);
  followAddress();
  document.getElementById(window.location.hash.slice(1))?.scrollIntoView(); // the page has grown
  document.body.dataset.ready = 'yes';
}).catch((error) => {
  document.getElementById('status').textContent = error.message;
});
