import type { NodeId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { type Contender, leaseMove } from './dispatcher-choice.ts'

const [a, b, c] = ['nod_a', 'nod_b', 'nod_c'] as NodeId[] as [NodeId, NodeId, NodeId]
const contender = (id: NodeId, change: Partial<Contender> = {}): Contender => ({
  id,
  isPrimary: id === a,
  eligible: true,
  linked: true,
  linkAgeMs: 60_000,
  ...change,
})
const all = [contender(a), contender(b), contender(c)]

test('the primary takes a free lease, the others leave it to it', () => {
  expect([a, b, c].map((me) => leaseMove(me, null, all))).toEqual(['take', 'wait', 'wait'])
})

test('a holder renews while the primary is away', () => {
  expect(leaseMove(b, b, [contender(a, { eligible: false }), contender(b)])).toBe('take')
})

test('a holder gives way to a primary that has been well for a while', () => {
  expect(leaseMove(b, b, all)).toBe('release')
})

test('a primary that has just come waits', () => {
  expect(leaseMove(b, b, [contender(a, { linkAgeMs: 100 }), contender(b)])).toBe('take')
  expect(leaseMove(a, b, [contender(a, { linkAgeMs: 100 }), contender(b)])).toBe('take')
})

test('a node that drains gives the lease up and takes none', () => {
  const contenders = [contender(a, { eligible: false }), contender(b)]
  expect(leaseMove(a, a, contenders)).toBe('release')
  expect(leaseMove(a, null, contenders)).toBe('wait')
  expect(leaseMove(b, null, contenders)).toBe('take')
})

test('a node with a link goes before one without, which still goes before nobody', () => {
  expect(leaseMove(b, null, [contender(a, { linked: false }), contender(b)])).toBe('take')
  expect(leaseMove(a, null, [contender(a, { linked: false })])).toBe('take')
})
