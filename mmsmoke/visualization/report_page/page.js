'use strict';
// Draws the examples of a report and thresholds their maps anew whenever the slider moves.
// Each example has a picture and one lossless image: red is the score of the CAM, green the mask
// of the segmenter, blue the truth (128 where it is unknown).

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
function paint(canvas, picture, colourOf) {
  canvas.width = picture.width;
  canvas.height = picture.height;
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
  canvas.getContext('2d').putImageData(out, 0, 0);
}

const smoke = [...data.colour, 0.5];
const grey = [128, 128, 128, 0.7];

function iouAt(maps, threshold) {
  let hit = 0;
  let either = 0;
  let truth = 0;
  for (let i = 0; i < maps.data.length; i += 4) {
    if (maps.data[i + 2] !== 128) {
      const called = maps.data[i] / 255 > threshold;
      const smoky = maps.data[i + 2] === 255;
      hit += called && smoky;
      either += called || smoky;
      truth += smoky;
    }
  }
  return truth ? (100 * hit) / either : null;
}

async function build(example) {
  const figure = document.createElement('figure');
  const caption = document.createElement('figcaption');
  const panels = document.createElement('div');
  panels.className = 'panels';
  figure.append(caption, panels);
  document.getElementById('cards').append(figure);
  const [picture, maps] = await Promise.all([pixelsOf(example.picture), pixelsOf(example.maps)]);
  const views = {};
  for (const title of data.panels) {
    const { box, canvas } = panel(title, example.name);
    panels.append(box);
    views[title] = canvas;
  }
  paint(views.image, picture, () => null);
  paint(views.CAM, picture, (i) => [...data.heat[maps.data[4 * i]], 0.6]);
  if (views.segmenter) {
    paint(views.segmenter, picture, (i) => (maps.data[4 * i + 1] ? smoke : null));
  }
  if (example.truth) {
    paint(views.truth, picture, (i) => {
      const value = maps.data[4 * i + 2];
      return value === 255 ? smoke : value === 128 ? grey : null;
    });
  } else {
    views.truth.replaceWith('not known');
  }
  return { example, figure, caption, picture, maps, mask: views['CAM > threshold'] };
}

function show(card, threshold) {
  const { example } = card;
  card.figure.hidden = ['split', 'group', 'outcome'].some(
    (name) => input[name].value !== 'all' && input[name].value !== example[name],
  );
  if (card.figure.hidden) {
    return null;
  }
  paint(card.mask, card.picture, (i) => (card.maps.data[4 * i] / 255 > threshold ? smoke : null));
  const iou = example.truth ? iouAt(card.maps, threshold) : null;
  const parts = [example.name, `${example.split}, ${example.group}`, example.says];
  if (iou !== null) {
    parts.push(`CAM: IoU ${iou.toFixed(1)}`);
  }
  if (example.iou !== null) {
    parts.push(`${data.panels.includes('segmenter') ? 'segmenter' : 'tested CAM'}: IoU ${example.iou.toFixed(1)}`);
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
    (known.length ? `; mean IoU of CAM > ${threshold.toFixed(2)} over those with smoke: ${mean.toFixed(1)} %` : '');
  // so that a link shows what its sender sees
  const values = controls.map((name) => `${name}=${encodeURIComponent(input[name].value)}`);
  window.history.replaceState(null, '', `#${values.join('&')}`);
}

function readAddress() {
  for (const [name, value] of new URLSearchParams(window.location.hash.slice(1))) {
    if (input[name]) {
      const before = input[name].value;
      input[name].value = value;
      if (!input[name].value) {
        input[name].value = before; // a choice that this report does not have
      }
    }
  }
}

Promise.all(data.examples.map(build)).then((cards) => {
  readAddress();
  for (const name of controls) {
    input[name].addEventListener('input', () => render(cards));
  }
  document.getElementById('reset').addEventListener('click', () => {
    input.threshold.value = Math.round(100 * data.threshold);
    render(cards);
  });
  render(cards);
  document.body.dataset.ready = 'yes';
}).catch((error) => {
  document.getElementById('status').textContent = error.message;
});
