import { FAULTS } from '@postern/protocol/fault.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { expect, test } from 'vitest'
import { Admission, type AdmitOptions } from './admission.ts'

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

test('the queue has an end', async () => {
  const { admission, enter } = gate(0)
  const stop = new AbortController()
  const waits = Array.from({ length: 1_000 }, () => enter({ signal: () => stop.signal }))

  await expect(enter()).rejects.toMatchObject({ code: 'GATEWAY_AT_LIMIT' })

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
