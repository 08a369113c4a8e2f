"""Models that are fitted on what users saw and did, and the credit that they give.

    models          what each of them can do; which there are
    ├── markov          chains, channel_groups
    ├── shapley         exposed_sets, set_values, coalitions
    ├── hazard          hazard_cells → hazard_rates → hazard_fit, unforeseen
    ├── counterfactual  exposure_features, exposure_moments, exposure_trees
    └── incremental     caused: what campaigns caused, by the holdouts and by a hazard; corrections
    effects         what a model found out of each campaign, and what that rests on
    serving         which stored model serves a log day
    fitting         when they are fitted anew; guardrails: when a fit is refused
    credit          of the conversions at work, in whole millionths
    predictions     how well they foretell who converts

docs/attribution.md says what each of them assumes.
"""
