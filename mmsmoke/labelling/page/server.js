// What the page says to the tool that serves it.

async function answer(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    const lost = options ? ' What you did last is not saved.' : '';
    throw new Error(`No answer: does tools/label.py still run?${lost}`);
  }
  if (!response.ok) {
    const error = new Error(await response.text());
    error.status = response.status;
    throw error;
  }
  return response;
}

export async function get(address) {
  return (await answer(address)).json();
}

export async function getBytes(address) {
  return new Uint8Array(await (await answer(address)).arrayBuffer());
}

// Sends what was made of a version that is known; refused with 409 if there is another now.
async function send(address, kind, body, known) {
  const headers = { 'Content-Type': kind, ...(known ? { 'If-Match': known } : {}) };
  return (await answer(address, { method: 'POST', headers, body })).json();
}

export function post(address, content, known) {
  return send(address, 'application/json', JSON.stringify(content), known);
}

export function postBytes(address, bytes, known) {
  return send(address, 'application/octet-stream', bytes, known);
}
