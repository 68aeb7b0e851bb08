"""What a user may set: settings.toml in the home, or an environment variable for one process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta

from nbflow.errors import NbflowError
from nbflow.store.home import Home


@dataclass(frozen=True, slots=True)
class Settings:
    """target: where workflows run unless told. max_pods: at once, daemons not counted; None: max(8, 4 x cores).
    parallelism: how many workflows run at once, 0 for any number; the others wait by their priority.
    idle_seconds: how long a controller without work stays. keep_failed_mib, keep_failed_days: how much of what
    failed pods left, and for how long. host_paths: folders that pods may mount as hostPath, with `:` between; none.
    ignored: codes of lint's warnings that nobody wants to see, such as "NBF224".
    """

    target: str = "sandbox"
    max_pods: int | None = None
    parallelism: int = 0
    idle_seconds: int = 300
    keep_failed_mib: int = 1024
    keep_failed_days: int = 7
    host_paths: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def pod_slots(self) -> int:
        """How many pods may run at once."""
        return self.max_pods or max(8, 4 * (os.cpu_count() or 1))

    @property
    def idle(self) -> timedelta:
        """How long a controller without work stays."""
        return timedelta(seconds=self.idle_seconds)


def read_settings(home: Home, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a home: NBFLOW_<NAME> wins over the file, the file over the defaults.

    Raises NbflowError for a name that is none of ours or a value of the wrong kind.
    """
    names = {field.name for field in fields(Settings)}
    found: dict[str, object] = {}
    for name, value in _file(home).items():
        if name not in names:
            raise NbflowError(
                f"unknown setting {name!r}",
                where=str(home.settings),
                fix=f"known are: {', '.join(sorted(names))}",
            )
        found[name] = _checked(name, value, str(home.settings))
    for name in names:
        text = (os.environ if environment is None else environment).get(f"NBFLOW_{name.upper()}")
        if text:
            found[name] = _checked(name, text, f"NBFLOW_{name.upper()}")
    return replace(Settings(), **found)  # type: ignore[arg-type]


def _file(home: Home) -> Mapping[str, object]:
    try:
        text = home.settings.read_text(encoding="utf-8")
    except OSError:
        return {}
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NbflowError(f"the settings are no TOML: {error}", where=str(home.settings)) from error


def _checked(name: str, value: object, where: str) -> object:
    if name in ("target", "host_paths"):
        if isinstance(value, str):
            return value
        raise NbflowError(f"{name} must be a text", where=where)
    if name == "ignored":
        codes = value.replace(",", " ").split() if isinstance(value, str) else value
        if isinstance(codes, list) and all(isinstance(code, str) for code in codes):
            return tuple(codes)
        raise NbflowError(f"{name} must be a list of texts", where=where, fix='write ["NBF224"]')
    try:
        number = -1 if isinstance(value, bool) else int(str(value))
    except ValueError:
        number = -1
    if number < 0:
        raise NbflowError(f"{name} must be a whole number, not {value!r}", where=where)
    return number
