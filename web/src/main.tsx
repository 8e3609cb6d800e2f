import { render } from "preact";
import { resume } from "./api/client.ts";
import { session } from "./api/session.ts";
import { startRouter } from "./router.ts";
import { startTheme } from "./theme.ts";
import { Console } from "./console.tsx";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/layout.css";
import "./style/parts.css";
import "./style/log.css";
import "./style/job.css";
import "./style/pages.css";
import "./style/platform.css";
import "./style/playground.css";

startTheme();
startRouter();
void resume();
// All tabs share one cookie: who comes back to this one may have signed in anew, or out, in another.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && session.peek()) void resume();
});
const root = document.getElementById("console");
if (root) {
  root.textContent = "";
  render(<Console />, root);
}
