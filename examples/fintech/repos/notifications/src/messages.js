const DIGITS = { EUR: 2, GBP: 2, USD: 2, JPY: 0 };

/** `1250, EUR` as `12.50 EUR`. */
export function amount(minor, currency) {
  const digits = DIGITS[currency];
  if (digits === undefined || !Number.isSafeInteger(minor)) throw new Error("not an amount");
  if (digits === 0) return `${minor} ${currency}`;
  const text = String(Math.abs(minor)).padStart(digits + 1, "0");
  return `${minor < 0 ? "-" : ""}${text.slice(0, -digits)}.${text.slice(-digits)} ${currency}`;
}

/** The message for an event, or undefined for kinds that nobody is told about. */
export function messageFor(event) {
  const sum = () => amount(event.amount_minor, event.currency);
  switch (event.kind) {
    case "payment.captured":
      return { subject: "Your payment", text: `We took ${sum()} for ${event.merchant}.` };
    case "payment.refunded":
      return { subject: "Your refund", text: `${event.merchant} sent back ${sum()}.` };
    default:
      return undefined;
  }
}
