-- include cursor
-- Keep leases alive, and hear what became of their legs.
-- KEYS: 1 legs  2 tokens  3.. the leases key of each member
-- ARGV: 1.. member, token, lease (ms) for each
-- Returns flags of each leg, -1 where the lease was lost
local now = milliseconds()
local flags = {}
for i = 3, #KEYS do
  local a = (i - 3) * 3 + 1
  local member = ARGV[a]
  if redis.call('HGET', KEYS[2], member) ~= ARGV[a + 1] then
    flags[#flags + 1] = -1
  else
    redis.call('ZADD', KEYS[i], 'XX', now + tonumber(ARGV[a + 2]), member)
    local packed = redis.call('HGET', KEYS[1], string.match(member, '^[^|]+'))
    flags[#flags + 1] = packed and read_cursor(packed).flags or -1
  end
end
return flags
