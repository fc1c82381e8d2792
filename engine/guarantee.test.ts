import { Fault } from '@postern/protocol/fault.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type End, guaranteeOf } from './guarantee.ts'

const end = (kind: string, exactlyOnce: boolean, snapshot: boolean): End => {
  return { kind, can: { source: { snapshot }, sink: { modes: ['append'], exactlyOnce } } }
}

describe('the guarantee', () => {
  test('is exactly once where the target commits', () => {
    expect(guaranteeOf(end('a', false, true), end('b', true, false), 'exactly-once').guarantee).toBe('exactly-once')
  })

  test('is refused, not weakened, when more is asked for than the target can give', () => {
    expect(() => guaranteeOf(end('a', true, true), end('b', false, true), 'exactly-once')).toThrow(Fault)
  })

  test('says that a source without snapshots must not change meanwhile', () => {
    expect(guaranteeOf(end('a', true, false), end('b', true, true), 'exactly-once').note).toContain('a has no snapshots')
  })

  test('does not say so where all parts show one moment', () => {
    const given = guaranteeOf(end('a', true, false), end('b', true, true), 'exactly-once', { oneMoment: 'on-one-node' })
    expect(given.note).toBe('Exactly once: a part and its commit record reach b together or not at all.')
  })

  test('is never less than what was asked for', () => {
    const ends = fc.tuple(fc.boolean(), fc.boolean()).map(([once, snapshot]) => end('x', once, snapshot))
    const asked = fc.constantFrom('exactly-once' as const, 'at-least-once' as const)
    fc.assert(
      fc.property(ends, ends, asked, (source, sink, wish) => {
        try {
          const { guarantee } = guaranteeOf(source, sink, wish)
          expect(wish === 'exactly-once' ? guarantee : 'exactly-once').toBe('exactly-once')
        } catch (cause) {
          expect(cause).toMatchObject({ code: 'GUARANTEE_IMPOSSIBLE' })
        }
      }),
    )
  })
})
