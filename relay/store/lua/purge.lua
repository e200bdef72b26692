-- Remove some blobs of a leg that was taken out, unless it came back meanwhile.
-- KEYS: 1 legs  2.. blobs
-- ARGV: 1 leg id
-- Returns 1, or 0 when the leg is here
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
