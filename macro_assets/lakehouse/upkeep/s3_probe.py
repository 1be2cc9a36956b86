"""Proof that an S3 store refuses to overwrite an object when asked to: what keeps two writers from losing a commit.

A Delta commit is one PUT of the next log entry with `If-None-Match: *`. A store that ignores the header lets the
second of two writers replace the first one's entry, and nobody is told.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from macro_assets.lakehouse import s3
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.paths import S3Root

WRITERS = 16
ROUNDS = 3

_REFUSALS = (409, 412)


def probe(root: S3Root) -> str:
    """Prove that the bucket can be written and that of parallel conditional PUTs of one key exactly one succeeds.

    The probe's objects are removed again.

    Returns
    -------
    str
        What was proven.

    Raises
    ------
    LakeError
        When two writers would not be safe on this store, or it does not know conditional PUT.
    OSError
        When the bucket cannot be reached or written.
    """
    given = s3.settings()
    client = given.client(attempts=1)  # a repeated PUT would be counted as another writer's
    store = given.endpoint or f"AWS ({given.region})"
    with s3.readable_errors(given, root.bucket):
        client.head_bucket(Bucket=root.bucket)
    s3.check_writable(root.bucket, (root / f".probe-{uuid4().hex}").prefix)
    for _ in range(ROUNDS):
        key = (root / f".probe-{uuid4().hex}").prefix
        try:
            _race(client, given, store, root.bucket, key)
        finally:
            with s3.readable_errors(given, root.bucket):
                client.delete_object(Bucket=root.bucket, Key=key)
    return f"{store} accepted 1 of {WRITERS} parallel conditional PUTs in each of {ROUNDS} rounds"


def _race(client: Any, given: s3.Settings, store: str, bucket: str, key: str) -> None:
    start = Barrier(WRITERS)

    def put(writer: int) -> int:
        start.wait()
        return _put_if_absent(client, given, bucket, key, str(writer))

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(put, range(WRITERS)))
    _judge(answers, store)
    with s3.readable_errors(given, bucket):
        kept = client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    if kept != str(answers.index(200)):
        raise LakeError(
            f"{store} said that it refused a conditional PUT and stored it all the same: two writers would silently "
            "lose each other's commits; do not use this store for writing"
        )


def _put_if_absent(client: Any, given: s3.Settings, bucket: str, key: str, body: str) -> int:
    """The HTTP status of a conditional PUT, 200 for any success."""
    from botocore.exceptions import ClientError

    with s3.readable_errors(given, bucket):
        try:
            client.put_object(Bucket=bucket, Key=key, Body=body.encode(), IfNoneMatch="*")
        except ClientError as error:
            return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return 200


def _judge(answers: list[int], store: str) -> None:
    """Raise unless one PUT succeeded and others were refused."""
    counts = Counter(answers)
    accepted = counts[200]
    if accepted > 1:
        raise LakeError(
            f"{store} accepted {accepted} of {WRITERS} parallel conditional PUTs of one key, and should accept 1: two "
            "writers would silently lose each other's commits; do not use this store for writing"
        )
    if counts[501] or counts[400]:
        raise LakeError(
            f"{store} does not know conditional PUT (If-None-Match), it answered {_said(counts)}: no table can be "
            "written safely; do not use this store for writing"
        )
    if accepted == 0 or not any(counts[s] for s in _REFUSALS):
        raise LakeError(
            f"{store} accepted {accepted} of {WRITERS} parallel conditional PUTs of one key, and should accept 1 and "
            f"refuse the others; it answered {_said(counts)}. That proves nothing: do not write before `macro doctor` "
            "passes"
        )


def _said(counts: Counter[int]) -> str:
    return ", ".join(f"{status} to {n} of {WRITERS}" for status, n in sorted(counts.items()) if n)


def is_exposed(given: s3.Settings) -> bool:
    """Whether keys and figures leave this machine unencrypted."""
    host = urlsplit(given.endpoint or "").hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return given.is_plain_http and not loopback
