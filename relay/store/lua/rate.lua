-- Take up to n tokens of a channel's rate (GCRA: one number per channel, the time at which the next token is free).
-- KEYS: 1 rate
-- ARGV: 1 tokens a second  2 burst (tokens)  3 items wanted  4 tokens that one item costs
-- Returns {items granted, wait until the next token (ms)}; an item that costs more than can gather runs into debt
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local step = 1000 / tonumber(ARGV[1])
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local room = math.floor((now + tonumber(ARGV[2]) * step - free) / step + 0.000001)
local cost = tonumber(ARGV[4])
local granted = math.min(tonumber(ARGV[3]), math.floor(room / cost))
local most = math.max(1, math.floor(tonumber(ARGV[2])))
if granted < 1 and room >= math.min(cost, most) then granted = 1 end
if granted > 0 then
  free = free + granted * cost * step
  redis.call('SET', KEYS[1], string.format('%.3f', free), 'PX', math.ceil(free - now) + 60000)
  return {granted, 0}
end
return {0, math.ceil(free - now - (tonumber(ARGV[2]) - math.min(cost, most)) * step)}
