"""`macro new`: the entry of a new indicator, score, model or chart, written into the user's own folder."""

from __future__ import annotations

import re
from collections.abc import Callable

import click

from macro_assets.cli.terminal import expected_errors, put, say

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@click.group("new")
def new_command() -> None:
    """Write a new indicator, score, model or chart, with what each field is for: valid as it is, to be edited."""


def _command(kind: str) -> Callable[..., None]:
    @new_command.command(kind, help=_help(kind))
    @click.argument("name")
    @click.option("--method", help="What it is computed by; without it the methods are listed.")
    @click.option("--print", "printed", is_flag=True, help="Write to the terminal, not to a file.")
    @expected_errors
    def command(name: str, method: str | None, printed: bool) -> None:
        _new(kind, name, method, printed)

    return command  # type: ignore[no-any-return]


def _help(kind: str) -> str:
    return (
        f"Write the entry of a new {kind} NAME into MACRO_CATALOG/NAME.yaml. Its method is one of those that\n"
        f"`macro new {kind} NAME` lists."
    )


for _kind in ("indicator", "score", "model", "chart"):
    _command(_kind)


def _new(kind: str, name: str, method: str | None, printed: bool) -> None:
    from macro_assets.catalog import default_catalog
    from macro_assets.catalog.entries import nearest
    from macro_assets.catalog.own import free_file
    from macro_assets.cli.skeleton import methods, skeleton

    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r}: expected a name of small letters, digits and '_' that begins with a letter")
    known = methods(kind)
    listed = "\n".join(f"  {n:<{max(map(len, known))}}  {told}" for n, told in known.items())
    if method is None:
        raise ValueError(f"--method says what the {kind} is computed by:\n{listed}")
    if method not in known:
        raise ValueError(f"no method {method!r} of {kind}s.{nearest(method, known)} There are:\n{listed}")
    catalog = default_catalog()
    if (taken := catalog.origins.get(f"{kind}s/{name}")) is not None:
        raise ValueError(
            f"{taken} has {'an' if kind == 'indicator' else 'a'} {kind} {name!r} already: choose another name"
        )
    file = None if printed else free_file(name, "--print")
    demo = next((m.backtest.demo for m in catalog.models.values() if m.backtest.demo), ())
    # fitted each month: before the first January that is known there would be no fit, and no forecast
    more = {"refit_months": "all", "backtest": {"demo": list(demo)}} if kind == "model" else {}
    text = skeleton(kind, name, method, **more)
    if file is None:
        put(text)
        return
    with file.open("x", encoding="utf-8") as new:  # not over one that came meanwhile
        new.write(text)
    say(f"{file} is written. Edit it; `macro doctor` says what is wrong with it.")
