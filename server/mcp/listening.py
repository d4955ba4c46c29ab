"""Updates to those who ask for them: `subscriptions/listen` (2026-07-28) and `resources/subscribe` (before it).

Each listener follows its tasks in the store itself, so it hears of changes whichever process makes them.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import anyio
from anyio.abc import TaskGroup
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver.server import require_client_extension
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    Notification,
    ResourceUpdatedNotification,
    ResourceUpdatedNotificationParams,
    ServerCapabilities,
    SubscribeRequestParams,
    SubscriptionFilter,
    SubscriptionsAcknowledgedNotification,
    SubscriptionsAcknowledgedNotificationParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)
from pydantic import TypeAdapter, ValidationError

from ...domain.errors import RushesError
from ...domain.record import TaskRecord
from ...tools import ToolContext, task_id_in
from .following import follow, is_known
from .sdk import of_the_connection
from .tasks_extension import EXTENSION_ID, detailed_task

logger = logging.getLogger(__name__)

FOLLOWED_MAX = 32
"""Tasks that one listener may follow at once."""
TOO_MANY = "This connection follows as many resources as it may"

Send = Callable[[Any], Awaitable[None]]

_TASK_IDS = TypeAdapter(list[str])


class TaskChanged(Notification[dict[str, Any], str]):
    """`notifications/tasks`. The parameters are a dict, because `ttlMs: null` must not be left out."""


class Listening:
    """Serves one `subscriptions/listen` stream a call, until its client goes."""

    def __init__(self, surroundings: ToolContext) -> None:
        self._surroundings = surroundings

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Acknowledge what will be followed, then tell of each change.

        Raises:
            MCPError: tasks are asked for without the extension.
        """
        asked = task_ids_in(params.notifications)
        if asked is not None:
            require_client_extension(ctx, EXTENSION_ID)
        followed = await self._known(asked or ())
        uris = _distinct(params.notifications.resource_subscriptions or ())
        meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: ctx.request_id}

        async def send(notification: Any) -> None:
            await ctx.session.send_notification(notification, related_request_id=ctx.request_id)

        await send(acknowledgement(uris, followed if asked is not None else None, meta))
        async with anyio.create_task_group() as following:
            for task_id in followed:
                following.start_soon(self._tell_of_task, task_id, send, meta)
            for uri in uris:
                following.start_soon(self.tell_of_resource, uri, send, meta)
            await anyio.sleep_forever()
        return SubscriptionsListenResult.model_validate({"_meta": meta})

    async def _known(self, task_ids: Iterable[str]) -> list[str]:
        distinct = _distinct(task_ids)
        if not distinct:
            return []
        service, principal = await self._surroundings.opened(), self._surroundings.principal
        return [task_id for task_id in distinct if await is_known(service, task_id, principal)]

    async def _tell_of_task(self, task_id: str, send: Send, meta: dict[str, Any]) -> None:
        async def tell(record: TaskRecord) -> None:
            params = {**await detailed_task(record, self._surroundings), "_meta": meta}
            await send(TaskChanged(method="notifications/tasks", params=params))

        await self._follow(task_id, tell, from_now=False)

    async def tell_of_resource(self, uri: str, send: Send, meta: dict[str, Any] | None = None) -> None:
        """Tell of each change of the task that a resource shows; other resources never change."""
        task_id = task_id_in(uri)
        if task_id is None:
            return

        async def tell(_: TaskRecord) -> None:
            params = ResourceUpdatedNotificationParams.model_validate({"uri": uri, "_meta": meta})
            await send(ResourceUpdatedNotification(params=params))

        await self._follow(task_id, tell, from_now=True)

    async def _follow(self, task_id: str, tell: Callable[[TaskRecord], Awaitable[None]], *, from_now: bool) -> None:
        try:
            service = await self._surroundings.opened()
            await follow(service, task_id, self._surroundings.principal, tell, from_now=from_now)
        except RushesError as error:
            logger.info("no longer following a task", extra={"task_id": task_id, "problem": error.message})
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            logger.debug("a listener has gone", extra={"task_id": task_id})


def _distinct(wishes: Iterable[str]) -> list[str]:
    """As many as one listener may follow, each once."""
    return list(dict.fromkeys(wishes))[:FOLLOWED_MAX]


def task_ids_in(wanted: SubscriptionFilter) -> list[str] | None:
    """The ids under `taskIds`, which the Tasks extension adds to the filter; `None` where it is not there."""
    asked = (wanted.model_extra or {}).get("taskIds")
    try:
        return None if asked is None else _TASK_IDS.validate_python(asked)
    except ValidationError:
        return []


def acknowledgement(
    uris: list[str], task_ids: list[str] | None, meta: dict[str, Any]
) -> SubscriptionsAcknowledgedNotification:
    """What of the wishes is honoured. Lists of tools, prompts and resources never change here."""
    extra = {} if task_ids is None else {"taskIds": task_ids}
    honoured = SubscriptionFilter.model_validate({"resourceSubscriptions": uris or None, **extra}, by_name=False)
    params = SubscriptionsAcknowledgedNotificationParams.model_validate({"notifications": honoured, "_meta": meta})
    return SubscriptionsAcknowledgedNotification(params=params)


def without_list_changes(capabilities: ServerCapabilities) -> ServerCapabilities:
    """The same, without the promise that a listener hears of changed lists of tools, prompts or resources."""
    still: dict[str, Any] = {"list_changed": False}
    parts = {"tools": capabilities.tools, "prompts": capabilities.prompts, "resources": capabilities.resources}
    return capabilities.model_copy(
        update={name: part.model_copy(update=still) for name, part in parts.items() if part is not None}
    )


class Subscribing:
    """`resources/subscribe` and `resources/unsubscribe` of earlier protocol versions."""

    STATE_KEY = "rushes.subscriptions"

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    async def subscribe(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        """Follow a resource until it is settled, unsubscribed, or the connection ends.

        Raises:
            MCPError: the connection follows as many as it may.
        """
        followed = self._followed(ctx)
        uri = str(params.uri)
        if uri not in followed:
            if len(followed) >= FOLLOWED_MAX:
                raise MCPError(code=INVALID_PARAMS, message=f"{TOO_MANY}: {FOLLOWED_MAX}. Unsubscribe from one first.")
            group: TaskGroup = ctx.lifespan_context["followers"]
            scope = followed[uri] = anyio.CancelScope()
            group.start_soon(self._follow, ctx, uri, scope)
        return EmptyResult()

    async def unsubscribe(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        """Follow it no longer."""
        scope = self._followed(ctx).pop(str(params.uri), None)
        if scope is not None:
            scope.cancel()
        return EmptyResult()

    async def _follow(self, ctx: ServerRequestContext[Any, Any], uri: str, scope: anyio.CancelScope) -> None:
        with scope:
            await self._listening.tell_of_resource(uri, ctx.session.send_notification)
        followed = self._followed(ctx)
        if followed.get(uri) is scope:
            # Else it was unsubscribed, and perhaps subscribed again meanwhile.
            del followed[uri]

    def _followed(self, ctx: ServerRequestContext[Any, Any]) -> dict[str, anyio.CancelScope]:
        """This connection's subscriptions; they end with it."""
        state, ending = of_the_connection(ctx)
        if self.STATE_KEY not in state:
            followed: dict[str, anyio.CancelScope] = {}
            state[self.STATE_KEY] = followed
            ending.callback(_cancel_all, followed)
        subscriptions: dict[str, anyio.CancelScope] = state[self.STATE_KEY]
        return subscriptions


def _cancel_all(scopes: dict[str, anyio.CancelScope]) -> None:
    for scope in scopes.values():
        scope.cancel()
