import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { call } from "../src/backends.js";
import { checkConfig, readConfig } from "../src/config.js";
import { RateLimit } from "../src/limit.js";
import { allowedOrigin, makeServer } from "../src/server.js";

const shipped = readConfig(fileURLToPath(new URL("../config/gateway.json", import.meta.url)));
const session = { Authorization: "Bearer session-1" };
let backend, gateway, base, seen;

const listen = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));

before(async () => {
  backend = createServer((request, response) => {
    seen = { method: request.method, url: request.url, key: request.headers["idempotency-key"] };
    response.writeHead(request.url.endsWith("404") ? 404 : 200, { "Content-Type": "application/json" });
    response.end('{"id":"pay-1001"}');
  });
  const url = `http://127.0.0.1:${await listen(backend)}`;
  gateway = makeServer({ ...shipped, payments_url: url, accounts_url: "http://127.0.0.1:9" });
  base = `http://127.0.0.1:${await listen(gateway)}`;
});

after(() => {
  gateway.close();
  backend.close();
});

test("a payment is forwarded with its idempotency key", async () => {
  const headers = { ...session, "Idempotency-Key": "k1" };
  const answer = await call(base, { method: "POST", path: "/api/payments", headers, body: "{}" }, 2000);
  assert.equal(answer.status, 200);
  assert.deepEqual(seen, { method: "POST", url: "/v1/payments", key: "k1" });
});

test("the backend's answer is passed on", async () => {
  const answer = await call(base, { method: "GET", path: "/api/payments/pay-404", headers: session }, 2000);
  assert.equal(answer.status, 404);
});

test("without a session nothing is forwarded", async () => {
  seen = undefined;
  assert.equal((await call(base, { method: "GET", path: "/api/payments/pay-1" }, 2000)).status, 401);
  assert.equal(seen, undefined);
});

test("paths that aren't routes are not forwarded", async () => {
  const answer = await call(base, { method: "GET", path: "/api/payments/..%2fadmin", headers: session }, 2000);
  assert.equal(answer.status, 404);
});

test("a backend that is down is a 502", async () => {
  const answer = await call(base, { method: "GET", path: "/api/accounts/acc-1", headers: session }, 2000);
  assert.equal(answer.status, 502);
});

test("callers are limited one by one, minute by minute", () => {
  const limit = new RateLimit(2);
  assert.deepEqual([1, 2, 3].map(() => limit.allows("a", 0)), [true, true, false]);
  assert.equal(limit.allows("b", 0), true);
  assert.equal(limit.allows("a", 60_000), true);
});

test("only listed origins are allowed when not all are", () => {
  const config = { ...shipped, allow_any_origin: false };
  assert.equal(allowedOrigin(config, "https://app.fintech.example"), "https://app.fintech.example");
  assert.equal(allowedOrigin(config, "https://evil.example"), undefined);
});

test("unknown settings are refused", () => {
  assert.throws(() => checkConfig({ ...shipped, debg: true }), /unknown setting/);
  assert.throws(() => checkConfig({ ...shipped, port: "8080" }), /must be a number/);
});
