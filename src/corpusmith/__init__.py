"""Corpusmith (语料工坊): make training data for language models with language models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

__all__ = ["Studio", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Studio":
        from corpusmith.service.studio import Studio

        return Studio
    raise AttributeError(f"module 'corpusmith' has no attribute {name!r}")
