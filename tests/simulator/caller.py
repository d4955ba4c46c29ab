"""A careful caller of one simulated gateway."""

from dataclasses import dataclass
from typing import cast

import httpx
from pydantic import JsonValue

from tests.gateways.client import RunningGateways

JsonObject = dict[str, JsonValue]


@dataclass(frozen=True)
class Caller:
    """Calls one gateway with its key; `gateways.http` calls without."""

    gateways: RunningGateways
    name: str

    @property
    def base_url(self) -> str:
        return self.gateways.base_url(self.name)

    @property
    def key(self) -> str:
        settings = self.gateways.only(self.name)
        return next(value for name, value in settings.items() if not name.endswith("_BASE_URL"))

    async def get(self, path: str, **query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return await self.gateways.http.get(self.base_url + path, params=query, headers=headers)

    async def post(self, path: str, body: JsonObject | None = None, **headers: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | headers
        return await self.gateways.http.post(self.base_url + path, json=body, headers=headers)


def at(content: JsonValue, *steps: str | int) -> JsonValue:
    """The value at a path of a JSON document; fails the test if it is not there."""
    for step in steps:
        content = cast(dict[str | int, JsonValue], content)[step]
    return content


def text_at(content: JsonValue, *steps: str | int) -> str:
    value = at(content, *steps)
    assert isinstance(value, str)
    return value


def keys_of(content: JsonValue) -> set[str]:
    assert isinstance(content, dict)
    return set(content)
