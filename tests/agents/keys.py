"""Who has which keys: the built-in gateways, each alone and all together, with nothing behind them."""

from collections.abc import Sequence

from pydantic import SecretStr

from rushes.providers.registry import build_provider, default_settings
from rushes.tasks.intake.routing import Configured

GATEWAYS = ("routeany", "yuto", "shuyou", "llmgateway", "apixo")

KEYS: dict[str, tuple[str, ...]] = {**{name: (name,) for name in GATEWAYS}, "all five": GATEWAYS}
"""Under the words of the table."""


NOBODY = "http://127.0.0.1:1"
"""Where nothing answers: dry runs send nothing, and a live list that cannot be read leaves what is known."""


def configured(names: Sequence[str]) -> list[Configured]:
    """All built-in providers in their own order, usable where named."""
    made: list[Configured] = []
    for settings in default_settings():
        usable = settings.keyless or settings.name in names
        known = settings.model_copy(
            update={
                "api_key": SecretStr("a-key") if usable else None,
                "base_url": None if settings.keyless else NOBODY,
            }
        )
        problem = None if usable else f"{settings.api_key_env} is not set"
        made.append(Configured(build_provider(known), problem, has_key=usable and not settings.keyless))
    return made
