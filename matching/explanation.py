"""Why one signal was matched as it was."""

from dataclasses import dataclass, field

from matching.candidates import Candidacy, explain_candidates
from warehouse.config import ModelConfig
from warehouse.database import Warehouse
from warehouse.errors import UnknownNameError
from warehouse.refused import refused_rows, refused_where


@dataclass(frozen=True)
class SignalExplanation:
    """One signal, its match and what each of its identifiers said.

    Attributes
    ----------
    signal : dict
        Its id, day, time, advertiser, event name, order, consent (None where it is not told), file
        and row; user_id, method, match_probability and model_version of its best match (None
        without one); and the conversion_id that it belongs to and its role there (None before
        attribution).
    identifiers : list of dict
        For each kind of identifier that it carries (method), the most trusted first:

        - users, how many its links name on the signal's log day, and set_aside, how many of these
          have too many identifiers of the kind;
        - user_id, whom it names, where that is one; named_users, the first five of those that a
          shared identifier names, else None;
        - first_day, last_day, sources and recipes of the links to user_id, or to all where it names
          none: between which log days, in which logs and in whose form of the value it was seen;
        - learned_from and learned_day, the newest signal that taught the link, and its log day;
        - ttl_days and most_users, the limits of the kind (``identity_rules``);
        - outcome: followed, agrees, other_user, vetoed, shared_identifier, too_many_users,
          too_many_identifiers, not_followed (another was vetoed), expired (no link speaks on that
          day), not_in_order (the kind is not followed), unknown (no link at all), or why the value
          can be nobody's or cannot be read (:class:`warehouse.recipes.Refusal`).
    refused : list of dict
        The refused rows of the logs with the same id, such as repeats: day, rule, source_file,
        source_row.
    by_model : Candidacy or None
        Who competed for it; None where an identifier gave it a user.
    """

    signal: dict[str, object]
    identifiers: list[dict[str, object]]
    refused: list[dict[str, object]] = field(default_factory=list)
    by_model: Candidacy | None = None

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON; by_model only where there is one."""
        told = {**self.signal, "identifiers": self.identifiers, "refused": self.refused}
        return told if self.by_model is None else {**told, "by_model": self.by_model.to_dict()}


def explain_signal(
    warehouse: Warehouse, signal_id: str, config: ModelConfig | None = None
) -> SignalExplanation:
    """Tell why one signal was matched as it was.

    Parameters
    ----------
    warehouse : Warehouse
        The warehouse; read only is enough.
    signal_id : str
        The signal.
    config : ModelConfig, optional
        The configuration that it was matched with; the defaults when omitted.

    Raises
    ------
    UnknownNameError
        If no signal has this id; where it was refused, the message says why.
    """
    signal = warehouse.query("matching/explain_signal", signal_id=signal_id)
    refused = refused_rows(warehouse, signal_id)
    if signal.is_empty() and refused:
        raise UnknownNameError(f'signal "{signal_id}" was refused: {refused_where(refused)}')
    if signal.is_empty():
        raise UnknownNameError(
            f'no signal "{signal_id}" in {warehouse.path}, and no refused row with this id. Rows '
            "that could not be read hold none: see adscribe report rejected_rows."
        )
    told = signal.row(0, named=True)
    identifiers = warehouse.query("matching/explain_identifiers", signal_id=signal_id)
    by_model = None
    if told["method"] in (None, "model"):
        by_model = explain_candidates(warehouse, signal_id, told["day"], config or ModelConfig())
    return SignalExplanation(told, identifiers.to_dicts(), refused, by_model)
