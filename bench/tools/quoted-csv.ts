/** A CSV file in which every value stands in quotes, some of them with quotes, commas and line ends in them. */
import { stat } from 'node:fs/promises'
import type { TestDatabase } from '@postern/testkit/postgres.ts'
import type { PostgresAddress } from '@postern/testkit/postgres-server.ts'
import { shell } from './psql.ts'

export const COLUMNS = 'id bigint not null, name text, email text, amount numeric(12,2), day date, at timestamp, active boolean, note text'

const VALUES = `i, 'customer ' || i, 'person' || i || '@example.org', (i % 1000000) / 100.0, date '2020-01-01' + (i % 2000)::int,
  timestamp '2024-01-01' + i * interval '1 second', i % 2 = 0, case when i % 10 = 0 then E'says "hi",\\nand leaves' else 'an ordinary remark of some length' end`

/** About so many bytes; tells how many rows and bytes they are. */
export async function writeQuotedCsv(
  path: string,
  bytes: number,
  { server, database }: { readonly server: PostgresAddress; readonly database: TestDatabase },
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const rows = Math.round(bytes / BYTES_A_ROW)
  const sql = `copy (select * from (select ${VALUES} from generate_series(1, ${rows}) as i) as c(${NAMES})) to stdout (format csv, header, force_quote *)`
  await shell(`psql -qc "${sql.replaceAll('"', '\\"').replaceAll('\\n', '\\\\n').replaceAll('\n', ' ')}" > ${path}`, server, database.name)
  return { rows, bytes: (await stat(path)).size }
}

const BYTES_A_ROW = 152
const NAMES = 'id, name, email, amount, day, at, active, note'

export async function emptyTarget(database: TestDatabase, name: string): Promise<void> {
  await database.query(`drop table if exists ${name}`)
  await database.query(`create table ${name} (${COLUMNS})`)
}
