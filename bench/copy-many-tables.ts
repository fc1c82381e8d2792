/**
 * 100 tables of 1,000 rows, PostgreSQL to PostgreSQL, all copies asked for at once: what a copy costs besides its rows. Each is
 * planned, moved, verified by counts and committed with its record, as any other. In turns with `psql`, several at a time, which
 * makes, fills and counts each table without any of that.
 *
 *   npx node bench/copy-many-tables.ts
 */
import { waitFor } from '@postern/testkit/wait-for.ts'
import { median, timed } from './tools/compare.ts'
import { coreSeconds, treeSeconds } from './tools/core-seconds.ts'
import { hasProgram, shell } from './tools/psql.ts'
import { Rig } from './tools/rig.ts'

const TABLES = 100
const ROWS = 1_000
const RUNS = 5
/** What the project wants, in milliseconds a table. */
const WANTED_MS = 40
const LOOK_MS = 500
/** Of the peer. */
const AT_A_TIME = 4

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
const roots = await rig.roots()

console.log(`\ncopy-many-tables: ${TABLES} tables of ${ROWS.toLocaleString('en-US')} rows, asked for at once, two nodes`)
await into('warm', copyAll)
const ours: number[] = []
const peer: number[] = []
const cores: Record<string, number[]> = {}
for (let round = 0; round < RUNS; round += 1) {
  const before = seconds()
  ours.push(await into(`r${round}`, copyAll))
  for (const [part, now] of Object.entries(seconds())) {
    cores[part] = [...(cores[part] ?? []), ((now - (before[part] ?? 0)) * 1_000) / TABLES]
  }
  if (hasProgram('psql')) peer.push(await into(`p${round}`, psqlAll))
  console.log(`  round ${round + 1}: ${told(ours.at(-1))} ms a table${peer.length > 0 ? ` (psql: ${told(peer.at(-1))})` : ''}`)
}
const middle = median(ours)
console.log(`  ${told(middle)} ms a table (wanted: at most ${WANTED_MS})${middle <= WANTED_MS ? '' : '  MISSED'}`)
if (peer.length > 0)
  console.log(`  psql, ${AT_A_TIME} tables at a time: ${told(median(peer))} ms a table; ratio ${(median(peer) / middle).toFixed(2)}`)
const parts = Object.entries(cores).map(([part, each]) => `${part} ${told(median(each))}`)
console.log(`  ms on a core a table: ${parts.join(', ')}`)

function seconds(): Record<string, number> {
  const sum = (pids: readonly number[], of: (pid: number) => number) => pids.reduce((all, pid) => all + of(pid), 0)
  const { service, nodes, stores } = roots
  const own = sum(service, coreSeconds)
  return {
    service: own,
    'its PostgreSQL': sum(service, treeSeconds) - own,
    nodes: sum(nodes, treeSeconds),
    stores: sum(stores, treeSeconds),
  }
}

/** Milliseconds a table, into a schema of its own; all rows must be there, then they are taken away. */
async function into(schema: string, all: (schema: string) => Promise<number>): Promise<number> {
  await database.query(`create schema ${schema}`)
  const ms = await all(schema)
  const union = names.map((name) => `select count(*) as rows from ${schema}.${name}`).join(' union all ')
  const [row] = await database.query<{ rows: number }>(`select sum(rows)::int as rows from (${union}) as all_tables`)
  if (row?.rows !== TABLES * ROWS) throw new Error(`${row?.rows} rows arrived`)
  await database.query(`drop schema ${schema} cascade`)
  return ms / TABLES
}

/** From the first request to the last end, by the clock of the service: looking at runs costs it, so that is done seldom. */
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

async function psqlAll(schema: string): Promise<number> {
  const copy = `psql -qc "copy public.{} to stdout" | psql -q -c "create table ${schema}.{} (like public.{})" -c "copy ${schema}.{} from stdin"`
  const count = `psql -qAtc "select (select count(*) from public.{}), (select count(*) from ${schema}.{})" > /dev/null`
  const line = `printf '%s\\n' ${names.join(' ')} | xargs -P ${AT_A_TIME} -I{} sh -c '${copy} && ${count}'`
  return (await timed(() => shell(line, rig.server, database.name))) * 1_000
}

function told(ms: number | undefined): string {
  return (ms ?? 0).toFixed(1)
}
