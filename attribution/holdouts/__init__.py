"""What ads withheld at random say of those that were shown.

    arms → lift          conversions of both arms, and what ads added; lift_report, of the warehouse
    ├── shrinkage          lifts drawn towards each other
    └── lift_calibration   any credit scaled to the lifts
    evidence             conversions by their last touch and by their latest opportunity
    ├── touch_mixture, opportunity_mixture   two readings of what was caused
    └── readings           both, by campaign, with their errors
    calibrated_touch     how probably the last touch caused it: rates, by the week, of the warehouse

docs/attribution.md says what both readings assume.
"""
