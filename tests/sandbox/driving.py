"""Driving the sandbox the way the rest of rushes does: plan, submit, and look until it ends."""

from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO

import anyio
import av
from PIL import Image

from rushes.domain.job import Job, Observation, Plan
from rushes.domain.request import GenerationRequest
from rushes.providers.sandbox import SandboxProvider

LIMIT_SECONDS = 60
"""Far beyond what any render of these tests takes: it only bounds a test that hangs."""


class Clock:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def plan_of(provider: SandboxProvider, request: GenerationRequest) -> Plan:
    facts = next(model for model in provider.models() if model.kind == request.kind)
    return provider.plan(request, facts)


async def submitted(provider: SandboxProvider, request: GenerationRequest) -> Job:
    return (await provider.submit(plan_of(provider, request))).job


async def ended(provider: SandboxProvider, job: Job) -> Observation:
    """Look as often as the sandbox asks for, until the job has ended."""
    with anyio.fail_after(LIMIT_SECONDS):
        while True:
            observation = await provider.poll(job)
            if observation.state not in ("queued", "running"):
                return observation
            assert observation.poll_after_seconds is not None
            await anyio.sleep(0.01)


async def generated(request: GenerationRequest, provider: SandboxProvider | None = None) -> list[bytes]:
    """The outputs of a request that succeeds."""
    provider = provider or SandboxProvider()
    observation = await ended(provider, await submitted(provider, request))
    assert observation.state == "succeeded", observation.failure
    contents = [output.content for output in observation.outputs]
    return [content for content in contents if content is not None]


@dataclass(frozen=True)
class Film:
    """What PyAV found in an MP4 file."""

    codec: str
    pixel_format: str | None
    width: int
    height: int
    rate: Fraction | None
    seconds: float
    frames: list[Image.Image]
    sound_codec: str | None
    sound_seconds: float


def film(content: bytes) -> Film:
    """Every frame and sample of the file, decoded."""
    with av.open(BytesIO(content), "r") as container:
        picture = container.streams.video[0]
        sound = container.streams.audio[0] if container.streams.audio else None
        frames: list[Image.Image] = []
        samples = 0
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    rgb = frame.reformat(format="rgb24")
                    plane = rgb.planes[0]
                    size = (rgb.width, rgb.height)
                    frames.append(Image.frombytes("RGB", size, bytes(plane), "raw", "RGB", plane.line_size))
                elif isinstance(frame, av.AudioFrame):
                    samples += frame.samples
        return Film(
            codec=picture.codec_context.name,
            pixel_format=picture.codec_context.pix_fmt,
            width=picture.width,
            height=picture.height,
            rate=picture.average_rate,
            seconds=float((picture.duration or 0) * (picture.time_base or 0)),
            frames=frames,
            sound_codec=sound.codec_context.name if sound else None,
            sound_seconds=samples / sound.rate if sound else 0.0,
        )
