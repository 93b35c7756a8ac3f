import { createServer } from "node:http";
import { call } from "./backends.js";
import { RateLimit } from "./limit.js";

const ROUTES = [
  { method: "POST", pattern: /^\/api\/payments$/, backend: "payments_url", path: () => "/v1/payments" },
  { method: "GET", pattern: /^\/api\/payments\/(pay-\d+)$/, backend: "payments_url", path: (id) => `/v1/payments/${id}` },
  { method: "GET", pattern: /^\/api\/accounts\/(acc-\d+)$/, backend: "accounts_url", path: (id) => `/v1/accounts/${id}` },
];

/** The origin to allow, or undefined for none. */
export function allowedOrigin(config, origin) {
  if (config.allow_any_origin) return "*";
  return config.allowed_origins.includes(origin) ? origin : undefined;
}

export function makeServer(config, { now = Date.now } = {}) {
  const limit = new RateLimit(config.rate_limit_per_minute);

  async function handle(request, response) {
    const origin = allowedOrigin(config, request.headers.origin);
    if (origin) response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Cache-Control", "no-store");
    if (request.url === "/healthz") return send(response, 200, { status: "ok" });

    const session = /^Bearer ([\w-]{8,128})$/.exec(request.headers.authorization ?? "")?.[1];
    if (!session) return send(response, 401, { error: "a session is required" });
    if (!limit.allows(session, now())) return send(response, 429, { error: "too many requests" });

    const route = ROUTES.find((r) => r.method === request.method && r.pattern.test(request.url));
    if (!route) return send(response, 404, { error: "no such resource" });
    const body = await readBody(request, config.max_body_bytes);
    if (body === undefined) return send(response, 413, { error: "too large" });

    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const key = request.headers["idempotency-key"];
    if (key) headers["Idempotency-Key"] = key;
    try {
      const path = route.path(route.pattern.exec(request.url)[1]);
      const outgoing = { method: route.method, path, headers, body };
      const answer = await call(config[route.backend], outgoing, config.backend_timeout_ms);
      sendText(response, answer.status, answer.body);
    } catch {
      send(response, 502, { error: "try again later" });
    }
  }

  return createServer((request, response) => {
    handle(request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else send(response, 500, { error: "internal error" });
    });
  });
}

async function readBody(request, limit) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > limit) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function send(response, status, payload) {
  sendText(response, status, JSON.stringify(payload));
}

function sendText(response, status, text) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(text);
}
