"""Why one signal was matched as it was."""

from dataclasses import dataclass

from warehouse.database import Warehouse
from warehouse.errors import UnknownNameError


@dataclass(frozen=True)
class SignalExplanation:
    """One signal, its match and what each of its identifiers said.

    Attributes
    ----------
    signal : dict
        Its id, day, time, advertiser, event name, order, file and row; user_id, method,
        match_probability and model_version of its best match (None without one); and the
        conversion_id that it belongs to and its role there (None before attribution).
    identifiers : list of dict
        For each kind of identifier that it carries (method), the most trusted first: how many users
        its links name on the signal's log day (users), whom (user_id) and in which logs it was seen
        (sources) where it is one, between which log days (first_day, last_day), and outcome. That
        is followed, agrees, other_user, vetoed, shared_identifier, too_many_users,
        too_many_identifiers, not_followed (another was vetoed), unknown, or why the value can be
        nobody's or cannot be read (:class:`warehouse.recipes.Refusal`).
    """

    signal: dict[str, object]
    identifiers: list[dict[str, object]]

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return {**self.signal, "identifiers": self.identifiers}


def explain_signal(warehouse: Warehouse, signal_id: str) -> SignalExplanation:
    """Tell why one signal was matched as it was.

    Raises
    ------
    UnknownNameError
        If no signal has this id.
    """
    signal = warehouse.query("matching/explain_signal", signal_id=signal_id)
    if signal.is_empty():
        raise UnknownNameError(
            f'no signal "{signal_id}" in {warehouse.path}. It may have been refused: see '
            "adscribe report data_quality."
        )
    identifiers = warehouse.query("matching/explain_identifiers", signal_id=signal_id)
    return SignalExplanation(signal.row(0, named=True), identifiers.to_dicts())
