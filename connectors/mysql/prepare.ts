import { Fault } from '@postern/protocol/fault.ts'
import type { Column, Encoding, Prepare, Shape, Target } from '../copy-contract.ts'
import { KIND } from './describe.ts'
import type { TargetFacts } from './facts.ts'
import { parseTableName, quoteIfNeeded, quoteName, quoteTable, type TableName } from './names.ts'
import { canReplaceByKey } from './part-rows.ts'
import { lockRun, markRun, prepareRecords, recordedRun, recordRun } from './record.ts'
import { findRelation, type Relation } from './relation.ts'
import { digestOf } from './source.ts'
import { StatementRun } from './statement-run.ts'
import { logicalType, nativeType } from './types.ts'
import type { Wire } from './wire.ts'

interface Made {
  readonly target: Target
  /** What makes the tables; may be run again. */
  readonly ddl: readonly string[]
}

const NAME_CHARS = 64
export const stagingName = (run: string) => `_postern_${run}`.slice(0, NAME_CHARS)

/** Looks, refuses or creates. DDL ends any transaction here, so what is decided is recorded first, and then done. */
export async function prepareTarget(wire: Wire, request: Prepare, database: string): Promise<Target> {
  const { run, shape, where } = request
  refuseColumns(shape)
  await refuseClosedDoor(wire)
  const parsed = parseTableName(where)
  const name = { ...parsed, database: parsed.database ?? database }
  await lockRun(wire, run)
  const records = await prepareRecords(wire, name.database)
  const known = await recordedRun(wire, records, run)
  const made = (known?.facts as Made | undefined) ?? (await decide(wire, request, name))
  if (!known) await recordRun(wire, records, run, made)
  if (!known?.prepared) {
    await StatementRun.all(wire, made.ddl)
    await markRun(wire, records, run, 'prepared')
  }
  return made.target
}

async function decide(wire: Wire, request: Prepare, name: TableName & { readonly database: string }): Promise<Made> {
  const found = await findRelation(wire, name, { tinyint1: 'bool' })
  return found ? fitExisting(wire, request, found) : createMissing(wire, request, name)
}

function refuseColumns(shape: Shape): void {
  if (shape.columns.length === 0) throw new Fault('COLUMN_MISMATCH', { at: `${shape.title} has no columns` })
  const long = shape.columns.find((column) => [...column.name].length > NAME_CHARS)
  if (long) throw new Fault('COLUMN_MISMATCH', { at: `column "${long.name}": MySQL's names have at most ${NAME_CHARS} characters` })
  const lower = shape.columns.map((column) => column.name.toLowerCase())
  const twice = shape.columns.find((column, i) => lower.indexOf(column.name.toLowerCase()) !== i)
  if (twice) throw new Fault('COLUMN_MISMATCH', { at: `column "${twice.name}": MySQL does not tell capitals from small letters in names` })
}

/** MySQL 8 has it off by default. */
async function refuseClosedDoor(wire: Wire): Promise<void> {
  const [row] = (await StatementRun.one(wire, 'select @@local_infile')).rows
  if (row?.[0] === '1') return
  throw new Fault('NOT_ALLOWED', {
    at: 'The server does not take rows by LOAD DATA LOCAL (local_infile is off).',
    remedy: 'Run as an administrator: set global local_infile = on; and put it into the server’s configuration.',
  })
}

async function fitExisting(wire: Wire, request: Prepare, found: Relation): Promise<Made> {
  const { shape, mode, run } = request
  refuseTable(found)
  const notes: string[] = []
  const omits = shape.kind === KIND ? generatedOf(shape, found) : []
  if (omits.length > 0) notes.push(`Not copied, because ${found.title} generates them: ${omits.join(', ')}.`)
  const from = shape.columns.filter(({ name }) => !omits.includes(name))
  const columns = matchColumns({ ...shape, columns: from }, found, notes)
  const key = mode === 'upsert' ? upsertKey(request, found) : []
  const staging = mode === 'append' ? null : stagingName(run)
  const ddl =
    staging === null ? [] : [`create table if not exists ${quoteTable({ database: found.database, table: staging })} like ${found.sql}`]
  const baseline = mode === 'append' && request.verify === 'checksum' ? await digestOf(wire, found.sql, columns, true) : null
  const place = { database: found.database, table: found.table }
  const byKey = mode === 'append' && (await canReplaceByKey(wire, found, columns))
  const hexText = !['postgres', KIND].includes(shape.kind)
  const alone = mode === 'upsert' && (await StatementRun.one(wire, `select 1 from ${found.sql} limit 1`)).rows.length === 0
  const own: TargetFacts = {
    ...place,
    mode,
    key,
    staging,
    created: false,
    baseline,
    from,
    hexText,
    byKey,
    ...(alone && { alone }),
    ...sourceKey(request, from, columns),
  }
  return {
    target: { title: found.title, encoding: encodingFor(request), columns, ...(omits.length > 0 && { omits }), single: false, notes, own },
    ddl,
  }
}

/** Types that an index holds whole. */
const INDEXED: ReadonlySet<string> = new Set(['int16', 'int32', 'int64', 'decimal', 'date', 'timestamp', 'timestamptz', 'uuid'])

function sourceKey({ mode, shape }: Prepare, from: readonly Column[], into: readonly Column[]): Pick<TargetFacts, 'sourceKey'> {
  if (mode !== 'overwrite' || shape.key.length === 0) return {}
  const columns = shape.key.map((name) => into[from.findIndex((column) => column.name === name)])
  const key = columns.flatMap((column) => (column && INDEXED.has(column.type.is) ? [column.name] : []))
  return key.length === columns.length ? { sourceKey: key } : {}
}

function generatedOf(shape: Shape, found: Relation): readonly string[] {
  const generated = new Set(found.columns.filter((column) => column.generated).map(({ name }) => name.toLowerCase()))
  return shape.columns.map(({ name }) => name).filter((name) => generated.has(name.toLowerCase()))
}

function refuseTable(found: Relation): void {
  if (!found.isTable) throw new Fault('TABLE_EXISTS', { at: `${found.title} is not a table`, remedy: 'Name a table.' })
  if (found.engine.toLowerCase() === 'innodb') return
  throw new Fault('GUARANTEE_IMPOSSIBLE', {
    at: `${found.title} is a table of ${found.engine}, which cannot take back what was written`,
    remedy: `Run: alter table ${found.sql} engine = InnoDB; or copy to another table.`,
  })
}

/** The target's columns in the source's order. */
function matchColumns(shape: Shape, found: Relation, notes: string[]): readonly Column[] {
  const byName = new Map(found.columns.map((column) => [column.name.toLowerCase(), column]))
  const missing = shape.columns.filter(({ name }) => !byName.has(name.toLowerCase())).map(({ name }) => name)
  if (missing.length > 0) {
    const has = found.columns.map((column) => column.name).join(', ')
    throw new Fault('COLUMN_MISMATCH', { at: `${found.title} has no column ${missing.join(', ')}; it has ${has}` })
  }
  const given = new Set(shape.columns.map(({ name }) => name.toLowerCase()))
  const generated = found.columns.filter((column) => column.generated && given.has(column.name.toLowerCase())).map(({ name }) => name)
  if (generated.length > 0)
    throw new Fault('COLUMN_MISMATCH', {
      at: `${found.title}: ${generated.join(', ')} is generated and cannot be written`,
      remedy: 'Leave it out: --from "(select other, columns from ...)".',
    })
  const left = found.columns.filter((column) => !given.has(column.name.toLowerCase()) && !column.generated)
  const needed = left.filter((column) => !column.nullable && !column.hasDefault).map(({ name }) => name)
  if (needed.length > 0)
    throw new Fault('COLUMN_MISMATCH', { at: `${found.title} needs a value for ${needed.join(', ')}, which the source lacks` })
  if (left.length > 0) notes.push(`Columns that the source lacks get their defaults: ${left.map(({ name }) => name).join(', ')}.`)
  return shape.columns.map((from) => {
    const column = byName.get(from.name.toLowerCase())
    if (!column) throw new RangeError(from.name)
    // A small number is a truth value only where one comes in.
    const type = column.type.is === 'bool' && from.type.is !== 'bool' ? ({ is: 'int16' } as const) : column.type
    return { name: column.name, type, native: column.native, nullable: column.nullable }
  })
}

function upsertKey(request: Prepare, found: Relation): readonly string[] {
  const key = request.key.length > 0 ? request.key : found.key
  refuseKey(request, key, found.title)
  const wanted = sorted(key)
  const unique = found.uniques.find((each) => each.strict && sorted(each.columns) === wanted)
  if (unique) return unique.columns
  const list = key.map(quoteName).join(', ')
  throw new Fault('COPY_UNSUPPORTED', {
    at: `upsert into ${found.title}: no unique index on (${list}) without NULLs`,
    remedy: `Run: alter table ${found.sql} add unique (${list}); or name the columns of another unique index with --key.`,
  })
}

const sorted = (names: readonly string[]) => JSON.stringify(names.map((name) => name.toLowerCase()).sort())

function refuseKey(request: Prepare, key: readonly string[], title: string): void {
  if (key.length === 0)
    throw new Fault('INPUT_INVALID', { at: `upsert into ${title}: which columns are the key?`, remedy: 'Name them with --key.' })
  const given = new Set(request.shape.columns.map(({ name }) => name.toLowerCase()))
  const missing = key.filter((column) => !given.has(column.toLowerCase()))
  if (missing.length > 0)
    throw new Fault('COLUMN_MISMATCH', { at: `upsert into ${title}: the source has no key column ${missing.join(', ')}` })
}

function createMissing(wire: Wire, request: Prepare, name: TableName & { readonly database: string }): Made {
  const { shape, mode, run } = request
  const title = `${quoteIfNeeded(name.database)}.${quoteIfNeeded(name.table)}`
  const key = mode === 'upsert' ? (request.key.length > 0 ? request.key : shape.key) : []
  if (mode === 'upsert') refuseKey(request, key, title)
  const columns = newColumns(wire, shape, key)
  const staging = mode === 'append' ? null : stagingName(run)
  const lines = columns.map(
    (column) => `${quoteName(column.name)} ${column.native}${column.nullable ? ' null' : ' not null'}${defaultOf(column)}`,
  )
  const primary = key.length > 0 ? [`primary key (${key.map(quoteName).join(', ')})`] : []
  const body = `(${[...lines, ...primary].join(', ')}) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`
  const stagingTable = staging === null ? null : quoteTable({ database: name.database, table: staging })
  const ddl = [
    // An overwrite shows nothing before it is published: only then the staging becomes the table.
    ...(mode === 'overwrite' ? [] : [`create table if not exists ${quoteTable(name)} ${body}`]),
    ...(stagingTable === null ? [] : [`create table if not exists ${stagingTable} ${body}`]),
  ]
  const place = { database: name.database, table: name.table }
  const own: TargetFacts = {
    ...place,
    mode,
    key,
    staging,
    created: true,
    baseline: null,
    from: shape.columns,
    hexText: !['postgres', KIND].includes(shape.kind),
    ...sourceKey(request, shape.columns, columns),
  }
  const notes = [`${title} does not exist and is created.`]
  return { target: { title, encoding: encodingFor(request), columns, single: false, notes, own }, ddl }
}

/** The first TIMESTAMP of a table would otherwise set itself whenever its row changes. */
function defaultOf({ native, nullable }: Column): string {
  return /^timestamp/.test(native) && !nullable ? ` default '1970-01-01 00:00:01'` : ''
}

function encodingFor({ encodings }: Prepare): Encoding {
  const fits = encodings.find((encoding) => encoding === 'pg-text' || encoding === 'csv')
  if (fits) return fits
  throw new Fault('COPY_UNSUPPORTED', { at: 'MySQL takes rows as text only.' })
}

/** The source's own types where it is of this kind too; else what comes nearest. */
function newColumns(wire: Wire, shape: Shape, key: readonly string[]): readonly Column[] {
  const inKey = new Set(key)
  return shape.columns.map((column) => {
    if (shape.kind === KIND && knownHere(column.native, wire.isMariadb)) return column
    const nullable = column.nullable && !inKey.has(column.name)
    const native = nativeType({ type: column.type, native: column.native, inKey: inKey.has(column.name), mariadb: wire.isMariadb })
    const type = logicalType(native, { tinyint1: 'bool' })
    return { ...column, nullable, native, type: type.is === 'text' && column.type.is === 'other' ? { is: 'text' } : type }
  })
}

/** Types that only MariaDB has. */
function knownHere(native: string, mariadb: boolean): boolean {
  return mariadb || !/^(?:uuid|inet[46]|vector|xmltype)/.test(native)
}
