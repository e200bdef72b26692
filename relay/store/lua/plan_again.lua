-- Plan an alert after all that an Update had ended before it was planned: that Update waits for a person itself.
-- KEYS: 1 alert  2 plan  3 bell
-- ARGV: 1 alert id  2 id of the Update  3 plan score
-- Returns the alert's state afterwards, or 'unknown'
local facts = redis.call('HMGET', KEYS[1], 'state', 'superseded_by', 'pass')
if not facts[1] then return 'unknown' end
if facts[1] ~= 'superseded' or facts[2] ~= ARGV[2] or facts[3] then return facts[1] end
redis.call('HSET', KEYS[1], 'state', 'accepted')
redis.call('HDEL', KEYS[1], 'superseded_by')
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
if redis.call('LLEN', KEYS[3]) < 64 then redis.call('LPUSH', KEYS[3], '1') end
return 'accepted'
