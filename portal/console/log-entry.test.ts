import { expect, test } from 'vitest'
import { joined, logEntry, matching } from './log-entry.ts'

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
  const entries = [line(1, 30, 'a'), line(2, 30, 'b')]

  expect(joined(entries, [line(2, 30, 'b'), line(3, 30, 'c')], 10).map(({ seq }) => seq)).toEqual([1, 2, 3])
  expect(joined(entries, [line(3, 30, 'c')], 2).map(({ seq }) => seq)).toEqual([2, 3])
  expect(joined(entries, [line(1, 30, 'new')], 10).map(({ words }) => words)).toEqual(['new'])
})
