import { readConfig } from "./config.js";
import { makeServer } from "./server.js";

const config = readConfig(process.argv[2] ?? "config/gateway.json");
makeServer(config).listen(config.port, "127.0.0.1");
