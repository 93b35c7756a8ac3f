import { request } from "node:http";

/** Calls a service behind the gateway; resolves to `{status, body}`. Rejects on time-out. */
export function call(baseUrl, { method, path, headers = {}, body }, timeoutMs) {
  return new Promise((resolve, reject) => {
    const url = new URL(path, baseUrl);
    const outgoing = request(url, { method, headers, timeout: timeoutMs }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ status: answer.statusCode, body: Buffer.concat(parts).toString() }));
      answer.on("error", reject);
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("timed out")));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
