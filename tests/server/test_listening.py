"""Those who listen hear of each change of a task, whichever way their protocol version has for it."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.extension import NotificationBinding
from mcp.client.subscriptions import ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import (
    EmptyResult,
    NotificationParams,
    ResourceUpdatedNotification,
    SubscriptionFilter,
    SubscriptionsListenRequest,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)

from rushes.server.mcp import build_server

from ..tools.fake_service import FakeService, record
from .clients import ERAS, connected
from .tasks_client import FollowTasks
from .test_http import serving

pytestmark = pytest.mark.anyio

URI = "rushes://tasks/01TASK"
DONE: dict[str, object] = {"state": "succeeded", "phase": "done", "open": False, "revision": 9}


class HeardTask(NotificationParams):
    task_id: str
    status: str
    status_message: str
    ttl_ms: int | None
    result: dict[str, Any] | None = None


class HearTasks(FollowTasks):
    """Takes `notifications/tasks`; `heard` yields them."""

    def __init__(self) -> None:
        super().__init__()
        self._send, self.heard = anyio.create_memory_object_stream[HeardTask](10)

    def notifications(self) -> Sequence[NotificationBinding[Any]]:
        return [NotificationBinding(method="notifications/tasks", params_type=HeardTask, handler=self._send.send)]

    def close(self) -> None:
        self._send.close()
        self.heard.close()


def listen_to(*task_ids: str) -> SubscriptionsListenRequest:
    wanted = SubscriptionFilter.model_validate({"taskIds": list(task_ids)}, by_name=False)
    return SubscriptionsListenRequest(params=SubscriptionsListenRequestParams(notifications=wanted))


async def listening(client: Client, *task_ids: str) -> None:
    await client.session.send_request(listen_to(*task_ids), SubscriptionsListenResult)


async def test_a_listener_hears_of_its_tasks_from_now_to_their_end() -> None:
    service, hears = FakeService(), HearTasks()
    service.put(record())
    server = build_server(service, local_files=True)
    heard: list[HeardTask] = []
    with anyio.fail_after(20):
        async with Client(server, extensions=[hears]) as client, anyio.create_task_group() as group:
            group.start_soon(listening, client, "01TASK", "01NONE", "01TASK")
            heard.append(await hears.heard.receive())
            await service.waiting.wait()
            service.move("01TASK", progress=0.5, revision=1)
            heard.append(await hears.heard.receive())
            service.move("01TASK", **DONE)
            heard.append(await hears.heard.receive())
            group.cancel_scope.cancel()
    hears.close()

    assert [(task.task_id, task.status, task.status_message) for task in heard] == [
        ("01TASK", "working", "running"),
        ("01TASK", "working", "running, 50 %"),
        ("01TASK", "completed", "succeeded"),
    ]
    assert heard[-1].result is not None
    assert heard[-1].result["structuredContent"]["state"] == "succeeded"


async def test_tasks_are_told_only_to_clients_that_declared_the_extension() -> None:
    async with connected(FakeService()) as client:
        with pytest.raises(MCPError) as caught:
            await client.session.send_request(listen_to("01TASK"), EmptyResult)

    assert caught.value.code == -32021


@pytest.mark.parametrize("over_http", [False, True])
async def test_a_resource_that_is_listened_to_is_told_updated(over_http: bool) -> None:
    service = FakeService()
    service.put(record())
    uris = [URI, f"{URI}/outputs/1", "rushes://models", "rushes://tasks/01NONE"]

    async def hear(client: Client) -> set[str]:
        heard: set[str] = set()
        async with client.listen(resource_subscriptions=uris) as subscription:
            assert subscription.honored.resource_subscriptions == uris
            await service.waiting.wait()
            service.move("01TASK", progress=0.5, revision=1)
            async for event in subscription:
                assert isinstance(event, ResourceUpdated)
                heard.add(event.uri)
                if len(heard) == 2:
                    break
        return heard

    if over_http:
        async with serving("http", service) as url, Client(url) as client:
            heard = await hear(client)
            assert heard == {URI, f"{URI}/outputs/1"}
    else:
        async with connected(service) as client:
            assert await hear(client) == {URI, f"{URI}/outputs/1"}


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_a_subscriber_of_an_earlier_protocol_version_is_told_until_it_unsubscribes() -> None:
    service = FakeService()
    service.put(record())
    send, heard = anyio.create_memory_object_stream[str](10)

    async def hear(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            await send.send(str(message.params.uri))

    with anyio.fail_after(20):
        async with Client(build_server(service, local_files=True), mode="legacy", message_handler=hear) as client:
            assert client.server_capabilities is not None
            assert client.server_capabilities.resources is not None
            assert client.server_capabilities.resources.subscribe is True
            await client.subscribe_resource(URI)  # pyright: ignore[reportDeprecated]
            await client.subscribe_resource("rushes://models")  # pyright: ignore[reportDeprecated]
            await service.waiting.wait()
            service.move("01TASK", progress=0.5, revision=1)
            assert await heard.receive() == URI
            await client.unsubscribe_resource(URI)  # pyright: ignore[reportDeprecated]
            service.move("01TASK", **DONE)
            await client.list_tools()
            assert heard.statistics().current_buffer_used == 0
    send.close()
    heard.close()


@pytest.mark.parametrize("era", ERAS)
async def test_nobody_is_promised_news_of_lists_that_never_change(era: str) -> None:
    async with connected(FakeService(), era) as client:
        told = client.server_capabilities
        assert told is not None
        parts = [told.tools, told.prompts, told.resources]
        assert [part is not None and not part.list_changed for part in parts] == [True, True, True]
        assert told.resources is not None
        assert told.resources.subscribe is True
