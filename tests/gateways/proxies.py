"""What stands between a client and a gateway, and answers in its place while the gateway works on.

Each answer becomes two behaviours of a create, as every fault does: `NAME-after-accept` (also plain `NAME`), where the
job was taken and is paid for, and `NAME-before-accept`, where it never reached the gateway. The control API's `jobs`
and `charges` hold the account either way.
"""

from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

_PAGE: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr><center>{1}</center></body></html>"


@dataclass(frozen=True)
class ProxyAnswer:
    """One whole HTTP answer. A `body` that is text is a page or plain text, else it is sent as JSON."""

    name: str
    status: int
    body: JsonValue
    source: str
    media_type: str = "application/json"
    names_the_job: bool = False
    """The gateway's own error of this status, with what the answer to the create would have held: its id above all.
    Only where a create answers with a job; `body` is not used."""

    @property
    def meaning(self) -> str:
        if self.names_the_job:
            return f"{self.status} in the gateway's own form, with the job's id"
        return f"{self.status} from a proxy, {'a page' if self.media_type == 'text/html' else self.media_type}"


def _page(name: str, status: int, title: str, server: str) -> ProxyAnswer:
    return ProxyAnswer(name, status, _PAGE.format(title, server), server, "text/html")


def _text(name: str, status: int, text: str, server: str) -> ProxyAnswer:
    return ProxyAnswer(name, status, text, server, "text/plain")


_RESET: Final = (
    "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: "
    "connection termination"
)
_SPRING: Final[JsonValue] = {
    "timestamp": "2026-11-20T12:00:00.000+00:00",
    "path": "/v1/models",
    "status": 500,
    "error": "Internal Server Error",
    "requestId": "1f0c2a4e-12",
}
_SPRING_PROBLEM: Final[JsonValue] = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "Unable to find instance",
    "instance": "/v1/models",
}
_CLOUDFLARE: Final[JsonValue] = {
    "cloudflare_error": True,
    "title": "Error 524: A timeout occurred",
    "status": 524,
    "detail": "The origin web server did not return a complete response in time.",
    "ray_id": "9f3c8a7b6d5e4f30",
}

PROXY_ANSWERS: Final[tuple[ProxyAnswer, ...]] = (
    ProxyAnswer("aws-endpoint-timeout", 504, {"message": "Endpoint request timed out"}, "Amazon API Gateway"),
    ProxyAnswer("aws-bad-gateway", 502, {"message": "Internal server error"}, "Amazon API Gateway"),
    ProxyAnswer("aws-internal-error", 500, {"message": "Internal Server Error"}, "Amazon API Gateway"),
    ProxyAnswer("aws-unavailable", 503, {"message": "Service Unavailable"}, "Amazon API Gateway"),
    ProxyAnswer("kong-no-peer", 503, {"message": "failure to get a peer from the ring-balancer"}, "Kong"),
    ProxyAnswer("spring-error", 500, _SPRING, "Spring Cloud Gateway"),
    ProxyAnswer("spring-problem", 503, _SPRING_PROBLEM, "Spring Cloud Gateway", "application/problem+json"),
    ProxyAnswer("cloudflare-timeout-json", 524, _CLOUDFLARE, "Cloudflare"),
    _text("cloudflare-timeout-text", 524, "error code: 524", "Cloudflare"),
    _page("cloudflare-unknown", 520, "Web server is returning an unknown error", "Cloudflare"),
    _page("cloudflare-rate-limit", 429, "Error 1015: You are being rate limited", "Cloudflare"),
    _page("fastly-first-byte", 503, "503 first byte timeout", "Varnish (Fastly)"),
    _text("envoy-reset", 503, _RESET, "Envoy"),
    _text("envoy-timeout", 504, "upstream request timeout", "Envoy"),
    _page("heroku-timeout", 503, "Application error", "Heroku"),
    _page("nginx-internal-error", 500, "500 Internal Server Error", "nginx"),
    _page("nginx-timeout", 504, "504 Gateway Time-out", "nginx"),
    _text("plain-internal-error", 500, "Internal Server Error", "many application servers"),
    _page("haproxy-request-timeout", 408, "408 Request Time-out", "HAProxy"),
    ProxyAnswer("json-request-timeout", 408, {"message": "Request Timeout"}, "API gateways"),
    _page("client-closed", 499, "499 Client Closed Request", "nginx before nginx"),
    ProxyAnswer("conflict-with-id", 409, None, "a gateway that met its own job", names_the_job=True),
    ProxyAnswer("no-credits-with-id", 402, None, "a gateway that took the job on credit", names_the_job=True),
    ProxyAnswer("rate-limit-with-id", 429, None, "a gateway that queued the job", names_the_job=True),
    ProxyAnswer("error-with-id", 500, None, "a gateway that failed after it took the job", names_the_job=True),
)
