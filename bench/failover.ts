/**
 * Eight clients ask without pause while the primary is killed, cut off or hangs: how long the queries take that are asked after
 * that, and how many fail.
 *
 *   npx node bench/failover.ts [--only SIGSTOP] [--rounds 3]
 *
 * What failed is written to stderr, with what the service said of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Cluster } from '@postern/testkit/cluster.ts'
import { FlakyLink } from '@postern/testkit/flaky-link.ts'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { PostgresServer } from '@postern/testkit/postgres-server.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { Pool } from 'undici'
import { median, quantile } from './tools/compare.ts'

const CLIENTS = 8
const { values } = parseArgs({ options: { only: { type: 'string' }, rounds: { type: 'string', default: '3' } } })
const ROUNDS = Number(values.rounds)
/** How long is looked before and after what happens. */
const BEFORE_MS = 1_500
const AFTER_MS = 3_000
const SILENT_AFTER_MS = 8_000

let link: FlakyLink | undefined
await using stack = new AsyncDisposableStack()
const server = stack.use(await PostgresServer.start())
const database = stack.use(await testDatabase({ server }))
const cluster = stack.use(
  await Cluster.start({
    service: { database: 'embedded', env: { POSTERN_LOG: 'warn' } },
    urlOf: async (service, node) => {
      if (node !== 'n1') return service.url
      link = stack.use(await FlakyLink.to(service))
      return `http://127.0.0.1:${link.port}`
    },
  }),
)
await cluster.postgresStore('bench', database)
const http = new Pool(cluster.service.url, { connections: CLIENTS })
stack.defer(() => http.close())
const headers = { authorization: `Bearer ${cluster.service.token}`, 'content-type': 'application/json' }

interface Seen {
  readonly askedAt: number
  readonly ms: number
  readonly failed: boolean
}

async function ask(): Promise<Seen> {
  const askedAt = performance.now()
  const response = await http.request({ path: '/v1/stores/bench/query', method: 'POST', headers, body: '{"sql":"select 1 as one"}' })
  // An answer that breaks off after its first byte is a failure too.
  const text = await response.body.text().catch((cause: unknown) => `cut: ${cause}`)
  const ms = performance.now() - askedAt
  const failed = response.statusCode !== 200 || text.replaceAll(/\s/g, '') !== '[{"one":1}]'
  if (failed) {
    const id = response.headers['postern-query-id']
    const view = typeof id === 'string' ? await cluster.client.queries.get(id).catch(String) : 'no id'
    console.error(`failed after ${ms.toFixed(0)} ms with ${response.statusCode}: ${text}\n${JSON.stringify(view)}`)
  }
  return { askedAt, ms, failed }
}

async function round(strike: () => unknown, heal: () => unknown, afterMs: number) {
  await cluster.allOnline()
  const seen: Seen[] = []
  let over = false
  const loop = async () => {
    while (!over) seen.push(await ask())
  }
  const loops = Array.from({ length: CLIENTS }, loop)
  await sleep(BEFORE_MS)
  const at = performance.now()
  await strike()
  const found = waitFor('its loss is known', linkLost, Boolean, { timeoutMs: 20_000, everyMs: 20 }).then(() => performance.now() - at)
  await sleep(afterMs)
  over = true
  await Promise.all(loops)
  await heal()
  return {
    next: seen.filter(({ askedAt }) => askedAt >= at).map(({ ms }) => ms),
    caught: seen.filter(({ askedAt, ms }) => askedAt < at && askedAt + ms > at).map(({ ms }) => ms),
    failed: seen.filter(({ failed }) => failed).length,
    foundMs: await found,
  }
}

const linkLost = async () => (await cluster.client.nodes.get(cluster.gateway, 'n1')).linkTransport === null

interface Trouble {
  readonly name: string
  strike(): unknown
  heal(): unknown
  readonly afterMs: number
  readonly wanted: string
}

const LOUD = 'wanted: p99 at most 100 ms, 0 failed'
const SILENT = 'wanted: found in 5000 ms, 0 failed'
const TROUBLES: readonly Trouble[] = [
  { name: 'kill -9', strike: () => cluster.node('n1').kill(), heal: () => cluster.node('n1').restart(), afterMs: AFTER_MS, wanted: LOUD },
  { name: 'link cut', strike: () => link?.cut(), heal: () => link?.heal(), afterMs: AFTER_MS, wanted: LOUD },
  {
    name: 'SIGSTOP',
    strike: () => cluster.node('n1').pause(),
    heal: () => cluster.node('n1').resume(),
    afterMs: SILENT_AFTER_MS,
    wanted: SILENT,
  },
  { name: 'half-open link', strike: () => link?.halfOpen(), heal: () => link?.heal(), afterMs: SILENT_AFTER_MS, wanted: SILENT },
]

console.log(
  `\nfailover: ${CLIENTS} clients without pause, policy primary-first, ${ROUNDS} rounds each; times of the queries asked after it`,
)
for (const { name, strike, heal, afterMs, wanted } of TROUBLES.filter((one) => values.only === undefined || one.name === values.only)) {
  const next: number[] = []
  const caught: number[] = []
  const found: number[] = []
  let failed = 0
  for (let n = 0; n < ROUNDS; n += 1) {
    const one = await round(strike, heal, afterMs)
    next.push(...one.next)
    caught.push(...one.caught)
    found.push(one.foundMs)
    failed += one.failed
  }
  const times = `p50 ${median(next).toFixed(1)}   p99 ${quantile(next, 0.99).toFixed(1)}   longest ${Math.max(...next, ...caught).toFixed(0)} ms`
  console.log(`  ${name.padEnd(14)}  ${times}   found after ${Math.max(...found).toFixed(0)} ms at most   ${failed} failed   (${wanted})`)
}
