/**
 * The store contract in Redis's Lua, one script per operation. Redis runs a script atomically and provides the clock. A record
 * is one string, which Redis deletes when its retention and its lease have expired:
 *
 * ```text
 * processing 1 0 1769860800000 1769860855000 1770206400000  state, attempt, releasedAttempts, countedAt, leaseUntil, retainUntil
 * 0f3c…-17                                                  the token
 * "count"                                                   the names of completed handlers as JSON, one per line
 * ```
 */

const READ = `
local text = redis.call('GET', KEYS[1])
`

/**
 * Parses the text of KEYS[1] and defines `write`. Without a text, `state` is nil. Unchanged numbers stay strings, because
 * converting numbers to strings is the slowest part.
 */
const RECORD = `
local state, attempt, releasedAttempts, countedAt, leaseUntil, retainUntil, token, completedHandlers
if text then
  state, attempt, releasedAttempts, countedAt, leaseUntil, retainUntil, token, completedHandlers =
    string.match(text, '^(%l+) (%d+) (%d+) (%d+) (%d+) (%d+)\\n([^\\n]*)\\n(.*)$')
  if not state then return redis.error_reply('CORRUPT the value of this key is not a record of a delivery') end
end

local function later(one, other)
  return tonumber(one) > tonumber(other) and one or other
end

local function write()
  local text = state .. ' ' .. attempt .. ' ' .. releasedAttempts .. ' ' .. countedAt .. ' ' .. leaseUntil .. ' ' .. retainUntil
    .. '\\n' .. token .. '\\n' .. completedHandlers
  redis.call('SET', KEYS[1], text, 'PXAT', later(retainUntil, leaseUntil))
end
`

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** Defines `held`, which is true if the token ARGV[1] holds the record, and a function that adds the names at the end of ARGV. */
const HELD = `${READ}${RECORD}
local held = state == 'processing' and token == ARGV[1]

local function addCompletedHandlers(first)
  for index = first, #ARGV do
    local line = ARGV[index] .. '\\n'
    local isKnown = string.find('\\n' .. completedHandlers, '\\n' .. line, 1, true)
    if not isKnown then completedHandlers = completedHandlers .. line end
  end
end
`

/**
 * ARGV: token, leaseMs, retainUntil, attemptGapMs, reprocess, whether to read the `maxmemory-policy`. Replies with a string for
 * `readClaim`:
 *
 * ```text
 * done
 * busy 1769860855000 1            until, attempt
 * claimed 2 1 noeviction          attempt, releasedAttempts, the policy (empty if it wasn't read or reading isn't allowed)
 * "count"                         the names of completed handlers as JSON, one per line
 * ```
 */
export const CLAIM = `${READ}
-- Redis deletes expired records, so a finished record needs no check of the time.
if text and string.find(text, '^done ') then return 'done' end
${NOW}
local policy = ''
if ARGV[6] == '1' then
  local memory = redis.pcall('INFO', 'memory')
  policy = type(memory) == 'string' and string.match(memory, 'maxmemory_policy:([%w-]+)') or ''
end
-- Most deliveries are new. They skip the code below.
if not text then
  local leaseUntil = now + ARGV[2]
  local expireAt = leaseUntil > tonumber(ARGV[3]) and leaseUntil or ARGV[3]
  local new = 'processing 1 0 ' .. now .. ' ' .. leaseUntil .. ' ' .. ARGV[3] .. '\\n' .. ARGV[1] .. '\\n'
  redis.call('SET', KEYS[1], new, 'PXAT', expireAt)
  return 'claimed 1 0 ' .. policy .. '\\n'
end
${RECORD}
local function count()
  attempt, countedAt = attempt + 1, now
end

local function claimed()
  state, token, leaseUntil, retainUntil = 'processing', ARGV[1], now + ARGV[2], later(retainUntil, ARGV[3])
  write()
  return 'claimed ' .. attempt .. ' ' .. releasedAttempts .. ' ' .. policy .. '\\n' .. completedHandlers
end

if state == 'quarantined' and ARGV[5] == '0' then return 'done' end
if state == 'processing' and token == ARGV[1] then return claimed() end
if state ~= 'processing' or tonumber(leaseUntil) <= now then
  count()
  return claimed()
end
if now - countedAt >= tonumber(ARGV[4]) then
  count()
  write()
end
return 'busy ' .. leaseUntil .. ' ' .. attempt
`

/** ARGV: token, leaseMs, names. Replies 1 if the token holds the record. */
export const RENEW = `${HELD}
if not held then return 0 end
${NOW}
leaseUntil = now + ARGV[2]
addCompletedHandlers(3)
write()
return 1
`

/** ARGV: token, `done` or `quarantined`, retainUntil, names. Replies 1 if the token holds the record or already completed it. */
export const COMPLETE = `${HELD}
local completed = text and state ~= 'processing' and state ~= 'released' and token == ARGV[1]
if not held and not completed then return 0 end
if held then
  state, leaseUntil = ARGV[2], 0
  addCompletedHandlers(4)
end
retainUntil = later(retainUntil, ARGV[3])
write()
return 1
`

/** ARGV: token, 1 if the release counts and otherwise 0, names. Replies 1 if the token holds the record. */
export const RELEASE = `${HELD}
if not held then return 0 end
state, leaseUntil = 'released', 0
releasedAttempts, attempt = releasedAttempts + ARGV[2], attempt - (1 - ARGV[2])
addCompletedHandlers(3)
write()
return 1
`

/** KEYS: index, entries. ARGV: key, entry. The index keeps the entries in order. */
export const PUT_ENTRY = `
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`

/** KEYS: index, entries. ARGV: key. Replies with the entry or nil. */
export const GET_ENTRY = `return redis.call('HGET', KEYS[2], ARGV[1])`

/** KEYS: index, entries. ARGV: the key to start after, limit. Replies with entries in the order of their keys. */
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
