/** What a run leaves in the target itself: two tables in the store's own database. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Commit, Slot } from '../copy-contract.ts'
import { quoteTable, textLiteral } from './names.ts'
import { ServerError } from './server-error.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export const COMMITS = '_postern_commits'
export const RUNS = '_postern_runs'

/** Older than any run: a run that is tried again after so long starts anew. */
const KEEP_DAYS = 90

export interface Records {
  readonly commits: string
  readonly runs: string
}

/** Where a run's parts are recorded: beside the table, so that one transaction holds both. */
export function recordsOf(database: string): Records {
  return { commits: quoteTable({ database, table: COMMITS }), runs: quoteTable({ database, table: RUNS }) }
}

const definitions = ({ commits, runs }: Records) => [
  `create table if not exists ${commits} (
     run_id varchar(64) not null, task_id varchar(64) not null, attempt int not null,
     row_count bigint not null, byte_count bigint not null, skipped bigint not null default 0,
     committed_at timestamp not null default current_timestamp,
     primary key (run_id, task_id)
   ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin comment = 'Postern: which parts of a copy are in this database'`,
  `create table if not exists ${runs} (
     run_id varchar(64) not null primary key, facts longtext not null, prepared tinyint not null default 0, published tinyint not null default 0,
     started_at timestamp not null default current_timestamp
   ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin comment = 'Postern: copies into this database'`,
]

/** Makes the records' tables where they are missing. */
export async function prepareRecords(wire: Wire, database: string): Promise<Records> {
  const records = recordsOf(database)
  const where = `table_schema = ${textLiteral(database)} and table_name in ('${COMMITS}', '${RUNS}') and engine = 'InnoDB'`
  const [found] = (await StatementRun.one(wire, `select count(*) from information_schema.tables where ${where}`)).rows
  if (found?.[0] !== '2') await StatementRun.all(wire, definitions(records))
  const old = `date_sub(now(), interval ${KEEP_DAYS} day)`
  await StatementRun.all(wire, [
    `delete from ${records.commits} where committed_at < ${old} and run_id not in (select run_id from ${records.runs} where started_at >= ${old})`,
    `delete from ${records.runs} where started_at < ${old}`,
  ])
  return records
}

export interface RunRecord {
  readonly facts: unknown
  /** The tables are there. */
  readonly prepared: boolean
  readonly published: boolean
}

export async function recordedRun(wire: Wire, { runs }: Records, run: string): Promise<RunRecord | undefined> {
  const sql = `select facts, prepared, published from ${runs} where run_id = ${textLiteral(run)}`
  const [row] = (await StatementRun.one(wire, sql)).rows
  return row ? { facts: JSON.parse(row[0] ?? 'null'), prepared: row[1] === '1', published: row[2] === '1' } : undefined
}

/** The facts of the first that prepared this run: whoever prepares it again goes on with those. */
export async function recordRun(wire: Wire, { runs }: Records, run: string, facts: unknown): Promise<void> {
  await StatementRun.one(wire, `insert into ${runs} (run_id, facts) values (${textLiteral(run)}, ${textLiteral(JSON.stringify(facts))})`)
}

export async function markRun(wire: Wire, { runs }: Records, run: string, what: 'prepared' | 'published'): Promise<void> {
  await StatementRun.one(wire, `update ${runs} set ${what} = 1 where run_id = ${textLiteral(run)}`)
}

export async function committedPart(wire: Wire, { commits }: Records, { run, task }: Slot): Promise<Commit | undefined> {
  const where = `run_id = ${textLiteral(run)} and task_id = ${textLiteral(task)}`
  const [row] = (await StatementRun.one(wire, `select row_count, byte_count, attempt, skipped from ${commits} where ${where}`)).rows
  return row
    ? { rows: Number(row[0]), bytes: Number(row[1]), attempt: Number(row[2]), ...(row[3] !== '0' && { skipped: Number(row[3]) }) }
    : undefined
}

/** In the transaction of the rows. Waits for another attempt that is just committing, and then loses to it. */
export async function recordCommit(wire: Wire, { commits }: Records, slot: Slot, commit: Commit): Promise<void> {
  const values = [textLiteral(slot.run), textLiteral(slot.task), slot.attempt, commit.rows, commit.bytes, commit.skipped ?? 0]
  try {
    await StatementRun.one(
      wire,
      `insert into ${commits} (run_id, task_id, attempt, row_count, byte_count, skipped) values (${values.join(', ')})`,
    )
  } catch (cause) {
    if (!(cause instanceof ServerError) || cause.number !== 1062) throw cause
    throw commitLost(slot, cause)
  }
}

export function commitLost(slot: Slot, cause: unknown): Fault {
  return new Fault('COMMIT_LOST', { at: `run ${slot.run}, task ${slot.task}, attempt ${slot.attempt}`, cause })
}

export async function committedRows(wire: Wire, { commits }: Records, run: string): Promise<number> {
  const [row] = (await StatementRun.one(wire, `select coalesce(sum(row_count), 0) from ${commits} where run_id = ${textLiteral(run)}`)).rows
  return Number(row?.[0] ?? 0)
}

export async function forgetRun(wire: Wire, { commits, runs }: Records, run: string): Promise<void> {
  await StatementRun.all(
    wire,
    [commits, runs].map((table) => `delete from ${table} where run_id = ${textLiteral(run)}`),
  )
}

/** Those that prepare or publish one run take turns; the lock ends with the session. */
export async function lockRun(wire: Wire, run: string): Promise<void> {
  const [row] = (await StatementRun.one(wire, `select get_lock(${textLiteral(`postern_${run}`.slice(0, 64))}, 60)`)).rows
  if (row?.[0] !== '1') throw new Fault('STORE_BUSY', { at: `run ${run} is being prepared or published by another node` })
}
