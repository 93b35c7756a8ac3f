import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Rates } from "../src/rates.js";
import { answer } from "../src/server.js";

const table = { published: "2026-01-02", valid_until: "2026-01-31", base: "EUR", millionths: { EUR: 1_000_000, USD: 1_250_000, JPY: 160_000_000 } };
const rates = new Rates(table);

test("rates cross over the base", () => {
  assert.equal(rates.rate("EUR", "USD"), 1_250_000);
  assert.equal(rates.rate("USD", "EUR"), 800_000);
  assert.equal(rates.rate("USD", "JPY"), 128_000_000);
});

test("unknown currencies have no rate", () => {
  assert.equal(rates.rate("EUR", "XXX"), undefined);
  assert.equal(rates.rate("EUR", "constructor"), undefined);
});

test("a table with an odd rate is refused", () => {
  assert.throws(() => new Rates({ ...table, millionths: { EUR: 1.5 } }), /bad rate/);
});

test("a rate is answered with the day it was published", () => {
  assert.deepEqual(answer({}, rates, "GET", "/v1/rates/EUR/USD"), [
    200,
    { from: "EUR", to: "USD", rate_millionths: 1_250_000, published: "2026-01-02" },
  ]);
  assert.equal(answer({}, rates, "GET", "/v1/rates/EUR/XXX")[0], 404);
  assert.equal(answer({ debug_endpoints: false }, rates, "GET", "/debug/state")[0], 404);
});

test("the shipped table hasn't expired", () => {
  const shipped = Rates.read(fileURLToPath(new URL("../data/rates.json", import.meta.url)));
  assert.ok(shipped.validOn(new Date()), "ask treasury for a new table");
});
