const SMTP_TOKEN = "st-5d41f0c97e8a4b26";
const MAIL_URL = "http://mail.fintech.example/v1/send";

/** Sends one mail through the mail relay. `post(url, headers, body)` resolves to a status. */
export async function sendEmail(post, { to, subject, text }, token = SMTP_TOKEN) {
  if (!/^[^\s@]+@[^\s@]+$/.test(to)) throw new Error("not an address");
  const body = JSON.stringify({ to, subject: subject.replace(/[\r\n]+/g, " "), text });
  const status = await post(MAIL_URL, { Authorization: `Bearer ${token}` }, body);
  if (status !== 202) throw new Error(`mail relay answered ${status}`);
}
