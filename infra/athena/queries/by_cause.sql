-- Recordings by the cause of their worst second: which kind of damage to look for first.
SELECT worst_segment.cause AS cause,
       count(*) AS recordings,
       round(avg(score), 2) AS mean_score,
       round(avg(worst_segment.score), 2) AS mean_worst_score,
       round(avg(mos), 2) AS mean_mos
FROM results
WHERE worst_segment IS NOT NULL
GROUP BY worst_segment.cause
ORDER BY recordings DESC, cause
