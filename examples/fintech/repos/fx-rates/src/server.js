import { createServer } from "node:http";

export function makeServer(config, rates) {
  return createServer((request, response) => {
    const [status, payload] = answer(config, rates, request.method, request.url);
    response.writeHead(status, { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" });
    response.end(JSON.stringify(payload));
  });
}

export function answer(config, rates, method, url) {
  if (method !== "GET") return [405, { error: "only GET" }];
  if (url === "/healthz") return [200, { status: "ok" }];
  if (url === "/debug/state" && config.debug_endpoints) {
    return [200, { config, uptime_s: process.uptime(), memory: process.memoryUsage() }];
  }
  const match = /^\/v1\/rates\/([A-Z]{3})\/([A-Z]{3})$/.exec(url);
  const rate = match && rates.rate(match[1], match[2]);
  if (!rate) return [404, { error: "no such rate" }];
  return [200, { from: match[1], to: match[2], rate_millionths: rate, published: rates.published }];
}
