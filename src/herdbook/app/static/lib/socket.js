// The connection to the server: JSON both ways, and binary messages of a head and parts. It comes back by itself when it was lost.

/** @typedef {{head: any, parts: ArrayBuffer[]}} Message */

export class Line {
  /** @param {(message: Message) => void} hear @param {(there: boolean) => void} changed */
  constructor(hear, changed) {
    this.hear = hear;
    this.changed = changed;
    this.wait = 250;
    this.open();
  }

  open() {
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.wait = 250;
      this.changed(true);
    };
    this.socket.onmessage = (event) => this.hear(typeof event.data === "string" ? { head: JSON.parse(event.data), parts: [] } : unpacked(event.data));
    this.socket.onclose = () => {
      this.changed(false);
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(4000, this.wait * 2);
    };
  }

  /** @param {any} message */
  say(message) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}

/** @param {ArrayBuffer} message @returns {Message} */
export function unpacked(message) {
  const length = new DataView(message).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length)));
  let place = 4 + length;
  const parts = [];
  for (const size of head.parts) {
    parts.push(message.slice(place, place + size));
    place += size + ((4 - (size % 4)) % 4);
  }
  return { head, parts };
}

/** Send a change; throws an Error with the server's words if it is refused. @param {string} path @param {any} content */
export async function post(path, content) {
  return told(await fetch(path, { method: "POST", headers: { "Content-Type": "application/json", "X-Herdbook": "1" }, body: JSON.stringify(content) }));
}

/** @param {string} path */
export async function get(path) {
  return told(await fetch(path));
}

/** @param {Response} answer */
async function told(answer) {
  const content = await answer.json().catch(() => ({ fault: `the server answered ${answer.status}` }));
  if (!answer.ok) throw new Error(content.fault || `the server answered ${answer.status}`);
  return content;
}
