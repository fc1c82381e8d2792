import { silentLog } from '@postern/base/log.ts'
import type { GatewayId, NodeId } from '@postern/protocol/ids.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { expect, test } from 'vitest'
import { NodeExpiry } from './node-expiry.ts'
import type { GatewayFacts, NodeFacts } from './node-facts.ts'

/** A gateway with one node that was last heard an hour before the service was started, by the database's account. */
class Rig {
  readonly clock = new HandClock()
  readonly deleted: NodeId[] = []
  alive = false
  linked = false
  /** What happens while the database is asked. */
  meanwhile: () => void = () => undefined
  readonly #node: NodeFacts

  constructor(nodeExpirySeconds: number) {
    const facts = { id: 'nod_a' as NodeId, name: 'a', gateway: 'demo', settings: { nodeExpirySeconds }, alive: () => this.alive }
    this.#node = Object.defineProperty(facts, 'link', { get: () => (this.linked ? 'raw' : null) }) as unknown as NodeFacts
  }

  expiry(): NodeExpiry {
    const gateways = [{ id: 'gw_a' as GatewayId } as GatewayFacts]
    const here = () => (this.deleted.length > 0 ? [] : [this.#node])
    return new NodeExpiry({
      nodes: { gateways: () => gateways, nodesOf: here, get: () => here()[0] },
      service: {
        delete: async ({ id }) => {
          this.deleted.push(id)
        },
      },
      repository: {
        expired: async (limits) => {
          this.meanwhile()
          return limits.map(({ id }) => id)
        },
      },
      clock: this.clock,
      log: silentLog,
    })
  }
}

test('a service that was down for longer than nodes may be away gives them time to come back', async () => {
  const rig = new Rig(600)
  const expiry = rig.expiry()
  await expiry.start()

  await rig.clock.advance(100_000)
  expect(rig.deleted).toEqual([])
  await rig.clock.advance(30_000)

  expect(rig.deleted).toEqual(['nod_a'])
  await expiry.stop()
})

test('a node that may be away for a few seconds only has time to dial again after a start, too', async () => {
  const rig = new Rig(5)
  const expiry = rig.expiry()
  await expiry.start()

  await rig.clock.advance(29_000)
  expect(rig.deleted).toEqual([])
  await rig.clock.advance(4_000)

  expect(rig.deleted).toEqual(['nod_a'])
  await expiry.stop()
})

test('a process that was stopped for a while has heard nobody: all have their time again', async () => {
  const rig = new Rig(600)
  rig.alive = true
  const expiry = rig.expiry()
  for (let second = 0; second < 300; second += 3) {
    await rig.clock.advance(3_000)
    await expiry.sweep()
  }
  rig.alive = false

  await rig.clock.advance(3_600_000)

  expect(await expiry.sweep()).toEqual([])
  for (let second = 0; second < 117; second += 3) {
    await rig.clock.advance(3_000)
    expect(await expiry.sweep()).toEqual([])
  }
  await rig.clock.advance(3_000)
  expect(await expiry.sweep()).toEqual(['a'])
})

test.each(['alive', 'linked'] as const)('a node that is %s again while the database is asked stays', async (how) => {
  const rig = new Rig(5)
  rig.meanwhile = () => {
    rig[how] = true
  }
  const expiry = rig.expiry()
  await expiry.start()

  await rig.clock.advance(60_000)

  expect(rig.deleted).toEqual([])
  await expiry.stop()
})
