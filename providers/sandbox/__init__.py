"""The built-in `sandbox`: a real provider without a key or a charge.

It renders a real MP4 (H.264), picture or sound from prompt and seed, the same bytes for the same request, through the
same life as a paid job. Words in the prompt steer it, so that the handling of trouble can be tried without spending;
they are not drawn:

| in the prompt | what happens |
|---|---|
| `[refuse:REASON]` | the submission is refused with this reason |
| `[fail:REASON]` | the job is accepted and fails with this reason at about 40 % |
| `[lost]` | the answer to the submission is lost, so the task's outcome is unknown |
| `[slow:SECONDS]` | the generation takes at least this long, with its progress moving |
| `[outputs:N]` | N outputs are delivered, whatever `count` asked for |
| `[expire]` | the job succeeds, but its outputs' addresses no longer work |

REASON is one of `content_violation`, `invalid_input`, `invalid_media`, `unsupported`, `insufficient_credits`,
`rate_limited`, `unauthorized`, `not_found`, `provider_error`, `timeout`.
"""

from .sandbox import SandboxProvider, make_provider

__all__ = ["SandboxProvider", "make_provider"]
