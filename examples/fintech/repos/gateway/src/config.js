import { readFileSync } from "node:fs";

const SHAPE = {
  port: "number",
  payments_url: "string",
  accounts_url: "string",
  rate_limit_per_minute: "number",
  backend_timeout_ms: "number",
  max_body_bytes: "number",
  allow_any_origin: "boolean",
  allowed_origins: "object",
};

/** Reads the settings; refuses unknown names and wrong types, so that a typo can't open the door. */
export function readConfig(path) {
  return checkConfig(JSON.parse(readFileSync(path, "utf8")));
}

export function checkConfig(config) {
  for (const name of Object.keys(config)) {
    if (!(name in SHAPE)) throw new Error(`unknown setting \`${name}\``);
  }
  for (const [name, type] of Object.entries(SHAPE)) {
    if (typeof config[name] !== type) throw new Error(`\`${name}\` must be a ${type}`);
  }
  return config;
}
