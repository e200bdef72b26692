-- Give a channel the number by which records name it; numbers are never used twice.
-- KEYS: 1 channels
-- ARGV: 1 channel name  2 the number it had before this was lost (0 or none: nobody knows)
-- Returns the number (1..255; 255 is shared when there are more)
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then return tonumber(known) end
local number, highest, taken = tonumber(ARGV[2] or 0), 0, false
for _, other in ipairs(redis.call('HVALS', KEYS[1])) do
  highest = math.max(highest, tonumber(other))
  taken = taken or tonumber(other) == number
end
if number == 0 or taken then number = math.min(255, highest + 1) end
redis.call('HSET', KEYS[1], ARGV[1], number)
return number
