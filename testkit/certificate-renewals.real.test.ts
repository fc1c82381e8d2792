/** Five hundred nodes and the service's own authority, over days that a hand clock turns: renewals are spread, and nobody is ever without. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { certificateLife } from '@postern/node/channel/credentials.ts'
import { CertificateKeeper } from '@postern/node/identity/certificate-keeper.ts'
import { makeChannelKey } from '@postern/node/identity/csr.ts'
import type { NodeFile } from '@postern/node/state/node-file.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type GatewayId, type NodeId, newId } from '@postern/protocol/ids.ts'
import { Database } from '@postern/service/db/database.ts'
import { Authority } from '@postern/service/nodes/authority.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { SeededRandom } from './seeded-random.ts'

const NODES = 500
const MINUTE = 60_000
const HOUR = 60 * MINUTE
let database: TestDatabase
let own: Database

beforeAll(async () => {
  database = await testDatabase()
  own = new Database({ target: () => ({ connectionString: database.url }), log: silentLog })
  await own.start()
})
afterAll(async () => {
  await own?.stop()
  await database?.[Symbol.asyncDispose]()
})

test('500 nodes that joined at once renew spread over hours, through an outage too, and none is ever without a valid certificate', async () => {
  const clock = new MinuteClock()
  const began = clock.now()
  const authority = new Authority({ db: own.db, clock, random: systemRandom })
  const gatewayId = newId<GatewayId>('gw', systemRandom.bytes)
  const renewals: number[] = []
  /** Nodes that had none when the new one came. */
  const without: string[] = []
  let busy = 0
  let away = false
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => {
      const nodeId = newId<NodeId>('nod', systemRandom.bytes)
      const { privateKey, csr } = makeChannelKey(`node-${index}`)
      const file = { name: `node-${index}`, channel: { privateKey, ...(await authority.issue(csr, { gatewayId, nodeId })) } } as NodeFile
      const node = { file, until: untilOf(file) }
      const keeper = new CertificateKeeper({
        folder: {
          joined: () => node.file,
          update: async (change) => {
            if (node.until <= clock.now()) without.push(node.file.name)
            node.file = { ...node.file, ...change }
            node.until = untilOf(node.file)
          },
        },
        service: {
          call: async ({ body, answer }) => {
            if (away) throw new Fault('SERVICE_UNREACHABLE')
            busy += 1
            renewals.push(clock.now())
            const issued = await authority.issue((body as { csr: string }).csr, { gatewayId, nodeId })
            busy -= 1
            return answer?.parse(issued) as never
          },
        },
        clock,
        random: new SeededRandom(index + 1),
        log: silentLog,
        onRenewed: () => undefined,
      })
      await keeper.start()
      return { node, keeper }
    }),
  )
  /** Renewals are asynchronous cryptography: what was begun at an instant ends before the clock goes on. */
  const advance = async (ms: number) => {
    for (let left = ms; left > 0; left -= MINUTE) {
      await clock.step()
      while (busy > 0) await sleep(1)
    }
  }

  await advance(10 * HOUR)
  expect(renewals).toEqual([])
  await advance(11 * HOUR)

  expect(renewals).toHaveLength(NODES)
  const hours = renewals.map((at) => (at - began) / HOUR)
  // At half of 24 hours and 5 minutes, give or take a tenth.
  expect(Math.min(...hours)).toBeGreaterThanOrEqual(10.7)
  expect(Math.max(...hours)).toBeLessThanOrEqual(13.3)
  // Spread evenly over 2.4 hours they are 3.5 a minute.
  expect(mostIn(MINUTE, renewals)).toBeLessThanOrEqual(16)

  // The service is away while most of them would renew again.
  away = true
  await advance(4.5 * HOUR)
  away = false
  await advance(HOUR)

  const late = renewals.slice(NODES)
  expect(late.length).toBeGreaterThan(0.7 * NODES)
  // Who comes back does not come all at once, but within the five minutes of the longest pause: 500 in five minutes are 100 a minute.
  expect(mostIn(MINUTE, late)).toBeLessThanOrEqual(200)
  expect(without).toEqual([])
  expect(nodes.filter(({ node }) => node.until <= clock.now())).toEqual([])
  await Promise.all(nodes.map(({ keeper }) => keeper.stop()))
}, 170_000)

/** Goes on by whole minutes and wakes all at once that wait for one of them: with 500 sleepers a finer clock takes minutes itself. */
class MinuteClock implements Clock {
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()
  #now = Date.UTC(2026, 0, 1)

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', aborted)
      }
      const aborted = () => {
        leave()
        reject(signal?.reason)
      }
      const wake = () => {
        leave()
        resolve()
      }
      const sleeper = { at: this.#now + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', aborted, { once: true })
    })
  }

  async step(): Promise<void> {
    this.#now += MINUTE
    for (const { at, wake } of [...this.#sleepers]) if (at <= this.#now) wake()
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
}

const untilOf = (file: NodeFile): number => certificateLife(file.channel.certificate).until

/** The most that fall into any span of so many milliseconds. */
function mostIn(span: number, times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  let most = 0
  let start = 0
  for (const [end, at] of sorted.entries()) {
    while (at - (sorted[start] ?? 0) >= span) start += 1
    most = Math.max(most, end - start + 1)
  }
  return most
}
