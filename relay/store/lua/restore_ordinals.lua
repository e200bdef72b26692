-- Put back recipients under the ordinals they had before the directory was lost.
-- KEYS: 1 ids  2 next  3 epoch
-- ARGV: 1 epoch to set when there is none  2 next ordinal at least  3.. recipient id, ordinal, ...
-- Returns how many were put back
redis.call('SET', KEYS[3], ARGV[1], 'NX')
local next = tonumber(redis.call('GET', KEYS[2]) or 0)
if next < tonumber(ARGV[2]) then redis.call('SET', KEYS[2], ARGV[2]) end
local n = 0
for i = 3, #ARGV, 2 do
  if ARGV[i] ~= '' then n = n + redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return n
