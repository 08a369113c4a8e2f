"""A trained model, in a few lines."""

from rich.console import Console

from matching import PairModel
from terminal.console import out


def show_model(model: PairModel, *, console: Console | None = None) -> None:
    """Print what a model was trained on and how it did on persons that were held out."""
    facts, screen = model.facts, console or out()
    counts, metrics, same = facts.counts, facts.metrics, facts.same_contact
    for line in (
        f"model {model.version} serves every day matched from now on",
        f"trained on {facts.first_day} to {facts.last_day}: {counts['signals']:,} signals with an "
        f"e-mail or phone, {counts['pairs']:,} pairs",
        f"of {counts['named']:,} signals a candidate showed the same; of persons who show both, "
        f"{same['email']:.0%} show the same e-mail and {same['phone']:.0%} the same phone",
        f"on persons held out: average precision {metrics['average_precision']:.3f} "
        f"({metrics['later_average_precision']:.3f} on later days), calibration ratio "
        f"{metrics['calibration_ratio']:.3f}",
        f"estimated share of signals of no user: {metrics['outsiders']:.0%}",
    ):
        screen.print(line, highlight=False)
