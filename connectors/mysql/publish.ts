import { Fault } from '@postern/protocol/fault.ts'
import type { Target } from '../copy-contract.ts'
import { columnList } from './describe.ts'
import type { TargetFacts } from './facts.ts'
import { quoteName, quoteTable, textLiteral } from './names.ts'
import { lockRun, markRun, type Records, recordedRun, recordsOf } from './record.ts'
import { ServerError } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface Publishing {
  readonly target: Target
  readonly facts: TargetFacts
  readonly run: string
}

/** May stop anywhere and be called again: each step finds what the one before has done. */
export async function publishRun(wire: Wire, publishing: Publishing): Promise<void> {
  const { facts, run } = publishing
  const records = recordsOf(facts.database)
  await lockRun(wire, run)
  const record = await recordedRun(wire, records, run)
  if (!record) throw new Fault('INTERNAL', { at: `${publishing.target.title}: nothing is known of run ${run} in the target` })
  if (facts.mode === 'append') {
    if (!record.published) await markRun(wire, records, run, 'published')
    return
  }
  if (!record.published) {
    if (facts.mode === 'upsert') await inTransaction(wire, records, run, () => merge(wire, publishing))
    else await overwrite(wire, publishing, records)
  }
  await dropAsides(wire, facts, run)
}

/** What publishing leaves beside the table. */
export async function dropAsides(wire: Wire, facts: TargetFacts, run: string): Promise<void> {
  await StatementRun.all(
    wire,
    [stagingOf(facts), oldOf(facts, run)].map((table) => `drop table if exists ${table}`),
  )
}

/** Rows and the mark that it is done, together. */
async function inTransaction(wire: Wire, records: Records, run: string, work: () => Promise<void>): Promise<void> {
  await StatementRun.one(wire, 'start transaction read write')
  await work()
  await markRun(wire, records, run, 'published')
  await StatementRun.one(wire, 'commit')
}

async function overwrite(wire: Wire, publishing: Publishing, records: Records): Promise<void> {
  const { facts, run } = publishing
  const staging = stagingOf(facts)
  if (await exists(wire, facts.database, facts.staging ?? '')) {
    const there = await exists(wire, facts.database, facts.table)
    if (there && !(await canSwap(wire, facts))) {
      await inTransaction(wire, records, run, () => refill(wire, publishing))
      return
    }
    const table = quoteTable(facts)
    // One statement: readers see the old table or the new one.
    const names = there ? `${table} to ${oldOf(facts, run)}, ${staging} to ${table}` : `${staging} to ${table}`
    try {
      await StatementRun.one(wire, `rename table ${names}`)
    } catch (cause) {
      if (!there || !(cause instanceof ServerError) || ![1044, 1142, 1227].includes(cause.number)) throw cause
      await inTransaction(wire, records, run, () => refill(wire, publishing))
      return
    }
  }
  // Staging that is gone has become the table.
  await markRun(wire, records, run, 'published')
}

export async function exists(wire: Wire, database: string, table: string): Promise<boolean> {
  const where = `table_schema = ${textLiteral(database)} and table_name = ${textLiteral(table)}`
  return (await StatementRun.one(wire, `select 1 from information_schema.tables where ${where}`)).rows.length > 0
}

/** Only a table on which nothing hangs that LIKE does not copy can be replaced by another one. */
async function canSwap(wire: Wire, { database, table, created }: TargetFacts): Promise<boolean> {
  if (created) return false
  const [d, t] = [textLiteral(database), textLiteral(table)]
  const sql = `
    select (select count(*) from information_schema.triggers where event_object_schema = ${d} and event_object_table = ${t})
         + (select count(*) from information_schema.key_column_usage
             where table_schema = ${d} and table_name = ${t} and referenced_table_name is not null
                or referenced_table_schema = ${d} and referenced_table_name = ${t})`
  return (await StatementRun.one(wire, sql)).rows[0]?.[0] === '0'
}

/** Keeps the table and all that hangs on it, and replaces its rows. */
async function refill(wire: Wire, { target, facts }: Publishing): Promise<void> {
  const names = columnList(target.columns)
  const table = quoteTable(facts)
  await StatementRun.all(wire, [`delete from ${table}`, `insert into ${table} (${names}) select ${names} from ${stagingOf(facts)}`])
}

async function merge(wire: Wire, { target, facts }: Publishing): Promise<void> {
  await mergeFrom(wire, target, { table: quoteTable(facts), key: facts.key, rows: stagingOf(facts) })
}

interface Merging {
  /** Quoted, both. */
  readonly table: string
  readonly rows: string
  readonly key: readonly string[]
}

export async function mergeFrom(wire: Wire, target: Target, { table, rows, key: by }: Merging): Promise<void> {
  const key = new Set(by.map((name) => name.toLowerCase()))
  const others = target.columns.map(({ name }) => name).filter((name) => !key.has(name.toLowerCase()))
  const names = columnList(target.columns)
  const same = by.map((name) => `t.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')
  const set = others.map((name) => `t.${quoteName(name)} = s.${quoteName(name)}`).join(', ')
  const first = quoteName(by[0] ?? '')
  // Not ON DUPLICATE KEY UPDATE: that would change the row which any other unique index finds, whatever its key.
  if (set !== '') await StatementRun.one(wire, `update ${table} t join ${rows} s on ${same} set ${set}`)
  const list = target.columns.map(({ name }) => `s.${quoteName(name)}`).join(', ')
  await StatementRun.one(
    wire,
    `insert into ${table} (${names}) select ${list} from ${rows} s left join ${table} t on ${same} where t.${first} is null`,
  )
}

export function stagingOf(facts: TargetFacts): string {
  return quoteTable({ database: facts.database, table: facts.staging ?? '' })
}

function oldOf(facts: TargetFacts, run: string): string {
  return quoteTable({ database: facts.database, table: `_postern_old_${run}`.slice(0, 64) })
}
