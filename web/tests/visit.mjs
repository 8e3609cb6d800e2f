// A page of the console in a fresh browser, watched: whatever says an error, breaks the policy of the page, asks another origin
// or runs what a program wrote fails the test.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { world } from "./world.mjs";

const PATIENCE = 30_000;
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

let connected;
const browser = () => (connected ??= chromium.connect(process.env.GAMBESON_CONSOLE_BROWSER));
/** Lets go of the browser: a process that holds it does not end. */
export const leave = async () => (await connected)?.close();

/** What a visitor has in hands. */
class Visit {
  constructor(context, page, faults) {
    this.context = context;
    this.page = page;
    this.faults = faults;
    /** Requests that may fail with such a status: `[/v1\/session/, 401]`. */
    this.mayFail = [[/\/v1\/session$/, 401]];
  }

  /** Signs in as a key's owner, without the page. */
  async signIn(key) {
    const answer = await this.context.request.post(`${world.url}/v1/session`, { data: { key } });
    assert.equal(answer.status(), 201, await answer.text());
    this.session = await answer.json();
  }

  /** Goes to a place of the console, and waits until its page is there. */
  async go(place) {
    await this.page.goto(`${world.url}/console${place}`);
    await this.page.locator("h1").first().waitFor();
  }

  /** Waits until something is true of the page. */
  until(what, look, argument) {
    return this.page.waitForFunction(look, argument, { timeout: PATIENCE, polling: 100 }).catch((thrown) => {
      throw new Error(`it never became true that ${what}: ${thrown.message}`);
    });
  }
}

/** A fresh page, watched. */
export async function arrive({ key, theme = "light", size = DESKTOP, reduced = true } = {}) {
  const context = await (await browser()).newContext({
    viewport: size,
    colorScheme: theme,
    reducedMotion: reduced ? "reduce" : "no-preference",
    locale: "en-GB",
    timezoneId: "UTC",
    acceptDownloads: true,
  });
  context.setDefaultTimeout(PATIENCE);
  const faults = [];
  // Hostile output calls it, from whatever frame or window it got to run in.
  await context.exposeBinding("tripwire", (source, what) => faults.push(`something ran: ${what} in ${source.frame?.url()}`));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy broken: ${event.violatedDirective} by ${event.blockedURI} ${event.sample}`));
    for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = () => window.tripwire(`${name}()`);
  });
  const page = await context.newPage();
  const visit = new Visit(context, page, faults);
  context.on("page", (opened) => opened !== page && faults.push(`a window was opened: ${opened.url()}`));
  context.on("request", (request) => {
    const to = new URL(request.url());
    if (to.origin !== world.url && !["blob:", "data:", "about:"].includes(to.protocol) && !visit.strangers) faults.push(`another origin was asked: ${request.url()}`);
  });
  page.on("pageerror", (error) => faults.push(`an exception: ${error.stack ?? error}`));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("crash", () => faults.push("the page crashed"));
  page.on("console", (message) => {
    if (visit.over || (message.type() !== "error" && message.type() !== "warning")) return;
    const url = message.location().url;
    const status = Number(/status of (\d+)/.exec(message.text())?.[1]);
    if (visit.mayFail.some(([place, code]) => place.test(url) && (status === code || code === "*"))) return;
    faults.push(`the console says: ${message.text()} (${url})`);
  });
  if (key) await visit.signIn(world.keys[key] ?? key);
  return visit;
}
