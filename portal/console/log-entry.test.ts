import { expect, test } from 'vitest'
import { type LogSeen, logEntry, matching, NOTHING_SEEN, taken } from './log-entry.ts'

const line = (seq: number, level: number, msg: string, more: object = {}) =>
  logEntry({ seq, text: JSON.stringify({ level, time: '2026-01-01T10:00:00.123Z', name: 'node', ...more, msg }) })

test('a line says when, how bad, what, and the facts', () => {
  expect(line(1, 40, 'link is down', { why: 'closed', count: 2, err: { type: 'Error', message: 'broke', stack: '…' } })).toMatchObject({
    level: 'warn',
    words: 'link is down',
    facts: 'why=closed count=2 error=broke',
    time: expect.stringMatching(/^\d\d:\d\d:00\.123$/),
  })
})

test('what is no JSON is shown as it is', () => {
  expect(logEntry({ seq: 1, text: '(node:1) Warning: x' })).toMatchObject({
    level: 'info',
    words: '(node:1) Warning: x',
    facts: '',
    time: '',
  })
})

test('lines are found by how bad they are and by words', () => {
  const entries = [line(1, 30, 'link is up', { replica: 'A' }), line(2, 40, 'link is down'), line(3, 50, 'broke')]

  expect(matching(entries, 'warn', '').map(({ seq }) => seq)).toEqual([2, 3])
  expect(matching(entries, 'debug', 'LINK replica').map(({ seq }) => seq)).toEqual([1])
})

test('what comes is put after what is there, once, and a node that was started anew begins anew', () => {
  const text = (msg: string) => JSON.stringify({ level: 30, msg })
  const page = (ring: string, ...seqs: readonly number[]) => ({
    ring,
    lines: seqs.map((seq) => ({ seq, text: text(`${ring}${seq}`) })),
    last: seqs.at(-1) ?? 0,
    lost: false,
  })
  const words = (seen: LogSeen) => seen.entries.map((entry) => entry.words)
  const first = taken(NOTHING_SEEN, page('a', 1, 2), 10)

  expect(words(first)).toEqual(['a1', 'a2'])
  expect(words(taken(first, page('a', 2, 3), 10))).toEqual(['a1', 'a2', 'a3'])
  expect(words(taken(first, page('a', 3), 2))).toEqual(['a2', 'a3'])
  expect(taken(first, page('a'), 10)).toBe(first)
  expect(taken(first, { ...page('a', 9), lost: true }, 10).lost).toBe(true)
  expect(words(taken(first, page('b', 1, 2, 3), 10))).toEqual(['b1', 'b2', 'b3'])
})
