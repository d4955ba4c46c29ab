"""What every process does first: read its settings, and send its logs where they say."""

from ..providers.registry import default_settings, format_names
from .logs import start_logging
from .settings.settings import Settings, load_settings


def prepared_settings() -> Settings:
    """The settings of this process, with logs going where and as they say.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    settings = load_settings(default_settings(), format_names)
    secrets = [secret for each in settings.providers for secret in (each.api_key, each.webhook_secret)]
    start_logging(settings.log_level, [secret.get_secret_value() for secret in secrets if secret is not None])
    return settings
