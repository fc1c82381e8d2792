/**
 * Rows of a run that was published over, or into, a table. InnoDB shows nobody who wrote a row, so after an overwrite all rows are taken for
 * those of the copy, and after an upsert only where the table had none before. Parts are put right by key: rows of others stay.
 */
import { Fault } from '@postern/protocol/fault.ts'
import type { Target } from '../copy-contract.ts'
import { columnList } from './describe.ts'
import { factsOf, type TargetFacts } from './facts.ts'
import { quoteName, quoteTable, textLiteral } from './names.ts'
import { exists, mergeFrom } from './publish.ts'
import { recordedRun, recordsOf } from './record.ts'
import { findRelation } from './relation.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

/** Whether rows are no more where the parts wrote them. Staging that is gone has been published, even if the node was lost before it could note it down. */
export async function isPublished(wire: Wire, facts: TargetFacts, run: string): Promise<boolean> {
  const record = await recordedRun(wire, recordsOf(facts.database), run)
  if (!record?.prepared) return false
  return record.published || (facts.mode === 'overwrite' && !(await exists(wire, facts.database, facts.staging ?? '')))
}

/** How the rows of a part are put right in the table. */
export interface ByKey {
  readonly key: readonly string[]
  /** Rows are changed where they are, and not taken out first. */
  readonly inPlace: boolean
}

/** Fails where nothing tells the rows of the copy, or those of one key, from others. */
export async function putRightBy(wire: Wire, target: Target): Promise<ByKey> {
  const facts = factsOf(target)
  const found = await findRelation(wire, facts, { tinyint1: 'bool' })
  if (!found) throw new Fault('TABLE_MISSING', { at: target.title })
  if (await isPartitioned(wire, facts)) throw refused(target, 'the table is partitioned, so no rows can be put aside in one like it')
  if (facts.mode === 'upsert') {
    if (facts.created || facts.alone) return { key: facts.key, inPlace: true }
    throw refused(target, 'it had rows before the upsert, and nothing tells those from the ones that came')
  }
  const copied = new Set(target.columns.map(({ name }) => name.toLowerCase()))
  const unique = found.uniques.find(({ strict, columns }) => strict && columns.every((name) => copied.has(name.toLowerCase())))
  const inPlace = await isReferenced(wire, facts)
  if (unique) return { key: unique.columns, inPlace }
  // In a table that was overwritten no row has the key of another.
  if (facts.sourceKey && !inPlace) return { key: facts.sourceKey, inPlace }
  throw refused(target, 'rows are put right by their key, and neither the table nor the source has one of copied columns without NULLs')
}

function refused({ title }: Target, why: string): Fault {
  return new Fault('COPY_UNSUPPORTED', { at: `${title}: ${why}`, remedy: 'Start the copy again.' })
}

async function isPartitioned(wire: Wire, { database, table }: TargetFacts): Promise<boolean> {
  const where = `table_schema = ${textLiteral(database)} and table_name = ${textLiteral(table)}`
  const sql = `select 1 from information_schema.tables where ${where} and create_options like '%partitioned%'`
  return (await StatementRun.one(wire, sql)).rows.length > 0
}

/** Rows of others hang on it by foreign keys. */
export async function isReferenced(wire: Wire, { database, table }: Pick<TargetFacts, 'database' | 'table'>): Promise<boolean> {
  const sql = `select 1 from information_schema.key_column_usage
    where referenced_table_schema = ${textLiteral(database)} and referenced_table_name = ${textLiteral(table)} limit 1`
  return (await StatementRun.one(wire, sql)).rows.length > 0
}

/** A table like it, which nobody else sees and which ends with the session. To be made before the transaction. */
export async function makeAside(wire: Wire, facts: TargetFacts, { key }: ByKey): Promise<string> {
  const aside = quoteTable({ database: facts.database, table: '_postern_again' })
  await StatementRun.all(wire, [
    `create temporary table ${aside} like ${quoteTable(facts)}`,
    `alter table ${aside} add index _postern_key (${key.map(quoteName).join(', ')})`,
  ])
  return aside
}

/** In the transaction of the commit record: whoever reads sees the old rows or the new ones. */
export async function putRight(wire: Wire, target: Target, aside: string, { key, inPlace }: ByKey): Promise<void> {
  const table = quoteTable(factsOf(target))
  if (inPlace) return await mergeFrom(wire, target, { table, key, rows: aside })
  const names = columnList(target.columns)
  const same = key.map((name) => `t.${quoteName(name)} = a.${quoteName(name)}`).join(' and ')
  await StatementRun.all(wire, [
    `delete t from ${table} t join ${aside} a on ${same}`,
    `insert into ${table} (${names}) select ${names} from ${aside}`,
  ])
}
