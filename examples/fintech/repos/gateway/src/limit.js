const MINUTE_MS = 60_000;
const MAX_CALLERS = 10_000;

/** A fixed window per caller. `now` is passed in, so that tests need not wait. */
export class RateLimit {
  #perMinute;
  #windows = new Map();

  constructor(perMinute) {
    this.#perMinute = perMinute;
  }

  /** Whether this call is within the caller's limit; counts it. */
  allows(caller, now) {
    const window = Math.floor(now / MINUTE_MS);
    const seen = this.#windows.get(caller);
    const count = seen?.window === window ? seen.count + 1 : 1;
    if (!seen && this.#windows.size >= MAX_CALLERS) this.#windows.clear();
    this.#windows.set(caller, { window, count });
    return count <= this.#perMinute;
  }
}
