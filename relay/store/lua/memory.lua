-- Whose memory this slot is: it changes with the server run, and its name is lost with what it held.
-- KEYS: 1 a hash that holds names by node  2 the run that the partition was declared recovered for
-- ARGV: 1 node
-- Returns {run of this server, the name ('' none), the run that is recovered ('' none)}
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
return {server, redis.call('HGET', KEYS[1], ARGV[1] .. ':name') or '', redis.call('HGET', KEYS[2], 'id') or ''}
