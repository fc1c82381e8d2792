/**
 * Copy of 2 M rows of pgbench_accounts from PostgreSQL to zstd Parquet and back, through a service and a node, against DuckDB with
 * psql: `psql \copy` as CSV into DuckDB's COPY to Parquet, and DuckDB's CSV of the Parquet files into `psql \copy`. Ours counts the
 * rows on both sides besides.
 *
 *   npx node bench/copy-parquet.ts [RUNS]
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ACCOUNTS, emptyTarget, fillAccounts } from './tools/accounts.ts'
import { compare, timed } from './tools/compare.ts'
import { needProgram, shell } from './tools/psql.ts'
import { Rig } from './tools/rig.ts'

needProgram('psql')
const runs = Number(process.argv[2] ?? 5)
await using rig = await Rig.start({ nodes: 1 })
const { database, server } = rig
await fillAccounts(database)
const many = ACCOUNTS.toLocaleString('en-US')
const duck = `'${process.execPath}' '${fileURLToPath(new URL('./tools/duck-sql.ts', import.meta.url))}'`
const file = join(rig.lake, 'peer.parquet')
const TYPES = `{'aid': 'INTEGER', 'bid': 'INTEGER', 'abalance': 'INTEGER', 'filler': 'VARCHAR'}`
const OPTIONS = `format parquet, compression zstd`

await compare({
  title: `copy-parquet: ${many} rows of pgbench_accounts, PostgreSQL to Parquet (zstd)`,
  amount: ACCOUNTS,
  unit: 'rows',
  wanted: 0.9,
  runs,
  peer: {
    name: 'psql | DuckDB',
    run: () => {
      const sql = `copy (select * from read_csv('/dev/stdin', header = false, delim = ',', quote = '"', columns = ${TYPES})) to '${file}' (${OPTIONS})`
      const line = `psql -qc 'copy pgbench_accounts to stdout (format csv)' | ${duck} "${sql.replaceAll('"', '\\"')}"`
      return timed(() => shell(line, server, database.name))
    },
  },
  ours: {
    name: 'postern copy',
    run: () =>
      timed(() => rig.copy({ source: 'bench', sink: 'lake', from: 'pgbench_accounts', to: 'accounts.parquet/', mode: 'overwrite' })),
  },
})

await compare({
  title: 'copy-parquet: the same rows back, Parquet to PostgreSQL',
  amount: ACCOUNTS,
  unit: 'rows',
  wanted: 0.8,
  runs,
  peer: {
    name: 'DuckDB | psql',
    run: async () => {
      await emptyTarget(database, 'target')
      const sql = `copy (select * from '${file}') to '/dev/stdout' (format csv, header false)`
      const line = `${duck} "${sql}" | psql -qc 'copy target from stdin (format csv)'`
      return await timed(() => shell(line, server, database.name))
    },
  },
  ours: {
    name: 'postern copy',
    run: async () => {
      await emptyTarget(database, 'target')
      return await timed(() => rig.copy({ source: 'lake', sink: 'bench', from: 'accounts.parquet/', to: 'target' }))
    },
  },
})
