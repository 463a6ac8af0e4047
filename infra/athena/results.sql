-- The results as a table in Athena. Replace RESULTS_BUCKET by the stack's output ResultsBucketName.
-- Each result is a file with one line of JSON, so the table is the whole bucket: reports and error records.
-- Fields that a report or an error record doesn't have are NULL.
CREATE EXTERNAL TABLE IF NOT EXISTS results (
  `schema_version` string,
  `source` struct<bucket:string,key:string,version_id:string,etag:string,sequencer:string,size_bytes:bigint,file:string,modified:string>,
  `media` struct<container:string,codec:string,sample_rate_hz:int,channels:int,duration_s:double,bandwidth_hz:int,scored_channels:array<int>,tracks:int,track:int>,
  `model` struct<name:string,version:string,sha256:string,scale:string,runtime:string>,
  `score` double,
  `interval` array<double>,
  `verdict` string,
  `mos` double,
  `mos_interval` array<double>,
  `causes` array<struct<kind:string,share:double,severity:double,from_s:double,to_s:double>>,
  `frames` struct<hop_s:double,start_s:double,scores:array<double>>,
  `timeline` array<struct<start_s:double,end_s:double,score:double,cause:string>>,
  `worst_segment` struct<start_s:double,end_s:double,score:double,cause:string>,
  `distribution` struct<bad:double,poor:double,fair:double,good:double,excellent:double>,
  `signal` struct<level_dbfs:double,active_level_dbfs:double,peak_dbfs:double,clipped_share:double,dc_offset:double,silent_share:double,speech_share:double,snr_db:double>,
  `warnings` array<struct<code:string,message:string>>,
  `timing` struct<decode_s:double,features_s:double,model_s:double,total_s:double>,
  `error` struct<type:string,message:string,advice:string,retryable:boolean>
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://RESULTS_BUCKET/'
