// The platform that the runner started and peopled, as tests find it.
import { client } from "./platform.mjs";

/** What the runner made. */
export const world = JSON.parse(process.env.GAMBESON_CONSOLE_WORLD ?? "null");
if (world === null) throw new Error("npm run browser starts what these tests need");

/** The interface as one of the people; `owner` by itself. */
export const as = (name = "owner") => client(world.url, world.keys[name]);
