"""A single value, as a table or a tree shows it."""

from datetime import date, datetime

from rich.text import Text

_STYLES = {
    "won": "bold green", "followed": "bold green", "agrees": "green", "touch": "green",
    "unmatched": "yellow", "organic": "cyan", "rejected": "red", "failed": "red",
    "interrupted": "red", "shared_identifier": "yellow", "other_user": "yellow",
    "too_many_users": "yellow", "too_many_identifiers": "yellow", "vetoed": "red",
    "expired": "yellow", "not_in_order": "yellow", "denied": "red", "assist": "green",
    "bot": "red", "data_centre": "red", "click_injection": "red", "click_flooding": "red",
    "reinstall": "yellow", "not declared": "yellow",
}  # fmt: skip


def plain(value: object) -> str:
    """Return a value as text for people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{round(value, 4) + 0.0:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else _visible(str(value))


def _visible(text: str) -> str:
    """Return text in which what a terminal would obey, and not show, is written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one.isspace() else one.encode("unicode_escape").decode()
        for one in text
    )


def styled(text: str) -> Text:
    """Return text in the colour of what it says."""
    return Text(text, style=_STYLES.get(text, ""))
