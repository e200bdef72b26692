-- Put back recipients under the ordinals they had before the directory was lost.
-- KEYS: 1 ids  2 next
-- ARGV: 1 next ordinal at least  2.. recipient id ('' for one who was taken out), ordinal, ...
-- Returns how many were put back
local next = tonumber(redis.call('GET', KEYS[2]) or 0)
if next < tonumber(ARGV[1]) then redis.call('SET', KEYS[2], ARGV[1]) end
local n = 0
for i = 2, #ARGV, 2 do
  if ARGV[i] ~= '' then n = n + redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return n
