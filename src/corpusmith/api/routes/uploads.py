"""Uploads: the one way in which a file comes in."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from corpusmith.api.access import needs
from corpusmith.api.asking import Page, StudioOf
from corpusmith.api.limits import costly
from corpusmith.api.receiving import received
from corpusmith.api.router import rest
from corpusmith.service.uploads import Upload

router = rest("/uploads", tags=["uploads"])

_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
_NO_LIMIT = 1 << 50
"""The setting `CORPUSMITH_MAX_UPLOAD_MB` is what counts, and it may change while we run."""


@router.post(
    "",
    status_code=201,
    dependencies=[needs("edit"), costly()],
    max_body_size=_NO_LIMIT,
    openapi_extra=_FILE,
)
async def add_upload(request: Request, studio: StudioOf) -> Upload:
    """Send a file, as multipart/form-data in the field `file`. Wherever a file is asked for write
    `upload:<id>` then. After a week without use it is swept; what was made of it stays."""
    return await received(request, studio.uploads)


@router.get("", dependencies=[needs("edit")])
def list_uploads(studio: StudioOf) -> Page[Upload]:
    """All that are there, the newest first."""
    return Page(items=studio.uploads.list())


@router.get("/{upload}", dependencies=[needs("edit")])
def get_upload(studio: StudioOf, upload: str) -> Upload:
    """Its name, size and SHA-256."""
    return studio.uploads.get(upload)


@router.delete("/{upload}", status_code=204, dependencies=[needs("edit")])
def delete_upload(studio: StudioOf, upload: str) -> None:
    """Take it away. What was made of it stays."""
    studio.uploads.delete(upload)
