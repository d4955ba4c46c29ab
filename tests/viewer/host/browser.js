// A headless Chromium in which each test has a page of its own, under guard: nothing may be asked of another machine, and
// nothing may be wrong on the console that the test does not expect.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ARTEFACTS = fileURLToPath(new URL("../../artefacts/viewer/", import.meta.url));
const LOOPBACK = new Set(["127.0.0.1", "localhost"]);
const GROUNDS = { light: "#ffffff", dark: "#262624" };
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Chromium, or Chrome, whose path is in the environment variable CHROMIUM. */
export function launchBrowser() {
  const executablePath = process.env.CHROMIUM;
  assert.ok(executablePath, "CHROMIUM must name a Chromium: see tests/viewer/setup.sh");
  // Without its sandbox, because in a container it often cannot have one; it opens nothing but our own pages.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--renderer-process-limit=1", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"] });
}

const shared = new WeakMap();

/**
 * The context that pages share, with a page of each origin that stays: so a process of Chromium's, and what it has compiled,
 * outlives a test. To begin both anew takes a test longer than all else.
 */
function sharedContext(browser, origins) {
  if (!shared.has(browser)) shared.set(browser, kept(browser, origins));
  return shared.get(browser);
}

async function kept(browser, { hostOrigin, sandboxOrigin }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(hostOrigin);
  await page.evaluate((origin) => {
    const frame = document.createElement("iframe");
    frame.src = `${origin}/sandbox.html?csp={}`;
    document.body.replaceChildren(frame);
  }, sandboxOrigin);
  return context;
}

/** One tool call in the viewer, in a page of its own that closes with the test. */
export class View {
  #complaints = [];
  #outside = [];

  /** @param options those of `openApp` in page.js, and `width`, `reducedMotion`, and `stopClock`: time stands still. */
  static async open(test, browser, origins, options) {
    const { width = 640, reducedMotion = "no-preference", stopClock = false, expected = [], ...call } = options;
    const context = stopClock ? await browser.newContext() : await sharedContext(browser, origins);
    const view = new View();
    view.page = await context.newPage();
    test.after(() => (stopClock ? context : view.page).close());
    await view.page.setViewportSize({ width, height: 1600 });
    await view.page.emulateMedia({ reducedMotion });
    view.#guard(expected);
    if (stopClock) await view.page.clock.install();
    await view.page.goto(origins.hostOrigin);
    await view.page.waitForFunction(() => window.openApp);
    await view.ground(call.theme ?? "light");
    if (stopClock) await view.page.clock.pauseAt(Date.now() + 1000);
    await view.page.evaluate((given) => window.openApp(given), { sandboxOrigin: origins.sandboxOrigin, ...call });
    view.frame = view.page.frames().find((frame) => frame.parentFrame()?.parentFrame());
    return view;
  }

  #guard(expected) {
    this.page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && !LOOPBACK.has(url.hostname)) this.#outside.push(url.href);
    });
    const complain = (text) => expected.some((pattern) => pattern.test(text)) || this.#complaints.push(text);
    this.page.on("console", (message) => message.type() === "error" && complain(message.text()));
    this.page.on("pageerror", (error) => complain(error.message));
  }

  /** No request went outside, and the console has no error but those expected. */
  assertClean() {
    assert.deepEqual({ outside: this.#outside, console: this.#complaints }, { outside: [], console: [] });
  }

  ground(theme) {
    return this.page.evaluate((colour) => { document.body.style.background = colour; }, GROUNDS[theme]);
  }

  find(selector, options) {
    return this.frame.locator(selector, options);
  }

  button(name) {
    return this.frame.getByRole("button", { name, exact: true });
  }

  text(id) {
    return this.find(`#${id}`).textContent();
  }

  /** Until the state's words begin so. */
  state(words) {
    return this.find("#state").filter({ hasText: new RegExp(`^${words}`) }).waitFor();
  }

  /** Until the medium has loaded enough to be shown. */
  async medium(selector = "figure :is(img, video, audio)") {
    await this.find(selector).first().waitFor();
    await this.frame.waitForFunction((query) => [...document.querySelectorAll(query)]
      .every((element) => element.complete ?? element.readyState >= 2), selector);
    return this.find(selector).first();
  }

  /** What the viewer asked the host for. */
  heard() {
    return this.page.evaluate(() => window.heard);
  }

  /** Until the host has heard `count` of them. */
  async untilHeard(what, count) {
    await this.page.waitForFunction(([key, enough]) => window.heard[key].length >= enough, [what, count]);
    return (await this.heard())[what];
  }

  async screenshot(name) {
    await mkdir(ARTEFACTS, { recursive: true });
    const { height } = await this.page.locator("iframe").boundingBox();
    const { width } = this.page.viewportSize();
    await this.page.screenshot({ path: `${ARTEFACTS}${name}.png`, clip: { x: 0, y: 0, width, height: height + 24 } });
  }

  /** The rules of WCAG 2.2 A and AA, and axe's best practices, that the card breaks. */
  async accessibilityFaults() {
    await this.frame.evaluate(await readFile(AXE, "utf8"));
    const { violations } = await this.frame.evaluate(() => window.axe.run(document.querySelector("main"), {
      runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
    }));
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(", ")}`);
  }

  /** Pixels by which the card is wider than its frame. */
  overflow() {
    return this.frame.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }
}
