"""Routers of pages: as those of REST (`api.router`), each route is made once."""

from __future__ import annotations

from fastapi import APIRouter

MOST_BYTES = 32 * 1024 * 1024
"""Of what a page sends, where it does not say otherwise."""


def pages(prefix: str = "") -> APIRouter:
    """For the pages of one group; they are no part of REST's document."""
    return APIRouter(prefix=prefix, include_in_schema=False, max_body_size=MOST_BYTES)
