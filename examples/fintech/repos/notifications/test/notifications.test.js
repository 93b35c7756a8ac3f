import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { amount, messageFor } from "../src/messages.js";

// Set before the modules that read it are loaded.
process.env.SMTP_TOKEN ??= "token-of-the-environment";
const { sendEmail } = await import("../src/email.js");
const { drain } = await import("../src/worker.js");

const captured = { kind: "payment.captured", to: "a@b.example", amount_minor: 1250, currency: "EUR", merchant: "Tea & Co" };

test("amounts are written in major units", () => {
  assert.equal(amount(1250, "EUR"), "12.50 EUR");
  assert.equal(amount(-5, "EUR"), "-0.05 EUR");
  assert.equal(amount(700, "JPY"), "700 JPY");
  assert.throws(() => amount(1.5, "EUR"));
});

test("nobody is told about other events", () => {
  assert.equal(messageFor({ kind: "payment.disputed" }), undefined);
});

test("a mail carries the token and one line of subject", async () => {
  const calls = [];
  const post = async (...call) => (calls.push(call), 202);
  await sendEmail(post, { to: "a@b.example", subject: "Hi\r\nBcc: x", text: "t" }, "token-of-the-test");
  assert.equal(calls[0][1].Authorization, "Bearer token-of-the-test");
  assert.equal(JSON.parse(calls[0][2]).subject, "Hi Bcc: x");
});

test("without a token of its own a mail carries the configured one", async () => {
  const calls = [];
  await sendEmail(async (...call) => (calls.push(call), 202), { to: "a@b.example", subject: "s", text: "t" });
  assert.match(calls[0][1].Authorization, /^Bearer [a-z0-9-]+$/);
  assert.notEqual(calls[0][1].Authorization, "Bearer undefined");
});

test("a relay that refuses is an error", async () => {
  await assert.rejects(sendEmail(async () => 403, { to: "a@b.example", subject: "s", text: "t" }, "x"), /403/);
  await assert.rejects(sendEmail(async () => 202, { to: "nobody", subject: "s", text: "t" }, "x"), /not an address/);
});

test("the spool is drained: sent, skipped and failed apart", async () => {
  const spool = mkdtempSync(join(tmpdir(), "spool-"));
  const sent = [];
  try {
    writeFileSync(join(spool, "1.json"), JSON.stringify(captured));
    writeFileSync(join(spool, "2.json"), "not json");
    writeFileSync(join(spool, "3.json"), JSON.stringify({ kind: "payment.disputed" }));
    const counts = await drain(spool, { email: async (message) => sent.push(message) });
    assert.deepEqual(counts, { sent: 1, failed: 1, skipped: 1 });
    assert.match(sent[0].text, /12\.50 EUR for Tea & Co/);
    assert.deepEqual(readdirSync(join(spool, "failed")), ["2.json"]);
  } finally {
    rmSync(spool, { recursive: true });
  }
});
