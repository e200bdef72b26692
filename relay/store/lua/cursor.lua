-- A leg's cursor, packed into one field of the hash of legs: version, class, flags, spare, total, segments,
-- next segment, next position, leased chunks, then expires and start (ms), then the size of each segment (u16).
local CURSOR = '<BBBBI4I4I4I4I4dd'
local CURSOR_BYTES = 40
local STOPPED = 7 -- 1 cancelled, 2 superseded, 4 expired; 8 is "sent again after a loss"
local EXPIRED = 4

local function read_cursor(packed)
  local c = {}
  c.version, c.class, c.flags, c.spare, c.total, c.segments, c.segment, c.position, c.leased, c.expires, c.start =
    struct.unpack(CURSOR, packed)
  c.sizes = string.sub(packed, CURSOR_BYTES + 1)
  return c
end

local function write_cursor(c)
  return struct.pack(CURSOR, c.version, c.class, c.flags, c.spare, c.total, c.segments, c.segment, c.position,
    c.leased, c.expires, c.start) .. c.sizes
end

local function size_of(c, segment)
  return (struct.unpack('<H', c.sizes, segment * 2 + 1))
end

local function stopped(c)
  return bit.band(c.flags, STOPPED) ~= 0
end

local function milliseconds()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
