-- The twenty recordings with the lowest scores, and the worst moment of each.
SELECT source.key, score, verdict, worst_segment.start_s AS worst_from_s, worst_segment.score AS worst_score
FROM results
WHERE score IS NOT NULL
ORDER BY score, source.key
LIMIT 20
