// The browser: the machine's own Chromium.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium as playwright } from "playwright-core";

/** Where Chromium is, or undefined. */
export function chromium() {
  if (process.env.GAMBESON_CHROMIUM) return process.env.GAMBESON_CHROMIUM;
  const places = (process.env.PATH ?? "").split(delimiter);
  return ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => places.map((place) => join(place, name))).find(existsSync);
}

/** One browser for all tests; without it none can run. */
export const launch = (executablePath) =>
  playwright.launchServer({
    executablePath,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
  });
