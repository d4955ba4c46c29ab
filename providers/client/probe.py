"""A question to our own public address, as a gateway would come there: does it lead to this rushes?"""

import anyio
import httpx

from .http import user_agent

ANSWER_BYTES_MAX = 4096


class Unreachable(Exception):
    """Nothing that could be read answered; the message says why, as a clause."""


async def probed(url: str, *, seconds: float) -> tuple[int, str]:
    """Status and text of the answer to an empty POST. No redirect is followed, as gateways follow none.

    Raises:
        Unreachable: no whole answer came in time.
    """
    try:
        with anyio.fail_after(seconds):
            async with (
                httpx.AsyncClient(timeout=seconds) as client,
                client.stream("POST", url, headers={"user-agent": user_agent()}) as answer,
            ):
                text = b""
                async for part in answer.aiter_raw():
                    text += part
                    if len(text) > ANSWER_BYTES_MAX:
                        break
                return answer.status_code, text[:ANSWER_BYTES_MAX].decode("utf-8", "replace")
    except TimeoutError as error:
        raise Unreachable(f"no answer came within {seconds:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise Unreachable(f"no whole answer came ({type(error).__name__})") from error
