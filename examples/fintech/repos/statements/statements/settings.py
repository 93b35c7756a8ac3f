"""Settings: flat `name: value` lines, a small subset of YAML."""

DEFAULTS = {"language": "en", "currency_symbol": False, "debug": False, "keep_months": 84}


class SettingsError(ValueError):
    """A line of the settings can't be read."""


def parse(text):
    """Settings over their defaults; unknown names are refused."""
    settings = dict(DEFAULTS)
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or name not in DEFAULTS:
            raise SettingsError(f"line {number}: unknown setting `{name}`")
        settings[name] = _value(number, DEFAULTS[name], value)
    return settings


def _value(number, default, text):
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise SettingsError(f"line {number}: expected true or false, got `{text}`")
        return text == "true"
    if isinstance(default, int):
        if not text.isdecimal():
            raise SettingsError(f"line {number}: expected a whole number, got `{text}`")
        return int(text)
    return text
