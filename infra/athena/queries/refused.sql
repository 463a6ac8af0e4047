-- Reasons why recordings could not be scored, with an example of each.
SELECT error.type, count(*) AS recordings, min(source.key) AS example, min(error.advice) AS advice
FROM results
WHERE error IS NOT NULL
GROUP BY error.type
ORDER BY recordings DESC, error.type
