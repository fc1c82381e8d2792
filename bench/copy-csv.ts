/**
 * Copy of a CSV file of 1 GB, every value in quotes, into an empty table without an index, through a service and a node, against
 * `psql \copy` and pgloader. Ours counts the rows on both sides besides.
 *
 *   npx node bench/copy-csv.ts [MEGABYTES] [RUNS]
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compare, timed } from './tools/compare.ts'
import { hasProgram, needProgram, shell } from './tools/psql.ts'
import { emptyTarget, writeQuotedCsv } from './tools/quoted-csv.ts'
import { Rig } from './tools/rig.ts'

needProgram('psql')
const megabytes = Number(process.argv[2] ?? 1_000)
const runs = Number(process.argv[3] ?? 3)
await using rig = await Rig.start({ nodes: 1 })
const { database, server } = rig
const path = join(rig.lake, 'customers.csv')
const { rows, bytes } = await writeQuotedCsv(path, megabytes * 1e6, rig)
const title = `copy-csv: ${(bytes / 1e6).toFixed(0)} MB of quoted CSV, ${rows.toLocaleString('en-US')} rows, into PostgreSQL`
const ours = {
  name: 'postern copy',
  run: async () => {
    await emptyTarget(database, 'customers')
    await database.query('checkpoint')
    return await timed(() => rig.copy({ source: 'lake', sink: 'bench', from: 'customers.csv', to: 'customers' }))
  },
}

await compare({
  title,
  amount: bytes,
  unit: 'bytes',
  wanted: 0.95,
  runs,
  ours,
  peer: {
    name: 'psql \\copy',
    run: async () => {
      await emptyTarget(database, 'customers')
      await database.query('checkpoint')
      return await timed(() => shell(`psql -qc "\\copy customers from '${path}' (format csv, header)"`, server, database.name))
    },
  },
})

if (!hasProgram('pgloader')) console.log('\nskipped: pgloader is not on this machine (package pgloader)')
else {
  const load = join(rig.lake, 'customers.load')
  const { user, password, host, port } = server
  const target = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database.name}?sslmode=disable`
  const names = 'id, name, email, amount, day, at, active, note'
  writeFileSync(
    load,
    `LOAD CSV FROM '${path}' HAVING FIELDS (${names}) INTO ${target} TARGET TABLE customers TARGET COLUMNS (${names})
     WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ',';\n`,
  )
  await compare({
    title,
    amount: bytes,
    unit: 'bytes',
    wanted: 3,
    runs: 1,
    ours,
    peer: {
      name: 'pgloader',
      run: async () => {
        await emptyTarget(database, 'customers')
        return await timed(() => shell(`pgloader --quiet ${load}`, server, database.name))
      },
    },
  })
}
