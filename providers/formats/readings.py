"""Reading a gateway's JSON: times, progress, texts, URLs and money, in every form in which gateways write them.

The annotated types are for the pydantic models of a format: they never fail, so that an odd value in one field does not
make a reply unreadable; what cannot be read is `None` or empty.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Annotated, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, ConfigDict, JsonValue, ValidationError

from ...domain.failure import clean_text
from ...domain.job import LOGS_CHARACTERS_MAX, METRICS_MAX, RemoteOutput
from ...domain.value import Value
from ..client.multipart import split_data_url
from ..format import Unintelligible
from .media_text import medium_in

OUTPUTS_MAX = 4096
"""More media than this in one reply are not read. A task takes far fewer, and says so when there were more."""

URL_LENGTH_MAX = 8192

_DEPTH_MAX = 12
_NOT_FINITE = (float("inf"), float("-inf"))
"""What 1e400 is read as."""


class WireModel(Value):
    """Part of a gateway's reply. Fields that rushes does not use are ignored."""

    model_config = ConfigDict(extra="ignore")


ModelT = TypeVar("ModelT", bound=WireModel)


def read(model: type[ModelT], body: JsonValue | bytes) -> ModelT:
    """A reply's body as a model of the format.

    Raises:
        Unintelligible: the body is not a JSON object.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise Unintelligible("the answer is not the JSON that the gateway documents") from error


def parse_moment(value: object) -> datetime | None:
    """A time in UTC, from Unix seconds or milliseconds (a number or digits) or ISO 8601; 0 and nonsense are none."""
    if isinstance(value, str):
        try:
            return _plausible(datetime.fromisoformat(value.strip()))
        except ValueError:
            value = _number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return _plausible(datetime.fromtimestamp(value / 1000 if value > 1e12 else value, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _plausible(moment: datetime) -> datetime | None:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return None
    return moment if moment.year > 2000 else None


def parse_progress(value: object) -> float | None:
    """Progress from 0 to 1, from a percentage: `"87%"`, `"87"` or `87`."""
    if isinstance(value, str):
        value = _number(value.strip().removesuffix("%"))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    # Bounded first: a whole number of hundreds of digits is too large to be divided.
    return min(max(value, 0), 100) / 100


def parse_text(value: object) -> str | None:
    """Text or a number as text; empty text is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or value in _NOT_FINITE:
        return None
    return str(value) or None


def parse_number(value: object) -> float | None:
    """A finite number, also as text."""
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = float(value) if abs(value) < 1e15 else None
    return number if number == number else None


def parse_balance(value: object) -> Decimal | None:
    """What is left on an account; it may be less than nothing."""
    number = parse_number(value)
    return None if number is None else Decimal(str(value).strip() if isinstance(value, str) else str(number))


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\s*-?\d{1,18}(\.\d{1,18})?\s*", text) else None


def parse_object(value: object) -> dict[str, JsonValue] | None:
    """A JSON object."""
    return cast("dict[str, JsonValue]", value) if isinstance(value, dict) else None


def parse_logs(value: object) -> str | None:
    """The end of a job's log, from one text or from a list of lines."""
    lines = cast("list[object]", value) if isinstance(value, list) else [value]
    texts = [line for line in lines if isinstance(line, str)]
    text = "\n".join(clean_text(line) for line in "\n".join(texts)[-4 * LOGS_CHARACTERS_MAX :].splitlines())
    return text.strip()[-LOGS_CHARACTERS_MAX:] or None


def parse_metrics(value: object) -> dict[str, float]:
    """Numbers by name."""
    rows = cast("dict[object, object]", value) if isinstance(value, dict) else {}
    numbers = ((name, parse_number(each)) for name, each in rows.items())
    found = ((clean_text(str(name), 60), number) for name, number in numbers if number is not None)
    return dict(islice(found, METRICS_MAX))


def parse_page(value: object) -> str | None:
    """The address of a page for a person."""
    text = value.strip() if isinstance(value, str) else ""
    return text if re.fullmatch(r"https?://\S+", text) and len(text) <= URL_LENGTH_MAX and text.isprintable() else None


Moment = Annotated[datetime | None, BeforeValidator(parse_moment)]
Progress = Annotated[float | None, BeforeValidator(parse_progress)]
Text = Annotated[str | None, BeforeValidator(parse_text)]
Number = Annotated[float | None, BeforeValidator(parse_number)]
Logs = Annotated[str | None, BeforeValidator(parse_logs)]
Metrics = Annotated[dict[str, float], BeforeValidator(parse_metrics)]
Object = Annotated[dict[str, JsonValue] | None, BeforeValidator(parse_object)]


def urls_in(value: JsonValue, depth: int = _DEPTH_MAX) -> list[str]:
    """Addresses of media anywhere in a value, in order, each once, without empty strings: URLs of any scheme (what may
    not be fetched is refused later, by name), data URLs, paths on the gateway's own host, and media as bare base64."""
    found: dict[str, None] = {}
    for url in _walk(value, depth):
        found[url] = None
        if len(found) == OUTPUTS_MAX:
            break
    return list(found)


def _walk(value: JsonValue, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        text = value.strip()
        if _ADDRESS.match(text) or medium_in(text) is not None:
            yield text
    elif depth > 0 and isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _walk(item, depth - 1)


_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^\s]|data:[\w.+-]+/[\w.+-]+[;,]|/[^/\s]", re.IGNORECASE)


def remote_outputs(
    urls: Iterable[str], received_at: datetime, *, lifetime: timedelta | None = None
) -> tuple[RemoteOutput, ...]:
    """URLs as outputs: a data URL or base64 becomes its bytes; an expiry is read from the query, else from `lifetime`.

    What is neither a data URL that can be read nor of a URL's length is left out.
    """
    made = (_remote_output(url, received_at, lifetime) for url in urls)
    return tuple(output for output in made if output is not None)


def _remote_output(url: str, received_at: datetime, lifetime: timedelta | None) -> RemoteOutput | None:
    if url[:5].lower() == "data:":
        held = split_data_url(url)
        return RemoteOutput(content=held[1], mime_type=held[0]) if held is not None else None
    content = medium_in(url)
    if content is not None:
        return RemoteOutput(content=content)
    if len(url) > URL_LENGTH_MAX:
        return None
    expires_at = expiry_of(url)
    if expires_at is None and lifetime is not None:
        expires_at = received_at + lifetime
    return RemoteOutput(url=url, expires_at=expires_at)


def expiry_of(url: str) -> datetime | None:
    """When a signed URL stops working, as its query says: the forms of S3, GCS, Azure, CloudFront, Aliyun, Tencent,
    Volcengine and Qiniu."""
    try:
        query = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    except ValueError:
        return None
    for prefix in ("x-amz", "x-goog", "x-tos", "x-oss"):
        signed_at = _compact_moment(query.get(f"{prefix}-date", ""))
        seconds = parse_number(query.get(f"{prefix}-expires"))
        if signed_at is not None and seconds is not None and 0 <= seconds < 1e9:
            return _later(signed_at, seconds)
    for name in ("expires", "e", "se", "expires_at", "expiry", "exp"):
        moment = parse_moment(query.get(name))
        if moment is not None:
            return moment
    return parse_moment(query.get("q-sign-time", "").rpartition(";")[2])


def path_of(url: str) -> str:
    """The path in a URL; empty where it is none, such as `https://[x/`."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _later(moment: datetime, seconds: float) -> datetime | None:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _compact_moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
