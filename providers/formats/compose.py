"""Composing a gateway's body from a request: every input that was asked for is sent or refused, none is dropped.

Nothing is sent that was not asked for, but for the defaults that the model's facts name. `provider_options` go into the
same object under the gateway's own names: they may set what rushes does not set and replace a default, and are refused
where they contradict something that the agent asked for in rushes's own words.
"""

from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from ...domain.errors import RequestRefused
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest, MediaInput, MediaRole, asked_inputs
from ..checks import INPUT_OF_ROLE, limits_of, number_text
from ..client.multipart import data_url

_LEAVE_OUT = "Leave it out."
_FLAT = 'Give the gateway\'s fields as they are: provider_options: {"field": value}.'


class Composer:
    """One body in the making. `provider` is the configured provider's name, for messages."""

    def __init__(self, request: GenerationRequest, facts: ModelFacts, provider: str) -> None:
        self.request = request
        self.facts = facts
        self.provider = provider
        self.body: dict[str, JsonValue] = {}
        self.warnings: list[str] = []
        self._asked = asked_inputs(request)
        if self._asked.get("count") == 1:
            del self._asked["count"]
        self._left = {*self._asked, *(INPUT_OF_ROLE[medium.role] for medium in request.media)}
        self._because: dict[str, str] = {}
        self._count_field: str | None = None
        self._defaults: dict[str, tuple[str, str, JsonValue]] = {}
        self._fields: dict[str, str] = {}

    @property
    def instead(self) -> dict[str, JsonValue]:
        """Of the finished body, the inputs that nobody gave but `provider_options` under the gateway's names."""
        options = self.request.provider_options
        if not options:
            return {}
        given = {**options, **{n: v for each in options.values() if isinstance(each, dict) for n, v in each.items()}}
        return {
            name: self.body[field]
            for field, name in self._fields.items()
            if field in given and field in self.body and name not in self._asked
        }

    def name_field(self, name: str, field: str) -> None:
        """Say that an input goes out as this field, also where it was not given."""
        self._fields[field] = name

    def put(self, field: str, value: JsonValue, because: str) -> None:
        """Set a field that follows from what was asked; `because` names the input, for a contradiction's message."""
        self.body[field] = value
        self._because[field] = because

    def fill(self, field: str, value: JsonValue) -> None:
        """Set a field that the gateway needs and nobody asked for; `provider_options` may replace it."""
        self.body.setdefault(field, value)

    def value(self, name: str) -> JsonValue:
        """What was asked for as `name`, else the model's default, else `None`. The input counts as dealt with."""
        self._left.discard(name)
        return self._asked[name] if name in self._asked else self._default(name)

    def is_asked(self, name: str) -> bool:
        """True where the agent itself gave this input."""
        return name in self._asked

    def send(
        self, name: str, field: str, spell: Callable[[JsonValue], JsonValue] | None = None, *, quiet: bool = False
    ) -> None:
        """Send an input as a field, if it was asked for or has a default. `wire.<name>` of the facts may respell it.

        A default is told in a warning, unless `quiet`: for one that only states the gateway's own.
        """
        value = self.value(name)
        self.name_field(name, field)
        if name == "count":
            self._count_field = field
        if value is None:
            return
        table = self.facts.wire.get(name)
        if isinstance(table, dict) and isinstance(value, str) and value in table:
            value = table[value]
        elif spell is not None:
            value = spell(value)
        if self.is_asked(name):
            self.put(field, value, name)
        else:
            self.fill(field, value)
            if not quiet:
                self.tell_default(name, field, value)

    def tell_default(self, name: str, field: str, shown: JsonValue) -> None:
        """Warn that a default is sent for `name`, if the finished body still has it in `field`."""
        self._defaults[field] = (name, _shown(shown), self.body[field])

    def send_seconds(self, field: str, *, as_text: bool = False) -> None:
        """Send `duration_seconds` to a gateway whose durations are whole numbers.

        Raises:
            RequestRefused: a fraction was asked for.
        """
        asked = whole(self.value("duration_seconds"))
        if isinstance(asked, float):
            raise RequestRefused("invalid_input", f"duration_seconds is a whole number on {self.provider}")
        self.send("duration_seconds", field, _whole_text if as_text else whole)

    def media(self, *roles: MediaRole) -> list[JsonValue]:
        """The input media of these roles, each as URL or data URL, in order. They count as dealt with."""
        self._left -= {INPUT_OF_ROLE[role] for role in roles}
        return [self._link(medium) for role in roles for medium in self.request.media_of(role)]

    def send_media(self, field: str, *roles: MediaRole) -> None:
        """Send all media of these roles as a list."""
        links = self.media(*roles)
        if links:
            self.put(field, links, INPUT_OF_ROLE[roles[0]])

    def send_medium(self, field: str, role: MediaRole) -> None:
        """Send the one medium of a role as a text."""
        links = self.media(role)
        if links:
            self.put(field, links[0], INPUT_OF_ROLE[role])

    def finish(
        self, *, outside: Sequence[str] = (), inner: str | None = None, beside: Sequence[str] = ()
    ) -> tuple[dict[str, JsonValue], list[str]]:
        """Merge `provider_options` and hand out body and warnings.

        With `inner`, the body made so far becomes the object of that name, and options named in `outside` go beside it;
        options that come in an object of that very name are taken out of it, as the gateway would not look there.
        Names in `beside` are fields that the format itself sets beside that object.

        Raises:
            RequestRefused: an input has no place in this format, or an option contradicts the request.
        """
        for name in sorted(self._left):
            raise RequestRefused(
                "unsupported",
                f"{name} is not an input that {self.provider} documents for {self.facts.name}",
                hint=f"Leave {name} out, or give it in provider_options under the gateway's own name.",
            )
        options = self._options(inner)
        for name in beside:
            if name in options:
                raise RequestRefused(
                    "invalid_input", f"provider_options.{name}: rushes itself sets {name}", hint=_LEAVE_OUT
                )
        for name, value in options.items():
            if name not in outside:
                self._merge(name, value)
        for field, (name, shown, default) in self._defaults.items():
            if self.body.get(field) == default and field not in options:
                self.warnings.append(f"{name} was not given; {shown} is sent")
        if inner is None:
            return self.body, self.warnings
        outer = {name: value for name, value in options.items() if name in outside}
        return {**outer, inner: self.body}, self.warnings

    def _options(self, inner: str | None) -> dict[str, JsonValue]:
        given = self.request.provider_options
        if inner is None or inner not in given:
            return dict(given)
        nested = given[inner]
        flat = {name: value for name, value in given.items() if name != inner}
        if not isinstance(nested, dict):
            raise RequestRefused("invalid_input", f"provider_options.{inner} must be an object", hint=_FLAT)
        if inner in nested:
            raise RequestRefused("invalid_input", f"provider_options.{inner} holds another {inner}", hint=_FLAT)
        twice = [name for name, value in nested.items() if name in flat and flat[name] != value]
        if twice:
            message = f"provider_options gives {twice[0]} twice, also in {inner}, with another value"
            raise RequestRefused("invalid_input", message, hint=_FLAT)
        message = f"what provider_options holds in {inner!r} is sent as if it stood in provider_options itself"
        self.warnings.append(f"{message}, which is where {self.provider}'s fields go")
        return {**flat, **nested}

    def _merge(self, name: str, value: JsonValue) -> None:
        reason = self._because.get(name)
        if reason is not None and self.body[name] != value:
            message = f"provider_options.{name} contradicts {reason}, which rushes sends as {name}"
            raise RequestRefused("invalid_input", message, hint="Give one of the two.")
        if name == self._count_field:
            self._check_count(name, value)
        self.body[name] = value

    def _check_count(self, name: str, value: JsonValue) -> None:
        most = limits_of(self.facts, self.request.operation).count_max
        if isinstance(value, int) and most is not None and value > most:
            message = f"provider_options.{name} {value} is more than the {most} that {self.facts.name} makes at once"
            raise RequestRefused("invalid_input", message)

    def _default(self, name: str) -> JsonValue:
        default = self.facts.defaults.get(name)
        if default is None:
            return None
        offered = limits_of(self.facts, self.request.operation)
        choices = {
            "quality": offered.qualities,
            "aspect_ratio": offered.aspect_ratios,
            "resolution": offered.resolutions,
        }
        allowed = choices.get(name)
        return allowed[0] if allowed and default not in allowed else default

    def _link(self, medium: MediaInput) -> str:
        if medium.url is not None:
            return medium.url
        if medium.data is None or medium.mime_type is None:
            message = f"{INPUT_OF_ROLE[medium.role]} has neither a URL nor bytes of a known type"
            raise RequestRefused("invalid_media", message)
        return data_url(medium.mime_type, medium.data)


def whole(value: JsonValue) -> JsonValue:
    """A number without a fraction as an integer, as gateways want durations."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _whole_text(value: JsonValue) -> JsonValue:
    return str(whole(value))


def upper(value: JsonValue) -> JsonValue:
    """`720p` as `720P`."""
    return value.upper() if isinstance(value, str) else value


def _shown(value: JsonValue) -> str:
    return number_text(value) if isinstance(value, float) else str(value)


def object_option(options: Mapping[str, JsonValue], name: str) -> dict[str, str]:
    """A switch that is a table of texts."""
    table = options.get(name)
    return {key: value for key, value in table.items() if isinstance(value, str)} if isinstance(table, dict) else {}
