-- The twenty recordings with the lowest scores, and the worst moment of each.
SELECT source.key, score, verdict, mos, worst_segment.start_s AS worst_from_s, worst_segment.score AS worst_score,
       worst_segment.cause AS worst_cause
FROM results
WHERE score IS NOT NULL
ORDER BY score, source.key
LIMIT 20
