-- purpose: users and conversions of both arms of each campaign's holdout, over the last 28 log days of touches.
--     A pair is a user and a campaign that had an impression for him, shown or withheld; it is held
--     out if an ad was ever withheld from it. Its conversions are those of holdout_conversions: of
--     users known by another identifier than click_id, within the longest window after an opportunity
-- grain: one (campaign_id, advertiser_id, surface, segment); the surface is the one that the campaign is
--     seen on most, the segment a user's quarter of the users by logged activity, 1 the least
-- reads: touchpoints, activity, invalid_users, invalid_touches, holdout_conversions
-- parameters: none
WITH newest AS (
    SELECT max(day) AS last_day
    FROM touchpoints
),
touches AS (
    SELECT touchpoints.user_id, touchpoints.campaign_id, touchpoints.advertiser_id, touchpoints.surface,
        touchpoints.kind, touchpoints.arm IS NOT DISTINCT FROM 'control' AS withheld
    FROM touchpoints
    CROSS JOIN newest
    LEFT JOIN invalid_users ON invalid_users.user_id = touchpoints.user_id
    LEFT JOIN invalid_touches
        ON invalid_touches.day = touchpoints.day
        AND invalid_touches.touch_id = touchpoints.touch_id
    WHERE touchpoints.day > newest.last_day - 28
        AND invalid_users.user_id IS NULL
        AND invalid_touches.touch_id IS NULL
),
pairs AS (
    SELECT
        user_id,
        campaign_id,
        bool_or(withheld) AS held,
        bool_or(NOT withheld) AS shown
    FROM touches
    GROUP BY user_id, campaign_id
    HAVING bool_or(kind = 'impression')
),
places AS (
    SELECT
        campaign_id,
        advertiser_id,
        surface,
        row_number() OVER (
            PARTITION BY campaign_id
            ORDER BY count(*) DESC, surface NULLS LAST, advertiser_id
        ) AS place
    FROM touches
    GROUP BY campaign_id, advertiser_id, surface
),
segments AS (
    SELECT user_id, ntile(4) OVER (ORDER BY count(*), user_id) AS segment
    FROM activity
    GROUP BY user_id
),
won AS (
    SELECT
        holdout_conversions.user_id,
        holdout_conversions.campaign_id,
        count(DISTINCT holdout_conversions.conversion_id) AS conversions
    FROM holdout_conversions
    CROSS JOIN newest
    WHERE holdout_conversions.role IN ('treatment', 'control')
        AND holdout_conversions.touch_day > newest.last_day - 28
    GROUP BY holdout_conversions.user_id, holdout_conversions.campaign_id
),
judged AS (
    SELECT
        pairs.campaign_id,
        places.advertiser_id,
        coalesce(places.surface, 'none') AS surface,
        coalesce(segments.segment, 1) AS segment,
        pairs.held,
        pairs.held AND pairs.shown AS contaminated,
        coalesce(won.conversions, 0) AS conversions
    FROM pairs
    JOIN places ON places.campaign_id = pairs.campaign_id AND places.place = 1
    LEFT JOIN segments ON segments.user_id = pairs.user_id
    LEFT JOIN won ON won.user_id = pairs.user_id AND won.campaign_id = pairs.campaign_id
)
SELECT
    campaign_id,
    advertiser_id,
    surface,
    concat('quarter ', segment) AS segment,
    count(*) FILTER (WHERE NOT held) AS treated_users,
    count(*) FILTER (WHERE held) AS control_users,
    CAST(coalesce(sum(conversions) FILTER (WHERE NOT held), 0) AS BIGINT) AS treated_conversions,
    CAST(coalesce(sum(conversions) FILTER (WHERE held), 0) AS BIGINT) AS control_conversions,
    CAST(coalesce(sum(conversions * conversions) FILTER (WHERE NOT held), 0) AS BIGINT) AS treated_squares,
    CAST(coalesce(sum(conversions * conversions) FILTER (WHERE held), 0) AS BIGINT) AS control_squares,
    count(*) FILTER (WHERE contaminated) AS contaminated_users
FROM judged
GROUP BY campaign_id, advertiser_id, surface, segment
ORDER BY campaign_id, segment
