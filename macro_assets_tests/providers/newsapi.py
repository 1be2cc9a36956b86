"""A stand-in for News API; counts are synthetic, the articles of an answer are all the same."""

from __future__ import annotations

import json
from datetime import date

from macro_assets_tests.providers import Asked, World

ARTICLE = {
    "source": {"id": None, "name": "Synthetic"},
    "author": "Nobody",
    "title": "A synthetic title of an article that was never written",
    "description": "A synthetic description, as long as those of articles usually are, that says nothing. " * 3,
    "url": "https://news.example/synthetic",
    "urlToImage": "https://news.example/synthetic.png",
    "content": "Synthetic content, cut off after some characters as the free plan does. [+1000 chars]",
}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    series = world.series(asked.source, asked.params["q"])
    day = date.fromisoformat(asked.params["from"][:10])
    count = 0 if series is None else int(world.every_day(series).get(day, 0))
    shown = min(count, int(asked.params["pageSize"]))
    articles = [{**ARTICLE, "publishedAt": f"{day}T12:00:00Z"}] * shown
    return 200, json.dumps({"status": "ok", "totalResults": count, "articles": articles}).encode()
