-- Scores by folder, the first part of the keys: a line, a site or a codec.
SELECT split_part(source.key, '/', 1) AS folder,
       count(*) AS recordings,
       round(sum(media.duration_s) / 3600, 2) AS hours,
       round(avg(score), 2) AS mean_score,
       round(avg(CASE WHEN verdict IN ('bad', 'poor') THEN 1.0 ELSE 0.0 END), 3) AS share_bad_or_poor
FROM results
WHERE score IS NOT NULL
GROUP BY split_part(source.key, '/', 1)
ORDER BY mean_score, folder
