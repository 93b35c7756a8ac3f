import { fork as spawn } from "node:child_process";

spawn("./job.txt");
