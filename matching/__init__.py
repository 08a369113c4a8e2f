"""Signals → matches to users.

``identities`` keeps the graph of identifiers and users; ``deterministic`` follows the identifiers
that signals carry; ``evaluation`` compares matches with a known truth; ``explanation`` tells why
one signal was matched as it was; ``pipeline`` is the stage that the daily run calls.
"""

from matching.evaluation import Evaluation, evaluate
from matching.explanation import SignalExplanation, explain_signal
from matching.pipeline import match_day

__all__ = ["Evaluation", "SignalExplanation", "evaluate", "explain_signal", "match_day"]
