/**
 * The store contract in Redis' Lua, one script a step: what Redis runs in one piece, with its own clock. A record is one text, which Redis
 * forgets when its retention and its lease are over:
 *
 * ```text
 * working 1 0 1769860800000 1769860855000 1770206400000     state, attempt, released, countedAt, leaseUntil, retainUntil
 * 0f3c…-17                                                  the token
 * "count"                                                   names of finished handlers as JSON, one a line
 * ```
 */

/** Reads the record of KEYS[1], and knows how to write it. */
const RECORD = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = redis.call('GET', KEYS[1])
local record
if text then
  local state, attempt, released, countedAt, leaseUntil, retainUntil, token, handlersDone =
    string.match(text, '^(%l+) (%d+) (%d+) (%d+) (%d+) (%d+)\\n([^\\n]*)\\n(.*)$')
  if not state then return redis.error_reply('CORRUPT this is no record of a delivery') end
  record = {
    state = state, attempt = tonumber(attempt), released = tonumber(released), countedAt = tonumber(countedAt),
    leaseUntil = tonumber(leaseUntil), retainUntil = tonumber(retainUntil), token = token, handlersDone = handlersDone,
  }
end

local function write()
  local text = string.format('%s %d %d %.0f %.0f %.0f\\n%s\\n%s', record.state, record.attempt, record.released,
    record.countedAt, record.leaseUntil, record.retainUntil, record.token, record.handlersDone)
  redis.call('SET', KEYS[1], text, 'PXAT', string.format('%.0f', math.max(record.retainUntil, record.leaseUntil, 1)))
end
`

/** Knows whether the token ARGV[1] holds the record, and how to add the names that ARGV ends with to its finished handlers. */
const HELD = `
local held = record and record.state == 'working' and record.token == ARGV[1]

local function addHandlersDone(first)
  for index = first, #ARGV do
    local line = ARGV[index] .. '\\n'
    local isKnown = string.find('\\n' .. record.handlersDone, '\\n' .. line, 1, true)
    if not isKnown then record.handlersDone = record.handlersDone .. line end
  end
end
`

/**
 * ARGV: token, leaseMs, retainUntil, tryGapMs, rework, whether to ask for the `maxmemory-policy`. Replies what `readClaim` reads; a policy
 * that may not be asked for is empty.
 */
export const CLAIM = `${RECORD}
local token, leaseMs, retainUntil, tryGapMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local function claimed()
  record.state, record.token, record.leaseUntil = 'working', token, now + leaseMs
  record.retainUntil = math.max(record.retainUntil, retainUntil)
  write()
  local memory = ARGV[6] == '1' and redis.pcall('INFO', 'memory') or ''
  local policy = type(memory) == 'string' and string.match(memory, 'maxmemory_policy:([%w-]+)') or ''
  return { 'claimed', record.attempt, record.released, record.handlersDone, policy }
end

local function count()
  record.attempt, record.countedAt = record.attempt + 1, now
end

if not record then
  record = { attempt = 1, released = 0, countedAt = now, retainUntil = retainUntil, handlersDone = '' }
  return claimed()
end
if record.state == 'done' or (record.state == 'quarantined' and ARGV[5] == '0') then return { 'done' } end
local isWorking = record.state == 'working'
if isWorking and record.token == token then return claimed() end
if not isWorking or record.leaseUntil <= now then
  count()
  return claimed()
end
if now - record.countedAt >= tryGapMs then
  count()
  write()
end
return { 'busy', record.leaseUntil, record.attempt }
`

/** ARGV: token, leaseMs, names. Replies 1 when the token holds the record. */
export const RENEW = `${RECORD}${HELD}
if not held then return 0 end
record.leaseUntil = now + tonumber(ARGV[2])
addHandlersDone(3)
write()
return 1
`

/** ARGV: token, `done` or `quarantined`, retainUntil, names. Replies 1 when the token holds the record, or has completed it before. */
export const COMPLETE = `${RECORD}${HELD}
local completed = record and record.state ~= 'working' and record.state ~= 'released' and record.token == ARGV[1]
if not held and not completed then return 0 end
if held then
  record.state, record.leaseUntil = ARGV[2], 0
  addHandlersDone(4)
end
record.retainUntil = math.max(record.retainUntil, tonumber(ARGV[3]))
write()
return 1
`

/** ARGV: token, 1 for a counted release and 0 for another, names. Replies 1 when the token holds the record. */
export const RELEASE = `${RECORD}${HELD}
if not held then return 0 end
local counted = tonumber(ARGV[2])
record.state, record.leaseUntil = 'released', 0
record.released, record.attempt = record.released + counted, record.attempt - (1 - counted)
addHandlersDone(3)
write()
return 1
`

/** KEYS: index, entries. ARGV: key, entry. The index is there for the order. */
export const PUT_ENTRY = `
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`

/** KEYS: index, entries. ARGV: key. Replies the entry, or nil. */
export const GET_ENTRY = `return redis.call('HGET', KEYS[2], ARGV[1])`

/** KEYS: index, entries. ARGV: the key after which to begin, how many at most. Replies entries in the order of their keys. */
export const LIST_ENTRIES = `
local first = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local keys = redis.call('ZRANGEBYLEX', KEYS[1], first, '+', 'LIMIT', 0, ARGV[2])
local entries = {}
for index, key in ipairs(keys) do entries[index] = redis.call('HGET', KEYS[2], key) end
return entries
`

/** KEYS: index, entries. ARGV: key. */
export const DISCARD_ENTRY = `
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
`
