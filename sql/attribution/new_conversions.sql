-- purpose: the conversions of the affected orders, adjusted
-- grain: one conversion
-- makes: new_conversions
-- reads: signal_roles
-- parameters: none
CREATE OR REPLACE TEMP TABLE new_conversions AS
WITH firsts AS (
    SELECT conversion_id, advertiser_id, event_name, order_id, time_us
    FROM signal_roles
    WHERE role = 'first'
),
valued AS (
    -- the earliest signal that names a value; a browser twin often comes first without one
    SELECT
        conversion_id,
        value,
        currency,
        row_number() OVER (PARTITION BY conversion_id ORDER BY time_us, signal_id) AS place
    FROM signal_roles
    WHERE role IN ('first', 'repeat') AND value IS NOT NULL
),
restated AS (
    SELECT
        conversion_id,
        value,
        currency,
        row_number() OVER (PARTITION BY conversion_id ORDER BY time_us DESC, signal_id DESC) AS place
    FROM signal_roles
    WHERE role = 'restatement' AND value IS NOT NULL
),
retracted AS (
    -- final: no restatement brings a retracted conversion back
    SELECT DISTINCT conversion_id
    FROM signal_roles
    WHERE role = 'retraction'
),
adjusted AS (
    SELECT
        firsts.conversion_id,
        firsts.advertiser_id,
        firsts.event_name,
        firsts.order_id,
        firsts.time_us,
        CASE
            WHEN retracted.conversion_id IS NOT NULL THEN 0
            ELSE coalesce(restated.value, valued.value)
        END AS value,
        coalesce(restated.currency, valued.currency) AS currency,
        CASE
            WHEN retracted.conversion_id IS NOT NULL THEN 'retracted'
            WHEN restated.conversion_id IS NOT NULL THEN 'restated'
            ELSE 'active'
        END AS status
    FROM firsts
    LEFT JOIN valued ON valued.conversion_id = firsts.conversion_id AND valued.place = 1
    LEFT JOIN restated ON restated.conversion_id = firsts.conversion_id AND restated.place = 1
    LEFT JOIN retracted ON retracted.conversion_id = firsts.conversion_id
)
SELECT
    conversion_id,
    CAST(make_timestamp(time_us) AS DATE) AS day,
    advertiser_id,
    event_name,
    order_id,
    make_timestamp(time_us) AS event_time,
    time_us,
    -- TRY_CAST: DuckDB 2.0.0 has once refused a number that stood in no row
    TRY_CAST(round(value, 6) AS DECIMAL(18, 6)) AS value,
    currency,
    status
FROM adjusted
