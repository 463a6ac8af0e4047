-- Scores by model: before and after a change of the model, or two stacks side by side.
SELECT model.name, model.version, model.runtime, substr(model.sha256, 1, 12) AS sha256,
       count(*) AS recordings,
       round(avg(score), 3) AS mean_score,
       round(stddev(score), 3) AS deviation,
       round(avg(mos), 2) AS mean_mos,
       sum(CASE WHEN score IS NULL THEN 1 ELSE 0 END) AS without_score
FROM results
WHERE error IS NULL
GROUP BY model.name, model.version, model.runtime, model.sha256
ORDER BY model.name, model.version
