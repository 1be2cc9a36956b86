"""How to reach S3: the standard AWS environment variables, in the words of each library that reads or writes.

Any endpoint that honours conditional PUT serves (`If-None-Match: *`); `macro doctor` proves that one does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import pyarrow.fs


@dataclass(frozen=True)
class Settings:
    """Endpoint (None = AWS itself), region and credentials. Secrets are never shown."""

    endpoint: str | None
    region: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    token: str | None = field(repr=False)

    @property
    def is_plain_http(self) -> bool:
        """Whether keys and figures travel unencrypted."""
        return (self.endpoint or "").startswith("http://")

    def object_store(self) -> dict[str, str]:
        """Storage options of Delta and Polars."""
        options = {
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
            "aws_region": self.region,
            "aws_conditional_put": "etag",
            "aws_allow_http": str(self.is_plain_http).lower(),
        }
        if self.token:
            options["aws_session_token"] = self.token
        if self.endpoint:
            options["aws_endpoint_url"] = self.endpoint
        return options

    def filesystem(self) -> pyarrow.fs.FileSystem:
        """The buckets as an Arrow file system."""
        import pyarrow.fs

        address = urlsplit(self.endpoint) if self.endpoint else None
        return pyarrow.fs.S3FileSystem(
            access_key=self.key,
            secret_key=self.secret,
            session_token=self.token,
            region=self.region,
            scheme=address.scheme if address else "https",
            endpoint_override=address.netloc if address else None,
        )

    def client(self) -> Any:
        """A boto3 client."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
            config=Config(s3={"addressing_style": "path" if self.endpoint else "auto"}, max_pool_connections=32),
        )

    def duckdb_secret(self) -> dict[str, str | bool]:
        """Parameters of DuckDB's `CREATE SECRET (TYPE s3, ...)`."""
        secret: dict[str, str | bool] = {"KEY_ID": self.key, "SECRET": self.secret, "REGION": self.region}
        if self.token:
            secret["SESSION_TOKEN"] = self.token
        if self.endpoint:
            address = urlsplit(self.endpoint)
            secret |= {"ENDPOINT": address.netloc, "URL_STYLE": "path", "USE_SSL": address.scheme == "https"}
        return secret


def settings() -> Settings:
    """Settings from `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, `AWS_REGION` or `AWS_DEFAULT_REGION`, and the keys.

    Keys are `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; where they are not set, a profile or
    an instance's role gives them, as with any AWS program.

    Raises
    ------
    ValueError
        When there are no credentials, or the endpoint is not an http(s) address.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
    if endpoint and not (urlsplit(endpoint).scheme in ("http", "https") and urlsplit(endpoint).netloc):
        raise ValueError("AWS_ENDPOINT_URL is not an address; expected one like https://s3.example.org")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return Settings(endpoint, region, key, secret, os.environ.get("AWS_SESSION_TOKEN") or None)
    import boto3

    found = boto3.Session().get_credentials()
    if found is None:
        raise ValueError(
            "the lake is on S3 and there are no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
            "(and AWS_ENDPOINT_URL unless the store is AWS itself)."
        )
    frozen = found.get_frozen_credentials()
    return Settings(endpoint, region, frozen.access_key, frozen.secret_key, frozen.token)
