-- Turn an alert that was to be planned into a held one; what was stopped meanwhile stays stopped.
-- KEYS: 1 alert  2 planning
-- ARGV: 1 alert id  2 reason
-- Returns the alert's state afterwards, or 'unknown'
redis.call('ZREM', KEYS[2], ARGV[1])
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'accepted' and state ~= 'active' then return state or 'unknown' end
redis.call('HSET', KEYS[1], 'state', 'held', 'reason', ARGV[2])
return 'held'
