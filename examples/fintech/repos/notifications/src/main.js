import { sendEmail } from "./email.js";
import { post } from "./post.js";
import { drain } from "./worker.js";

const POLL_MS = 2000;
const spool = process.argv[2] ?? "spool";
const channels = { email: (message) => sendEmail(post, message) };

for (;;) {
  await drain(spool, channels);
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
