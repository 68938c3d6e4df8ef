// What keys, buttons and the pointer do.

const element = (id) => document.getElementById(id);

export function listen(page) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === 'SELECT') {
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const view = { l: 'labels', m: 'masks', p: 'zones' }[key];
    const command = page.commands().find((one) => one.keys.includes(key));
    if (event.target.tagName === 'BUTTON' && (key === ' ' || key === 'Enter')) {
      event.target.blur();
    }
    if (command && (!event.repeat || command.repeats)) {
      event.preventDefault();
      page.run(command).catch((error) => page.complain(error));
    } else if (view && !event.repeat) {
      page.change(view).catch((error) => page.complain(error));
    }
  });
  for (const name of Object.keys(page.views)) {
    element(`view-${name}`).onclick = () => page.change(name).catch((error) => page.complain(error));
  }
  element('filter').addEventListener('change', (event) => {
    event.target.blur();
    page.tell('');
    page.choose(event.target.value);
  });
  let last = null; // where the hand holds the picture
  page.stage.addEventListener('pointerdown', (event) => {
    page.stage.setPointerCapture(event.pointerId);
    if (page.view.down && event.button === 0 && !event.shiftKey) {
      if (page.ready) {
        page.view.down(page.viewport.inPicture(event), event);
      }
    } else {
      last = event;
    }
  });
  page.stage.addEventListener('pointermove', (event) => {
    if (last) {
      page.viewport.pan(event.clientX - last.clientX, event.clientY - last.clientY);
      last = event;
    } else {
      page.view.move?.(page.viewport.inPicture(event), event);
    }
  });
  for (const end of ['pointerup', 'pointercancel']) {
    page.stage.addEventListener(end, () => {
      last = null;
      page.view.up?.();
    });
  }
  page.stage.addEventListener('contextmenu', (event) => event.preventDefault());
  window.addEventListener('beforeunload', (event) => {
    if (Object.values(page.views).some((view) => view.isBusy?.())) {
      event.preventDefault();
    }
  });
}
