"""What tasks go through in the browser tests: a scene is a list of steps, and each look at the task shows the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from rushes.domain.errors import Charged, FailureReason
from rushes.domain.failure import failure
from rushes.domain.job import Cost, RemoteOutput
from rushes.domain.money import Estimate
from rushes.domain.record import Keeping, KeptMedia, Output
from rushes.domain.request import Kind

Step = Mapping[str, object]
"""Fields of a `TaskRecord` as they are from this step on."""

INJECTION = '<img src=x onerror="document.title=1"><b>not bold</b>'
DONE: Step = {"state": "succeeded", "phase": "done", "open": False, "progress": 1.0}
FACTS: Mapping[Kind, Mapping[str, object]] = {
    "video": {"mime_type": "video/mp4", "width": 854, "height": 480, "duration_seconds": 5.0},
    "image": {"mime_type": "image/png", "width": 1024, "height": 768},
    "audio": {"mime_type": "audio/wav", "duration_seconds": 4.0},
}
ESTIMATE = Estimate(amount=Decimal("0.4"), currency="USD", basis="learned", n=5)
LARGE = "large.mp4"
DECLARED = "declared"

FILES: Mapping[Kind, str] = {"video": "video.mp4", "image": "image.png", "audio": "audio.wav"}


@dataclass(frozen=True)
class Place:
    """Where this run's media are; addresses without a slash at the end."""

    declared: str
    """Below a media domain that the viewer declares."""
    undeclared: str
    """The same media below another."""
    folder: Path
    """The files themselves."""

    def output(self, kind: Kind, *, file: str | None = None, kept: bool = True, url: str | None = DECLARED) -> Output:
        """One medium with the facts of its file, at its declared address unless told otherwise."""
        path = self.folder / (file or FILES[kind])
        address = f"{self.declared}/{path.name}" if url == DECLARED else url
        digest = sha256(path.read_bytes()).hexdigest()
        facts = {"path": str(path), "bytes": path.stat().st_size, "sha256": digest, **FACTS[kind]}
        return Output(
            remote=RemoteOutput.model_validate({"url": address, "mime_type": FACTS[kind]["mime_type"]}),
            kept=KeptMedia.model_validate(facts) if kept else None,
            keeping=Keeping(status="kept" if kept else "off"),
        )


def _expired(output: Output) -> Output:
    past = datetime.now(UTC) - timedelta(minutes=1)
    return output.model_copy(update={"remote": output.remote.model_copy(update={"expires_at": past})})


def scenes(place: Place) -> Mapping[str, list[Step]]:
    """The steps of each scene, by the name that a test gives as the tool's argument `model`."""
    film = place.output("video")
    still = place.output("image", kept=False)
    kept = place.output("video", url=None)
    return {
        "video": [
            {"state": "queued"},
            running(0.12),
            running(0.42),
            running(0.87),
            {**done(film), "cost": Cost(amount=Decimal("0.4"))},
        ],
        "priced": [{**running(0.2), "estimate": ESTIMATE}],
        "paid": [{**done(film), "estimate": ESTIMATE, "cost": Cost(amount=Decimal("0.35"))}],
        "image": [running(0.5), done(still)],
        "images": [done(still, still, still, still)],
        "audio": [running(0.5), done(place.output("audio", kept=False))],
        "kept-video": [done(kept)],
        "kept-large": [done(place.output("video", file=LARGE, url=None))],
        "expired-url": [done(_expired(film))],
        "broken-url": [done(place.output("video", url=f"{place.declared}/none.mp4"))],
        "undeclared": [done(place.output("video", url=f"{place.undeclared}/video.mp4", kept=False))],
        "settling": [
            {**DONE, "phase": "keeping", "outputs": (Output(remote=RemoteOutput(mime_type="image/png")),)},
            done(place.output("image", url=None)),
        ],
        "stays": [running(0.42)],
        "silent": [running(None)],
        "stubborn": [running(0.42)],
        "faltering": [running(0.3), running(0.6)],
        "refused": [running(0.4), ended("content_violation", f"The prompt was refused: {INJECTION}", charged="no")],
        "lost": [
            ended("outcome_unknown", "The answer was lost after the request was sent.", charged="unknown")
            | {"state": "unknown"}
        ],
    }


def running(progress: float | None) -> Step:
    """The gateway works on it."""
    return {"state": "running", "progress": progress}


def done(*outputs: Output) -> dict[str, object]:
    """The gateway is done."""
    return {**DONE, "outputs": outputs}


def ended(reason: FailureReason, message: str, *, charged: Charged) -> dict[str, object]:
    """The gateway gave it up."""
    return {**DONE, "state": "failed", "failure": failure(reason, message, charged=charged, provider_code="E-1027")}
