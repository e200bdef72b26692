-- include triple
-- Say what is known of an alert before it is journalled.
-- KEYS: 1 triple  2 alert  3 k0  4 k1 (both as the first version wrote them)
-- ARGV: 1 end of the digest of its bytes
-- Returns {id of the alert with these bytes or '', end of its content's digest or '', ids with the same triple...}
local text = redis.call('GET', KEYS[1])
local found = {triple_owner(text, ARGV[1]) or redis.call('GET', KEYS[3]) or '', redis.call('HGET', KEYS[2], 'k2') or ''}
for _, id in ipairs(triple_ids(text, redis.call('SMEMBERS', KEYS[4]))) do found[#found + 1] = id end
return found
