"""The calls that prompts propose: each was tried as a dry run with the providers that are configured, media apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue, ValidationError

from ..domain.errors import RequestRefused
from ..domain.request import Kind
from ..tasks.intake.purposes import purpose_told_by
from ..tasks.service import MediaSource, Preview, Service, Wish
from .answers.refusal import validation_sentences
from .context import ToolContext
from .generate import wish_of
from .wanted import INPUTS, PLACE

Arguments = dict[str, JsonValue]

COMPARED_BY_DEFAULT = 3

_TO_BE_MADE = re.compile(r"task:<[^>]*>(#\d+)?")
"""An output of a task that is not made yet."""

_BYTES = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf"
    "FcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""A picture that has no address, as a gateway leaves it that answers with the picture itself."""


@dataclass(frozen=True)
class ToolCall:
    """A call that a dry run takes."""

    tool: str
    arguments: Arguments
    gives_urls: bool = True
    """Whether what it makes has an address that other gateways can fetch."""


@dataclass(frozen=True)
class Board:
    """The calls of a storyboard; what no configured provider makes is missing."""

    shot: ToolCall | None
    sheet: ToolCall | None = None
    frame: ToolCall | None = None
    sound: ToolCall | None = None
    refused: str = ""
    """Why there is no shot."""


@dataclass(frozen=True)
class Comparison:
    """One call a model, and why models were left out that were asked for."""

    calls: tuple[ToolCall, ...]
    left_out: tuple[str, ...] = ()


class Trying:
    """Dry runs on behalf of a prompt."""

    def __init__(self, context: ToolContext, service: Service) -> None:
        self._context = context
        self._service = service
        self.refusal = ""
        """Of the last call that was not taken."""

    async def first_taken(self, kind: Kind, *variants: Arguments, as_bytes: bool = False) -> ToolCall | None:
        """The first of these calls that is taken; what it makes of outputs to come is tried with stand-ins."""
        for arguments in variants:
            preview = await self._preview(kind, arguments, as_bytes)
            if preview is not None:
                return ToolCall(f"generate_{kind}", arguments, preview.gives_urls)
        return None

    async def _preview(self, kind: Kind, arguments: Arguments, as_bytes: bool) -> Preview | None:
        try:
            asked = INPUTS[kind].model_validate(arguments)
            wish = wish_of(asked, principal=self._context.principal, local_files=False)
            return await self._service.preview(_with_stand_ins(wish, _BYTES if as_bytes else f"{PLACE}.png"))
        except ValidationError as error:
            self.refusal = " ".join(validation_sentences(error))
        except RequestRefused as refusal:
            self.refusal = refusal.message
        return None


def _with_stand_ins(wish: Wish, stand_in: str) -> Wish:
    media = (MediaSource(each.role, stand_in) if _TO_BE_MADE.fullmatch(each.text) else each for each in wish.media)
    return replace(wish, media=tuple(media))


async def board_of(context: ToolContext, *, aspect_ratio: str, seconds: float, model: str | None) -> Board:
    """The calls of a storyboard with shots of this shape and length."""
    trying = Trying(context, await context.opened())
    sheet_prompt = "<the character from the front, from the side and from behind, plain background, the look>"
    sheet: Arguments = {"prompt": sheet_prompt, "output_name": "character"}
    made_sheet = await trying.first_taken("image", {**sheet, "aspect_ratio": "16:9"}, sheet)
    frame = None if made_sheet is None else await _frame(trying, made_sheet, aspect_ratio)
    shot = await _shot(trying, frame, aspect_ratio, seconds, model)
    refused = trying.refusal if shot is None else ""
    sound = None if shot is None else await _sound(trying)
    return Board(shot, made_sheet, frame, sound, refused)


async def _frame(trying: Trying, sheet: ToolCall, aspect_ratio: str) -> ToolCall | None:
    frame: Arguments = {"prompt": "<what the first frame shows, the look>", "output_name": "frame-01"}
    of_the_sheet: Arguments = {**frame, "images": ["task:<task_id of the character sheet>#1"]}
    shaped: Arguments = {"aspect_ratio": aspect_ratio}
    variants = ({**of_the_sheet, **shaped}, of_the_sheet, {**frame, **shaped}, frame)
    return await trying.first_taken("image", *variants, as_bytes=not sheet.gives_urls)


async def _shot(
    trying: Trying, frame: ToolCall | None, aspect_ratio: str, seconds: float, model: str | None
) -> ToolCall | None:
    """From its first frame where that is possible, as long and as shaped as it can be, with sound where it can be."""
    shot: Arguments = {"prompt": "<what happens, camera, light, sound, the look>"}
    if frame is not None:
        shot["image"] = "task:<task_id of the first frame>#1"
    whole: Arguments = {**shot, "duration_seconds": seconds, "aspect_ratio": aspect_ratio, "audio": True}
    without = (
        (),
        ("audio",),
        ("aspect_ratio",),
        ("audio", "aspect_ratio"),
        ("audio", "duration_seconds"),
        ("audio", "duration_seconds", "aspect_ratio"),
        ("image", "audio"),
        ("image", "audio", "duration_seconds"),
    )
    named: Arguments = {"output_name": "shot-01", **({} if model is None else {"model": model})}
    variants = [
        {**{name: value for name, value in whole.items() if name not in left_out}, **named} for left_out in without
    ]
    return await trying.first_taken("video", *variants, as_bytes=frame is not None and not frame.gives_urls)


async def _sound(trying: Trying) -> ToolCall | None:
    """A score, else a narrator."""
    score: Arguments = {"prompt": "<mood, instruments, tempo, how it ends>", "purpose": "music", "output_name": "score"}
    words: Arguments = {"prompt": "<the narrator's words>", "purpose": "speech", "output_name": "narration"}
    return await trying.first_taken("audio", score, words)


async def comparison_of(
    context: ToolContext, prompt: str, kind: Kind, named: Sequence[str], seed: int, models_max: int
) -> Comparison:
    """One call for each of these models; where none is named, for a few that can be used now."""
    service = await context.opened()
    trying = Trying(context, service)
    offers = () if named else await service.models(kind=kind)
    ready = [offer for offer in offers if any(usable for _, _, usable in offer.offers)]
    # With real models there is nothing to compare in what only stands in for them.
    usable = [offer.name for offer in [each for each in ready if not each.stands_in] or ready]
    most = models_max if named else COMPARED_BY_DEFAULT
    calls: list[ToolCall] = []
    left_out: list[str] = []
    for model in dict.fromkeys(named or usable):
        if len(calls) >= most:
            break
        call = await trying.first_taken(kind, *_variants(prompt, kind, model, seed))
        if call is not None:
            calls.append(call)
        elif named:
            left_out.append(f"{model}: {trying.refusal}")
    return Comparison(tuple(calls), tuple(left_out))


def _variants(prompt: str, kind: Kind, model: str, seed: int) -> Sequence[Arguments]:
    """What a model does not take is left out: a seed first. Sounds are compared with sounds of the same purpose."""
    plain: Arguments = {"prompt": prompt, "model": model}
    if kind == "audio":
        plain["purpose"] = purpose_told_by(prompt) or "speech"
    return {**plain, "seed": seed}, plain
