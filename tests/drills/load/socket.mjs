// A client of graphql-transport-ws with nothing but Node.js.

import { randomBytes } from "node:crypto";
import http from "node:http";
import https from "node:https";

/**
 * A socket to the gateway or proxy at `base`. `closed` becomes the code that it was closed with, 1006 without one. `next` waits for a message, for so many milliseconds,
 * and fails when the socket is closed.
 */
export function socket(base, { headers, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const request = (base.startsWith("https:") ? https : http).request(new URL("/graphql", base), {
      ...options,
      headers: {
        ...headers,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-protocol": "graphql-transport-ws",
        "sec-websocket-key": randomBytes(16).toString("base64"),
      },
    });
    request.on("response", (response) => {
      response.resume();
      reject(new Error(`the upgrade got ${response.statusCode}`));
    });
    request.on("error", reject);
    request.on("upgrade", (_, stream, head) => resolve(speaking(stream, head)));
    request.end();
  });
}

function speaking(stream, head) {
  const waiting = [];
  const messages = [];
  let bytes = head;
  let code = 1006;
  const closed = new Promise((end) => stream.on("close", () => end(code)));
  closed.then((why) => {
    for (const { fail } of waiting.splice(0)) fail(new Error(`closed with ${why}`));
  });
  stream.on("error", () => {});
  const send = (opcode, text) => {
    const payload = Buffer.from(text);
    const long = payload.length > 125;
    const size = long ? [0x80 | 126, payload.length >> 8, payload.length & 0xff] : [0x80 | payload.length];
    // A mask of zeros; nothing that is sent here is longer than 64 KiB.
    if (stream.writable) stream.write(Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload]));
  };
  const read = (part) => {
    bytes = Buffer.concat([bytes, part]);
    while (bytes.length >= 2) {
      const long = (bytes[1] & 0x7f) === 126;
      const from = long ? 4 : 2;
      if (bytes.length < from) return;
      const length = long ? bytes.readUInt16BE(2) : bytes[1] & 0x7f;
      if (bytes.length < from + length) return;
      const opcode = bytes[0] & 0x0f;
      const payload = bytes.subarray(from, from + length);
      bytes = bytes.subarray(from + length);
      if (opcode === 1) {
        const message = JSON.parse(payload.toString());
        if (waiting.length) waiting.shift().got(message);
        else messages.push(message);
      } else if (opcode === 8) {
        code = length >= 2 ? payload.readUInt16BE(0) : 1005;
        stream.end();
      } else if (opcode === 9) {
        send(10, payload);
      }
    }
  };
  stream.on("data", read);
  read(Buffer.alloc(0));
  const next = (patience = 10_000) => {
    if (messages.length) return Promise.resolve(messages.shift());
    if (stream.destroyed) return closed.then((why) => Promise.reject(new Error(`closed with ${why}`)));
    return new Promise((resolve, reject) => {
      let timer;
      const one = {
        got: (message) => (clearTimeout(timer), resolve(message)),
        fail: (why) => (clearTimeout(timer), reject(why)),
      };
      waiting.push(one);
      if (patience < Infinity) {
        timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(one), 1);
          reject(new Error(`no message in ${patience / 1000} seconds`));
        }, patience);
      }
    });
  };
  return { say: (message) => send(1, JSON.stringify(message)), next, closed, end: () => stream.destroy() };
}
