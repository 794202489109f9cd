"""Numbers as pages show them. Times are the browser's: it knows its zone (`static/app.js`)."""

from __future__ import annotations

FILTERS = ("number", "percent", "money", "size", "duration")


def number(value: float) -> str:
    """`1,234,567`; up to two places behind the point, where there are any."""
    text = f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
    return text


def percent(part: float, whole: float) -> str:
    """`40%`; never `100%` before all is there."""
    if not whole:
        return "0%"
    return f"{min(100, int(100 * part / whole))}%"


def money(value: float | None) -> str:
    """US dollars: two places, four below a cent, `—` for an unknown sum."""
    if value is None:
        return "—"
    return f"${value:,.4f}" if 0 < value < 0.01 else f"${value:,.2f}"


def size(value: float) -> str:
    """Bytes: `3.4 MB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1000
    raise AssertionError


def duration(seconds: float) -> str:
    """`0:07`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
