// The host's page: shows one tool call in the viewer, with the official AppBridge on one side and the official client on
// the other. `openApp` is what the tests call.
import { AppBridge, PostMessageTransport, RESOURCE_MIME_TYPE, getToolUiResourceUri } from "@modelcontextprotocol/ext-apps/app-bridge";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const IMPLEMENTATION = { name: "viewer tests", version: "1.0.0" };
const EVERYTHING = {
  openLinks: {}, downloadFile: {}, serverTools: {}, serverResources: {}, updateModelContext: { text: {}, structuredContent: {} },
};

/** What the viewer asked the host for. */
const heard = { calls: [], links: [], downloads: [], contexts: [], sizes: [], reads: [] };
window.heard = heard;

let client;
let bridge;

async function connect(mode) {
  client = new Client(IMPLEMENTATION, {
    versionNegotiation: { mode },
    capabilities: { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: [RESOURCE_MIME_TYPE] } } },
  });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", location.href)));
}

/**
 * @param name the tool to call, with its arguments
 * @param without host capabilities that this host lacks
 * @param csp `false`: the host ignores the domains that the server declares, and does not say so
 * @param hold the call goes on until `finishCall`, `showResult` or `cancelCall`
 */
window.openApp = async ({ name, args, theme = "light", variables, without = [], csp = true, mode = "auto", hold = false, sandboxOrigin }) => {
  await connect(mode);
  const { tools } = await client.listTools();
  const tool = tools.find((each) => each.name === name);
  const { contents: [page] } = await client.readResource({ uri: getToolUiResourceUri(tool) });
  if (page.mimeType !== RESOURCE_MIME_TYPE) throw new Error(`the page is ${page.mimeType}`);

  const declared = csp ? page._meta.ui.csp : undefined;
  const capabilities = Object.fromEntries(Object.entries(EVERYTHING).filter(([key]) => !without.includes(key)));
  if (csp) capabilities.sandbox = { csp: declared };
  const iframe = document.createElement("iframe");
  iframe.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
  const ready = new Promise((resolve) => addEventListener("message", function listen({ source, data }) {
    if (source !== iframe.contentWindow || data?.method !== "ui/notifications/sandbox-proxy-ready") return;
    removeEventListener("message", listen);
    resolve();
  }));
  iframe.src = `${sandboxOrigin}/sandbox.html?csp=${encodeURIComponent(JSON.stringify(declared ?? {}))}`;
  document.body.replaceChildren(iframe);
  await ready;

  bridge = new AppBridge(client, IMPLEMENTATION, capabilities, { hostContext: { theme, styles: { variables }, toolInfo: { tool } } });
  addEventListener("message", ({ source, data }) => {
    if (source !== iframe.contentWindow) return;
    if (data.method === "tools/call") heard.calls.push(data.params);
    if (data.method === "resources/read") heard.reads.push(data.params);
  });
  bridge.onopenlink = async (params) => (heard.links.push(params.url), {});
  bridge.ondownloadfile = async (params) => (heard.downloads.push(params.contents), {});
  bridge.onupdatemodelcontext = async (params) => (heard.contexts.push(params), {});
  bridge.onsizechange = (params) => {
    heard.sizes.push(params);
    iframe.style.height = `${params.height}px`;
  };
  const initialized = new Promise((resolve) => { bridge.oninitialized = resolve; });
  await bridge.connect(new PostMessageTransport(iframe.contentWindow, iframe.contentWindow));
  await bridge.sendSandboxResourceReady({ html: page.text, csp: declared });
  await initialized;
  await bridge.sendToolInput({ arguments: args });
  if (!hold) await window.finishCall({ name, args });
};

window.finishCall = async ({ name, args }) => bridge.sendToolResult(await client.callTool({ name, arguments: args }));
window.showResult = (result) => bridge.sendToolResult(result);
window.cancelCall = () => bridge.sendToolCancelled({ reason: "user action" });
window.changeContext = (context) => bridge.sendHostContextChange(context);
window.tearDown = () => bridge.teardownResource({});
