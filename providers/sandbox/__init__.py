"""The built-in `sandbox`: a real provider without a key or a charge.

It renders a real MP4 (H.264), picture or sound from prompt and seed, the same bytes for the same request, through the
same life as a paid job. Words in the prompt steer it (the table in the README), so that the handling of trouble can be
tried without spending; they are not drawn.
"""

from .sandbox import SandboxProvider, make_provider

__all__ = ["SandboxProvider", "make_provider"]
