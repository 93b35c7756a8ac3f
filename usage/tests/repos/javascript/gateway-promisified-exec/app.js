import { exec } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(exec);
run(command);
