"""Servers with the format of OpenAI's Videos API, under any base URL: vLLM-Omni, SGLang, LiteLLM, new-api, resellers.

Options of a provider with this format, for what differs between them:

    encoding    `json` (default) or `multipart`, which vLLM-Omni wants
    seconds     `string` (default, as at the origin of the format) or `integer`
    download    `auto` (default: a URL in the finished job, else the content endpoint), `content` or `url`

A first frame is sent as `input_reference`: its URL or data URL in JSON, a file in a form; a URL in a form goes into
`image_reference` (as vLLM-Omni has it).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from pydantic import JsonValue

from ...domain.errors import Charged, RequestRefused
from ...domain.job import Job, Observation, Plan, RemoteOutput, Submission
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest
from ..client.reply import Reply
from ..format import Call, segment
from ..provider import AccountCheck, ProviderSettings
from .compose import Composer
from .llmgateway import LLMGateway, Video
from .openai_media import cost_of
from .readings import parse_number
from .sizes import send_size


class OpenAIVideos(LLMGateway):
    url_lifetime: ClassVar[timedelta | None] = None
    hook_fields = ()

    def callback(self, plan: Plan, address: str) -> dict[str, JsonValue]:
        """No such server documents one."""
        return {}

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings)
        self._is_form = self.option("encoding", "json", ("json", "multipart")) == "multipart"
        self._seconds_as_text = self.option("seconds", "string", ("string", "integer")) == "string"
        self._download = self.option("download", "auto", ("auto", "content", "url"))

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        if request.kind == "image" and request.media:
            raise RequestRefused("unsupported", f"{self.name} makes images from text only in this format")
        plan = super().plan(request, facts)
        if request.kind != "video":
            return plan
        return plan.model_copy(update={"encoding": "multipart" if self._is_form else "json"})

    def compose_video(self, request: GenerationRequest, facts: ModelFacts) -> Composer:
        compose = Composer(request, facts, self.name)
        compose.put("prompt", request.prompt, "prompt")
        compose.put("model", facts.id, "model")
        compose.send_seconds("seconds", as_text=self._seconds_as_text)
        send_size(compose)
        links = compose.media("image")
        if links:
            if self._is_form and not str(links[0]).startswith("data:"):
                compose.put("image_reference", {"image_url": links[0]}, "image")
            else:
                compose.put("input_reference", links[0], "image")
        return compose

    def submission(self, plan: Plan, reply: Reply) -> Submission:
        made = super().submission(plan, reply)
        return made.model_copy(update={"observation": _wishing(made.observation, reply)})

    def observation(self, job: Job, reply: Reply) -> Observation:
        return _wishing(super().observation(job, reply), reply)

    def charged_for_failure(self, video: Video) -> Charged:
        """No such server documents it."""
        cost = cost_of(video.usage)
        return "yes" if cost is not None and cost.amount > 0 else "unknown"

    def outputs(self, job: Job, video: Video, reply: Reply) -> Sequence[RemoteOutput]:
        found = super().outputs(job, video, reply)
        linked = [one for one in found if not one.authenticated]
        if self._download == "content" or (self._download == "auto" and not linked):
            return [RemoteOutput(url=f"/v1/videos/{segment(job.job_id)}/content", authenticated=True)]
        return [one.model_copy(update={"fallback_url": None}) if self._download == "url" else one for one in linked]

    def models_call(self) -> Call | None:
        return None

    def account_call(self) -> Call | None:
        return Call("/v1/models")

    def account(self, reply: Reply) -> AccountCheck:
        message = "reachable; the list of models needs no valid key, so the key itself is not proven, nor credit"
        return AccountCheck(ok=True, message=message)


def _wishing(seen: Observation, reply: Reply) -> Observation:
    """With the pause before the next look that OpenAI's own client keeps to."""
    wait = parse_number(reply.headers.get("openai-poll-after-ms"))
    return seen if wait is None or wait < 0 else seen.model_copy(update={"poll_after_seconds": wait / 1000})
