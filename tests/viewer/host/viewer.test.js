// The viewer in a real browser: a host with the official AppBridge, our server playing scenes (scenes.py) behind it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { View, launchBrowser } from "./browser.js";
import { startScripted } from "./servers.js";

const PROMPT = "A red fox running through fresh snow at first light, low tracking shot, steam in the cold air";
const INJECTION = '<img src=x onerror="document.title=1"><b>not bold</b>';

let servers;
let browser;
before(async () => {
  servers = await startScripted();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await servers?.close();
});

const open = (t, scene, { kind = "video", args = {}, ...options } = {}) =>
  View.open(t, browser, servers, { name: `generate_${kind}`, args: { prompt: PROMPT, model: scene, force_new: true, ...args }, ...options });

describe("a task", () => {
  for (const mode of ["auto", "legacy"]) {
    test(`is shown live up to the playing video (${mode} protocol)`, async (t) => {
      // The next look is when the test says so: each step is shown for as long as it takes to be seen.
      const view = await open(t, "video", { mode, stopClock: true });
      const look = () => view.page.clock.runFor(1000);
      assert.deepEqual([await view.text("what"), await view.text("who")], ["video", "sandbox-video · sandbox"]);
      await view.state("Queued");
      await look();
      await view.state("Generating");
      await look();
      await view.find("#count", { hasText: "42 %" }).waitFor();
      await view.frame.waitForFunction(() => document.querySelector("progress").value === 42);
      await view.screenshot(`running-${mode}`);

      await look();
      await view.find("#count", { hasText: "87 %" }).waitFor();
      await look();
      await view.state("Done in 00:");
      const video = await view.medium("video");
      assert.equal(await video.evaluate((element) => element.src.slice(0, 60)), `${servers.declared}/video.mp4`);
      await view.frame.waitForFunction(() => document.querySelector("video").currentTime > 0.2);
      assert.equal(await view.button("Cancel").count(), 0);
      assert.equal(await view.find("progress").isVisible(), false);
      assert.match(await view.text("files"), /854 × 480 · 5 s · \d+ kB · MP4/);
      await view.screenshot(`video-${mode}`);
      view.assertClean();
    });
  }

  test("shows a picture", async (t) => {
    const view = await open(t, "image", { kind: "image", args: { aspect_ratio: "4:3" } });
    await view.state("Done");
    const picture = await view.medium("img");
    assert.equal(await picture.evaluate((element) => element.naturalWidth), 1024);
    assert.equal(await picture.getAttribute("alt"), `image: ${PROMPT}`);
    view.assertClean();
  });

  test("shows several pictures, each with its own buttons", async (t) => {
    const view = await open(t, "images", { kind: "image", width: 760 });
    await view.medium("img");
    assert.equal(await view.find("img").count(), 4);
    await view.button("Open 3").click();
    assert.deepEqual(await view.untilHeard("links", 1), [`${servers.declared}/image.png`]);
    await view.screenshot("images");
    view.assertClean();
  });

  test("plays sound with controls", async (t) => {
    const view = await open(t, "audio", { kind: "audio", width: 500 });
    const sound = await view.medium("audio");
    assert.deepEqual(await sound.evaluate((element) => [element.controls, element.paused, element.duration]), [true, true, 4]);
    await view.screenshot("audio");
    view.assertClean();
  });

  test("without known progress has a bar without a value", async (t) => {
    const view = await open(t, "silent");
    await view.state("Generating");
    assert.equal(await view.find("progress").getAttribute("value"), null);
    assert.equal(await view.find("#count").isVisible(), false);
  });

  test("that has ended but whose file is still being kept is looked at until it is there", async (t) => {
    const view = await open(t, "settling", { kind: "image" });
    await view.medium("img");
    assert.equal((await view.heard()).calls.length, 1);
    view.assertClean();
  });

  test("that is only planned shows what would be sent", async (t) => {
    const view = await open(t, "video", { args: { dry_run: true } });
    await view.state("Dry run");
    assert.match(await view.text("notes"), /Nothing was sent or paid\./);
    await view.find("summary").click();
    assert.match(await view.text("rows"), /"prompt": "A red fox/);
    assert.equal(await view.find("#film").isVisible(), false);
    assert.deepEqual((await view.heard()).calls, []);
  });

  test("that was asked for before says so", async (t) => {
    const args = { prompt: "again", force_new: false };
    await open(t, "stays", { args });
    const view = await open(t, "stays", { args });
    assert.match(await view.text("notes"), /No new task was made, and nothing paid again/);
  });
});

const TASK = { task_id: "01J8X", kind: "video", state: "running", provider: "sandbox", model: "film", prompt: PROMPT, progress: 0.4, outputs: [], warnings: [] };
const OUTPUT = { url: null, expires_at: null, path: null, resource: null, mime_type: "video/mp4" };

/** The card before a result that the host hands over as it is, without a server behind it. */
async function shown(t, result, options = {}) {
  const view = await open(t, "stays", { hold: true, without: ["serverTools"], ...options });
  await view.page.evaluate((given) => window.showResult(given), { content: [], ...result });
  return view;
}

describe("a result", () => {
  for (const [what, result] of Object.entries({
    "cut short on its way": { content: [{ type: "text", text: '{"task_id": "01J8X", "state": "runn' }] },
    "without anything in it": {},
    "that is no task": { structuredContent: {}, content: [{ type: "text", text: "null" }] },
  })) {
    test(`${what} is not called a failure, because the generation may go on`, async (t) => {
      const view = await shown(t, result);
      await view.state("Outcome unknown");
      assert.match(await view.text("message"), /cannot be read.*goes on by itself/);
      assert.equal(await view.text("money"), "It is not known whether this was charged.");
      assert.match(await view.text("hint"), /list_tasks before asking again/);
      view.assertClean();
    });
  }

  test("with nulls and half a type instead of lists and types is shown as far as it goes", async (t) => {
    const nulls = await shown(t, { structuredContent: { ...TASK, state: "succeeded", outputs: null, warnings: null } });
    await nulls.state("Done");
    await nulls.find("summary").waitFor();
    nulls.assertClean();
    const typeless = await shown(t, { structuredContent: { ...TASK, state: "succeeded", outputs: [{ ...OUTPUT, mime_type: "video" }] } });
    await typeless.find("#files", { hasText: "VIDEO" }).waitFor();
    typeless.assertClean();
  });

  test("that is days old counts its hours, and progress ends at 100 %", async (t) => {
    const created_at = new Date(Date.now() - 51 * 3600e3 - 90e3).toISOString();
    const view = await shown(t, { structuredContent: { ...TASK, created_at, progress: 14 } });
    await view.find("#clock", { hasText: /^51:01:3\d$/ }).waitFor();
    assert.equal(await view.text("count"), "100 %");
    view.assertClean();
  });

  test("whose address has expired and of which nothing is kept says so", async (t) => {
    const output = { ...OUTPUT, url: `${servers.declared}/video.mp4`, expires_at: "2020-01-01T00:00:00Z" };
    const view = await shown(t, { structuredContent: { ...TASK, state: "succeeded", outputs: [output] } });
    await view.find("figure p", { hasText: "Its address has expired, and no file of it is known." }).waitFor();
    assert.equal(await view.button("Open").count(), 0);
    view.assertClean();
  });

  test("with a very long prompt stays a card, and Details have the whole of it", async (t) => {
    const prompt = "A red fox runs through fresh snow. ".repeat(200);
    const view = await shown(t, { structuredContent: { ...TASK, prompt } }, { args: { prompt } });
    await view.state("Generating");
    assert.ok((await view.find("main").boundingBox()).height < 700);
    assert.match(await view.text("prompt"), / …$/);
    await view.find("summary").click();
    assert.ok((await view.text("rows")).includes(prompt));
  });

  test("loses the characters that would turn its text around", async (t) => {
    const failure = { reason: "provider_error", message: "saved as \u202egpj.exe\u0007 \u2066**now**", charged: "no", hint: "" };
    const view = await shown(t, { structuredContent: { ...TASK, state: "failed", failure, warnings: ["a\u202eb"] } });
    await view.state("Failed");
    assert.equal(await view.text("message"), "saved as gpj.exe **now**");
    assert.equal(await view.text("notes"), "ab");
  });
});

describe("a failure", () => {
  test("says why, whether it was charged and what to do, and text from outside stays text", async (t) => {
    const view = await open(t, "refused", { args: { prompt: INJECTION } });
    await view.state("Failed");
    assert.equal(await view.text("reason"), "Refused by the content rules");
    assert.equal(await view.text("message"), `The prompt was refused: ${INJECTION}`);
    assert.equal(await view.text("money"), "Nothing was charged.");
    assert.match(await view.text("hint"), /^Change the prompt/);
    assert.equal(await view.text("prompt"), INJECTION);
    assert.equal(await view.find("main :is(img, b)").count(), 0);
    assert.equal(await view.frame.title(), "rushes");
    assert.equal(await view.find("#film").isVisible(), false);
    await view.screenshot("failed");
    view.assertClean();
  });

  test("whose outcome is not known says that money may be gone", async (t) => {
    const view = await open(t, "lost");
    await view.state("Outcome unknown");
    assert.equal(await view.text("money"), "It is not known whether this was charged.");
    assert.match(await view.text("live"), /Outcome unknown: .*not known whether this was charged/);
  });

  test("of the call itself, before there is a task, is shown in its own words", async (t) => {
    const view = await open(t, "video", { args: { prompt: " " } });
    await view.state("Failed");
    assert.equal(await view.text("message"), "prompt must not be blank.");
    assert.deepEqual((await view.heard()).calls, []);
  });
});

describe("media", () => {
  test("without a URL are read through the host", async (t) => {
    const view = await open(t, "kept-video");
    const video = await view.medium("video");
    assert.match(await video.evaluate((element) => element.src.slice(0, 60)), /^data:video\/mp4;base64,/);
    assert.equal((await view.heard()).reads.length, 1);
    await view.button("Download").click();
    const [[download]] = await view.untilHeard("downloads", 1);
    assert.equal(download.resource.uri, "file:///video.mp4");
    assert.ok(download.resource.blob.length > 1000);
    view.assertClean();
  });

  test("too large for that are shown as a preview that says so", async (t) => {
    const view = await open(t, "kept-large");
    await view.medium("img");
    assert.match(await view.text("frames"), /Preview: the video itself is too large for the host\./);
    await view.button("Download").click();
    assert.match(await view.text("notes"), /too large for the host\. Details say where it is kept\./);
    assert.deepEqual((await view.heard()).downloads, []);
    view.assertClean();
  });

  test("with an expired URL are read through the host, and nobody is offered the URL", async (t) => {
    const view = await open(t, "expired-url");
    assert.match(await (await view.medium("video")).evaluate((element) => element.src.slice(0, 60)), /^data:/);
    assert.equal(await view.button("Open").count(), 0);
    view.assertClean();
  });

  test("with a URL that fails are read through the host", async (t) => {
    const view = await open(t, "broken-url", { expected: [/404/] });
    assert.match(await (await view.medium("video")).evaluate((element) => element.src.slice(0, 60)), /^data:/);
    view.assertClean();
  });

  test("are read through a host that ignores the declared domains", async (t) => {
    const view = await open(t, "video", { csp: false, expected: [/Content Security Policy/] });
    assert.match(await (await view.medium("video")).evaluate((element) => element.src.slice(0, 60)), /^data:/);
    view.assertClean();
  });

  test("that can be neither loaded nor read leave a sentence and a button", async (t) => {
    const view = await open(t, "undeclared");
    await view.find("figure button").click();
    assert.match(await view.text("frames"), /The video cannot be shown here\./);
    const [link] = await view.untilHeard("links", 1);
    assert.match(link, /^http:\/\/localhost:\d+\/video\.mp4$/);
    await view.screenshot("cannot-show");
    view.assertClean();
  });

  test("without a URL in a host that reads no resources leave a sentence, and Details have the path", async (t) => {
    const view = await open(t, "kept-video", { without: ["serverResources"] });
    await view.find("figure p").waitFor();
    assert.match(await view.text("frames"), /cannot be shown here\. Details say where it is kept\./);
    await view.find("summary").click();
    assert.match(await view.text("rows"), /rushes-viewer-\w+\/video\.mp4/);
    view.assertClean();
  });
});

describe("money", () => {
  test("is an estimate with its basis until the gateway tells a cost", async (t) => {
    const view = await open(t, "priced");
    await view.state("Generating");
    await view.find("summary").click();
    assert.match(await view.text("rows"), /Estimate\s*0\.4 USD \(learned, n=5\)/);
    assert.doesNotMatch(await view.text("rows"), /Cost/);
    view.assertClean();
  });

  test("is the cost once the gateway has told it", async (t) => {
    const view = await open(t, "paid");
    await view.state("Done");
    await view.find("summary").click();
    assert.match(await view.text("rows"), /Cost\s*0\.35 USD/);
    assert.doesNotMatch(await view.text("rows"), /Estimate/);
    view.assertClean();
  });
});

describe("the person", () => {
  test("cancels by keyboard, and the focus goes to the new state", async (t) => {
    const view = await open(t, "stays");
    await view.button("Cancel").focus();
    await view.page.keyboard.press("Enter");
    await view.state("Cancelled");
    assert.equal(await view.frame.evaluate(() => document.activeElement.id), "state");
    assert.equal(await view.find("#film").isVisible(), false);
    view.assertClean();
  });

  test("may stop waiting for a gateway that does not cancel", async (t) => {
    const view = await open(t, "stubborn");
    await view.button("Cancel").click();
    await view.button("Stop waiting").waitFor();
    assert.match(await view.text("notes"), /gateway cannot cancel; it goes on and may charge/);
    await view.button("Stop waiting").click();
    await view.state("Cancelled");
    const cancels = (await view.heard()).calls.filter((call) => call.name === "cancel_task").map((call) => call.arguments.abandon);
    assert.deepEqual(cancels, [undefined, true]);
  });

  test("does not give up a paid task by a double click or a key held down", async (t) => {
    const view = await open(t, "stubborn");
    const [cancel, abandon] = [view.button("Cancel"), view.button("Stop waiting")];
    const cancels = async () => (await view.heard()).calls.filter((call) => call.name === "cancel_task").length;
    await cancel.click();
    await abandon.waitFor();
    await abandon.dispatchEvent("click", { detail: 2 });
    await abandon.click();
    await view.state("Cancelled");
    assert.equal(await cancels(), 2);
    const held = await open(t, "stubborn");
    await held.button("Cancel").focus();
    await held.page.keyboard.down("Enter");
    await held.button("Stop waiting").waitFor();
    await held.page.keyboard.down("Enter");
    await held.untilHeard("calls", 3);
    assert.equal(await held.text("state"), "Generating");
  });

  test("who listens hears what became of a press", async (t) => {
    const view = await open(t, "stubborn");
    await view.button("Cancel").click();
    await view.find("#said[role=status]", { hasText: "The gateway has not confirmed this." }).waitFor({ state: "attached" });
  });

  test("with text at twice its size loses nothing in a narrow host", async (t) => {
    const view = await open(t, "images", { kind: "image", width: 280 });
    await view.medium("img");
    await view.frame.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
    assert.equal(await view.find("main").evaluate((element) => getComputedStyle(element).fontSize), "28px");
    assert.ok(await view.overflow() <= 0);
    await view.screenshot("images-large-text");
  });

  test("opens and downloads what has a URL", async (t) => {
    const view = await open(t, "image", { kind: "image" });
    await view.button("Open").click();
    await view.button("Download").click();
    assert.deepEqual(await view.untilHeard("links", 1), [`${servers.declared}/image.png`]);
    const [[download]] = await view.untilHeard("downloads", 1);
    assert.deepEqual([download.type, download.uri, download.mimeType], ["resource_link", `${servers.declared}/image.png`, "image/png"]);
  });

  test("gets only the buttons that the host can serve", async (t) => {
    const view = await open(t, "images", { kind: "image", without: ["openLinks", "downloadFile"] });
    await view.medium("img");
    assert.equal(await view.find("button:visible").count(), 0);
  });

  test("who wants less motion gets a video that waits and no animation", async (t) => {
    const view = await open(t, "video", { reducedMotion: "reduce" });
    await view.state("Generating");
    assert.equal(await view.frame.evaluate(() => document.getAnimations().length), 0);
    const video = await view.medium("video");
    assert.equal(await video.evaluate((element) => element.paused), true);
  });

  test("sees where the focus is", async (t) => {
    const view = await open(t, "images", { kind: "image" });
    await view.medium("img");
    await view.page.keyboard.press("Tab");
    const seen = [];
    for (let step = 0; step < 9; step += 1) {
      seen.push(await view.frame.evaluate(() => [document.activeElement.ariaLabel ?? document.activeElement.textContent,
        getComputedStyle(document.activeElement).outlineStyle]));
      await view.page.keyboard.press("Tab");
    }
    const names = [1, 2, 3, 4].flatMap((number) => [`Open ${number}`, `Download ${number}`]);
    assert.deepEqual(seen, [...names, "Details"].map((name) => [name, "solid"]));
  });
});

describe("the host", () => {
  test("decides between light and dark, and its colours are used", async (t) => {
    const view = await open(t, "stays", { theme: "dark", variables: { "--color-text-primary": "light-dark(rgb(1, 2, 3), rgb(4, 5, 6))" } });
    const colours = () => view.find("main").evaluate((element) => [getComputedStyle(element).backgroundColor, getComputedStyle(element).color]);
    assert.deepEqual(await colours(), ["rgb(31, 30, 29)", "rgb(4, 5, 6)"]);
    await view.page.evaluate(() => window.changeContext({ theme: "light" }));
    await view.frame.waitForFunction(() => getComputedStyle(document.querySelector("main")).color === "rgb(1, 2, 3)");
    assert.deepEqual(await colours(), ["rgb(255, 255, 255)", "rgb(1, 2, 3)"]);
  });

  test("is told the size of the card", async (t) => {
    const view = await open(t, "images", { kind: "image" });
    await view.medium("img");
    await view.page.waitForFunction(() => {
      const frame = document.querySelector("iframe");
      return window.heard.sizes.at(-1)?.height === frame.offsetHeight && frame.offsetHeight > 400;
    });
    assert.equal(await view.frame.evaluate(() => document.documentElement.scrollHeight <= innerHeight), true);
  });

  test("is told of an end that the model has not seen, once", async (t) => {
    const view = await open(t, "image", { kind: "image" });
    const [told] = await view.untilHeard("contexts", 1);
    assert.match(told.content[0].text, /^rushes task 01J8X\d+: succeeded · the gateway's url http:\S+image\.png$/);
    assert.equal(told.structuredContent.state, "succeeded");
    await view.medium("img");
    assert.equal((await view.heard()).contexts.length, 1);
  });

  test("is not told what the tool's answer said itself", async (t) => {
    const view = await open(t, "images", { kind: "image" });
    await view.medium("img");
    assert.deepEqual((await view.heard()).contexts, []);
  });

  test("that forwards no tool calls is not asked, and the card says what to do", async (t) => {
    const view = await open(t, "stays", { without: ["serverTools"] });
    await view.state("Generating");
    assert.match(await view.text("notes"), /ask the assistant to check the task/);
    assert.equal(await view.button("Cancel").count(), 0);
    assert.deepEqual((await view.heard()).calls, []);
  });

  test("may cancel the call before there is a task", async (t) => {
    const view = await open(t, "stays", { hold: true });
    await view.state("Starting");
    assert.equal(await view.text("prompt"), PROMPT);
    await view.page.evaluate(() => window.cancelCall());
    await view.state("Cancelled");
    assert.match(await view.text("notes"), /A generation that has begun goes on by itself\./);
  });

  test("is asked again no sooner than the server says, and never after a teardown", async (t) => {
    const view = await open(t, "stays", { stopClock: true });
    const calls = async () => (await view.heard()).calls.length;
    await view.state("Generating");
    await view.page.clock.runFor(900);
    assert.equal(await calls(), 0);
    await view.page.clock.runFor(200);
    await view.untilHeard("calls", 1);
    assert.deepEqual(await view.page.evaluate(() => window.tearDown()), {});
    await view.page.clock.runFor(60_000);
    assert.equal(await calls(), 1);
  });

  test("whose server falters is asked again, and the card says so meanwhile", async (t) => {
    const view = await open(t, "faltering");
    await view.find("#notes", { hasText: "It could not be looked up" }).waitFor();
    assert.equal(await view.text("state"), "Generating");
    await view.find("#count", { hasText: "60 %" }).waitFor();
    assert.equal(await view.find("#notes").isVisible(), false);
    view.assertClean();
  });
});

describe("the card", () => {
  const looks = [["stays", "video"], ["kept-video", "video"], ["images", "image"], ["audio", "audio"], ["lost", "video"], ["undeclared", "video"]];
  for (const [theme, width] of [["light", 320], ["dark", 900]]) {
    test(`keeps the rules of accessibility and its width: ${theme}, ${width} px`, async (t) => {
      for (const [scene, kind] of looks) {
        const view = await open(t, scene, { kind, theme, width, reducedMotion: "reduce" });
        if (!["stays", "lost"].includes(scene)) await view.find("figure :is(img, video, audio, p)").first().waitFor();
        assert.deepEqual(await view.accessibilityFaults(), [], scene);
        assert.ok(await view.overflow() <= 0, `${scene} is wider than its frame`);
        await view.screenshot(`${scene}-${theme}-${width}`);
        view.assertClean();
      }
    });
  }
});
