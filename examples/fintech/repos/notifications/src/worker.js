import { mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { messageFor } from "./messages.js";

/** Sends what lies in the spool once; returns `{sent, failed, skipped}`. */
export async function drain(spool, channels) {
  const counts = { sent: 0, failed: 0, skipped: 0 };
  for (const folder of ["sent", "failed"]) mkdirSync(join(spool, folder), { recursive: true });
  for (const name of readdirSync(spool).filter((file) => file.endsWith(".json")).sort()) {
    const outcome = await deliver(join(spool, name), channels);
    counts[outcome] += 1;
    renameSync(join(spool, name), join(spool, outcome === "failed" ? "failed" : "sent", name));
  }
  return counts;
}

async function deliver(file, channels) {
  try {
    const event = JSON.parse(readFileSync(file, "utf8"));
    const message = messageFor(event);
    if (!message) return "skipped";
    const channel = channels[event.channel ?? "email"];
    if (!channel) throw new Error("no such channel");
    await channel({ to: event.to, ...message });
    return "sent";
  } catch {
    return "failed";
  }
}
