-- include cursor
-- Whether another server may have planned an alert, and this one never heard of it.
-- KEYS: 1 run  2 alerts
-- ARGV: 1 alert id
-- Returns 1 | 0
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local run = redis.call('HMGET', KEYS[1], 'id', 'changed')
-- Nobody has claimed from this server yet.
if run[1] and run[1] ~= server then return 1 end
return doubted(run[2], tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0), milliseconds()) and 1 or 0
