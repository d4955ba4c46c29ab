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

from rushes.domain.record import TaskRecord
from rushes.server.mcp.listening import FOLLOWED_MAX
from rushes.server.mcp.server import build_server
from rushes.tools import already

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
    server = build_server(already(service), local_files=True)
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
        async with Client(
            build_server(already(service), local_files=True), mode="legacy", message_handler=hear
        ) as client:
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


async def test_only_what_is_followed_is_acknowledged_and_told_once() -> None:
    service = FakeService()
    uris = [f"rushes://tasks/{number:02}" for number in range(FOLLOWED_MAX + 1)]
    for uri in uris:
        service.put(record(task_id=uri.rpartition("/")[2]))
    async with connected(service) as client, client.listen(resource_subscriptions=[*uris[:1] * 2, *uris]) as heard:
        assert heard.honored.resource_subscriptions == uris[:FOLLOWED_MAX]
        await service.waiting.wait()
        service.move("00", progress=0.5, revision=1)
        service.move("01", progress=0.5, revision=1)
        told = [await anext(heard) for _ in range(2)]

    assert [event.uri for event in told if isinstance(event, ResourceUpdated)] == uris[:2]


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_a_subscription_that_cannot_be_followed_is_refused() -> None:
    service = FakeService()
    for number in range(FOLLOWED_MAX + 1):
        service.put(record(task_id=f"{number:02}"))
    async with connected(service, "legacy") as client:
        for number in range(FOLLOWED_MAX):
            await client.subscribe_resource(f"rushes://tasks/{number:02}")  # pyright: ignore[reportDeprecated]
        with pytest.raises(MCPError, match="Unsubscribe from one first"):
            await client.subscribe_resource(f"rushes://tasks/{FOLLOWED_MAX}")  # pyright: ignore[reportDeprecated]
        await client.unsubscribe_resource("rushes://tasks/00")  # pyright: ignore[reportDeprecated]
        await client.subscribe_resource(f"rushes://tasks/{FOLLOWED_MAX}")  # pyright: ignore[reportDeprecated]


class Lingering(FakeService):
    """Its first wait ends a while after it was cancelled, as one does that reads from a disk."""

    def __init__(self) -> None:
        super().__init__()
        self.may_leave, self.left = anyio.Event(), anyio.Event()

    async def wait(self, task_id: str, **how: Any) -> TaskRecord:
        try:
            return await super().wait(task_id, **how)
        finally:
            with anyio.CancelScope(shield=True):
                await self.may_leave.wait()
            self.left.set()


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_a_resource_that_is_subscribed_again_at_once_can_be_unsubscribed() -> None:
    service = Lingering()
    service.put(record())
    heard: list[object] = []

    async def hear(message: object) -> None:
        heard.append(message)

    with anyio.fail_after(20):
        async with Client(
            build_server(already(service), local_files=True), mode="legacy", message_handler=hear
        ) as client:
            await client.subscribe_resource(URI)  # pyright: ignore[reportDeprecated]
            await service.waiting.wait()
            await client.unsubscribe_resource(URI)  # pyright: ignore[reportDeprecated]
            await client.subscribe_resource(URI)  # pyright: ignore[reportDeprecated]
            service.may_leave.set()
            await service.left.wait()
            await client.unsubscribe_resource(URI)  # pyright: ignore[reportDeprecated]
            service.move("01TASK", **DONE)
            await client.list_tools()

    assert [message for message in heard if isinstance(message, ResourceUpdatedNotification)] == []


@pytest.mark.parametrize("era", ERAS)
async def test_nobody_is_promised_news_of_lists_that_never_change(era: str) -> None:
    async with connected(FakeService(), era) as client:
        told = client.server_capabilities
        assert told is not None
        parts = [told.tools, told.prompts, told.resources]
        assert [part is not None and not part.list_changed for part in parts] == [True, True, True]
        assert told.resources is not None
        assert told.resources.subscribe is True
