-- Give every recipient id its ordinal; ordinals are never used twice.
-- KEYS: 1 ids  2 next  3 epoch
-- ARGV: 1 epoch to set when there is none  2.. recipient ids
-- Returns for each id: ordinal, or -1 - ordinal when it was given just now
redis.call('SET', KEYS[3], ARGV[1], 'NX')
local reply = {}
for i = 2, #ARGV do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if known then
    reply[#reply + 1] = tonumber(known)
  else
    local ordinal = redis.call('INCR', KEYS[2]) - 1
    redis.call('HSET', KEYS[1], ARGV[i], ordinal)
    reply[#reply + 1] = -1 - ordinal
  end
end
return reply
