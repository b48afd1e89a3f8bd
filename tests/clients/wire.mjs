// Keeps what a client sends and with what status it is answered, whoever wrote the client.

import { inTime } from "./client.mjs";

/** A `fetch`, the list of all that went through it, and a wait until all that is answered. */
export function wire() {
  const sent = [];
  const answers = [];
  const through = async (url, options) => {
    const { method = "GET", body } = options;
    const request = { method, url: String(url), body: body && JSON.parse(body) };
    sent.push(request);
    const response = await inTime(`the answer to ${method} ${url}`, fetch(url, options));
    request.status = response.status;
    return response;
  };
  return {
    sent,
    settled: () => Promise.allSettled(answers),
    fetch: (...request) => {
      const answer = through(...request);
      answers.push(answer);
      return answer;
    },
  };
}
