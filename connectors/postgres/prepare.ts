import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Digest, Encoding, Prepare, Shape, Target } from '../copy-contract.ts'
import { digestQuery, quoteName } from '../digest.ts'
import { quoteIfNeeded } from './browse.ts'
import { parseTableName, quoteTable, type TableName } from './names.ts'
import { FORGET_OLD, prepareRecords, recordOf, recordQuestion, recordRun } from './record.ts'
import { type Relation, relationOf, relationQuestions } from './relation.ts'
import { type Row, type Statement, StatementRun } from './statement-run.ts'
import { logicalOfNative, nativeType } from './types.ts'
import type { Wire } from './wire.ts'

/** `Target.own`. */
export interface TargetFacts {
  readonly schema: string
  readonly table: string
  readonly mode: Prepare['mode']
  readonly key: readonly string[]
  /** Where the parts go until they are published; null: straight into the table. */
  readonly staging: string | null
  /** This run has made the table. */
  readonly created: boolean
  /** Of an overwrite, whose table has rows of this copy only: what makes them one in the source. */
  readonly sourceKey?: readonly string[]
}

export const stagingName = (run: string) => `_postern_${run}`.slice(0, 63)

const LOCK_RUN = `select pg_advisory_xact_lock(hashtext('postern run'), hashtext($1))`

/** Looks, refuses or creates; all in one transaction. `sweep`: and forgets runs of long ago. */
export async function prepareTarget(wire: Wire, request: Prepare, sweep: boolean): Promise<Target> {
  const { run, shape, where } = request
  refuseColumns(shape)
  const name = parseTableName(where)
  await prepareRecords(wire)
  if (sweep) StatementRun.ahead(wire, FORGET_OLD)
  StatementRun.ahead(wire, [{ sql: LOCK_RUN, params: [run] }])
  const questions = [recordQuestion(run), placeQuestion(name), ...relationQuestions(name)]
  const [record = [], place = [], ...relation] = await StatementRun.each(wire, questions)
  const known = recordOf(record)
  if (known) return known.facts as Target
  const found = relationOf(relation)
  const made = found ? await fitExisting(wire, request, found) : await createMissing(wire, request, placeOf(name, place))
  recordRun(wire, run, made)
  return made
}

function refuseColumns(shape: Shape): void {
  if (shape.columns.length === 0) throw new Fault('COLUMN_MISMATCH', { at: `${shape.title} has no columns` })
  const long = shape.columns.find((column) => Buffer.byteLength(column.name) > 63)
  if (long) throw new Fault('COLUMN_MISMATCH', { at: `column "${long.name}": PostgreSQL's names have at most 63 bytes` })
}

/** Where a table that is missing would be created. */
const placeQuestion = ({ schema }: TableName): Statement =>
  schema === undefined
    ? { sql: 'select current_schema()' }
    : { sql: 'select nspname from pg_namespace where nspname = $1', params: [schema] }

function placeOf(name: TableName, [row]: readonly Row[]): TableName & { readonly schema: string } {
  const schema = row?.[0]
  if (schema) return { schema, table: name.table }
  throw name.schema === undefined
    ? new Fault('TABLE_MISSING', { at: `${quoteTable(name)}: the search path names no schema`, remedy: 'Write schema.table.' })
    : new Fault('TABLE_MISSING', {
        at: `There is no schema ${quoteIfNeeded(name.schema)}.`,
        remedy: 'Create the schema, or name another.',
      })
}

async function fitExisting(wire: Wire, request: Prepare, found: Relation): Promise<Target> {
  const { shape, mode, run } = request
  if (found.kind !== 'r' && found.kind !== 'p') {
    throw new Fault('TABLE_EXISTS', { at: `${found.title} is not a table`, remedy: 'Name a table.' })
  }
  const notes: string[] = []
  const omits = shape.kind === 'postgres' ? madeByTarget(shape, found) : []
  if (omits.length > 0) notes.push(`Not copied, because ${found.title} generates them: ${omits.join(', ')}.`)
  const taken = { ...request, shape: { ...shape, columns: shape.columns.filter(({ name }) => !omits.includes(name)) } }
  const columns = matchColumns(taken.shape, found, notes)
  await refuseForbidden(wire, found, mode)
  const key = mode === 'upsert' ? await upsertKey(wire, request, found) : []
  const fixed = found.columns.filter(
    (column) => column.fixed && !key.includes(column.name) && columns.some(({ name }) => name === column.name),
  )
  if (mode === 'upsert' && fixed.length > 0) {
    notes.push(`Identities, which stay as they are in rows that are there: ${fixed.map(({ name }) => name).join(', ')}.`)
  }
  const staging = mode === 'append' ? null : stagingName(run)
  if (staging !== null) {
    // Upsert only merges from it; overwrite may put it in the table's place, so it has all that the table has.
    const like = mode === 'upsert' ? 'including defaults including storage' : 'including all'
    const sql = `create table if not exists ${quoteTable({ schema: found.schema, table: staging })} (like ${found.sql} ${like})`
    StatementRun.ahead(wire, [{ sql }])
  }
  const own: TargetFacts = { schema: found.schema, table: found.table, mode, key, staging, created: false, ...sourceKey(request) }
  const encoding = encodingFor(taken, columns)
  return { title: found.title, encoding, columns, ...(omits.length > 0 && { omits }), single: false, notes, own }
}

function sourceKey({ mode, shape }: Prepare): Pick<TargetFacts, 'sourceKey'> {
  return mode === 'overwrite' && shape.key.length > 0 ? { sourceKey: shape.key } : {}
}

function madeByTarget(shape: Shape, found: Relation): readonly string[] {
  const given = new Set(shape.columns.map(({ name }) => name))
  return found.columns.filter(({ name, generated }) => generated && given.has(name)).map(({ name }) => name)
}

/** The target's columns in the source's order. */
function matchColumns(shape: Shape, found: Relation, notes: string[]): readonly Column[] {
  const byName = new Map(found.columns.map((column) => [column.name, column]))
  const missing = shape.columns.filter((column) => !byName.has(column.name)).map((column) => column.name)
  if (missing.length > 0) {
    const has = found.columns.map((column) => column.name).join(', ')
    throw new Fault('COLUMN_MISMATCH', { at: `${found.title} has no column ${missing.join(', ')}; it has ${has}` })
  }
  const given = new Set(shape.columns.map((column) => column.name))
  const generated = found.columns.filter((column) => column.generated && given.has(column.name)).map((column) => column.name)
  if (generated.length > 0)
    throw new Fault('COLUMN_MISMATCH', { at: `${found.title}: ${generated.join(', ')} is generated and cannot be written` })
  const left = found.columns.filter((column) => !given.has(column.name) && !column.generated)
  const needed = left.filter((column) => !column.nullable && !column.hasDefault).map((column) => column.name)
  if (needed.length > 0)
    throw new Fault('COLUMN_MISMATCH', { at: `${found.title} needs a value for ${needed.join(', ')}, which the source lacks` })
  if (left.length > 0) notes.push(`Columns that the source lacks get their defaults: ${left.map((column) => column.name).join(', ')}.`)
  return shape.columns.map(({ name }) => {
    const column = byName.get(name)
    if (!column) throw new RangeError(name)
    return { name, type: column.type, native: column.native, nullable: column.nullable }
  })
}

async function refuseForbidden(wire: Wire, found: Relation, mode: Prepare['mode']): Promise<void> {
  const needs = mode === 'append' ? ['insert'] : mode === 'upsert' ? ['insert', 'update', 'select'] : ['insert', 'delete']
  const checks = needs.map((privilege) => `has_table_privilege($1::oid, '${privilege}')`).join(', ')
  const [row] = (await StatementRun.one(wire, `select current_user, ${checks}`, [found.oid])).rows
  const lacking = needs.filter((_, i) => row?.[i + 1] !== 't')
  if (lacking.length === 0) return
  throw new Fault('NOT_ALLOWED', {
    at: `${row?.[0]} may not ${lacking.join(', ')} on ${found.title}.`,
    remedy: `Run: grant ${lacking.join(', ')} on ${found.sql} to ${row?.[0]};`,
  })
}

const UNIQUE_ON = `
  select 1
    from pg_index i
   where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
     and (select array_agg(a.attname::text order by a.attname)
            from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
           where k.place <= i.indnkeyatts)
       = (select array_agg(name order by name) from json_array_elements_text($2::text::json) name)`

async function upsertKey(wire: Wire, request: Prepare, found: Relation): Promise<readonly string[]> {
  const key = request.key.length > 0 ? request.key : found.key
  refuseKey(request, key, found.title)
  const [unique] = (await StatementRun.one(wire, UNIQUE_ON, [found.oid, JSON.stringify(key)])).rows
  if (unique) return key
  const list = key.map(quoteName).join(', ')
  throw new Fault('COPY_UNSUPPORTED', {
    at: `upsert into ${found.title}: no unique index on (${list})`,
    remedy: `Run: create unique index on ${found.sql} (${list}); or name the columns of another unique index with --key.`,
  })
}

function refuseKey(request: Prepare, key: readonly string[], title: string): void {
  if (key.length === 0)
    throw new Fault('INPUT_INVALID', { at: `upsert into ${title}: which columns are the key?`, remedy: 'Name them with --key.' })
  const given = new Set(request.shape.columns.map((column) => column.name))
  const missing = key.filter((column) => !given.has(column))
  if (missing.length > 0)
    throw new Fault('COLUMN_MISMATCH', { at: `upsert into ${title}: the source has no key column ${missing.join(', ')}` })
}

async function createMissing(wire: Wire, request: Prepare, name: TableName & { readonly schema: string }): Promise<Target> {
  const { shape, mode, run } = request
  const title = `${quoteIfNeeded(name.schema)}.${quoteIfNeeded(name.table)}`
  const notes: string[] = [`${title} does not exist and is created.`]
  const columns = await newColumns(wire, shape, notes)
  const key = mode === 'upsert' ? (request.key.length > 0 ? request.key : shape.key) : []
  if (mode === 'upsert') refuseKey(request, key, title)
  const staging = mode === 'append' ? null : stagingName(run)
  const primary = key.length > 0 ? [`primary key (${key.map(quoteName).join(', ')})`] : []
  const lines = columns.map(({ name: column, native, nullable }) => `${quoteName(column)} ${native}${nullable ? '' : ' not null'}`)
  // An overwrite shows nothing before it is published: only then the staging becomes the table.
  if (mode !== 'overwrite') StatementRun.ahead(wire, [{ sql: `create table ${quoteTable(name)} (${[...lines, ...primary].join(', ')})` }])
  if (staging !== null) {
    const sql = `create table ${quoteTable({ schema: name.schema, table: staging })} (${lines.join(', ')})`
    StatementRun.ahead(wire, [{ sql }])
  }
  const own: TargetFacts = { schema: name.schema, table: name.table, mode, key, staging, created: true, ...sourceKey(request) }
  return { title, encoding: encodingFor(request, columns), columns, single: false, notes, own }
}

/** The binary form holds no names of types, and of arrays and types of one's own it holds numbers that differ from database to database. */
function encodingFor({ shape, encodings }: Prepare, columns: readonly Column[]): Encoding {
  const same = shape.columns.every(({ native, type }, i) => type.is !== 'other' && native === columns[i]?.native)
  const fits = encodings.find((encoding) => encoding !== 'pg-binary' || (shape.kind === 'postgres' && same))
  if (fits) return fits
  throw new Fault('COPY_UNSUPPORTED', { at: 'The binary form needs the same types at both ends.', remedy: 'Copy as text.' })
}

/** The source's own types where it is PostgreSQL and they are known here too; else what comes nearest. */
async function newColumns(wire: Wire, shape: Shape, notes: string[]): Promise<readonly Column[]> {
  if (shape.kind !== 'postgres') {
    return shape.columns.map((column) => {
      const native = nativeType(column.type)
      return { ...column, native, type: logicalOfNative(native, column.type) }
    })
  }
  const known = await typesKnown(
    wire,
    shape.columns.filter(({ type }) => type.is === 'other'),
  )
  return shape.columns.map((column) => {
    if ((column.type.is !== 'other' || known.has(column.native)) && /^[\p{L}\p{N}_ "().,[\]-]+$/u.test(column.native)) return column
    notes.push(`Column ${column.name}: the target does not know the type ${column.native}, so it becomes text.`)
    return { ...column, native: 'text', type: { is: 'text' } }
  })
}

/** Which of the columns' types there are here too. Those with a logical type of their own every PostgreSQL has. */
async function typesKnown(wire: Wire, columns: readonly Column[]): Promise<ReadonlySet<string>> {
  if (columns.length === 0) return new Set()
  const checks = columns.map((_, i) => `to_regtype($${i + 1}) is not null`).join(', ')
  const names = columns.map(({ native }) => native.replace(/\([^)]*\)/, ''))
  const [known] = (await StatementRun.one(wire, `select ${checks}`, names)).rows
  return new Set(columns.flatMap(({ native }, i) => (known?.[i] === 't' ? [native] : [])))
}

export async function digestOf(wire: Wire, from: string, columns: readonly Column[], checksum = true): Promise<Digest> {
  const [row] = (await StatementRun.one(wire, digestQuery({ dialect: 'postgres', columns, from, checksum }))).rows
  return { rows: Number(row?.[0] ?? 0), checksum: row?.[1] ?? null }
}
