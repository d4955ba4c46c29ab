// The TypeScript client, driven line by line over its own standard input and output by typescript.py.
// Started with one argument: {"stdio": {command, args, env} | null, "url": …, "mode": "legacy" | "auto", "seconds": …}.

import { createInterface } from "node:readline";
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const { stdio, url, mode, seconds } = JSON.parse(process.argv[2]);

const client = new Client({ name: "rushes-tests", version: "1" }, { versionNegotiation: { mode } });
const transport = stdio
  ? new StdioClientTransport({ ...stdio, stderr: "ignore" })
  : new (url.endsWith("/sse") ? SSEClientTransport : StreamableHTTPClientTransport)(new URL(url));
await client.connect(transport);

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const operations = {
  tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
  call: async ({ tool, args }) => client.callTool({ name: tool, arguments: args }, { timeout: seconds * 1000 }),
};

say({ protocol: client.getNegotiatedProtocolVersion() ?? null });
for await (const line of createInterface({ input: process.stdin })) {
  const { operation, ...given } = JSON.parse(line);
  try {
    say({ result: await operations[operation](given) });
  } catch (error) {
    say({ error: error?.constructor?.name ?? "Error", message: String(error?.message ?? error) });
  }
}
await client.close();
process.exit(0);
