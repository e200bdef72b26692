-- Take or keep the right to archive an alert.
-- KEYS: 1 lease
-- ARGV: 1 token of the archivist  2 for how long (ms)
-- Returns 1, or 0 while another has it
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
