"""Short ways to say a request and a model's facts in tests."""

from pydantic import JsonValue

from rushes.domain.model_facts import ModelFacts
from rushes.domain.request import GenerationRequest, Kind, MediaInput, MediaRole

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16


def request(kind: Kind = "video", /, *media: MediaInput, **inputs: JsonValue) -> GenerationRequest:
    return GenerationRequest.model_validate({"kind": kind, "prompt": "a red fox", "media": media, **inputs})


def linked(role: MediaRole, url: str = "https://example.com/a.png") -> MediaInput:
    """A medium that is known by its URL alone."""
    return MediaInput(role=role, source=url, url=url)


def held(role: MediaRole, data: bytes = PNG, mime_type: str = "image/png") -> MediaInput:
    """A medium whose bytes rushes holds and no URL is known for."""
    source = f"data:{mime_type} ({len(data)} bytes)"
    return MediaInput(role=role, source=source, mime_type=mime_type, size_bytes=len(data), data=data)


def model(kind: Kind = "video", **fields: object) -> ModelFacts:
    row = {"id": "m-1-preview", "name": "m-1", "kind": kind, "source": "the test", **fields}
    return ModelFacts.model_validate(row)
