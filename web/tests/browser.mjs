// Tests with a page of the console.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { arrive, leave } from "./visit.mjs";

export { DESKTOP, PHONE, arrive } from "./visit.mjs";

after(leave);

/** A test with a page: `visiting("a sentence", { key: "ada" }, async ({ page, go }) => { … })`. */
export function visiting(name, options, body) {
  test(name, { timeout: options.timeout ?? 120_000, skip: options.skip, todo: options.todo }, async (t) => {
    const visit = await arrive(options);
    try {
      await body(visit, t);
    } catch (thrown) {
      const seen = await visit.page.locator("main").innerText({ timeout: 2000 }).catch(() => "");
      if (process.env.GAMBESON_CONSOLE_SHOTS) await visit.page.screenshot({ path: `${process.env.GAMBESON_CONSOLE_SHOTS}/${name.replace(/\W+/g, "-").slice(0, 80)}.png` }).catch(() => {});
      throw new Error(`${thrown.message}\nat ${visit.page.url()}, which shows:\n${seen.slice(0, 1200)}\n${visit.faults.slice(0, 8).join("\n")}`, { cause: thrown });
    } finally {
      // What a closing page breaks off is no fault of it.
      visit.over = true;
      await visit.context.close();
    }
    assert.deepEqual(visit.faults, [], "the page had nothing to complain of");
  });
}
