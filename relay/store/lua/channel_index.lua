-- Give a channel the number by which records name it; numbers are never used twice.
-- KEYS: 1 channels
-- ARGV: 1 channel name
-- Returns the number (1..255; 255 is shared when there are more)
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then return tonumber(known) end
local number = math.min(255, redis.call('HLEN', KEYS[1]) + 1)
redis.call('HSET', KEYS[1], ARGV[1], number)
return number
