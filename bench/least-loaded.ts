/**
 * Four nodes, one of them four times slower: the time of a query by policy `least-loaded` against `random`, in turns in one run.
 *
 *   npx node bench/least-loaded.ts
 */
import { Cluster } from '@postern/testkit/cluster.ts'
import { FlakyLink } from '@postern/testkit/flaky-link.ts'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { PostgresServer } from '@postern/testkit/postgres-server.ts'
import { Pool } from 'undici'
import { median, quantile } from './tools/compare.ts'

const SLOW = 'n4'
/** Each way, so that a query takes some 10 ms by a fast node and some 40 ms by the slow one. */
const FAST_MS = 5
const SLOW_MS = 20
const IN_FLIGHT = 4
const ROUND_MS = 6_000
const ROUNDS = 3
const PEER = 'random'
const OURS = 'least-loaded'

await using stack = new AsyncDisposableStack()
const server = stack.use(await PostgresServer.start())
const database = stack.use(await testDatabase({ server }))
const cluster = stack.use(
  await Cluster.start({
    nodes: ['n1', 'n2', 'n3', SLOW],
    service: { database: 'embedded', env: { POSTERN_LOG: 'warn' } },
    urlOf: async (service, node) => {
      const link = stack.use(await FlakyLink.to(service))
      link.delay(node === SLOW ? SLOW_MS : FAST_MS)
      return `http://127.0.0.1:${link.port}`
    },
  }),
)
await cluster.postgresStore('bench', database)
const http = new Pool(cluster.service.url, { connections: IN_FLIGHT })
stack.defer(() => http.close())
const headers = { authorization: `Bearer ${cluster.service.token}`, 'content-type': 'application/json' }

interface Seen {
  readonly ms: number
  readonly node: string
}

async function ask(): Promise<Seen> {
  const began = performance.now()
  const response = await http.request({ path: '/v1/stores/bench/query', method: 'POST', headers, body: '{"sql":"select 1 as one"}' })
  const text = await response.body.text()
  if (response.statusCode !== 200) throw new Error(text)
  return { ms: performance.now() - began, node: String(response.headers['postern-node']) }
}

async function round(policy: typeof PEER | typeof OURS, ms = ROUND_MS): Promise<Seen[]> {
  await cluster.client.gateways.set(cluster.gateway, { policy })
  const until = performance.now() + ms
  const seen: Seen[] = []
  const loop = async () => {
    while (performance.now() < until) seen.push(await ask())
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop))
  return seen
}

for (const policy of [PEER, OURS] as const) await round(policy, 2_000) // warm up
const all: Record<typeof PEER | typeof OURS, Seen[]> = { [PEER]: [], [OURS]: [] }
for (let n = 0; n < ROUNDS; n += 1) for (const policy of [PEER, OURS] as const) all[policy].push(...(await round(policy)))

console.log(`\nleast-loaded: 4 nodes, one of them 4 times slower, ${IN_FLIGHT} queries in flight`)
const p99 = (policy: typeof PEER | typeof OURS) => quantile(times(policy), 0.99)
for (const policy of [PEER, OURS] as const) {
  const slow = all[policy].filter(({ node }) => node === SLOW).length / all[policy].length
  console.log(
    `  ${policy.padEnd(12)}  p50 ${median(times(policy)).toFixed(1)} ms   p99 ${p99(policy).toFixed(1)} ms   ${(slow * 100).toFixed(1)} % by the slow node, ${all[policy].length} queries`,
  )
}
console.log(`  ratio         p99 ${(p99(PEER) / p99(OURS)).toFixed(2)}   (wanted: above 1)`)

function times(policy: typeof PEER | typeof OURS): number[] {
  return all[policy].map(({ ms }) => ms)
}
