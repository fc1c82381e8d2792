/** Real stores for tests of the engine: a database with a table of awkward values, and a folder. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret, silentLog } from '@postern/base/log.ts'
import type { Connector } from '@postern/connectors/contract.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import type { TestDatabase } from '@postern/testkit/postgres.ts'
import type { OpenStore } from '../engine.ts'

export interface OpenedStore extends OpenStore, AsyncDisposable {
  readonly connector: Connector
}

export async function openStore(
  kind: string,
  settings: StoreSettings,
  secrets: Readonly<Record<string, string>> = {},
): Promise<OpenedStore> {
  const connector = CONNECTORS.get(kind)
  if (!connector) throw new Error(`no connector ${kind}`)
  const scratch = await temporaryFolder()
  const hidden = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]))
  const parsed = connector.config.parse({ ...settings, ...secrets }) as StoreSettings
  const plain = Object.fromEntries(Object.entries(parsed).filter(([name]) => !(name in secrets)))
  const session = await connector.open({ settings: plain, secrets: hidden, log: silentLog, scratch: scratch.path })
  const dispose = async () => {
    await session[Symbol.asyncDispose]()
    await scratch[Symbol.asyncDispose]()
  }
  return { connector, session, [Symbol.asyncDispose]: dispose }
}

export function openPostgres({ host, port, name, user, password }: TestDatabase): Promise<OpenedStore> {
  return openStore('postgres', { host, port, database: name, user, sslmode: 'disable' }, { password })
}

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'postern-engine-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** `orders`: each type that has a form of its own in some encoding, with NULLs, empty text, separators, quotes and line ends. */
export async function makeOrders(database: TestDatabase, rows: number): Promise<void> {
  await database.query(`
    create schema copy;
    create table orders (
      id bigint primary key, name text, price numeric(12,2), amount integer, share double precision, day date,
      at timestamp with time zone, local_at timestamp, open boolean, raw bytea, mark uuid, doc jsonb, town varchar(40)
    );
    insert into orders
    select i,
           (array['plain', '', 'a,b', 'say "x"', E'two\\nlines', E'tab\\there', E'back\\\\slash', 'Zürich 🚪', '\\N', null])[1 + i % 10] ,
           i * 1.25, case when i % 7 = 0 then null else (i * 7919) % 100000 end, i / 3.0, date '2020-01-01' + i % 3000,
           timestamptz '2020-01-01 00:00:00+02' + i * interval '1 minute 1 microsecond', timestamp '1999-12-31 23:59:59' + i * interval '1 hour',
           case i % 3 when 0 then true when 1 then false end, decode(md5(i::text), 'hex'),
           md5(i::text)::uuid, jsonb_build_object('i', i, 'list', array[i, i + 1]), 'town ' || i % 50
      from generate_series(1, ${rows}) as i;
    analyze orders`)
}

/** Rows that are in only one of the two tables, counted as often as they occur: 0 when both are alike. */
export async function differing(database: TestDatabase, one: string, other: string, columns = '*'): Promise<number> {
  const [a, b] = [`select ${columns} from ${one}`, `select ${columns} from ${other}`]
  const [row] = await database.query<{ count: string }>(
    `select count(*) from ((${a} except all ${b}) union all (${b} except all ${a})) as differing`,
  )
  return Number(row?.count)
}
