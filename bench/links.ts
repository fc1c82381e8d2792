/**
 * One replica with thousands of linked nodes that beat each second and do nothing else: what each costs the service's process in
 * memory (RSS with them less RSS without, divided by their number), and what all of them cost in CPU. The nodes are simulated in a
 * few processes, with the node's own code for link and beat, a key each, over TLS; the service is a process of its own.
 *
 *   npx node bench/links.ts [--nodes 5000] [--gateways 500] [--processes 4] [--seconds 60] [--plain] [--restart]
 *
 * With --restart the service is killed then and started again: when the nodes are back, and in which second how many.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemRandom } from '@postern/base/random.ts'
import { Identity } from '@postern/node/identity/identity.ts'
import { type GatewayId, type NodeId, newId } from '@postern/protocol/ids.ts'
import { selfSigned } from '@postern/service/testing/self-signed.ts'
import { testFolder } from '@postern/testkit/folder.ts'
import { testDatabase } from '@postern/testkit/postgres.ts'
import { PostgresServer } from '@postern/testkit/postgres-server.ts'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import type { ManyNodes, ManyNodesSaid } from './tools/many-nodes.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '5000' },
    gateways: { type: 'string', default: '500' },
    processes: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '60' },
    restart: { type: 'boolean', default: false },
    /** Without TLS, as behind a balancer that ends it. */
    plain: { type: 'boolean', default: false },
  },
})
const NODES = Number(values.nodes)
const GATEWAYS = Number(values.gateways)
const PROCESSES = Number(values.processes)
const SECONDS = Number(values.seconds)
/** Over how long they are started; longer with more of them, or the machine measures handshakes only. */
const SPREAD_MS = NODES * 6
const SETTLE_MS = 20_000

await using stack = new AsyncDisposableStack()
const folder = stack.use(await testFolder())
const server = stack.use(await PostgresServer.start())
const database = stack.use(await testDatabase({ server }))
const { cert, key } = await selfSigned()
const certFile = join(folder.path, 'cert.pem')
const keyFile = join(folder.path, 'key.pem')
writeFileSync(certFile, cert)
writeFileSync(keyFile, key)
const service = stack.use(
  await TestService.start({
    database: 'embedded',
    ...(values.plain ? {} : { tls: { certFile, keyFile } }),
    env: { POSTERN_LOG: process.env['POSTERN_LOG'] ?? 'error', NODE_OPTIONS: process.env['SERVICE_OPTIONS'] ?? '' },
    args: ['--database-url', database.url],
  }),
)

const rss = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${service.process.pid}/status`, 'utf8'))?.[1]) * 1_024
/** User and system time of a process, in seconds. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

await sleep(SETTLE_MS / 2)
const before = rss()
const url = service.url.replace('127.0.0.1', 'localhost')
const nodes = await populate()
const children: ChildProcess[] = []
const said: ManyNodesSaid[] = []
const linkedAt: number[] = []
for (let n = 0; n < PROCESSES; n += 1) {
  const child = fork(fileURLToPath(new URL('./tools/many-nodes.ts', import.meta.url)), {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile, NODE_OPTIONS: process.env['NODES_OPTIONS'] ?? '' },
  })
  stack.defer(() => void child.disconnect())
  children.push(child)
  child.on('message', (message: ManyNodesSaid) => {
    said[n] = message
    linkedAt.push(...message.linkedAt)
  })
  const mine: ManyNodes = { url, nodes: nodes.filter((_, index) => index % PROCESSES === n), spreadMs: SPREAD_MS }
  child.send(mine)
}

const sum = (what: 'linked' | 'beating' | 'byLink') => said.reduce((total, one) => total + (one?.[what] ?? 0), 0)
const startedAt = performance.now()
const allThere = (timeoutMs: number) =>
  waitFor(
    'all nodes are linked and beat',
    () => Promise.resolve([sum('linked'), sum('beating')] as const),
    ([linked, beating]) => linked === NODES && beating >= NODES * 0.999,
    { timeoutMs, everyMs: 500 },
  )
await allThere(SPREAD_MS + 180_000).catch((cause) => {
  console.error(`linked ${sum('linked')} beating ${sum('beating')} by link ${sum('byLink')}`, service.process.log.slice(-2_000))
  throw cause
})
console.log(
  `  all there after ${((performance.now() - startedAt) / 1_000).toFixed(0)} s, for which the service took ${cpuSeconds(service.process.pid).toFixed(1)} s of CPU`,
)
await sleep(SETTLE_MS)

const cpu = cpuSeconds(service.process.pid)
const began = performance.now()
const looks: number[] = []
while (performance.now() - began < SECONDS * 1_000) {
  await sleep(1_000)
  looks.push(rss())
}
const share = ((cpuSeconds(service.process.pid) - cpu) / (performance.now() - began)) * 100_000
const each = (looks.toSorted((a, b) => a - b)[looks.length >> 1] ?? 0) - before
console.log(
  `\nlinks: ${NODES} nodes in ${GATEWAYS} gateways, linked to one replica ${values.plain ? 'without TLS' : 'by TLS'}, a beat each second, ${SECONDS} s`,
)
console.log(`  linked ${sum('linked')}, beats answered ${sum('beating')}, of these by link ${sum('byLink')}`)
console.log(`  RSS a node   ${(each / NODES / 1_024).toFixed(1)} KB   (wanted: at most 60; ${(before / 1e6).toFixed(0)} MB without them)`)
console.log(`  CPU          ${share.toFixed(1)} % of one core   (wanted: at most 40)`)

if (values.restart) {
  linkedAt.length = 0
  await service.kill()
  await sleep(2_000)
  await service.restart()
  const from = Date.now()
  await allThere(120_000)
  await sleep(1_500)
  const perSecond = new Map<number, number>()
  for (const at of linkedAt) perSecond.set(Math.floor((at - from) / 1_000), (perSecond.get(Math.floor((at - from) / 1_000)) ?? 0) + 1)
  console.log(
    `  back after a kill -9 and a restart: ${((Math.max(...linkedAt) - from) / 1_000).toFixed(1)} s after it listened; links up in each second:`,
  )
  console.log(
    `    ${[...perSecond]
      .sort(([a], [b]) => a - b)
      .map(([second, count]) => `${second}: ${count}`)
      .join('  ')}`,
  )
}

/** Rows as a join writes them, each with a key of its own. */
async function populate(): Promise<ManyNodes['nodes']> {
  const gateways = Array.from({ length: GATEWAYS }, () => newId<GatewayId>('gw', systemRandom.bytes))
  await database.query(
    `insert into gateway (id, name, public_key) select id, 'gateway-' || n, $2 from unnest($1::text[]) with ordinality as g(id, n)`,
    [gateways, randomBytes(32).toString('base64url')],
  )
  const made = Array.from({ length: NODES }, (_, index) => {
    const identity = Identity.generate()
    return {
      id: newId<NodeId>('nod', systemRandom.bytes),
      identity: identity.export(),
      publicKey: identity.publicKey(),
      gateway: gateways[index % GATEWAYS] ?? '',
    }
  })
  await database.query(
    `insert into node (id, gateway_id, name, identity, version)
     select id, gateway, 'node-' || n, identity, '' from unnest($1::text[], $2::text[], $3::text[]) with ordinality as g(id, gateway, identity, n)`,
    [made.map(({ id }) => id), made.map(({ gateway }) => gateway), made.map(({ publicKey }) => publicKey)],
  )
  return made.map(({ id, identity }) => ({ id, identity }))
}
