-- How much memory the server of a partition uses and may use.
-- KEYS: 1 any key of the partition
-- ARGV: none
-- Returns {used, maxmemory (0: no limit), memory of the machine} in bytes
local info = redis.call('INFO', 'memory')
local function figure(name)
  return tonumber(string.match(info, '\n' .. name .. ':(%d+)') or 0)
end
return {figure('used_memory'), figure('maxmemory'), figure('total_system_memory')}
