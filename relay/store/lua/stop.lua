-- include cursor
-- Stop what is still waiting of an alert: its legs are flagged, senders hear of it with their next settle.
-- KEYS: 1 legs  2 alert  3 checks
-- ARGV: 1 state of the alert ('cancelled' | 'superseded')  2 field naming the cause  3 id of the cause
--       4 flag (1 | 2)  5.. leg ids
-- Returns the alert's state afterwards, or 'unknown'
local now = milliseconds()
local state = redis.call('HGET', KEYS[2], 'state')
if not state then return 'unknown' end
if state ~= 'cancelled' then
  redis.call('HSET', KEYS[2], 'state', ARGV[1], ARGV[2], ARGV[3])
  state = ARGV[1]
end
for i = 5, #ARGV do
  local packed = redis.call('HGET', KEYS[1], ARGV[i])
  if packed then
    local cursor = read_cursor(packed)
    cursor.flags = bit.bor(cursor.flags, tonumber(ARGV[4]))
    redis.call('HSET', KEYS[1], ARGV[i], write_cursor(cursor))
    redis.call('ZADD', KEYS[3], now, ARGV[i])
  end
end
return state
