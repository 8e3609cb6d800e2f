// What programs write, name and leave is other people's words: none of it becomes part of the page, and none of it runs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { visiting } from "./browser.mjs";
import { paste } from "./paste.mjs";
import { until } from "./platform.mjs";
import { as, world } from "./world.mjs";

const MARKUP = [
  "<script>tripwire('script')</script>",
  "<img src=x onerror=\"tripwire('img')\">",
  "<svg onload=\"tripwire('svg')\"><script>tripwire('svg script')</script></svg>",
  "<iframe srcdoc=\"<script>parent.tripwire('frame')</script>\"></iframe>",
  "<a href=\"javascript:tripwire('link')\">a link</a>",
  "</pre></span></div><style>*{display:none}</style><meta http-equiv=refresh content='0;url=http://192.0.2.1/'>",
  "&lt;script&gt;tripwire('entity')&lt;/script&gt;",
  "{{constructor.constructor('tripwire(1)')()}} ${tripwire('template')}",
];

const OUTPUT = `
import sys
out = sys.stdout.buffer
def say(text):
    out.write((text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")) + b"\\n")
for line in ${JSON.stringify(MARKUP)}:
    say(line)
    sys.stderr.write(line + "\\n")
say("\\x1b]0;pwned title\\x07after the title")
say("\\x1b]2;pwned title\\x1b\\\\after the other title")
say("\\x1b]8;;http://192.0.2.1/evil\\x1b\\\\osc 8 link\\x1b]8;;\\x1b\\\\ after")
say("\\x1b]8;;javascript:tripwire('osc')\\x07osc 8 script\\x1b]8;;\\x07 after")
say("\\x1b]52;c;cHduZWQ=\\x07after the clipboard")
say("\\x1b]1337;File=inline=1:AAAA\\x07after the file")
say("\\x1b[2J\\x1b[H\\x1b[1;1Hafter the screen was cleared")
say("\\x1b[31;1mred\\x1b[0m \\x1b[38;5;196mindexed\\x1b[0m \\x1b[38;2;1;2;3mexact\\x1b[0m \\x1b[8mconcealed\\x1b[0m plain")
say("\\x1b[" + "9" * 5000 + "mmany digits")
say("\\x1b]0;" + "never ended " * 1000)
say("after what never ended")
say("\\x1bP1;2|device\\x1b\\\\after the device \\x1b_application\\x1b\\\\ \\x1b^privacy\\x1b\\\\ \\x1bXstring\\x1b\\\\")
say("\\x9b31mC1 \\x9d0;title\\x9c done")
say("user\\u202egpj.exe\\u202c \\u2066isolate\\u2069 \\u200fmark zero\\u200bwidth \\ufeffbom \\u2028separator \\u{0}".replace("\\u{0}", "") )
say("nul:\\0:bell:\\a:backspace:\\b:vertical:\\v:form:\\f:delete:\\x7f")
say(b"bytes: \\xff\\xfe\\xc0\\x80 \\xed\\xa0\\x80 end")
say("zalgo: " + "e" + "\\u0301" * 2000)
say("emoji: \\U0001F469\\u200d\\U0001F4BB tags: \\U000E0041\\U000E0042")
say("over\\rwritten")
say("the last line")
`.replace(' \\u{0}".replace("\\u{0}", "") )', '")');

/** Elements of the page that nobody but a program's words could have made, shadows included. */
const strangers = (origin) => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((one) => (one.shadowRoot ? [one, ...all(one.shadowRoot)] : [one]));
  const bad = [];
  for (const one of all(document.body)) {
    const name = one.localName;
    if (["script", "iframe", "object", "embed", "base", "meta", "link", "audio", "video", "frame"].includes(name)) bad.push(one.outerHTML);
    if (name === "style" && one.getRootNode() === document) bad.push(one.outerHTML);
    if (name === "img" && !one.src.startsWith("blob:")) bad.push(one.outerHTML);
    if (name === "a" && !(one.href instanceof SVGAnimatedString) && one.href !== "" && new URL(one.href).origin !== origin) bad.push(one.outerHTML);
    for (const attribute of one.attributes) if (/^on/i.test(attribute.name) || /^\s*javascript:/i.test(attribute.value)) bad.push(`${attribute.name}=${attribute.value}`);
  }
  return bad;
};

/** What turns directions, hides, or is no character of a text, wherever it stands in the page's text, titles and labels. */
const invisible = () => {
  const hidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
  const all = (root) => [...root.querySelectorAll("*")].flatMap((one) => (one.shadowRoot ? [one, ...all(one.shadowRoot)] : [one]));
  const texts = [document.title];
  for (const one of all(document.body)) {
    for (const node of one.childNodes) if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
    for (const attribute of one.attributes) if (["title", "aria-label", "placeholder", "alt"].includes(attribute.name)) texts.push(attribute.value);
  }
  return texts.filter((text) => hidden.test(text));
};

async function inert(visit) {
  const { page } = visit;
  const title = await page.title();
  assert.ok(title.endsWith("Gambeson") && !title.includes("pwned"), title);
  assert.deepEqual(await page.evaluate(strangers, world.url), []);
  assert.deepEqual(await page.evaluate(invisible), []);
  assert.equal(new URL(page.url()).origin, world.url);
  assert.deepEqual(visit.faults, []);
}

visiting("the control: a page that makes markup of a program's words is found out", { key: "ada" }, async (visit) => {
  const { page } = visit;
  await visit.go("/jobs");
  await page.evaluate((markup) => {
    addEventListener("securitypolicyviolation", (event) => (window.refused = `${window.refused} ${event.violatedDirective}`));
    const place = document.querySelector("main").appendChild(document.createElement("div"));
    place.innerHTML = `${markup}<b title="\u202e">x</b>`;
  }, MARKUP.filter((one) => !one.includes("refresh")).join(""));
  assert.ok((await page.evaluate(strangers, world.url)).length >= 4);
  assert.equal((await page.evaluate(invisible)).length, 1);
  // The policy of the page kept them from running.
  assert.ok(!visit.faults.some((fault) => fault.startsWith("something ran")), visit.faults.join("\n"));
  await page.evaluate(() => window.tripwire("the control"));
  await page.evaluate(() => console.error("the control"));
  assert.ok(visit.faults.some((fault) => fault.startsWith("something ran: the control")));
  await visit.until("the picture's handler was refused by the policy", () => window.refused?.includes("script-src-attr"));
  visit.faults.length = 0;
});

visiting("markup, escape sequences, overrides of direction and broken bytes in the output stay text", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const job = await as("ada").run(OUTPUT);
  assert.deepEqual(job.outcome.kind, "exited", JSON.stringify(job));
  await visit.go(`/jobs/${job.id}`);
  const log = page.getByRole("region", { name: "Output of the program" });
  await log.getByText("the last line", { exact: true }).waitFor();
  await inert(visit);
  // All of it can be read: from the beginning.
  await log.focus();
  await page.keyboard.press("Control+Home");
  await log.evaluate((one) => (one.scrollTop = 0));
  await log.getByText("<script>tripwire('script')</script>").first().waitFor();
  await inert(visit);
  for (const wanted of ["after the title", "after the other title", "osc 8 link", "after the clipboard", "after the screen was cleared", "concealed", "after what never ended", "⟨202E⟩", "nul:␀", "after the device"]) {
    await page.getByLabel("Search the log").fill(wanted);
    await log.locator(".log-line.hit").first().waitFor();
    await inert(visit);
  }
  for (const gone of ["pwned title", "192.0.2.1/evil"]) {
    await page.getByLabel("Search the log").fill(gone);
    await page.locator(".search-count", { hasText: "none" }).waitFor();
  }
});

visiting("the same output stays text while it comes, in the playground", { key: "ada" }, async (visit) => {
  const { page } = visit;
  await visit.go("/playground");
  await paste(page, OUTPUT);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const log = page.getByRole("region", { name: "Output of the program" });
  await log.getByText("the last line", { exact: true }).waitFor();
  await inert(visit);
});

visiting("lines of a megabyte and a hundred thousand lines leave the page quick", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const ada = as("ada");
  const id = await ada.submit(
    `
import sys
for part in range(3):
    sys.stdout.write("<b>" + "x" * (1 << 20) + "</b>\\n")
    sys.stdout.write("\\x1b[31m" * 100000 + "\\n")
    sys.stdout.write("\\u202e" * 100000 + "\\n")
for number in range(100000):
    sys.stdout.write(f"line {number} <img src=x onerror=tripwire(1)>\\n")
print("the very end")
`,
    { limits: { output: "32M" } },
  );
  await page.addInitScript(() => {
    window.longest = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.longest = Math.max(window.longest, entry.duration)))).observe({ type: "longtask", buffered: true });
  });
  await visit.go(`/jobs/${id}`);
  const log = page.getByRole("region", { name: "Output of the program" });
  await log.getByText("the very end").waitFor({ timeout: 90_000 });
  await inert(visit);
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  assert.ok(nodes < 4000, `${nodes} elements`);
  // A click is answered at once, wherever in the log one is.
  const took = await page.evaluate(async () => {
    const scroller = document.querySelector(".log-scroll");
    const times = [];
    for (const part of [0, 0.01, 0.3, 0.6, 1, 0]) {
      const start = performance.now();
      scroller.scrollTop = scroller.scrollHeight * part;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      times.push(Math.round(performance.now() - start));
    }
    return { times, longest: Math.round(window.longest) };
  });
  assert.ok(Math.max(...took.times) < 1500, JSON.stringify(took));
  // A slow machine, a debug build: what matters is that nothing takes a second.
  assert.ok(took.longest < 1000, JSON.stringify(took));
  await inert(visit);
});

const NAME = "<img src=x onerror=tripwire('name')>.py";
const LABEL = "\"><script>tripwire('label')</script>";

visiting("names of files, labels, arguments and keys are text wherever they are shown", { key: "owner" }, async (visit) => {
  const { page } = visit;
  const owner = as();
  const accepted = await owner.raw("POST", "/v1/jobs", {
    project: "lab",
    entry: NAME,
    files: { [NAME]: `import socket, sys\nsocket.socket()\nprint(sys.argv)`, ["a'\"&<b>.txt"]: "<b>x</b>" },
    labels: { course: LABEL, long: "w".repeat(200) },
    args: [...MARKUP, "\u202e"],
    env: { MARKUP: MARKUP.join(" ") },
  });
  const answer = await accepted.json();
  assert.equal(accepted.status, 202, JSON.stringify(answer));
  for (const name of ["a\u202egpj.py", "a\nb.py", "../up.py", "a\u0000.py"]) {
    assert.equal((await owner.raw("POST", "/v1/jobs", { project: "lab", entry: name, files: { [name]: "1" } })).status, 400, "what turns the direction is no name of a file");
  }
  await owner.reaches(answer.id, "ended");
  const key = await owner("POST", "/v1/keys", { name: "<img src=x onerror=tripwire('key')>", scopes: ["jobs:read"] });
  for (const [place, sees] of [
    ["/jobs", "<img src=x"],
    [`/jobs/${answer.id}`, "<img src=x"],
    [`/jobs/${answer.id}?tab=source`, "<img src=x"],
    [`/jobs/${answer.id}?tab=refusals`, "<img src=x"],
    [`/jobs/${answer.id}?tab=timeline`, "<img src=x"],
    [`/playground?from=${answer.id}`, "<img src=x"],
    ["/access", "<img src=x"],
    ["/audit", ""],
    ["/", ""],
    ["/queue", ""],
  ]) {
    await visit.go(place);
    await visit.until(`${place} shows the name`, (sees) => !document.querySelector("main [aria-busy=true]") && document.body.innerText.includes(sees), sees);
    await inert(visit);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${place} is not wider than the window`);
  }
  await owner("POST", `/v1/keys/${key.key.id}/revoke`);
});

visiting("a search, a filter or an address that is hostile is text as well", { key: "owner" }, async (visit) => {
  visit.mayFail.push([/\/v1\//, 400], [/\/v1\//, 404]);
  const bad = encodeURIComponent(`${MARKUP[0]}${MARKUP[1]}\u202e`);
  for (const place of [`/jobs?q=${bad}`, `/jobs?user=${bad}&project=${bad}&label=${bad}&array=${bad}`, `/jobs/${bad}`, `/${bad}`, `/jobs/job_00000000000000000000000000000000`, `/audit?action=${bad}&text=${bad}&q=${bad}`, `/access?tab=${bad}&user=${bad}`, `/playground?from=${bad}`, "/%", "/jobs/%ff"]) {
    await visit.go(place);
    await visit.until(`${place} has loaded`, () => !document.querySelector("main [aria-busy=true]"));
    await inert(visit);
  }
});

const FILES = `
import os
os.makedirs("out", exist_ok=True)
def leave(name, content):
    with open("out/" + name, "wb") as file: file.write(content if isinstance(content, bytes) else content.encode())
leave("drawing.svg", '<svg xmlns="http://www.w3.org/2000/svg" onload="tripwire(\\'svg\\')"><script>parent.tripwire("svg")</script><a href="javascript:tripwire(1)"><rect width="9" height="9"/></a></svg>')
leave("page.html", '<!doctype html><script>tripwire("html");opener?.tripwire("opener");top.tripwire("top")</script><img src=x onerror=tripwire(1)><meta http-equiv="refresh" content="0;url=http://192.0.2.1/">')
leave("really-html.png", '<!doctype html><script>tripwire("png")</script>')
def head(width, height): return b"\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\x0dIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\\x08\\x02\\0\\0\\0"
leave("half.png", head(64, 64) + b"<script>tripwire('half')</script>")
leave("vast.png", head(65535, 65535) + b"<script>tripwire('vast')</script>")
leave("formulas.csv", 'name,value\\n=cmd|"/c calc"!A0,1\\n"=HYPERLINK(""http://192.0.2.1"",""x"")",2\\n@SUM(1),3\\n<script>tripwire("csv")</script>,4\\n' + "," * 5000 + "\\n" + '"never closed')
leave("notes.txt", "<script>tripwire('txt')</script>\\n\\u202ereversed\\n\\x1b]0;pwned\\x07")
leave("binary.txt", b"a\\0b")
leave("<img src=x onerror=tripwire(2)>.txt", "named")
leave("turned\\u202egpj.txt", "turned")
leave("n" * 200 + ".txt", "long")
leave("q\\"u'o.txt", "quoted")
with open("out/huge.txt", "wb") as file:
    for _ in range(100): file.write(b"<b>huge</b>\\n" * 87382)
with open("out/huge.png", "wb") as file:
    file.write(b"\\x89PNG\\r\\n\\x1a\\n")
    file.truncate(30 << 20)
print("left")
`;

visiting("hostile files are shown as text, refused, or only downloaded", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const job = await as("ada").run(FILES, { limits: { disk: "256M", memory: "512M", wall: "120s" } });
  assert.equal(job.outcome.message.includes("ended"), true, JSON.stringify(job.outcome));
  await visit.go(`/jobs/${job.id}?tab=artifacts`);
  const row = (name) => page.locator("li.artifact", { has: page.getByText(name, { exact: true }) });
  const preview = async (name) => {
    await row(name).getByRole("button", { name: /^Preview of/ }).click();
    return row(name).locator("pre.preview, .preview");
  };
  await (await preview("drawing.svg")).getByText('onload="tripwire').waitFor();
  await (await preview("page.html")).getByText("<!doctype html><script>").waitFor();
  await (await preview("really-html.png")).getByText("it is no picture").waitFor();
  await (await preview("half.png")).getByText("cannot decode").waitFor();
  await (await preview("vast.png")).getByText("more pixels").waitFor();
  await row("formulas.csv").getByRole("button", { name: /^Preview of/ }).click();
  await row("formulas.csv").getByText('=cmd|"/c calc"!A0').waitFor();
  await (await preview("notes.txt")).getByText("⟨202E⟩reversed").waitFor();
  await (await preview("binary.txt")).getByText("It is no text.").waitFor();
  await (await preview("<img src=x onerror=tripwire(2)>.txt")).getByText("named").waitFor();
  await page.getByText("turned\\u{202e}gpj.txt").waitFor();
  await row("huge.txt").getByRole("button", { name: /^Preview of/ }).click();
  await row("huge.txt").getByText("This is its beginning").waitFor();
  assert.equal(await row("huge.png").getByRole("button", { name: /^Preview of/ }).count(), 0, "a picture of 30 MiB is not decoded");
  await inert(visit);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is not wider than the window");
});

visiting("a file that a job left never becomes a document of this origin", { key: "ada" }, async (visit) => {
  const { page, context } = visit;
  const job = await as("ada").run(FILES.replace(/\nwith open[\s\S]*/, "\n"));
  await visit.go("/jobs");
  for (const name of ["page.html", "drawing.svg", "really-html.png", "notes.txt"]) {
    const path = `/v1/jobs/${job.id}/artifacts/${name}`;
    const answer = await context.request.get(`${world.url}${path}`);
    assert.equal(answer.status(), 200);
    const { "content-disposition": disposition, "x-content-type-options": sniff, "content-security-policy": policy } = answer.headers();
    assert.match(disposition, /^attachment/);
    assert.equal(sniff, "nosniff");
    assert.match(policy ?? "", /sandbox|default-src 'none'/);
    const [download] = await Promise.all([page.waitForEvent("download"), page.evaluate((path) => void (location.href = path), path)]);
    await download.cancel();
    assert.equal(page.url(), `${world.url}/console/jobs`);
  }
  await inert(visit);
});

visiting("names that every object of the language has are names like others", { key: "ada" }, async (visit) => {
  const { page } = visit;
  const files = JSON.parse('{"main.py": "import os\\nos.mkdir(\'out\')\\nfor name in [\'x.constructor\', \'__proto__\', \'toString.txt\']: open(\'out/\' + name, \'w\').write(name)", "__proto__": "a prototype", "constructor": "a constructor"}');
  const job = await as("ada").run(files, { labels: JSON.parse('{"__proto__": "a", "constructor": "b"}'), env: { constructor: "c" } });
  assert.equal(job.outcome.kind, "exited", JSON.stringify(job.outcome));
  await visit.go("/jobs");
  await page.getByText("__proto__=a").first().waitFor();
  await visit.go(`/jobs/${job.id}?tab=artifacts`);
  await page.getByText("x.constructor", { exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Preview of x.constructor" }).count(), 0);
  await visit.go(`/jobs/${job.id}?tab=source`);
  await page.getByRole("tab", { name: /__proto__/ }).click();
  await page.locator(".cm-content", { hasText: "a prototype" }).waitFor();
  await page.getByRole("tab", { name: /constructor/ }).click();
  await page.locator(".cm-content", { hasText: "a constructor" }).waitFor();
  await visit.go(`/playground?from=${job.id}`);
  await page.getByRole("tab", { name: /__proto__/ }).click();
  await page.locator(".cm-content", { hasText: "a prototype" }).waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const again = await until("it ran again with all its files", async () => {
    const id = (await as("ada")("GET", "/v1/jobs?limit=1")).jobs[0].id;
    return id !== job.id && id;
  });
  const source = await as("ada")("GET", `/v1/jobs/${again}/source`);
  assert.deepEqual(Object.keys(source.files).sort(), ["__proto__", "constructor", "main.py"]);
  await inert(visit);
});

test("names that could be mistaken are not taken for people and projects", async () => {
  const owner = as();
  for (const name of ["a<b", "a b", "\u202eabc", "a\u0000b", "", "x".repeat(65), "../up", "аda"]) {
    for (const path of ["/v1/users", "/v1/projects"]) assert.equal((await owner.raw("POST", path, { name })).status, 400, `${path} ${JSON.stringify(name)}`);
  }
});
