"""Signals → matches to users.

``identities`` keeps the graph of identifiers and users; ``deterministic`` follows the identifiers
that signals carry; ``evaluation`` compares matches with a known truth; ``explanation`` and
``candidates`` tell why one signal was matched as it was; ``pipeline`` is the stage that the daily
run calls.
"""

from matching.candidates import Candidacy, Outcome
from matching.evaluation import Evaluation, evaluate
from matching.explanation import SignalExplanation, explain_signal
from matching.models import PairModel
from matching.pipeline import match_day, train_active_model

__all__ = [
    "Candidacy",
    "Evaluation",
    "Outcome",
    "PairModel",
    "SignalExplanation",
    "evaluate",
    "explain_signal",
    "match_day",
    "train_active_model",
]
