-- Give every recipient id its ordinal; ordinals are never used twice.
-- KEYS: 1 ids  2 next  3 epoch  4 the server run whose directory was compared with the copies
-- ARGV: 1 epoch to set when there is none ('' where a directory is known to have been lost: it is restored first)
--       2.. recipient ids
-- Returns for each id: ordinal, or -1 - ordinal when it was given just now; nothing while the directory is lost
-- A server that took over may not know the last ordinals: given again, they would name other people.
local compared = redis.call('HGET', KEYS[4], 'id')
if compared and compared ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then return {} end
if redis.call('EXISTS', KEYS[3]) == 0 then
  if ARGV[1] == '' then return {} end
  redis.call('SET', KEYS[3], ARGV[1])
end
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
