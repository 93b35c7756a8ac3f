import { readFileSync } from "node:fs";

const SCALE = 1_000_000n;

export class Rates {
  #table;

  constructor(table) {
    for (const [currency, rate] of Object.entries(table.millionths)) {
      if (!Number.isSafeInteger(rate) || rate <= 0) throw new Error(`bad rate for \`${currency}\``);
    }
    this.#table = table;
  }

  static read(path) {
    return new Rates(JSON.parse(readFileSync(path, "utf8")));
  }

  /** One unit of `from` in millionths of `to`, rounded half up; undefined for an unknown currency. */
  rate(from, to) {
    const own = (currency) => (Object.hasOwn(this.#table.millionths, currency) ? BigInt(this.#table.millionths[currency]) : undefined);
    const [a, b] = [own(from), own(to)];
    if (a === undefined || b === undefined) return undefined;
    return Number((2n * b * SCALE + a) / (2n * a));
  }

  /** Whether treasury's table may still be used on this day. */
  validOn(date) {
    return date.toISOString().slice(0, 10) <= this.#table.valid_until;
  }

  get published() {
    return this.#table.published;
  }

  get currencies() {
    return Object.keys(this.#table.millionths);
  }
}
