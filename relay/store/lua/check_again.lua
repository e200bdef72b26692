-- include cursor
-- Look at a leg again, or never: that nothing is left to be seen may be what another server said, a moment ago.
-- KEYS: 1 checks  2 leg
-- ARGV: 1 leg id  2 when (ms since the epoch, 0 never)  3 when to look again at one that has not ended (ms from now)
-- Returns when it is looked at again, 0 never
local at = tonumber(ARGV[2])
if at == 0 and redis.call('EXISTS', KEYS[2]) == 1 and redis.call('HEXISTS', KEYS[2], 'done') == 0 then
  at = milliseconds() + tonumber(ARGV[3])
end
if at > 0 then
  redis.call('ZADD', KEYS[1], at, ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return at
