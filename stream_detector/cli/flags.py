"""Flags made from the fields of Settings: each with its default and its environment variable in the help."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stream_detector.settings import ENVIRONMENT_PREFIX, Settings

Returned = TypeVar("Returned")

#: Shorter names for flags, beside the setting's own.
_SHORT = {"unmasked_evidence": ("--unmasked", "--masked")}


class SettingOption(click.Option):
    """The flag of one setting."""

    def __init__(self, path: tuple[str, ...], field: FieldInfo, kind: Any) -> None:
        self.setting = ".".join(path)
        flag = "--" + ".".join(path).replace("_", "-")
        attributes: dict[str, Any] = {}
        variable = ENVIRONMENT_PREFIX + "__".join(path).upper()
        if kind is bool:
            short = "/".join(_SHORT.get(self.setting, ()))
            flags = [*([short] if short else []), f"{flag}/--no-{flag.removeprefix('--')}"]
        elif kind is dict:
            flags, variable = [flag], f"{variable}__KEY"
            attributes = {"metavar": "KEY=VALUE", "multiple": True, "callback": _read_pairs}
        elif kind is tuple:
            flags = [flag]
            attributes = {"metavar": "A,B,…", "callback": _read_list}
        elif isinstance(kind, type) and issubclass(kind, StrEnum):
            flags = [flag]
            attributes = {"type": click.Choice([member.value for member in kind])}
        else:
            flags = [flag]
            attributes = {"type": kind}
        super().__init__(
            [*flags, "__".join(path)],
            default=None,
            help=f"{field.description or ''}  [{variable}; default: {_describe(field.get_default(call_default_factory=True))}]",
            **attributes,
        )


class SettingsCommand(click.Command):
    """A command whose help lists the settings after its own options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both sections."""
        for title, wanted in (("Options", False), ("Settings", True)):
            options = (parameter for parameter in self.get_params(ctx) if isinstance(parameter, SettingOption) is wanted)
            if rows := [row for option in options if (row := option.get_help_record(ctx))]:
                with formatter.section(title):
                    formatter.write_dl(rows)


def with_settings(*names: str) -> Callable[[Callable[..., Returned]], Callable[..., Returned]]:
    """Give a command --config and the flags of some settings, or of all; it is called with `settings`.

    A setting without a flag here still comes from the file and the environment.
    """

    def decorate(command: Callable[..., Returned]) -> Callable[..., Returned]:
        options = [option for option in setting_options() if not names or option.setting.split(".")[0] in names]

        @functools.wraps(command)
        def call(*args: Any, config: Path | None, **values: Any) -> Returned:
            flags: dict[str, object] = {}
            for option in options:
                value = values.pop(str(option.name))
                flags |= (
                    {f"{option.setting}.{key}": item for key, item in value.items()}
                    if isinstance(value, dict)
                    else {option.setting: value}
                )
            return command(*args, settings=Settings.load(config, flags=flags), **values)

        config_option = click.Option(
            ["--config"],
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Settings in TOML; the environment and flags come before it.",
        )
        # Where click's own decorators keep a function's parameters, last one first.
        own: list[click.Parameter] = getattr(command, "__click_params__", [])
        call.__click_params__ = [*reversed([config_option, *options]), *own]  # type: ignore[attr-defined]
        return call

    return decorate


def setting_options() -> Iterator[SettingOption]:
    """The flag of every setting, in the order of the settings."""
    return _options_of(Settings, ())


def _options_of(section: type[BaseModel], parents: tuple[str, ...]) -> Iterator[SettingOption]:
    for name, field in section.model_fields.items():
        kind = _plain_type(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _options_of(kind, (*parents, name))
        else:
            yield SettingOption((*parents, name), field, kind)


def _plain_type(annotation: Any) -> Any:
    """`float | None` is float, `tuple[str, ...]` is tuple."""
    origin = typing.get_origin(annotation)
    if origin in {types.UnionType, typing.Union}:
        return next(kind for kind in typing.get_args(annotation) if kind is not types.NoneType)
    return origin or annotation


def _describe(default: object) -> str:
    match default:
        case bool():
            return "on" if default else "off"
        case tuple() if len(default) > 3:
            return f"{len(default)} of them"
        case tuple():
            return ",".join(map(str, default)) or "none"
        case None:
            return "none"
        case Mapping():
            return "none"
        case _:
            return str(default)


def _read_pairs(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    read = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not (key and separator):
            raise click.BadParameter(f"{key!r} has no value; write it as key=value, such as security.protocol=SSL")
        read[key] = value
    return read


def _read_list(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(item.strip() for item in text.split(",") if item.strip())
