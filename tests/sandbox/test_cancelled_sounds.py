"""A sound is drawn in steps: it tells its progress, and a cancel is heard within a second of sound."""

import pytest

from rushes.domain.request import GenerationRequest
from rushes.providers.sandbox import SandboxProvider
from rushes.providers.sandbox.drawing import draw_outputs
from rushes.providers.sandbox.spec import RenderSpec

from .driving import plan_of


class _NotWanted(Exception):
    """The job was cancelled."""


pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("prompt", ["oh", "a lighthouse keeper hums " * 20])
async def test_a_cancel_is_heard_before_a_long_sound_is_whole(prompt: str) -> None:
    provider = SandboxProvider()
    request = GenerationRequest.model_validate(
        {"kind": "audio", "purpose": "music", "prompt": prompt, "duration_seconds": 30.0}
    )
    told: list[float] = []

    def advance(progress: float) -> None:
        told.append(progress)
        if progress > 0:
            raise _NotWanted

    with pytest.raises(_NotWanted):
        draw_outputs(RenderSpec.model_validate(plan_of(provider, request).details["spec"]), lambda _: None, advance)
    await provider.aclose()
    assert 0 < told[-1] <= 2 / 30
