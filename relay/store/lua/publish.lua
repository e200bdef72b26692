-- Make the legs of a plan claimable, all at once; doing it twice changes nothing.
-- KEYS: 1 legs  2 alert  3 planning  4 checks, then for each leg: leg, ready, bell
-- ARGV: 1 alert id  2 now (ms)  3 recipients  4 deliveries  5 state when there is nobody  6 reason then
--       7 spare, then for each leg: leg id, packed cursor, expires (ms), number of fields and values, field, value, ...
-- Returns 'active' | 'already' | the state that forbids it
local state, planned = unpack(redis.call('HMGET', KEYS[2], 'state', 'planned'))
redis.call('ZREM', KEYS[3], ARGV[1])
if not state then return 'unknown' end
if planned then return 'already' end
if state ~= 'accepted' then return state end
local legs = (#KEYS - 4) / 3
redis.call('HSET', KEYS[2], 'planned', ARGV[2], 'recipients', ARGV[3], 'deliveries', ARGV[4], 'legs_open', legs)
if legs == 0 then
  redis.call('HSET', KEYS[2], 'state', ARGV[5], 'reason', ARGV[6], 'done', ARGV[2])
  return ARGV[5]
end
local ids, a = {}, 8
for i = 1, legs do
  local k = 5 + (i - 1) * 3
  local id, packed, expires, count = ARGV[a], ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 3])
  ids[i] = id
  redis.call('HSET', KEYS[k], unpack(ARGV, a + 4, a + 3 + count))
  redis.call('HSET', KEYS[1], id, packed)
  redis.call('ZADD', KEYS[k + 1], 0, id)
  redis.call('ZADD', KEYS[4], expires, id)
  if redis.call('LLEN', KEYS[k + 2]) < 64 then redis.call('LPUSH', KEYS[k + 2], '1') end
  a = a + 4 + count
end
redis.call('HSET', KEYS[2], 'state', 'active', 'legs', table.concat(ids, ','))
return 'active'
