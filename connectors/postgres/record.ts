/** What a run leaves in the target itself: schema `postern`. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Commit, Slot } from '../copy-contract.ts'
import { ServerError } from './server-error.ts'
import { type Row, type Statement, StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'
import { COMMIT } from './work.ts'

const SCHEMA = [
  'create schema if not exists postern',
  `create table if not exists postern.commit_record (
     run_id       text        not null,
     task_id      text        not null,
     attempt      integer     not null,
     rows         bigint      not null,
     bytes        bigint      not null,
     committed_at timestamptz not null default now(),
     primary key (run_id, task_id))`,
  `create table if not exists postern.run_record (
     run_id       text        not null primary key,
     facts        json        not null,
     prepared_at  timestamptz not null default now(),
     published_at timestamptz)`,
  'alter table postern.commit_record add column if not exists skipped bigint not null default 0',
  // A row for each savepoint under which a part has written: its xmin is that of those rows.
  'create table if not exists postern.part_batch (run_id text not null, task_id text not null)',
  'create index if not exists part_batch_run on postern.part_batch (run_id, task_id)',
  `comment on schema postern is 'Postern: which parts of a copy are in this database'`,
]

/** Older than any run: a run that is tried again after so long starts anew. */
const KEEP_DAYS = 90

const NEEDED = {
  commit_record: ['select', 'insert', 'delete'],
  run_record: ['select', 'insert', 'update', 'delete'],
  part_batch: ['select', 'insert', 'delete'],
}
const ALLOWED = Object.entries(NEEDED)
  .flatMap(([table, privileges]) => privileges.map((privilege) => `has_table_privilege(to_regclass('postern.${table}'), '${privilege}')`))
  .join(' and ')
const STATE = `
  select to_regclass('postern.run_record') is not null and to_regclass('postern.part_batch') is not null
         and exists (select from pg_attribute where attrelid = to_regclass('postern.commit_record') and attname = 'skipped'),
         ${ALLOWED}, current_user, current_database()`

/** Makes the records' tables where they are missing. Two that prepare at once take turns. */
export async function prepareRecords(wire: Wire): Promise<void> {
  const [state] = (await StatementRun.one(wire, STATE)).rows
  const [exists, allowed, user, database] = state ?? []
  if (exists !== 't') {
    try {
      await StatementRun.one(wire, `select pg_advisory_xact_lock(hashtext('postern records'))`)
      await StatementRun.all(
        wire,
        SCHEMA.map((sql) => ({ sql })),
      )
    } catch (cause) {
      if (!(cause instanceof ServerError) || cause.code !== '42501') throw cause
      throw new Fault('NOT_ALLOWED', {
        at: `Database ${database} does not let ${user} create the schema "postern", which holds the commit records.`,
        remedy: `Run: create schema postern authorization ${user}; or: grant create on database ${database} to ${user};`,
        cause,
      })
    }
  }
  const may = exists === 't' ? allowed : (await StatementRun.one(wire, STATE)).rows[0]?.[1]
  if (may !== 't') {
    throw new Fault('NOT_ALLOWED', {
      at: `${user} may not write the tables of the schema "postern" in database ${database}.`,
      remedy: `Run: grant select, insert, update, delete on all tables in schema postern to ${user};`,
    })
  }
}

const OLD = `now() - interval '${KEEP_DAYS} days'`

/** Reads all records there are: to be done now and then, not by each run. */
export const FORGET_OLD: readonly Statement[] = [
  `delete from postern.commit_record
    where committed_at < ${OLD} and run_id not in (select run_id from postern.run_record where prepared_at >= ${OLD})`,
  `delete from postern.run_record where prepared_at < ${OLD}`,
  'delete from postern.part_batch where run_id not in (select run_id from postern.run_record)',
].map((sql) => ({ sql }))

/** The facts of the first that prepared this run: whoever prepares it again goes on with those. With the commit that follows. */
export function recordRun(wire: Wire, run: string, facts: unknown): void {
  const sql = 'insert into postern.run_record (run_id, facts) values ($1, $2::text::json)'
  StatementRun.ahead(wire, [{ sql, params: [run, JSON.stringify(facts)] }])
}

export interface RunRecord {
  readonly facts: unknown
  readonly published: boolean
  /** The transaction that published it, of a published run: the record was last changed in it. */
  readonly writer: string
}

export async function recordedRun(wire: Wire, run: string): Promise<RunRecord | undefined> {
  return recordOf((await StatementRun.all(wire, [recordQuestion(run)])).rows)
}

export const recordQuestion = (run: string): Statement => ({
  sql: 'select facts::text, published_at is not null, xmin::text from postern.run_record where run_id = $1',
  params: [run],
})

export function recordOf([row]: readonly Row[]): RunRecord | undefined {
  return row ? { facts: JSON.parse(row[0] ?? 'null'), published: row[1] === 't', writer: row[2] ?? '' } : undefined
}

/** Touches no row of one that was published before. Holds the run's row until the transaction ends, so that two that publish take turns. */
export const markPublished = (run: string): Statement => ({
  sql: 'update postern.run_record set published_at = now() where run_id = $1 and published_at is null',
  params: [run],
})

export const commitQuestion = ({ run, task }: Slot): Statement => ({
  sql: 'select rows, bytes, attempt, skipped from postern.commit_record where run_id = $1 and task_id = $2',
  params: [run, task],
})

export function commitOf([row]: readonly Row[]): Commit | undefined {
  if (!row) return undefined
  const skipped = Number(row[3])
  return { rows: Number(row[0]), bytes: Number(row[1]), attempt: Number(row[2]), ...(skipped > 0 && { skipped }) }
}

/** In the transaction of the rows. Waits for another attempt that is just committing, and then loses to it. */
export async function recordCommit(wire: Wire, slot: Slot, commit: Commit): Promise<void> {
  const sql = 'insert into postern.commit_record (run_id, task_id, attempt, rows, bytes, skipped) values ($1, $2, $3, $4, $5, $6)'
  try {
    await StatementRun.all(wire, [
      { sql, params: [slot.run, slot.task, slot.attempt, commit.rows, commit.bytes, commit.skipped ?? 0] },
      COMMIT,
    ])
  } catch (cause) {
    if (cause instanceof ServerError && cause.code === '23505' && cause.constraint.startsWith('commit_record')) {
      throw new Fault('COMMIT_LOST', { at: `run ${slot.run}, task ${slot.task}, attempt ${slot.attempt}`, cause })
    }
    throw cause
  }
}

export const committedRowsQuestion = (run: string): Statement => ({
  sql: 'select coalesce(sum(rows), 0) from postern.commit_record where run_id = $1',
  params: [run],
})

export async function committedRows(wire: Wire, run: string): Promise<number> {
  return Number((await StatementRun.all(wire, [committedRowsQuestion(run)])).rows[0]?.[0] ?? 0)
}

export async function forgetRun(wire: Wire, run: string): Promise<void> {
  await StatementRun.all(wire, [
    { sql: 'delete from postern.part_batch where run_id = $1', params: [run] },
    { sql: 'delete from postern.commit_record where run_id = $1', params: [run] },
    { sql: 'delete from postern.run_record where run_id = $1', params: [run] },
  ])
}

/** Under the savepoint of the rows that a part has just written: marks them as the part's. */
export const markBatch = ({ run, task }: Slot): { readonly sql: string; readonly params: readonly string[] } => ({
  sql: 'insert into postern.part_batch (run_id, task_id) values ($1, $2)',
  params: [run, task],
})

/**
 * The transactions that wrote the rows of each part. A row keeps the number of the transaction that wrote it (xmin), and so do the records
 * that it left: whose rows are whose can be told in any table, without a key, until a row is changed by somebody else.
 */
export async function writersOf(wire: Wire, run: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const sql = `select task_id, xmin::text from postern.commit_record where run_id = $1
               union select task_id, xmin::text from postern.part_batch where run_id = $1`
  const writers = new Map<string, string[]>()
  for (const [task, xmin] of (await StatementRun.one(wire, sql, [run])).rows) {
    if (task && xmin) writers.set(task, [...(writers.get(task) ?? []), xmin])
  }
  return writers
}

/** Forgets parts whose rows are taken out in the same transaction. Two that do so take turns. */
export async function forgetParts(wire: Wire, run: string, tasks: readonly string[]): Promise<void> {
  const params = [run, JSON.stringify(tasks)]
  const which = 'where run_id = $1 and task_id in (select json_array_elements_text($2::text::json))'
  await StatementRun.all(wire, [
    { sql: `delete from postern.part_batch ${which}`, params },
    { sql: `delete from postern.commit_record ${which}`, params },
  ])
}
