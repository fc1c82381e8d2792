import { expect, test } from 'vitest'
import { createLog, Secret } from './log.ts'
import { LogRing } from './log-ring.ts'

const texts = (ring: LogRing, seq = 0, most = 100) => ring.after(seq, most).lines.map(({ text }) => text)

test('the newest lines are kept, in number and in size, and who reads on misses nothing that is kept', () => {
  const ring = new LogRing('one', { lines: 3, bytes: 30, line: 10 })
  for (const text of ['a', 'b', 'c', 'd']) ring.write(`${text}\n`)

  expect(texts(ring)).toEqual(['b', 'c', 'd'])
  expect(ring.after(0, 100)).toMatchObject({ last: 4, lost: true })
  expect(ring.after(3, 100)).toEqual({ ring: 'one', lines: [{ seq: 4, text: 'd' }], last: 4, lost: false })
  expect(ring.after(4, 100)).toEqual({ ring: 'one', lines: [], last: 4, lost: false })
  expect(texts(ring, 0, 2)).toEqual(['c', 'd'])

  ring.write('x'.repeat(50))
  ring.write('y'.repeat(50))
  expect(texts(ring)).toEqual(['d', 'x'.repeat(10), 'y'.repeat(10)])
})

test('who read of a process before this one begins anew', () => {
  const ring = new LogRing('two')
  ring.write('first')
  ring.write('second')

  expect(texts(ring, 500)).toEqual(['first', 'second'])
  expect(ring.after(1, 100, 'one').lines).toHaveLength(2)
  expect(ring.after(1, 100, 'two').lines).toHaveLength(1)
})

test('what must not be seen is not seen in the ring either', () => {
  const ring = new LogRing('one')
  const log = createLog('node', 'info', ring)

  log.info({ store: { password: 'hunter22' }, other: new Secret('hunter22') }, 'opened')
  log.debug('not at this level')

  expect(texts(ring)).toHaveLength(1)
  expect(texts(ring)[0]).toContain('"msg":"opened"')
  expect(texts(ring)[0]).not.toContain('hunter22')
})
