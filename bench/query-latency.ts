/**
 * A query of one row through service and node, against the same query made straight by `pg`: one at a time, and 64 in flight.
 *
 *   npx node bench/query-latency.ts
 */
import pg from 'pg'
import { Pool } from 'undici'
import { ACCOUNTS, fillAccounts } from './tools/accounts.ts'
import { median, quantile } from './tools/compare.ts'
import { coreSeconds } from './tools/core-seconds.ts'
import { Rig } from './tools/rig.ts'

const SQL = 'select aid, abalance from pgbench_accounts where aid = $1'
const ROUNDS = 5
const QUERIES_A_ROUND = 1_000
const IN_FLIGHT = 64
const LOAD_MS = 5_000
/** Both paths run so long before anything is measured: V8 compiles what is hot, and a service lives for months, not for seconds. */
const WARM_UP_MS = 15_000

await using rig = await Rig.start({ nodes: 1 })
await fillAccounts(rig.database)
const straight = new pg.Pool({ connectionString: rig.database.url, max: IN_FLIGHT })
const http = new Pool(rig.url, { connections: IN_FLIGHT })
const headers = { authorization: `Bearer ${rig.token}`, 'content-type': 'application/json', accept: 'application/json' }
const someAid = () => 1 + Math.floor(Math.random() * ACCOUNTS)

async function askPg(): Promise<void> {
  const { rows } = await straight.query(SQL, [someAid()])
  if (rows.length !== 1) throw new Error('one row was expected')
}

async function askPostern(): Promise<void> {
  const body = JSON.stringify({ sql: SQL, params: [someAid()] })
  const response = await http.request({ path: '/v1/stores/bench/query', method: 'POST', headers, body })
  const rows = (await response.body.json()) as unknown[]
  if (response.statusCode !== 200 || rows.length !== 1) throw new Error(`one row was expected: ${JSON.stringify(rows)}`)
}

async function latencies(ask: () => Promise<void>): Promise<readonly number[]> {
  const times: number[] = []
  for (let query = 0; query < QUERIES_A_ROUND; query += 1) {
    const began = performance.now()
    await ask()
    times.push(performance.now() - began)
  }
  return times
}

let answered = 0

async function perSecond(ask: () => Promise<void>, forMs = LOAD_MS): Promise<number> {
  const began = performance.now()
  let done = 0
  const loop = async () => {
    while (performance.now() - began < forMs) {
      await ask()
      done += 1
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop))
  answered += done
  return done / ((performance.now() - began) / 1_000)
}

try {
  for (const ask of [askPg, askPostern]) await perSecond(ask, WARM_UP_MS)
  const all = { pg: [] as number[], postern: [] as number[] }
  for (let round = 0; round < ROUNDS; round += 1) {
    all.pg.push(...(await latencies(askPg)))
    all.postern.push(...(await latencies(askPostern)))
  }
  const added = median(all.postern) - median(all.pg)
  console.log(`\nquery-latency: one row by key, ${ROUNDS * QUERIES_A_ROUND} queries each, one at a time`)
  for (const [name, times] of Object.entries(all))
    console.log(`  ${name.padEnd(8)}  p50 ${median(times).toFixed(2)} ms   p99 ${quantile(times, 0.99).toFixed(2)} ms`)
  console.log(`  ${'added'.padEnd(8)}  p50 ${added.toFixed(2)} ms   (wanted: at most 0.3 ms)`)

  const cores = () => ({ service: coreSeconds(rig.pids.service), node: coreSeconds(rig.pids.node), asking: coreSeconds(process.pid) })
  const spent = { service: 0, node: 0, asking: 0, queries: 0 }
  const rates = { pg: [] as number[], postern: [] as number[] }
  for (let round = 0; round < 3; round += 1) {
    rates.pg.push(await perSecond(askPg))
    const [before, asked] = [cores(), answered]
    rates.postern.push(await perSecond(askPostern))
    const after = cores()
    for (const name of ['service', 'node', 'asking'] as const) spent[name] += after[name] - before[name]
    spent.queries += answered - asked
  }
  console.log(`\nquery-latency: ${IN_FLIGHT} in flight; the asking process shares the ${rig.cores} cores`)
  console.log(`  pg        ${median(rates.pg).toFixed(0)} queries/s`)
  console.log(`  postern   ${median(rates.postern).toFixed(0)} queries/s   (wanted: at least 6000)`)
  const each = (seconds: number) => `${((seconds / spent.queries) * 1e6).toFixed(0)} µs`
  console.log(`  on a core for each query: service ${each(spent.service)}, node ${each(spent.node)}, who asks ${each(spent.asking)}`)
  console.log(`  ratio     ${(median(rates.postern) / median(rates.pg)).toFixed(2)}`)
} finally {
  await straight.end()
  await http.close()
}
