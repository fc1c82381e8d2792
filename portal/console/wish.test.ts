import { expect, test } from 'vitest'
import { wishState } from './wish.ts'

const before = { startedAt: '2026-01-01T00:00:00.000Z' }
const anew = { startedAt: '2026-01-01T00:00:09.000Z' }

test('a restart is under way while the node is away and until it has another start', () => {
  const wish = { what: 'restart', ...before } as const

  expect(wishState(wish, before, false)).toBe('doing')
  expect(wishState(wish, before, true)).toBe('doing')
  expect(wishState(wish, anew, false)).toBe('done')
})

test('a node that was asked to stop and is away has stopped, until somebody starts it', () => {
  const wish = { what: 'stop', ...before } as const

  expect(wishState(wish, before, false)).toBe('doing')
  expect(wishState(wish, before, true)).toBe('stopped')
  expect(wishState(wish, anew, false)).toBe('done')
})
