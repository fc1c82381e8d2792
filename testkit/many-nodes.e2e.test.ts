/** Five hundred nodes with the node's own link, whose service is killed and comes back: they come back too, but not all at once. */
import { systemRandom } from '@postern/base/random.ts'
import { Identity } from '@postern/node/identity/identity.ts'
import { SmallNode } from '@postern/node/testing/small-node.ts'
import { type GatewayId, type NodeId, newId } from '@postern/protocol/ids.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Balancer } from './balancer.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { TestService } from './service.ts'
import { waitFor } from './wait-for.ts'

const NODES = 500
/** Between the starts of two: this process plays all of them, and each is told of all that came. */
const START_MS = 40
let database: TestDatabase
let a: TestService
let b: TestService
let balancer: Balancer
let nodes: SmallNode[] = []

beforeAll(async () => {
  database = await testDatabase()
  const options = { database: 'embedded', args: ['--database-url', database.url] } as const
  a = await TestService.start(options)
  b = await TestService.start(options)
  balancer = await Balancer.over([a.port, b.port])
  const keys = await populate()
  nodes = keys.map((key) => new SmallNode(balancer.url, key))
  await Promise.all(
    nodes.map(async (node, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * START_MS))
      await node.start()
    }),
  )
  await twoLinksEach()
}, 180_000)

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await balancer?.[Symbol.asyncDispose]()
  await b?.[Symbol.asyncDispose]()
  await a?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
}, 60_000)

const links = () => nodes.map((node) => node.links)
const twoLinksEach = () =>
  waitFor('each node has two links', links, (counts) => counts.every((count) => count === 2), { timeoutMs: 120_000, everyMs: 20 })

async function populate() {
  const gateway = newId<GatewayId>('gw', systemRandom.bytes)
  await database.query(`insert into gateway (id, name) values ('${gateway}', 'many')`)
  const keys = Array.from({ length: NODES }, () => ({ id: newId<NodeId>('nod', systemRandom.bytes), identity: Identity.generate() }))
  await database.query(
    `insert into node (id, gateway_id, name, identity, version)
     select id, $3, 'node-' || n, identity, '' from unnest($1::text[], $2::text[]) with ordinality as g(id, identity, n)`,
    [keys.map(({ id }) => id), keys.map(({ identity }) => identity.publicKey()), gateway],
  )
  return keys.map(({ id, identity }) => ({ id, identity: identity.export() }))
}

/** When each link came up, in milliseconds after `from`, until all nodes have two again. */
async function comingBack(from: number): Promise<readonly number[]> {
  const at: number[] = []
  let known = links()
  await waitFor(
    'all nodes have two links again',
    () => {
      const now = links()
      for (const [index, count] of now.entries()) for (let n = known[index] ?? 0; n < count; n += 1) at.push(performance.now() - from)
      known = now
      return now
    },
    (counts) => counts.every((count) => count === 2),
    { timeoutMs: 60_000, everyMs: 10 },
  )
  return at
}

function perQuarter(at: readonly number[]): readonly number[] {
  const counts: number[] = []
  for (const ms of at) counts[Math.floor(ms / 250)] = (counts[Math.floor(ms / 250)] ?? 0) + 1
  return Array.from(counts, (count) => count ?? 0)
}

test('when one of two replicas is killed all nodes keep a link, and link to it again within seconds, spread over them', async () => {
  await b.kill()
  await waitFor('the links to it are lost', links, (counts) => counts.every((count) => count === 1), { timeoutMs: 20_000 })
  await b.restart()
  const at = await comingBack(performance.now())
  const quarters = perQuarter(at)
  console.info(`links that came back in each quarter of a second after the restart: ${quarters.join(' ')}`)

  expect(at.length).toBeGreaterThanOrEqual(NODES)
  // Not one wave: in the fullest quarter of a second not more than a third of them.
  expect(Math.max(...quarters)).toBeLessThan(NODES / 3)
  expect(Math.max(...at)).toBeLessThan(20_000)
}, 120_000)
