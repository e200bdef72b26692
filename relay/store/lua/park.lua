-- A plan waits for memory, and its alert says so; or it waits no more.
-- KEYS: 1 alert  2 planning
-- ARGV: 1 alert id  2 reason  3 look again at (ms; 0: it waits no more)
-- Returns the alert's state afterwards, or 'unknown'
local facts = redis.call('HMGET', KEYS[1], 'state', 'reason')
if ARGV[3] == '0' then
  if facts[2] == ARGV[2] then redis.call('HSET', KEYS[1], 'reason', '') end
  return facts[1] or 'unknown'
end
if facts[1] ~= 'accepted' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return facts[1] or 'unknown'
end
redis.call('HSET', KEYS[1], 'reason', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return facts[1]
