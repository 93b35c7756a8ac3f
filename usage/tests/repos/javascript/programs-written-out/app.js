const { execSync, spawn } = require("node:child_process");
const { env } = process;

execSync("git status");
spawn("git", ["log", env.REF]);
if (typeof module !== "undefined" && require.main === module) {
  setTimeout(() => process.exit(0), 10);
}
module.exports = { name: env.constructor.name };
new Worker(new URL("./worker.js", import.meta.url));
