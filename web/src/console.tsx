// The frame of every page: who may see it, the menu, and the place where the page stands.
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary, useRef } from "preact/hooks";
import { signOut } from "./api/client.ts";
import { liveness, type Liveness } from "./api/live.ts";
import { asProblem } from "./api/problem.ts";
import { session } from "./api/session.ts";
import { PAGES, type Page, type PageProps } from "./pages.ts";
import { match, path, to } from "./router.ts";
import { theme, type Theme } from "./theme.ts";
import { Icon } from "./ui/icon.tsx";
import { announce, Announcer } from "./ui/announce.tsx";
import { Failed, Loading } from "./ui/state.tsx";
import { Shortcuts, startShortcuts } from "./ui/shortcuts.tsx";
import { safe } from "./ui/text.ts";
import { Toasts, toast, toastProblem } from "./ui/toast.tsx";
import { SignIn } from "./sign-in.tsx";

export function Console() {
  useEffect(startShortcuts, []);
  const signedIn = session.value;
  const before = useRef(signedIn);
  useEffect(() => {
    if (signedIn && before.current && before.current.who.key.id !== signedIn.who.key.id) toast("Somebody signed in with another key in this browser. The pages show what that key may see.", "error");
    before.current = signedIn;
  }, [signedIn]);
  return (
    <>
      {signedIn === undefined ? <div class="starting" aria-busy="true" /> : signedIn === null ? <SignIn /> : <Frame key={signedIn.csrf} />}
      <Announcer />
      <Toasts />
    </>
  );
}

function found(): { page: Page; params: Record<string, string> } | undefined {
  for (const page of PAGES) {
    const params = match(page.pattern, path.value);
    if (params) return { page, params };
  }
  return undefined;
}

function Frame() {
  const open = useSignal(false);
  const main = useRef<HTMLElement>(null);
  const here = found();
  const lit = here?.page.under ?? here?.page.pattern;

  const first = useRef(true);
  useEffect(() => {
    document.title = here ? `${here.page.title} · Gambeson` : "Gambeson";
    open.value = false;
    // A browser that loads a page begins at its top and says its title; so does a step within this one.
    if (!first.current) {
      main.current?.focus({ preventScroll: true });
      announce(here?.page.title ?? "There is no such page.");
    }
    first.current = false;
  }, [path.value]);

  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="topbar">
        <button type="button" class="button quiet icon-only" aria-expanded={open.value} aria-controls="menu" aria-label="Menu" onClick={() => (open.value = !open.value)}>
          <Icon name={open.value ? "close" : "menu"} />
        </button>
        <a class="brand" href={to("/")}>
          <Icon name="brand" /> Gambeson
        </a>
        <Live />
      </header>
      <nav id="menu" class={open.value ? "menu open" : "menu"} aria-label="Pages" onKeyDown={(event) => event.key === "Escape" && (open.value = false)}>
        <a class="brand" href={to("/")}>
          <Icon name="brand" /> Gambeson
        </a>
        <ul>
          {PAGES.filter((page) => page.icon).map((page) => (
            <li key={page.pattern}>
              <a href={to(page.pattern)} aria-current={page.pattern === lit ? "page" : undefined} aria-keyshortcuts={page.key ? `g ${page.key}` : undefined}>
                {page.icon && <Icon name={page.icon} />}
                {page.title}
              </a>
            </li>
          ))}
        </ul>
        <Foot />
      </nav>
      {open.value && <div class="veil" onClick={() => (open.value = false)} />}
      <main id="main" tabIndex={-1} ref={main}>
        {here ? <Shown key={here.page.pattern} page={here.page} params={here.params} /> : <Nowhere />}
      </main>
      <Shortcuts />
    </div>
  );
}

function Foot() {
  const who = session.value?.who;
  if (!who) return null;
  const roles = [...new Set(who.roles.map((one) => one.role))].join(", ");
  return (
    <div class="menu-foot">
      <Live />
      <ThemeChoice />
      <div class="who">
        <Icon name="person" />
        <div class="who-names">
          <div class="cut" title={safe(who.user.name)}>
            {safe(who.user.name)}
          </div>
          <div class="cut faint" title={`Key ${safe(who.key.name)}`}>
            {roles === "" ? "no role" : roles}
          </div>
        </div>
        <button type="button" class="button quiet icon-only" aria-label="Sign out" title="Sign out" onClick={() => void signOut().catch(toastProblem)}>
          <Icon name="leave" />
        </button>
      </div>
    </div>
  );
}

const LIVENESS: Record<Liveness, string> = {
  off: "",
  connecting: "Connecting",
  live: "Live",
  polling: "Every 3 s",
  lost: "Reconnecting",
};

function Live() {
  const now = liveness.value;
  if (now === "off") return null;
  return (
    <span class={`liveness ${now}`} title={now === "lost" ? "The connection broke; it is tried again." : "How news come to this page."}>
      <span class="dot" aria-hidden="true" /> {LIVENESS[now]}
    </span>
  );
}

const THEMES: readonly (readonly [Theme, string, "system" | "light" | "dark"])[] = [
  ["system", "As the system", "system"],
  ["light", "Light", "light"],
  ["dark", "Dark", "dark"],
];

function ThemeChoice() {
  return (
    <div class="segmented" role="group" aria-label="Colours">
      {THEMES.map(([value, label, icon]) => (
        <button key={value} type="button" aria-pressed={theme.value === value} aria-label={label} title={label} onClick={() => (theme.value = value)}>
          <Icon name={icon} />
        </button>
      ))}
    </div>
  );
}

function Shown({ page, params }: { page: Page; params: Record<string, string> }) {
  const component = useSignal<ComponentType<PageProps> | undefined>(undefined);
  const failed = useSignal<unknown>(undefined);
  const [broken, forget] = useErrorBoundary();
  useEffect(() => {
    let gone = false;
    page.load().then(
      (module) => !gone && (component.value = module.default),
      (thrown: unknown) => !gone && (failed.value = thrown),
    );
    return () => {
      gone = true;
    };
  }, [page]);
  const wrong = broken ?? failed.value;
  if (wrong !== undefined && wrong !== null) {
    return (
      <div class="page">
        <h1>{page.title}</h1>
        <Failed problem={asProblem(wrong)} again={() => (broken ? forget() : location.reload())} />
      </div>
    );
  }
  const Shows = component.value;
  return Shows ? <Shows params={params} /> : <Loading label={`Loading ${page.title.toLowerCase()}`} />;
}

function Nowhere() {
  return (
    <div class="page">
      <h1>There is no such page</h1>
      <p>
        The address leads nowhere. <a href={to("/")}>Go to the overview</a>.
      </p>
    </div>
  );
}
