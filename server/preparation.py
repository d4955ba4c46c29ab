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
    keys = [provider.api_key.get_secret_value() for provider in settings.providers if provider.api_key is not None]
    start_logging(settings.log_level, keys)
    return settings
