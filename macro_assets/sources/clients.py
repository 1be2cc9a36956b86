"""The client of a source: over HTTP where it has an `api`, else the one of its connector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from macro_assets.catalog import Source
from macro_assets.sources.protocol import Client, Response, connector


def open_client(source: Source, remembered: Mapping[str, Response] | None = None) -> Client:
    """A client of a source.

    Parameters
    ----------
    remembered
        Earlier responses by the text of their request, for providers that can be asked whether these still hold.

    Raises
    ------
    AuthError
        When the source needs a key and the environment has none.
    """
    speaker = connector(source)
    if speaker.client is not None:
        return speaker.client(source)
    from macro_assets.sources.http import HttpClient

    return HttpClient(source, speaker.explain, remembered=remembered)


@contextmanager
def closing(client: Client) -> Iterator[Client]:
    """A client, whose connections are closed in the end if it has any."""
    try:
        yield client
    finally:
        if (close := getattr(client, "close", None)) is not None:
            close()
