/**
 * 100 tables of 1,000 rows, PostgreSQL to PostgreSQL, all copies asked for at once: what a copy costs besides its rows. Each is
 * planned, moved, verified by counts and committed with its record, as any other.
 *
 *   npx node bench/copy-many-tables.ts
 */
import { waitFor } from '@postern/testkit/wait-for.ts'
import { median } from './tools/compare.ts'
import { Rig } from './tools/rig.ts'

const TABLES = 100
const ROWS = 1_000
const RUNS = 5
/** What the project wants, in milliseconds a table. */
const WANTED_MS = 40
const LOOK_MS = 500

await using rig = await Rig.start({ nodes: 2 })
const { client, database } = rig
const names = Array.from({ length: TABLES }, (_, index) => `t${index}`)
await database.query(
  names
    .map(
      (name) => `create table ${name} (id bigint primary key, customer text, amount numeric(12,2), placed timestamptz);
      insert into ${name} select n, 'customer ' || n, n * 1.25, timestamptz '2026-01-01' + n * interval '1 minute' from generate_series(1, ${ROWS}) n;`,
    )
    .join('\n'),
)
await database.query('analyze')

console.log(`\ncopy-many-tables: ${TABLES} tables of ${ROWS.toLocaleString('en-US')} rows, asked for at once, two nodes`)
await database.query('create schema warm')
await copyAll('warm')
await check('warm')
const times: number[] = []
for (let round = 0; round < RUNS; round += 1) {
  const schema = `r${round}`
  await database.query(`create schema ${schema}`)
  const ms = await copyAll(schema)
  await check(schema)
  times.push(ms / TABLES)
  console.log(`  round ${round + 1}: ${(times.at(-1) ?? 0).toFixed(1)} ms a table`)
}
const middle = median(times)
console.log(`  ${middle.toFixed(1)} ms a table (wanted: at most ${WANTED_MS})${middle <= WANTED_MS ? '' : '  MISSED'}`)

/** Into a schema of its own. From the first request to the last end, by the clock of the service: looking at runs costs it, so that is done seldom. */
async function copyAll(schema: string): Promise<number> {
  const runs = await Promise.all(
    names.map((name) => client.copy({ source: 'bench', sink: 'bench', from: `public.${name}`, to: `${schema}.${name}` })),
  )
  const wanted = new Set<string>(runs.map(({ id }) => id))
  await waitFor(
    'all copies have ended',
    () => client.runs.list({ limit: TABLES }),
    ({ items }) => items.filter(({ id, endedAt }) => wanted.has(id) && endedAt !== null).length === TABLES,
    { timeoutMs: 120_000, everyMs: LOOK_MS },
  )
  const { items } = await client.runs.list({ limit: TABLES })
  const failed = items.filter(({ id, status }) => wanted.has(id) && status !== 'succeeded')
  if (failed.length > 0) throw new Error(`${failed.length} copies failed: ${failed[0]?.fault?.message}`)
  const mine = items.filter(({ id }) => wanted.has(id))
  return Math.max(...mine.map(({ endedAt }) => Date.parse(endedAt ?? ''))) - Math.min(...mine.map(({ createdAt }) => Date.parse(createdAt)))
}

/** All rows are there; then they are taken away. */
async function check(schema: string): Promise<void> {
  const union = names.map((name) => `select count(*) as rows from ${schema}.${name}`).join(' union all ')
  const [row] = await database.query<{ rows: number }>(`select sum(rows)::int as rows from (${union}) as all_tables`)
  if (row?.rows !== TABLES * ROWS) throw new Error(`${row?.rows} rows arrived`)
  await database.query(`drop schema ${schema} cascade`)
}
