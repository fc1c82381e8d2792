/**
 * 1 M rows of ten columns of all sorts, as Arrow through service and node, against the same query read by `pg` into JavaScript objects
 * straight from the server.
 *
 *   npx node bench/query-arrow.ts
 */
import { tableFromIPC } from 'apache-arrow'
import pg from 'pg'
import { request } from 'undici'
import { compare, timed } from './tools/compare.ts'
import { coreSeconds } from './tools/core-seconds.ts'
import { Rig } from './tools/rig.ts'

const ROWS = 1_000_000
const STEP = 100_000
const ROWS_A_SECOND = 300_000
const SQL = 'select * from mixed'

await using rig = await Rig.start({ nodes: 1 })
const rows = (from: number, to: number) => `select n as id, n::bigint * 7919 as big, (n % 100)::smallint as small, n / 3.0::float8 as ratio,
  (n % 100000)::numeric(12,2) / 100 as amount, n % 2 = 0 as even, 'customer ' || n as name, date '2020-01-01' + n % 1000 as day,
  timestamptz '2024-01-01 00:00:00+00' + n * interval '1 second' as at, case when n % 10 = 0 then null else md5(n::text) end as note
  from generate_series(${from}, ${to}) n`
await rig.database.query(`create table mixed as ${rows(1, 0)}`)
// In steps: on a busy machine one would take longer than a test's statement may.
for (let from = 1; from <= ROWS; from += STEP) await rig.database.query(`insert into mixed ${rows(from, from + STEP - 1)}`)
await rig.database.query('vacuum analyze mixed')

async function read(): Promise<readonly Buffer[]> {
  const { body, statusCode } = await request(`${rig.url}/v1/stores/bench/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rig.token}`, 'content-type': 'application/json', accept: 'application/vnd.apache.arrow.stream' },
    body: JSON.stringify({ sql: SQL }),
  })
  if (statusCode !== 200) throw new Error(await body.text())
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return chunks
}

/** The client has the columns as typed arrays then. */
async function readArrow(): Promise<void> {
  const table = tableFromIPC(Buffer.concat(await read()))
  if (table.numRows !== ROWS || table.numCols !== 10) throw new Error(`${table.numRows} rows of ${table.numCols} columns`)
}

async function readObjects(): Promise<void> {
  const { rows } = await straight.query(SQL)
  if (rows.length !== ROWS) throw new Error(`${rows.length} rows`)
}

const straight = new pg.Client({ connectionString: rig.database.url })
await straight.connect()
const RUNS = 5
const cores = () => ({ node: coreSeconds(rig.pids.node), service: coreSeconds(rig.pids.service) })
const before = cores()
const { oursSeconds } = await compare({
  title: 'query-arrow: 1 M rows of 10 columns to the client',
  amount: ROWS,
  unit: 'rows',
  wanted: 1,
  runs: RUNS,
  peer: { name: 'pg into objects', run: () => timed(readObjects) },
  ours: { name: 'postern as Arrow', run: () => timed(readArrow) },
})
console.log(`  ${Math.round(ROWS / oursSeconds)} rows/s    (wanted: at least ${ROWS_A_SECOND})`)
const after = cores()
const each = (name: 'node' | 'service') => ((after[name] - before[name]) / (RUNS + 1)).toFixed(2)
console.log(`  on a core for each result: node ${each('node')} s, service ${each('service')} s`)
await straight.end()
