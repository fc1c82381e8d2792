/**
 * Copy of 2 M rows of pgbench_accounts from PostgreSQL to PostgreSQL, through a service and a node, against `psql | psql`: first as one
 * part into an empty table without an index, then as four parts into one with a primary key and two indexes. Both on the same
 * server. Ours counts the rows on both sides besides.
 *
 *   npx node bench/copy-postgres.ts
 */
import { ACCOUNTS, emptyTarget, fillAccounts, indexedTarget } from './tools/accounts.ts'
import { compare, timed } from './tools/compare.ts'
import { needProgram, shell } from './tools/psql.ts'
import { Rig } from './tools/rig.ts'

needProgram('psql')
await using rig = await Rig.start({ nodes: 1 })
const { database } = rig
await fillAccounts(database)

await compare({
  title: `copy-postgres: ${ACCOUNTS.toLocaleString('en-US')} rows of pgbench_accounts, PostgreSQL to PostgreSQL`,
  amount: ACCOUNTS,
  unit: 'rows',
  wanted: 0.95,
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
    run: async () => {
      await emptyTarget(database, 'target')
      return await timed(() => rig.copy({ source: 'bench', sink: 'bench', from: 'pgbench_accounts', to: 'target' }))
    },
  },
})

await compare({
  title: `copy-postgres: the same rows into a table with a primary key and two indexes, four parts`,
  amount: ACCOUNTS,
  unit: 'rows',
  wanted: 1,
  runs: 3,
  peer: {
    name: 'psql | psql',
    run: async () => {
      await indexedTarget(database, 'target')
      const line = `psql -qc 'copy pgbench_accounts to stdout' | psql -qc 'copy target from stdin'`
      return await timed(() => shell(line, rig.server, database.name))
    },
  },
  ours: {
    name: 'postern copy --parts 4',
    run: async () => {
      await indexedTarget(database, 'target')
      return await timed(() => rig.copy({ source: 'bench', sink: 'bench', from: 'pgbench_accounts', to: 'target', parts: 4 }))
    },
  },
})
