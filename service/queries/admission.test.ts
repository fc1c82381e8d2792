import { FAULTS } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { Admission, type AdmitOptions, QUEUE } from './admission.ts'

const GATEWAY = 'gw' as GatewayId
const NODE = { id: 'node' as NodeId }

function gate(limit: number) {
  const admission = new Admission()
  const pick = () => (admission.running(NODE.id) < limit ? NODE : undefined)
  const enter = async (more: Partial<AdmitOptions<typeof NODE>> = {}) =>
    await admission.admit({ gatewayId: GATEWAY, pick, timeoutMs: 5_000, ...more })
  const leave = () => admission.release(GATEWAY, NODE.id)
  return { admission, enter, leave, pick }
}

test('a free place is taken without a wait', () => {
  const { admission, pick } = gate(1)

  expect(admission.admit({ gatewayId: GATEWAY, pick, timeoutMs: 0 })).toBe(NODE)
  expect(admission.running(NODE.id)).toBe(1)
})

test('who waits is served in the order of coming, and a newcomer does not overtake', async () => {
  const { enter, leave } = gate(1)
  const served: number[] = []
  await enter()
  const waits = [1, 2, 3].map((n) => enter().then(() => served.push(n)))

  leave()
  await waits[0]
  const late = enter().then(() => served.push(4))
  leave()
  await waits[1]
  leave()
  await waits[2]
  leave()
  await late

  expect(served).toEqual([1, 2, 3, 4])
})

test("after queueTimeoutMs the seed's text comes, word for word", async () => {
  const { admission, enter } = gate(1)
  await enter()

  await expect(enter({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'GATEWAY_AT_LIMIT', message: FAULTS.GATEWAY_AT_LIMIT.says })
  await expect(enter({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'GATEWAY_AT_LIMIT' })
  expect(admission.waiting(GATEWAY)).toBe(0)
})

test('the queue has an end, and each caller has one of its own', async () => {
  const { admission, enter } = gate(0)
  const stop = new AbortController()
  const signal = () => stop.signal
  const some = (caller: string) => Array.from({ length: QUEUE.caller }, () => enter({ caller, signal }))
  const waits = some('ann')

  await expect(enter({ caller: 'ann' })).rejects.toMatchObject({ code: 'CALLER_QUEUE_FULL' })
  waits.push(...['bob', 'cyd', 'dan'].flatMap(some))
  await expect(enter({ caller: 'eve' })).rejects.toMatchObject({ code: 'GATEWAY_QUEUE_FULL' })

  stop.abort()
  const results = await Promise.allSettled(waits)
  expect(results.every((result) => result.status === 'rejected')).toBe(true)
  expect(admission.waiting(GATEWAY)).toBe(0)
})

test('a client that leaves the queue leaves its place to the next', async () => {
  const { enter, leave } = gate(1)
  const stop = new AbortController()
  await enter()
  const gone = enter({ signal: () => stop.signal })
  const next = enter()

  stop.abort()
  leave()

  await expect(gone).rejects.toMatchObject({ code: 'CANCELLED' })
  await expect(next).resolves.toBe(NODE)
})

test('callers are served by turns, however many queries one has waiting', async () => {
  const { enter, leave } = gate(1)
  const served: string[] = []
  await enter()
  const wait = (caller: string) => void enter({ caller }).then(() => served.push(caller))
  for (const caller of ['ann', 'ann', 'ann', 'ann', 'bob', 'bob', 'cyd']) wait(caller)

  for (let place = 0; place < 7; place += 1) {
    leave()
    await new Promise((resolve) => setImmediate(resolve))
  }

  expect(served).toEqual(['ann', 'bob', 'cyd', 'ann', 'bob', 'ann', 'ann'])
})

test('who waits for other nodes does not stand in the way', async () => {
  const { admission, enter, leave } = gate(1)
  const stop = new AbortController()
  const never = enter({ kind: 'labelled', pick: () => undefined, signal: () => stop.signal })
  await expect(enter({ kind: 'plain' })).resolves.toBe(NODE)
  const next = enter({ kind: 'plain' })
  expect(admission.waiting(GATEWAY)).toBe(2)

  leave()

  await expect(next).resolves.toBe(NODE)
  stop.abort()
  await expect(never).rejects.toMatchObject({ code: 'CANCELLED' })
})

test('waiters that can take the same nodes are not all looked at where one finds none', async () => {
  const { admission, enter } = gate(0)
  const stop = new AbortController()
  let looks = 0
  const pick = () => {
    looks += 1
    return undefined
  }
  const waits = Array.from({ length: 100 }, (_, n) => enter({ pick, kind: 'same', caller: `c${n}`, signal: () => stop.signal }))
  looks = 0

  admission.wake(GATEWAY)

  expect(looks).toBe(1)
  stop.abort()
  await Promise.allSettled(waits)
})

test('what nobody tells of is seen all the same: a limit that was raised, an average that has sunk', async () => {
  const { enter } = gate(0)
  let raised = false
  const waits = enter({ pick: () => (raised ? NODE : undefined) })

  raised = true

  await expect(waits).resolves.toBe(NODE)
})

test('a fault of the pick ends the wait', async () => {
  const { admission, enter, leave } = gate(1)
  await enter()
  let broken = false
  const waits = enter({
    pick: () => {
      if (broken) throw new Error('no node')
      return undefined
    },
  })

  broken = true
  leave()

  await expect(waits).rejects.toThrow('no node')
  expect(admission.waiting(GATEWAY)).toBe(0)
})
