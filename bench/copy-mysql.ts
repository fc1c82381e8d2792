/**
 * Copies of 1 M rows from MariaDB to PostgreSQL, through a service and a node, against pgloader: 4 columns, and 20 columns of mixed types.
 * Both make the table anew, without indexes, on the same servers. Ours counts the rows on both sides besides.
 *
 *   npx node bench/copy-mysql.ts
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MysqlDatabase, MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { compare, timed } from './tools/compare.ts'
import { Rig } from './tools/rig.ts'

const ROWS = 1_000_000
const PARTS = 2

const missing = mysqlMissing() ?? (spawnSync('pgloader', ['--version']).status === 0 ? undefined : 'pgloader (package pgloader) is missing')
if (missing) {
  console.log(`skipped: ${missing}`)
  process.exit(0)
}

await using rig = await Rig.start({ nodes: 1 })
await using server = await MysqlServer.start({ settings: { 'innodb-buffer-pool-size': '1G' } })
await using source = await server.database()
await fill(source)
await rig.mysqlStore('maria', source)

for (const [table, columns] of [
  ['four', 4],
  ['twenty', 20],
] as const) {
  await compare({
    title: `copy-mysql: ${ROWS.toLocaleString('en-US')} rows of ${columns} columns, MariaDB to PostgreSQL`,
    amount: ROWS,
    unit: 'rows',
    wanted: 2,
    runs: 3,
    peer: { name: 'pgloader', run: () => freshly(() => pgloader(table)) },
    ours: {
      name: `postern copy, ${PARTS} parts`,
      run: () => freshly(() => rig.copy({ source: 'maria', sink: 'bench', from: table, to: 'target', parts: PARTS })),
    },
  })
}

async function freshly(work: () => Promise<void>): Promise<number> {
  const { database } = rig
  await database.query(`drop table if exists target; drop schema if exists ${source.name} cascade; checkpoint`)
  return timed(work)
}

async function pgloader(table: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-pgloader-'))
  try {
    const { host, port, user, password, name } = rig.database
    const file = join(folder, 'load')
    writeFileSync(
      file,
      `load database
         from mysql://${source.user}:${source.password}@${source.host}:${source.port}/${source.name}
         into postgresql://${user}:${password}@${host}:${port}/${name}?sslmode=disable
         with include drop, create tables, create no indexes, no foreign keys, reset no sequences
         including only table names matching '${table}';`,
    )
    const child = spawn('pgloader', ['--root-dir', folder, file], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 })
    const [code] = (await once(child, 'close')) as [number | null]
    const [row] = await rig.database.query<{ n: number }>(`select count(*)::int as n from "${source.name}".${table}`)
    if (code !== 0 || row?.n !== ROWS) throw new Error(`pgloader ended with ${code} after ${row?.n} rows`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(db: MysqlDatabase): Promise<void> {
  await db.query(`
    create table four (id bigint primary key, name varchar(60), amount decimal(12,2), placed datetime);
    insert into four select seq, concat('customer ', seq, ' name'), seq * 1.25, '2024-01-01' + interval seq minute from seq_1_to_${ROWS};
    create table twenty (id bigint primary key, a int, b int unsigned, c smallint, d tinyint(1), e decimal(12,2), f decimal(20,6), g double, h float,
      i varchar(40), j varchar(80), k char(10), l text, m date, n datetime, o timestamp(6) null, p time, q varbinary(16), r int null, s varchar(30) null);
    insert into twenty
    select seq, seq * 7 % 100000, seq * 3, seq % 30000, seq % 2, seq * 1.25, seq * 0.001234, seq / 3, seq / 7, concat('customer ', seq),
           concat('street "', seq, '", town ', seq % 50), concat('k', seq % 1000), concat('note\\tline ', seq, '\\nsecond line'),
           '2020-01-01' + interval seq % 3000 day, '2024-01-01' + interval seq minute, '2024-01-01' + interval seq * 1000003 microsecond,
           sec_to_time(seq % 86400), unhex(md5(seq)), if(seq % 7 = 0, null, seq), if(seq % 3 = 0, null, concat('s ', seq))
      from seq_1_to_${ROWS};
    analyze table four, twenty`)
}
