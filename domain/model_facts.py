"""Model facts: what a gateway's model accepts, as data with a source (a TOML file a gateway in `providers/facts/`)."""

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from .money import Price
from .request import Kind, MediaRole, Operation, Purpose
from .value import Value

MediaForm = Literal["url", "data"]
"""How a gateway takes a medium: by https URL, or as bytes (a data URL in the JSON)."""


class OptionFacts(Value):
    """What is documented of one of the gateway's own fields that `provider_options` may set."""

    model_config = ConfigDict(extra="forbid")

    values: tuple[str | int, ...] | None = None
    """The only values offered."""
    form: Literal["https_url"] | None = None
    """An address that the gateway calls: https, or http to loopback for a gateway that is on loopback itself."""
    takes: str | None = None
    """What it takes, in a few words, where no list of values says it: `0-1`, `true or false`."""
    listed: bool = True
    """Whether an agent is told of it; not so for what belongs to callbacks."""
    kinds: tuple[Kind, ...] | None = None
    """The kinds of model that have it; `None`: all."""
    source: str = ""


class InputLimits(Value):
    """Limits on the inputs. `None` means: no limit is known; an empty list never occurs."""

    model_config = ConfigDict(extra="forbid")

    aspect_ratios: tuple[str, ...] | None = None
    resolutions: tuple[str, ...] | None = None
    sizes: tuple[str, ...] | None = None
    durations_seconds: tuple[float, ...] | None = None
    """The only durations offered."""
    duration_seconds_min: float | None = None
    duration_seconds_max: float | None = None
    qualities: tuple[str, ...] | None = None
    reference_images_max: int | None = None
    reference_images_page_max: int | None = None
    """What the vendor's page allows, where something newer of the vendor's (its code) allows `reference_images_max`."""
    reference_videos_max: int | None = None
    reference_audios_max: int | None = None
    images_max: int | None = None
    count_max: int | None = None


class OperationFacts(InputLimits):
    """One operation of a model; a limit given here replaces the model's own."""

    images_min: int | None = None
    inputs: tuple[str, ...] | None = None
    """The optional inputs of this operation, where they are not all of the model's."""


class PixelRules(Value):
    """What a size in pixels must be, for models that take any within bounds and no ratio."""

    model_config = ConfigDict(extra="forbid")

    multiple_of: int = 1
    """Of each side."""
    side_max: int
    area_min: int = 0
    area_max: int
    tier: str = "1k"
    """What stands for a ratio without a resolution."""

    def has_area(self, area: int) -> bool:
        """Whether a picture may have so many pixels."""
        return self.area_min <= area <= self.area_max


class ModelFacts(InputLimits):
    """What one model on one gateway accepts."""

    id: str
    """The gateway's own id."""
    name: str
    """The canonical name, shared by all gateways: `veo-3.1`."""
    kind: Kind
    aliases: tuple[str, ...] = ()
    """Further names under which an agent may ask for it."""
    prefixable: bool = False
    """The gateway also takes the id with an upstream's name in front: `openai/sora-2`."""
    source: str
    """Where the row comes from: the gateway's page, or a section of a specification."""
    certainty: Literal["documented", "inferred", "guess", "live", "unknown"] = "documented"
    """`live`: from the gateway's own list of models; `unknown`: the data does not know the model."""
    inputs: tuple[str, ...] | None = None
    """Optional inputs (by the tools' names) that the model takes; `None`: not known, so all pass."""
    operations: dict[Operation, OperationFacts] | None = None
    prompt_characters_max: int | None = None
    voices: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    output_formats: tuple[str, ...] | None = None
    speed_min: float | None = None
    speed_max: float | None = None
    image_forms: tuple[MediaForm, ...] = ("url",)
    media_forms: tuple[MediaForm, ...] = ("url",)
    """The same for video and audio inputs."""
    image_types: tuple[str, ...] | None = None
    image_bytes_max: int | None = None
    expected_seconds: float | None = None
    """Median time of a generation, as a prior for polling."""
    deadline_seconds: float | None = None
    """After this a task is given up with `timeout`."""
    duration_seconds_default: float | None = None
    """How long the gateway makes it where no duration is sent, by the model's page."""
    price: Price | None = None
    """As the gateway's own list of models tells it."""
    upstream_prices: tuple[Price, ...] = ()
    """The same of further upstreams, where the list tells it of each: the gateway may send a call to any of them, so
    the dearest counts."""
    required_inputs: tuple[str, ...] = ()
    assumed_inputs: tuple[str, ...] = ()
    """Inputs whose names no page tells: they go out under a likely one, with a warning, and only where no other gateway
    documents one."""
    only: dict[str, JsonValue] = Field(default_factory=dict)
    """Inputs that can have this one value alone, such as `audio = true`."""
    purposes: tuple[Purpose, ...] | None = None
    """What the audio is for; `None`: not known."""
    pixels: PixelRules | None = None
    """For models that want a size in pixels where others take a ratio."""
    options: dict[str, OptionFacts] = Field(default_factory=dict[str, OptionFacts])
    """Fields for `provider_options` of which the values are documented."""
    data_urls: Literal["documented", "probable", "unknown"] = "unknown"
    """Whether data URLs are taken where only https URLs are documented: `probable` where clients of the gateway or its
    relatives do so. They are sent only where the person's configuration says so (`data_urls = true`)."""
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    """Inputs that are sent even if not asked for, because the gateway's own default would surprise or cost more."""
    wire: dict[str, JsonValue] = Field(default_factory=dict)
    """The adapter's own data, such as another spelling of a value."""

    @property
    def listed_prices(self) -> tuple[Price, ...]:
        """All that the gateway's own list tells; the dearest counts."""
        return self.upstream_prices if self.price is None else (self.price, *self.upstream_prices)

    def forms_of(self, role: MediaRole) -> tuple[MediaForm, ...]:
        """How the model takes a medium of this role."""
        return self.media_forms if role in {"reference_video", "reference_audio"} else self.image_forms
