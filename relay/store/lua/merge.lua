-- The merge table of relay/tracking/states.py: the same truth in whatever order and however often it is told.
-- A record is 24 bytes: state, attempt, send, channel, reason, flags, answer, route, accepted, ended, due, provider.
local TERMINAL = 8
local ACKNOWLEDGED = 17
local RECORD = 24
local FORMAT = '<BBBBBBBBI4I4I4I4'
local NOTHING = string.rep('\0', RECORD)

local function beats(ns, nsend, os, osend)
  local a = ns >= TERMINAL and ns or 0
  local b = os >= TERMINAL and os or 0
  if a ~= b then return a > b end
  if nsend ~= osend then return nsend > osend end
  return ns > os
end

local function first_known(a, b)
  if a == 0 then return b end
  if b == 0 then return a end
  return math.min(a, b)
end

local function merge(old, new)
  if old == NOTHING then return new end
  local os, oat, osend, och, ore, ofl, oan, oro, oac, oen, odu, opr = struct.unpack(FORMAT, old)
  local ns, nat, nsend, nch, nre, nfl, nan, nro, nac, nen, ndu, npr = struct.unpack(FORMAT, new)
  local won = beats(ns, nsend, os, osend)
  local answer = won and nan or oan
  if ns == ACKNOWLEDGED then answer = nan end
  if answer == 0 then answer = oan end
  local ended, other_ended = oen, nen
  local provider, other_provider = opr, npr
  local channel, other_channel = och, nch
  if won then
    channel, other_channel = nch, och
    ended, other_ended = nen, oen
    provider, other_provider = npr, opr
  end
  if ended == 0 then ended = other_ended end
  if provider == 0 then provider = other_provider end
  if channel == 0 then channel = other_channel end
  return struct.pack(FORMAT,
    won and ns or os, math.max(oat, nat), math.max(osend, nsend), channel, won and nre or ore,
    bit.bor(ofl, nfl), answer, won and nro or oro, first_known(oac, nac), ended, won and ndu or odu, provider)
end
