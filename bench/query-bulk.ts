/**
 * A result of about 1 GB as CSV through service and node, against `psql` COPY straight from the server, both thrown away; and the
 * same through a proxy between node and service that adds 50 ms each way.
 *
 *   npx node bench/query-bulk.ts
 */
import { request } from 'undici'
import { fillAccounts } from './tools/accounts.ts'
import { compare, median, rate, timed } from './tools/compare.ts'
import { needProgram, shell } from './tools/psql.ts'
import { Rig } from './tools/rig.ts'

/** 2 M rows of 97 bytes, five times. */
const SQL = 'select accounts.* from generate_series(1, 5), pgbench_accounts as accounts'
const DELAY_MS = 50
const FAR_RUNS = 3

needProgram('psql')
await using rig = await Rig.start({ nodes: 1 })
await fillAccounts(rig.database)

async function read(store: string): Promise<number> {
  const { body, statusCode } = await request(`${rig.url}/v1/stores/${store}/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rig.token}`, 'content-type': 'application/json', accept: 'text/csv' },
    body: JSON.stringify({ sql: SQL, timeoutMs: 600_000 }),
    bodyTimeout: 120_000,
  })
  if (statusCode !== 200) throw new Error(await body.text())
  let bytes = 0
  for await (const chunk of body) bytes += (chunk as Buffer).length
  return bytes
}

const bytes = await read('bench')
await compare({
  title: `query-bulk: a result of ${(bytes / 1e9).toFixed(2)} GB as CSV`,
  amount: bytes,
  unit: 'bytes',
  wanted: 0.6,
  runs: 3,
  peer: {
    name: 'psql COPY',
    run: () => timed(() => shell(`psql -qc "copy (${SQL}) to stdout (format csv)" > /dev/null`, rig.server, rig.database.name)),
  },
  ours: { name: 'postern query', run: () => timed(() => read('bench')) },
})

const far = await rig.farStore({ delayMs: DELAY_MS })
const times: number[] = []
for (let run = 0; run < FAR_RUNS; run += 1) times.push(await timed(() => read(far)))
console.log(`\nquery-bulk: the same over a link with ${DELAY_MS} ms more each way`)
console.log(`  postern query  ${median(times).toFixed(2)} s  ${rate(bytes / median(times), 'bytes')}   (wanted: at least 50 MB/s)`)
