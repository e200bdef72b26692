-- Take up to n tokens of a channel's rate (GCRA: one time per channel, at which the next token is free).
-- A class that got less than it wanted keeps the channel for a moment: a less urgent one gets nothing meanwhile, but
-- one token for every 16 of the others, so that nothing starves; nothing at all while P0 waits.
-- KEYS: 1 rate: "<next token free at (ms)> <class that keeps it> <until (ms)> <tokens taken since>"; only the first before
-- ARGV: 1 tokens a second  2 burst (tokens)  3 items wanted  4 tokens that one item costs  5 class (1..6)
-- Returns {items granted, wait before asking again (ms)}; an item that costs more than can gather runs into debt
local KEPT, SHARE, PAUSE = 750, 16, 80
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local step = 1000 / tonumber(ARGV[1])
local stored = redis.call('GET', KEYS[1]) or '0'
local free, keeper, till, taken = string.match(stored, '^(%S+) ?(%d*) ?(%S*) ?(%d*)$')
free, keeper, till, taken = math.max(now, tonumber(free)), tonumber(keeper) or 0, tonumber(till) or 0, tonumber(taken) or 0
if till <= now then keeper, taken = 0, 0 end

local wanted, cost, class = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local waits = keeper > 0 and class > keeper
if waits then
  if keeper == 1 or taken < SHARE then return {0, PAUSE} end
  wanted = 1
end
local room = math.floor((now + tonumber(ARGV[2]) * step - free) / step + 0.000001)
local granted = math.max(0, math.min(wanted, math.floor(room / cost)))
local most = math.max(1, math.floor(tonumber(ARGV[2])))
if granted < 1 and room >= math.min(cost, most) then granted = 1 end
local wait = 0
if granted > 0 then
  free = free + granted * cost * step
  taken = waits and 0 or taken + granted * cost
else
  wait = math.ceil(free - now - (tonumber(ARGV[2]) - math.min(cost, most)) * step)
end
if not waits and granted < wanted then
  if keeper ~= class then taken = 0 end
  keeper, till = class, now + KEPT
end
redis.call('SET', KEYS[1], string.format('%.3f %d %.0f %d', free, keeper, till, taken), 'PX', math.ceil(free - now) + 60000)
return {granted, wait}
