/**
 * Rows of a run that was published over, or into, what was there. Those of a staging table that took the place of the old one keep the
 * numbers of the parts that wrote them. All others were written by the transaction that published them: which part they are of, the part's
 * range tells.
 */
import { Fault } from '@postern/protocol/fault.ts'
import type { Digest, Extent, Target } from '../copy-contract.ts'
import { quoteName, rowNumber } from '../digest.ts'
import { quoteTable } from './names.ts'
import { added, arrayOf, type PartDigests, partDigests } from './part-digests.ts'
import type { TargetFacts } from './prepare.ts'
import { identitiesOf } from './publish.ts'
import { literal } from './ranges.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'

export interface PublishedRun {
  readonly target: Target
  readonly facts: TargetFacts
  readonly run: string
  /** The transaction that published it. */
  readonly writer: string
}

interface AskedPart {
  readonly task: string
  /** Written again: straight into the table, with a number of its own. */
  readonly again: boolean
  readonly extent?: Extent
}

type Asked = Pick<PartDigests, 'columns' | 'checksum'> & { readonly parts: readonly AskedPart[] }

/** What each part has in the table now. */
export async function publishedDigests(wire: Wire, published: PublishedRun, asked: Asked): Promise<readonly Digest[]> {
  const { facts, run, writer } = published
  const { parts, columns, checksum } = asked
  await refuseKept(wire, published)
  const table = quoteTable(facts)
  const written = await partDigests(wire, { table, run, columns, checksum })
  const old = parts.filter(({ again }) => !again)
  const spread = old.filter(({ extent }) => isTold(published, extent))
  const sum = checksum ? `coalesce(sum(${rowNumber(columns, 'postgres')}), 0)::text` : 'null::text'
  const cases = spread.map(({ extent }, i) => `when ${conditionOf(published, extent)} then ${i}`)
  const which = cases.length === 0 ? 'null::integer' : `case ${cases.join(' ')} end`
  const sql = `select ${which}, count(*)::text, ${sum} from ${table} where xmin = any($1::xid[]) group by 1`
  const found = new Map((await StatementRun.one(wire, sql, [arrayOf([writer])])).rows.map(([at, ...digest]) => [at ?? '', digest]))
  if (found.has('') && spread.length < old.length) refuseMixed(published)
  return parts.map((part) => {
    const [rows, total] = found.get(String(spread.indexOf(part))) ?? []
    const merged = rows === undefined ? [] : [{ rows: Number(rows), checksum: total ?? null }]
    return added([...merged, ...(written.get(part.task) ? [written.get(part.task) as Digest] : [])], checksum)
  })
}

/** Whether rows of the part can be told from others by their values. */
function isTold({ target }: PublishedRun, extent: Extent | undefined): extent is Extent {
  if (extent === undefined || extent === 'all') return extent === 'all'
  return target.columns.some(({ name, type }) => name === extent.column && ORDERED.has(type.is))
}

/** SQL, true for rows of the part. */
function conditionOf(published: PublishedRun, extent: Extent | undefined): string {
  if (!isTold(published, extent)) return 'false'
  if (extent === 'all') return 'true'
  const name = quoteName(extent.column)
  const bounds = [
    ...(extent.from === null ? [] : [`${name} >= ${literal(extent.from, null)}`]),
    ...(extent.below === null ? [] : [`${name} < ${literal(extent.below, null)}`]),
    ...(extent.from === null && extent.below === null ? ['true'] : []),
  ]
  return `(${bounds.join(' and ')}${extent.nulls ? ` or ${name} is null` : ''})`
}

/** Whose values have one order everywhere. */
const ORDERED: ReadonlySet<string> = new Set(['int16', 'int32', 'int64', 'decimal', 'date', 'timestamp', 'timestamptz'])

/** Of a part that is written again: what the publishing transaction wrote of it. Parts that cannot be told apart have none. */
export async function takeOutPublished(wire: Wire, published: PublishedRun, extent: Extent | undefined): Promise<void> {
  const sql = `delete from ${quoteTable(published.facts)} where xmin = any($1::xid[]) and ${conditionOf(published, extent)}`
  await StatementRun.one(wire, sql, [arrayOf([published.writer])])
}

/** Where an upsert leaves something of a row as it was, the row in the table is not that of the source, and no difference. */
async function refuseKept(wire: Wire, { target, facts }: PublishedRun): Promise<void> {
  if (facts.mode !== 'upsert') return
  const copied = target.columns.map(({ name }) => name).filter((name) => !facts.key.includes(name))
  const identities = await identitiesOf(wire, facts)
  const kept = copied.filter((name) => identities.has(name))
  if (copied.length > 0 && kept.length === 0) return
  throw new Fault('COPY_UNSUPPORTED', {
    at:
      copied.length === 0
        ? `${target.title}: the upsert had key columns only, so it has changed no row that was there and nothing tells which rows are its own`
        : `${target.title}: the upsert leaves ${kept.join(', ')} as it was in rows that were there, so they cannot be held against the source`,
    remedy: 'Start the copy again.',
  })
}

function refuseMixed({ target }: PublishedRun): never {
  throw new Fault('COPY_UNSUPPORTED', {
    at: `${target.title}: all rows were put in by one transaction, and parts that are no ranges of a column of the table do not tell which are whose`,
    remedy: 'Start the copy again; one in a single part, or in parts by a key, can be repaired.',
  })
}
