import { request } from "node:http";

/** Posts JSON; resolves to the status. */
export function post(url, headers, body) {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", headers: { "Content-Type": "application/json", ...headers }, timeout: 5000 };
    const outgoing = request(url, options, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("timed out")));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
