"""Text that others wrote, in every command that shows it: it is shown, and drives no table and no terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from macro_assets.catalog import default_catalog
from macro_assets.publishing.plain import plain
from macro_assets_tests.conftest import Home, make_home
from macro_assets_tests.sources.own_files import declare

HOSTILE = "[/nope] [SA] \x1b[31m\x07 \u202e"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A lake with a source of the user's own: title, header of the file and what is wrong with it are hostile."""
    place = tmp_path_factory.mktemp("titles")
    own = place / "own"
    series = [{"id": "EVIL", "code": "GDP", "title": HOSTILE}, {"id": "WORSE", "code": HOSTILE, "title": HOSTILE}]
    files = declare(own, {}, series)
    document = yaml.safe_load((own / "mine.yaml").read_text())
    document["source"]["title"] = HOSTILE
    document["charts"] = [{"name": HOSTILE}]
    (own / "mine.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (files / "mine.csv").write_text(f'Date,GDP,"{HOSTILE}"\n2020-01-01,1,"{HOSTILE}"\n', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MACRO_CATALOG", str(own))
        default_catalog.cache_clear()
        home = make_home(place)
        done = home.macro("run", "raw/mine", expect=1)
        assert_harmless(done.stdout + done.stderr)
        assert "FAILED raw/mine/WORSE" in done.stdout
        yield home
    default_catalog.cache_clear()


def assert_harmless(said: str) -> None:
    assert "Traceback" not in said
    assert plain(said) == said
    assert "[/nope]" in said
    assert "[SA]" in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["list", "series"], 0),
        (["list", "sources"], 0),
        (["catalog"], 0),
        (["catalog", "nope"], 0),
        (["catalog", HOSTILE], 0),
        (["sources"], 0),
        (["doctor"], 1),
        (["sql", "SELECT title AS \"[/nope] \x1b[SA]\" FROM catalog.series WHERE source = 'mine'"], 0),
        (["sql", 'SELECT "[/nope] [SA] \x1b[31m"'], 2),
        (["history", HOSTILE, "2020-01-01"], 2),
        (["run", f"raw/{HOSTILE}"], 2),
        (["fetch", HOSTILE], 2),
        (["rebuild", HOSTILE], 2),
        (["accept", HOSTILE, "--reason", "none"], 2),
        (["observe", HOSTILE, "2020-01-01", "1", "--author", "a", "--reason", "r"], 2),
        (["invalidate", HOSTILE, "2020-01-01", "2020-01-01", "--reason", "r"], 2),
        (["restore", f"/{HOSTILE}", "--to", "elsewhere"], 2),
        (["new", "chart", HOSTILE, "--method", "lines"], 2),
    ],
    ids=lambda a: a[0] if isinstance(a, list) else "",
)
def test_what_others_wrote_is_shown_and_does_nothing(home: Home, arguments: list[str], code: int) -> None:
    done = home.macro(*arguments, expect=code)
    assert_harmless(done.stdout + done.stderr)


def test_decisions_and_rebuilds_show_what_was_given(home: Home) -> None:
    known = home.macro("sql", "SELECT release_time FROM raw.mine", "--csv").stdout.split("\n")[1]
    given = ["EVIL", "2020-01-01", known[:10], "--reason", HOSTILE, "--author", HOSTILE]
    assert_harmless(home.macro("invalidate", *given).stdout)
    assert_harmless(home.macro("history", "EVIL", "2020-01-01").stdout)
    assert_harmless(home.macro("reinstate", *given).stdout)


def test_csv_is_handed_on_as_it_is(home: Home) -> None:
    """To a file; a terminal is shown what acts on it."""
    said = home.macro("sql", "SELECT title FROM catalog.series WHERE series_id = 'EVIL'", "--csv").stdout
    assert said == f"title\n{HOSTILE}\n"
