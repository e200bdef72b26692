-- Make a restored directory valid, if everything that was put back is still there.
-- KEYS: 1 ids  2 next  3 epoch
-- ARGV: 1 epoch  2 how many recipients there must be  3 next ordinal at least
-- Returns 1, or 0 when it was lost again meanwhile
if redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) then return 0 end
if tonumber(redis.call('GET', KEYS[2]) or 0) < tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[3], ARGV[1], 'NX')
return 1
