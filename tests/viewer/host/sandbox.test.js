// The same host in front of `rushes serve` as people run it, with the built-in sandbox: nothing is scripted.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { View, launchBrowser } from "./browser.js";
import { PYTHON, startHost, startServer } from "./servers.js";

let home;
let server;
let host;
let browser;
before(async () => {
  home = await mkdtemp(join(tmpdir(), "rushes-home-"));
  server = await startServer(PYTHON, ["-m", "rushes", "serve", "--transport", "http", "--port", "0"], { RUSHES_HOME: home });
  host = await startHost(server.url);
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  host?.close();
  await server?.stop();
  if (home) await rm(home, { recursive: true });
});

const open = (t, kind, prompt, args = {}) => View.open(t, browser, host, {
  name: `generate_${kind}`, args: { prompt, provider: "sandbox", ...args },
});

describe("rushes serve", () => {
  test("a picture of the sandbox is shown when it is done", async (t) => {
    const view = await open(t, "image", "A lighthouse at dusk", { size: "640x480" });
    await view.state("Done");
    const picture = await view.medium("img");
    assert.match(await picture.evaluate((element) => element.src.slice(0, 60)), /^data:image\/jpeg;base64,/);
    assert.equal(await view.find("figcaption").count(), 0);
    await view.screenshot("sandbox-image");
    view.assertClean();
  });

  test("a picture too large to pass through a host is previewed", async (t) => {
    const view = await open(t, "image", "A lighthouse at dusk", { size: "3840x2160", output_format: "png" });
    await view.state("Done");
    await view.medium("img");
    assert.match(await view.text("frames"), /Preview: the image itself is too large for the host\./);
    view.assertClean();
  });

  test("a video of the sandbox plays, and the model is told where it is kept", async (t) => {
    const view = await open(t, "video", "A red fox running through fresh snow at first light", { duration_seconds: 3, resolution: "480p" });
    await view.state("Done");
    await view.medium("video");
    await view.frame.waitForFunction(() => document.querySelector("video").currentTime > 0.2);
    assert.match((await view.untilHeard("contexts", 1))[0].content[0].text, /succeeded · \S+\.mp4$/);
    await view.screenshot("sandbox-video");
    view.assertClean();
  });

  test("sound of the sandbox has controls", async (t) => {
    const view = await open(t, "audio", "Rain on a tin roof", { duration_seconds: 2 });
    await view.state("Done");
    const sound = await view.medium("audio");
    assert.equal(await sound.evaluate((element) => element.duration), 2);
    view.assertClean();
  });

  test("several pictures of one task are shown", async (t) => {
    const view = await open(t, "image", "Four seasons [outputs:4]");
    await view.state("Done");
    await view.find("figure img").nth(3).waitFor();
    assert.equal(await view.find("#files li").count(), 4);
    view.assertClean();
  });

  test("a failure of the sandbox is told with its money state", async (t) => {
    const view = await open(t, "video", "Something else [fail:content_violation]");
    await view.state("Failed");
    assert.equal(await view.text("reason"), "Refused by the content rules");
    assert.equal(await view.text("money"), "Nothing was charged.");
    view.assertClean();
  });

  test("a slow generation is cancelled", async (t) => {
    const view = await open(t, "video", "Paint drying [slow:600]");
    await view.state("Generating");
    await view.button("Cancel").click();
    await view.state("Cancelled");
    view.assertClean();
  });
});
