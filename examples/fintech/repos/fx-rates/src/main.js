import { readFileSync } from "node:fs";
import { Rates } from "./rates.js";
import { makeServer } from "./server.js";

const config = JSON.parse(readFileSync(process.argv[2] ?? "config/fx.json", "utf8"));
makeServer(config, Rates.read(config.table)).listen(config.port, "127.0.0.1");
