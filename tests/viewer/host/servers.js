// What runs beside the browser, all on loopback: the host's page, its sandbox, media, and the MCP server as a process.
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The Python in which rushes is installed. */
export const PYTHON = process.env.PYTHON ?? join(root, ".venv/bin/python");

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>host</title>
<style>body { margin: 0; padding: 12px } iframe { display: block; width: 100%; border: 0; height: 10px }</style>
<body><script type="module" src="/page.js"></script></body></html>`;
const SANDBOX = `<!doctype html><html lang="en"><meta charset="utf-8"><title>sandbox</title>
<style>html, body { margin: 0; height: 100% } iframe { display: block; width: 100%; height: 100%; border: 0 }</style>
<body><script src="/sandbox.js"></script></body></html>`;
const MIME_TYPES = { ".mp4": "video/mp4", ".png": "image/png", ".wav": "audio/wav" };

async function listening(answer) {
  const server = createServer((asked, answered) => answer(asked, answered).catch((error) => answered.destroy(error)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref(); // so that a start that fails half-way ends the process
  return { port: server.address().port, close: () => (server.closeAllConnections(), server.close()) };
}

/** The policy that the specification gives to a page with these declared domains. */
function policy({ resourceDomains = [], connectDomains = [] }) {
  const from = ["'self'", "data:", ...resourceDomains].join(" ");
  return `default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src ${from}; `
    + `media-src ${from}; connect-src ${connectDomains.join(" ") || "'none'"}; frame-src 'none'; object-src 'none'; base-uri 'self'`;
}

function send(answered, type, body, headers = {}) {
  answered.writeHead(200, { "content-type": type, ...headers });
  answered.end(body);
}

const missing = (answered) => (answered.writeHead(404), answered.end());

/** Media with byte ranges, as a gateway's result host serves them. */
export async function serveMedia(folder) {
  return listening(async (asked, answered) => {
    const path = join(folder, new URL(asked.url, "http://host").pathname.slice(1));
    const size = (await stat(path).catch(() => null))?.size;
    const type = MIME_TYPES[path.slice(-4)];
    if (!size || !type) return missing(answered);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(asked.headers.range ?? "") ?? [];
    const [start, end] = [Number(from ?? 0), to ? Number(to) : size - 1];
    const range = from === undefined ? {} : { "content-range": `bytes ${start}-${end}/${size}` };
    answered.writeHead(from === undefined ? 200 : 206, { "content-type": type, "accept-ranges": "bytes", "content-length": end - start + 1, ...range });
    createReadStream(path, { start, end }).pipe(answered);
  });
}

/** The host's page, and under /mcp the MCP server, which answers only to its own origin. */
async function serveHost(mcpUrl) {
  const bundle = await build({ entryPoints: [join(here, "page.js")], bundle: true, format: "esm", write: false, logLevel: "warning" });
  return listening(async (asked, answered) => {
    if (asked.url === "/") return send(answered, "text/html", PAGE);
    if (asked.url === "/favicon.ico") return (answered.writeHead(204), answered.end());
    if (asked.url === "/page.js") return send(answered, "text/javascript", bundle.outputFiles[0].contents);
    if (asked.url !== "/mcp") return missing(answered);
    const { origin, host, ...headers } = asked.headers;
    const forwarded = request(mcpUrl, { method: asked.method, headers }, (reply) => {
      answered.writeHead(reply.statusCode, reply.headers);
      reply.pipe(answered);
    });
    forwarded.on("error", () => answered.destroy());
    answered.on("close", () => forwarded.destroy());
    asked.pipe(forwarded);
  });
}

async function serveSandbox() {
  return listening(async (asked, answered) => {
    const url = new URL(asked.url, "http://host");
    if (url.pathname === "/sandbox.js") return send(answered, "text/javascript", await readFile(join(here, "sandbox.js")));
    if (url.pathname !== "/sandbox.html") return missing(answered);
    return send(answered, "text/html", SANDBOX, { "content-security-policy": policy(JSON.parse(url.searchParams.get("csp"))) });
  });
}

/** A server of ours as a process, up to its URL. It ends with its standard input. */
export async function startServer(command, args, environment = {}) {
  const child = spawn(command, args, { cwd: root, stdio: ["pipe", "ignore", "pipe"], env: { ...process.env, ...environment } });
  const lines = createInterface(child.stderr);
  const said = [];
  for await (const line of lines) {
    said.push(line);
    const url = /listening on (http:\S+)/.exec(line)?.[1];
    if (!url) continue;
    child.stderr.resume();
    return { url, stop: () => new Promise((resolve) => (child.once("exit", resolve), child.stdin.end(), child.kill("SIGTERM"))) };
  }
  throw new Error(`the server did not start:\n${said.join("\n")}`);
}

/** Everything that the scripted tests need. */
export async function startScripted() {
  const folder = await mkdtemp(join(tmpdir(), "rushes-viewer-"));
  const media = await serveMedia(folder);
  const origins = [`http://127.0.0.1:${media.port}`, `http://localhost:${media.port}`];
  const server = await startServer(PYTHON, ["-m", "tests.viewer.scripted_server", folder, ...origins]);
  const host = await startHost(server.url);
  const close = async () => {
    host.close();
    media.close();
    await server.stop();
    await rm(folder, { recursive: true });
  };
  return { ...host, declared: origins[0], close };
}

/** Host and sandbox in front of an MCP server. */
export async function startHost(mcpUrl) {
  const [host, sandbox] = [await serveHost(mcpUrl), await serveSandbox()];
  const origins = { hostOrigin: `http://127.0.0.1:${host.port}`, sandboxOrigin: `http://localhost:${sandbox.port}` };
  return { ...origins, close: () => (host.close(), sandbox.close()) };
}
