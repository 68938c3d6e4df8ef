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

export async function post(address, content) {
  const headers = { 'Content-Type': 'application/json' };
  return (await answer(address, { method: 'POST', headers, body: JSON.stringify(content) })).json();
}

export async function postBytes(address, bytes, known) {
  const headers = { 'Content-Type': 'application/octet-stream' };
  if (known) {
    headers['If-Match'] = known;
  }
  return (await answer(address, { method: 'POST', headers, body: bytes })).json();
}
