import { newId, type ReplicaId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { isKeyOf, newSessionKey } from './session-keys.ts'

const random = (seed: number) => (count: number) => Buffer.alloc(count, seed)
const replica = (seed: number) => newId<ReplicaId>('rep', random(seed))

test('a key says at which replica its connection is', () => {
  for (let seed = 0; seed < 36; seed += 1) {
    const key = newSessionKey(replica(seed), random(seed * 7))
    const found = Array.from({ length: 36 }, (_, other) => other).filter((other) => isKeyOf(key, replica(other)))
    expect(found).toContain(seed)
    expect(found.length).toBeLessThan(3)
  }
})

test.each([0, 0x7f, 0x80, 0xff])('a process id is never negative and both fit into 32 bits (%i)', (seed) => {
  const { processId, secretKey } = newSessionKey(replica(1), random(seed))

  expect(processId).toBeGreaterThanOrEqual(0)
  expect(processId).toBe(processId | 0)
  expect(secretKey).toBe(secretKey | 0)
})
