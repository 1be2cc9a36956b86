"""Landing: every response body as it came, what was asked in which run, and the state of the latest fetches."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import polars as pl

from macro_assets.catalog import names
from macro_assets.lakehouse.delta import reading
from macro_assets.lakehouse.handle import Held, Lakehouse
from macro_assets.lakehouse.write import append_computed, overwrite_computed

_QUESTION = ["request", "series_ids", "window_first", "window_last"]


def land(lake: Lakehouse, source: str, receipts: pl.DataFrame, commit: Mapping[str, str]) -> int:
    """Store the responses of a run: a receipt each, and the body unless it is the one stored last for the request.

    The same answer to the same question leaves no receipt, unless another answer came in between.

    Parameters
    ----------
    receipts
        Columns of `landing/<source>`, `body` as it came. `request` is without any key; `provider` says who was asked,
        `series_ids` and the window for what the response was parsed.

    Returns
    -------
    int
        How many receipts were stored.
    """

    def lacking(stored: pl.LazyFrame, latest: pl.DataFrame) -> pl.DataFrame:
        return receipts.join(latest, on=[*_QUESTION, "payload_sha256"], how="anti", nulls_equal=True)

    return _land(lake, source, lacking, commit)


def vouch(lake: Lakehouse, source: str, receipts: pl.DataFrame, commit: Mapping[str, str]) -> int:
    """Leave a receipt of every response of a run that stored rows, so that a rebuild knows what they came from.

    Parameters and result as :func:`land`, which comes before.
    """

    def lacking(stored: pl.LazyFrame, latest: pl.DataFrame) -> pl.DataFrame:
        told = stored.select("run_id", *_QUESTION).collect()
        return receipts.join(told, on=["run_id", *_QUESTION], how="anti", nulls_equal=True)

    return _land(lake, source, lacking, commit)


def _land(
    lake: Lakehouse,
    source: str,
    lacking: Callable[[pl.LazyFrame, pl.DataFrame], pl.DataFrame],
    commit: Mapping[str, str],
) -> int:
    """Store the receipts that are lacking, given what is stored and the latest answers to each question."""

    def new(stored: pl.LazyFrame) -> pl.DataFrame:
        # since the request's answer last changed: one hash, and the questions it was asked for
        latest = (
            stored.select(*_QUESTION, "payload_sha256", "fetched_at")
            .sort("fetched_at")
            .with_columns(current=pl.col("payload_sha256").last().over("request"))
            .with_columns(
                changed=pl.when(pl.col("payload_sha256") != pl.col("current")).then("fetched_at").max().over("request")
            )
            .filter(pl.col("changed").is_null() | (pl.col("fetched_at") > pl.col("changed")))
            .collect()
        )
        answer = ["request", "payload_sha256"]
        fresh = lacking(stored, latest).with_row_index("_n")
        bodies = fresh.join(latest, on=answer, how="anti").unique(answer, keep="first", maintain_order=True)
        repeats = fresh.join(bodies, on="_n", how="anti").drop("_n")
        bodies = bodies.drop("_n")
        packed = pl.Series("body", [zlib.compress(b, level=6) for b in bodies["body"]], dtype=pl.Binary)
        return pl.concat([bodies.with_columns(packed), repeats.with_columns(body=pl.lit(None, pl.Binary))])

    return append_computed(lake, names.landing(source), new, commit).rows.height


def landed(lake: Lakehouse, source: str) -> pl.DataFrame:
    """Every receipt of a source in the order of arrival, with its body as it came.

    A receipt whose body was stored earlier gets that body.
    """
    rows = lake.read(names.landing(source)).sort("fetched_at", "request")
    stored = {
        (request, sha): zlib.decompress(body)
        for request, sha, body in rows.select("request", "payload_sha256", "body").iter_rows()
        if body is not None
    }
    keys = rows.select("request", "payload_sha256").iter_rows()
    return rows.with_columns(body=pl.Series([stored[k] for k in keys], dtype=pl.Binary))


def remembered(lake: Lakehouse, source: str) -> pl.DataFrame:
    """The latest good response to each request that came with a validator: `request`, `body`, `fetched_at`, ...

    Only their bodies are read: of every answer that ever came they would be a gigabyte in a few years.
    """
    rows, version = lake.scan(names.landing(source))
    with reading(names.landing(source), version):
        good = rows.filter(pl.col("http_status") == 200).drop("body").collect().sort("fetched_at", "request")
        latest = good.group_by("request", maintain_order=True).last().filter(pl.col("validator").is_not_null())
        hashes = pl.col("payload_sha256").is_in(latest["payload_sha256"].to_list())
        bodies = rows.filter(hashes, pl.col("body").is_not_null()).select("payload_sha256", "body").collect()
    plain = pl.Series("body", [zlib.decompress(b) for b in bodies["body"]], dtype=pl.Binary)
    return latest.join(bodies.with_columns(plain).unique("payload_sha256"), on="payload_sha256")


def log_fetches(
    lake: Lakehouse, source: str, fetches: pl.DataFrame, commit: Mapping[str, str], held: Held | None = None
) -> pl.DataFrame:
    """Replace the state of fetched series of a provider in `fetch_log/<source>` and return the log; others keep theirs.

    A fetch that was no success leaves the time of the latest one, one that was no look that of the latest look, and a
    history that was once had whole stays so. A log that is held already is read again only where another process wrote
    to it since.
    """
    log = [fetches]

    def kept(stored: pl.DataFrame) -> pl.DataFrame:
        key = ["series_id", "provider"]
        others = stored.join(fetches, on=key, how="anti")
        before = stored.select(*key, before="last_success", looked="last_look", was_whole="is_whole")
        now = fetches.join(before, on=key, how="left").with_columns(
            last_success=pl.coalesce("last_success", "before"),
            last_look=pl.coalesce("last_look", "looked"),
            is_whole=pl.col("is_whole") | pl.col("was_whole").fill_null(False),
        )
        log[0] = pl.concat([others, now.select(stored.columns).cast(stored.schema)]).sort(key)
        return log[0]

    overwrite_computed(lake, names.fetch_log(source), kept, commit, held=held)
    return log[0]
