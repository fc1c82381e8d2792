/**
 * Copy of 2 M rows of pgbench_accounts from PostgreSQL to zstd Parquet, against the pipe `psql | psql` that moves the same rows.
 *
 *   npx node bench/copy-parquet.ts
 */
import { ACCOUNTS, emptyTarget, fillAccounts } from './tools/accounts.ts'
import { compare, timed } from './tools/compare.ts'
import { needProgram, shell } from './tools/psql.ts'
import { Rig } from './tools/rig.ts'

needProgram('psql')
await using rig = await Rig.start({ nodes: 1 })
const { database } = rig
await fillAccounts(database)

await compare({
  title: `copy-parquet: ${ACCOUNTS.toLocaleString('en-US')} rows of pgbench_accounts, PostgreSQL to Parquet (zstd)`,
  amount: ACCOUNTS,
  unit: 'rows',
  wanted: 0.9,
  runs: 5,
  peer: {
    name: 'psql | psql',
    run: async () => {
      await emptyTarget(database, 'target')
      const line = `psql -qc 'copy pgbench_accounts to stdout' | psql -qc 'copy target from stdin'`
      return await timed(() => shell(line, rig.server, database.name))
    },
  },
  ours: {
    name: 'postern copy',
    run: () =>
      timed(() => rig.copy({ source: 'bench', sink: 'lake', from: 'pgbench_accounts', to: 'accounts.parquet/', mode: 'overwrite' })),
  },
})
