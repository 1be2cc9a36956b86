"""Olinda, the OData service of Banco Central do Brasil: what its connectors share.

An answer is `{"@odata.context": ..., "value": [{...}]}`. Errors come as JSON inside a comment,
`/*{ "codigo" : 400, "mensagem" : "..." }*/`, whatever the HTTP status, or as a page of HTML.
Source: https://olinda.bcb.gov.br/olinda/servico/PTAX/versao/v1/documentacao
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from macro_assets.sources import gateways
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.errors import SchemaError, SourceError, TransientError, quoted
from macro_assets.sources.protocol import Response

_CODE = re.compile(rb'"codigo"\s*:\s*(\d+)')


def explain(response: Response) -> SourceError | None:
    """The error an answer stands for: by its body first, by its HTTP status else."""
    start = response.body.lstrip()[:2]
    said = quoted(response.body)
    if start == b"/*":
        code = _CODE.search(response.body)
        if code is None or int(code[1]) >= 500:
            return TransientError(f"the service failed: {said}. Ask again later.")
        return SchemaError(f"the request was refused: {said}. The connector asks what is not served.")
    return gateways.explain(response)


def read_entities(response: Response, fields: Collection[str] = ()) -> list[Any]:
    """The rows of an answer, as they came; `fields` as in :func:`read_json`."""
    rows: list[Any] = member(read_json(response, fields), "value", of=list)
    return rows
