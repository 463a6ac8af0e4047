-- Recordings with a good overall score and a bad second: dropouts, bursts of noise, a slammed door.
SELECT source.key, score, worst_segment.score AS worst_score, worst_segment.start_s, worst_segment.end_s,
       worst_segment.cause
FROM results
WHERE score >= 3.0 AND worst_segment.score < score - 1.0
ORDER BY score - worst_segment.score DESC, source.key
LIMIT 50
