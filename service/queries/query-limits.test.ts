import { expect, test } from 'vitest'
import { QueryCounts } from './query-counts.ts'
import { effectiveLimits } from './query-limits.ts'

const store = (limits = {}) => ({ id: 'sto_1', name: 'shop', limits })
const caller = (limits = {}) => ({ id: 'tok_1', name: 'ann', limits })

test('without limits a query has the default time-out only', () => {
  expect(effectiveLimits({}, store(), caller())).toEqual({
    timeout: { value: 600_000, says: 'timeoutMs 600000, the default' },
    timeoutChosen: false,
    maxRows: undefined,
    rows: undefined,
    bytes: undefined,
  })
})

test.each([
  [{}, { timeoutMs: 9 }, {}, 'timeoutMs 9 of store shop'],
  [{}, { timeoutMs: 9 }, { timeoutMs: 8 }, 'timeoutMs 8 of token ann'],
  [{}, { timeoutMs: 8 }, { timeoutMs: 9 }, 'timeoutMs 8 of store shop'],
  [{ timeoutMs: 7 }, { timeoutMs: 8 }, { timeoutMs: 9 }, 'timeoutMs 7 of the request'],
  [{ timeoutMs: 10 }, {}, { timeoutMs: 9 }, 'timeoutMs 9 of token ann'],
  [{ timeoutMs: 5 }, {}, {}, 'timeoutMs 5 of the request'],
])('of the request %o, the store %o and the token %o the strictest time-out wins', (request, ofStore, ofToken, says) => {
  const { timeout, timeoutChosen } = effectiveLimits(request, store(ofStore), caller(ofToken))

  expect([timeout.says, timeoutChosen]).toEqual([says, true])
  expect(timeout.value).toBe(Number(says.split(' ')[1]))
})

test('who asks for no more rows than allowed gets them, and the result ends there', () => {
  expect(effectiveLimits({ maxRows: 10 }, store({ maxRows: 10 }), caller())).toMatchObject({ maxRows: 10, rows: undefined })
})

test('who asks for more rows than allowed, or for all, is cut at the strictest limit: one row more is asked for, to see it', () => {
  for (const request of [{}, { maxRows: 11 }]) {
    expect(effectiveLimits(request, store({ maxRows: 10 }), caller({ maxRows: 20 }))).toMatchObject({
      maxRows: 11,
      rows: { value: 10, says: 'maxRows 10 of store shop' },
    })
  }
})

test('places are counted for store and token, and who is refused takes none', () => {
  const counts = new QueryCounts()
  const other = { id: 'tok_2', name: 'bob', limits: { concurrency: 1 } }
  const shop = store({ concurrency: 2 })
  counts.enter(shop, other)

  expect(() => counts.enter(shop, other)).toThrow('concurrency 1 of token bob')
  counts.enter(shop, caller())
  expect(() => counts.enter(shop, caller())).toThrow('concurrency 2 of store shop')
  counts.leave(shop, other)
  counts.enter(shop, caller())
})
