"""How to reach S3: the standard AWS environment variables, in the words of each library that reads or writes.

Any endpoint that honours conditional PUT serves (`If-None-Match: *`); `macro doctor` proves that one does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import pyarrow.fs

_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401", "403"}


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

    def client(self, attempts: int = 3) -> Any:
        """A boto3 client that asks at most `attempts` times."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
            config=Config(
                s3={"addressing_style": "path" if self.endpoint else "auto"},
                max_pool_connections=32,
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "total_max_attempts": attempts},
                # the checksum headers that newer AWS SDKs add by default are unknown to some other stores
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
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


def _endpoint(given: str | None) -> str | None:
    """An endpoint's scheme, host and port; it is shown in messages, so it may hold no key. None for AWS itself."""
    if not given:
        return None
    address = urlsplit(given)
    plain = not (address.username or address.password or address.path.strip("/") or address.query)
    if not (plain and address.scheme in ("http", "https") and address.hostname):
        raise ValueError(
            "AWS_ENDPOINT_URL is not a plain address; expected one like https://s3.example.org, without a path, "
            "and with the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return f"{address.scheme}://{address.netloc}"


def settings() -> Settings:
    """Settings from `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, `AWS_REGION` or `AWS_DEFAULT_REGION`, and the keys.

    Keys are `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; where they are not set, a profile or
    an instance's role gives them, as with any AWS program.

    Raises
    ------
    ValueError
        When there are no credentials, or the endpoint is not an http(s) address.
    """
    endpoint = _endpoint(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"))
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


def check_reachable(bucket: str) -> None:
    """Ask for the bucket.

    Raises
    ------
    OSError
        When the store does not answer, refuses, or has no such bucket.
    """
    given = settings()
    with readable_errors(given, bucket):
        given.client().head_bucket(Bucket=bucket)


def check_writable(bucket: str, key: str) -> None:
    """Put an object and remove it again.

    Raises
    ------
    OSError
        When the bucket cannot be written, with the reason.
    """
    given = settings()
    client = given.client()
    with readable_errors(given, bucket):
        client.put_object(Bucket=bucket, Key=key, Body=b"")
        client.delete_object(Bucket=bucket, Key=key)


def move(bucket: str, source: str, target: str) -> None:
    """Copy an object, then remove the original.

    Raises
    ------
    OSError
        When the store refuses; the original is then still there.
    """
    given = settings()
    client = given.client()
    with readable_errors(given, bucket):
        client.copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": bucket, "Key": source})
        client.delete_object(Bucket=bucket, Key=source)


@contextmanager
def readable_errors(given: Settings, bucket: str) -> Iterator[None]:
    """Errors of the client become one line each that says what to do, without the request and its keys."""
    from botocore.exceptions import BotoCoreError, ClientError

    store = given.endpoint or f"AWS ({given.region})"
    try:
        yield
    except ClientError as error:
        raise OSError(_answer(error.response, store, bucket)) from None
    except BotoCoreError as error:
        raise OSError(
            f"the S3 store {store} cannot be reached ({type(error).__name__}). Check AWS_ENDPOINT_URL, and that the "
            "store runs and can be reached from here"
        ) from None


def _answer(response: Mapping[str, Any], store: str, bucket: str) -> str:
    """An error answer in words."""
    code = str(response.get("Error", {}).get("Code", "?"))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", "?")
    if code == "NoSuchBucket" or (code == "404" and status == 404):
        return f"there is no bucket {bucket} at {store}. Create it, or set MACRO_LAKE to one that there is"
    if code in _REFUSED:
        return (
            f"the S3 store {store} refuses these credentials for bucket {bucket} ({code}). Check AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, and what the key may do"
        )
    return f"the S3 store {store} answered {status} ({code}) for bucket {bucket}"
