"""What Redis runs by itself: each script is one step that nothing can come between."""

# Takes all rates and slots of a call, or none. KEYS: the rates, then the slots.
# ARGV: how many rates, seconds that a rate's count is kept, milliseconds of a slot's lease, the call's token,
# limit and cost of each rate, limit of each slot.
# Returns the place of the rule that refuses, from 1 (0: none does), and the count of each.
# A slot ends at its lease, by the clock of Redis alone: what a dead process held is free again by itself.
TAKE = """
local rates = tonumber(ARGV[1])
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {0}
local function look(place, used, cost, limit)
  if reply[1] == 0 and used + cost > limit then reply[1] = place end
  reply[place + 1] = used
end
for i = 1, rates do
  look(i, tonumber(redis.call('GET', KEYS[i]) or 0), tonumber(ARGV[4 + 2 * i]), tonumber(ARGV[3 + 2 * i]))
end
for i = rates + 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now_ms)
  look(i, redis.call('ZCARD', KEYS[i]), 1, tonumber(ARGV[4 + rates + i]))
end
if reply[1] ~= 0 then return reply end
for i = 1, rates do
  reply[i + 1] = redis.call('INCRBY', KEYS[i], ARGV[4 + 2 * i])
  redis.call('EXPIRE', KEYS[i], ARGV[2])
end
for i = rates + 1, #KEYS do
  redis.call('ZADD', KEYS[i], now_ms + tonumber(ARGV[3]), ARGV[4])
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
  reply[i + 1] = reply[i + 1] + 1
end
return reply
"""

# Takes a cost off a rate's count; a count that is gone, with its minute or with Redis, stays gone.
GIVE_BACK = """
local used = redis.call('GET', KEYS[1])
if used then redis.call('DECRBY', KEYS[1], math.min(tonumber(used), tonumber(ARGV[1]))) end
"""
