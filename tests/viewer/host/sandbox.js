// The sandbox proxy between host and viewer, on an origin of its own, as the MCP Apps specification asks of web hosts.
// The viewer's Content Security Policy is this page's own, which the inner frame inherits.
const HOST_ORIGIN = new URL(document.referrer).origin;
const inner = document.createElement("iframe");
inner.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
document.body.append(inner);

addEventListener("message", ({ source, origin, data }) => {
  if (source === parent && origin === HOST_ORIGIN) {
    if (data.method !== "ui/notifications/sandbox-resource-ready") return inner.contentWindow.postMessage(data, "*");
    const page = inner.contentDocument;
    page.open();
    page.write(data.params.html);
    page.close();
  } else if (source === inner.contentWindow) parent.postMessage(data, HOST_ORIGIN);
});
parent.postMessage({ jsonrpc: "2.0", method: "ui/notifications/sandbox-proxy-ready", params: {} }, HOST_ORIGIN);
