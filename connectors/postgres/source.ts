import { Fault } from '@postern/protocol/fault.ts'
import type { Column, CopyOptions, Digest, DigestRequest, Encoding, Part, PartStream, Shape, Snapshot, Source } from '../contract.ts'
import { digestQuery, quoteName } from '../digest.ts'
import { Gate } from '../gate.ts'
import { CopyOut } from './copy-out.ts'
import { parseTableName } from './names.ts'
import { type Range, whereOf } from './ranges.ts'
import { findRelation, type Relation, tableMissing } from './relation.ts'
import { ServerError } from './server-error.ts'
import { splitTable } from './split.ts'
import { StatementRun } from './statement-run.ts'
import { logicalType } from './types.ts'
import type { Wire } from './wire.ts'
import { type Aim, COPY_SETTINGS, type Work } from './work.ts'

const KIND = 'postgres'
const ENCODINGS: readonly Encoding[] = ['pg-binary', 'pg-text', 'csv']

/** `Shape.own`: what is read, for SQL. */
export type SourceFacts =
  | { readonly is: 'query'; readonly sql: string }
  | {
      readonly is: 'table'
      readonly sql: string
      readonly oid: string
      readonly schema: string
      readonly table: string
      /** Plain COPY of the table gives all of its rows. */
      readonly plain: boolean
      /** It has pages of its own, so that it can be cut by them. */
      readonly pages: boolean
    }

export class PostgresSource implements Source {
  readonly #work: Work
  /** Readers hold their connection until their bytes are taken; the rest is left for writers, or a copy within one store would stand still. */
  readonly #readers: Gate

  constructor(work: Work, maxConnections: number) {
    this.#work = work
    this.#readers = new Gate(Math.max(1, Math.floor((maxConnections - 1) / 2)))
  }

  describe(what: string, _options: CopyOptions, signal: AbortSignal): Promise<Shape> {
    const aim: Aim = { doing: 'copy', about: what.trim().slice(0, 200) }
    const text = what.trim()
    if (text.startsWith('(')) return this.#work.read(aim, signal, (wire) => describeQuery(wire, text))
    const name = parseTableName(text)
    return this.#work.read(aim, signal, async (wire) => {
      const relation = await findRelation(wire, name)
      if (!relation || !['r', 'p', 'v', 'm', 'f'].includes(relation.kind)) throw tableMissing(text, this.#work.place)
      return describeTable(relation)
    })
  }

  async snapshot(signal: AbortSignal): Promise<Snapshot> {
    const work = this.#work
    const wire = await work.acquire(signal)
    return work.guard(wire, { doing: 'copy', about: 'snapshot' }, signal, async () => {
      await beginRead(wire, null)
      const [row] = (await StatementRun.one(wire, 'select pg_export_snapshot()')).rows
      let open = true
      return {
        id: row?.[0] ?? '',
        async [Symbol.asyncDispose]() {
          if (!open) return
          open = false
          const ended =
            wire.alive &&
            (await StatementRun.one(wire, 'commit').then(
              () => true,
              () => false,
            ))
          work.release(wire, ended)
        },
      }
    })
  }

  split(
    shape: Shape,
    options: { readonly wanted: number | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<readonly Part[]> {
    return this.#reading(shape.title, options.snapshot, signal, (wire) => splitTable(wire, shape, factsOf(shape), options.wanted))
  }

  async read(
    request: { readonly shape: Shape; readonly part: Part; readonly encoding: Encoding; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<PartStream> {
    const { shape, part, encoding, snapshot } = request
    const aim: Aim = { doing: 'copy', about: `${shape.title}, ${part.name}` }
    const leave = await this.#readers.enter(signal)
    try {
      return await this.#startCopy(copyOutSql(shape, part, encoding), aim, snapshot, leave, signal)
    } catch (cause) {
      leave()
      throw cause
    }
  }

  async #startCopy(sql: string, aim: Aim, snapshot: string | null, leave: () => void, signal: AbortSignal): Promise<PartStream> {
    const work = this.#work
    const wire = await work.acquire(signal)
    await work.guard(wire, aim, signal, () => beginRead(wire, snapshot))
    const done = () => {
      leave()
      work.run(async () =>
        work.release(
          wire,
          await StatementRun.one(wire, 'commit').then(
            () => true,
            () => false,
          ),
        ),
      )
    }
    const left = () => {
      leave()
      work.stop(wire)
    }
    const out = await CopyOut.start({ wire, sql, fault: (cause) => work.fault(cause, aim), done, left }, signal)
    return { bytes: out.bytes, rows: () => out.rows() }
  }

  async digest(
    request: DigestRequest & { readonly shape: Shape; readonly part: Part | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<Digest> {
    const { shape, part, snapshot, columns, checksum } = request
    const from = `${fromOf(factsOf(shape))}${part ? whereOf(part.own as Range) : ''}`
    const sql = digestQuery({ dialect: 'postgres', columns, from, checksum })
    return this.#reading(shape.title, snapshot, signal, async (wire) => {
      const [row] = (await StatementRun.one(wire, sql)).rows
      return { rows: Number(row?.[0] ?? 0), checksum: row?.[1] ?? null }
    })
  }

  async #reading<Result>(
    about: string,
    snapshot: string | null,
    signal: AbortSignal,
    use: (wire: Wire) => Promise<Result>,
  ): Promise<Result> {
    const work = this.#work
    const wire = await work.acquire(signal)
    const result = await work.guard(wire, { doing: 'copy', about }, signal, async () => {
      await beginRead(wire, snapshot)
      const used = await use(wire)
      await StatementRun.one(wire, 'commit')
      return used
    })
    work.release(wire, true)
    return result
  }
}

const SNAPSHOT_ID = /^[0-9A-Fa-f]{1,16}-[0-9A-Fa-f]{1,16}-\d{1,10}$/

async function beginRead(wire: Wire, snapshot: string | null): Promise<void> {
  const begin = { sql: 'begin isolation level repeatable read read only' }
  if (snapshot === null) {
    await StatementRun.all(wire, [begin, ...COPY_SETTINGS])
    return
  }
  if (!SNAPSHOT_ID.test(snapshot)) throw new Fault('SNAPSHOT_LOST', { at: 'The name of the snapshot is not one of PostgreSQL.' })
  try {
    await StatementRun.all(wire, [begin, { sql: `set transaction snapshot '${snapshot}'` }])
  } catch (cause) {
    if (cause instanceof ServerError && ['22023', '42704', '55000'].includes(cause.code)) {
      throw new Fault('SNAPSHOT_LOST', { at: `snapshot ${snapshot}`, cause })
    }
    throw cause
  }
  await StatementRun.all(wire, COPY_SETTINGS)
}

function describeTable(relation: Relation): Shape {
  const { columns, kind } = relation
  const plain = (kind === 'r' || kind === 'm') && !relation.hasChildren && columns.every((column) => !column.generated)
  const own: SourceFacts = {
    is: 'table',
    sql: relation.sql,
    oid: relation.oid,
    schema: relation.schema,
    table: relation.table,
    plain: plain && kind === 'r',
    pages: (kind === 'r' || kind === 'm') && !relation.hasChildren,
  }
  return {
    title: relation.title,
    columns: columns.map(({ name, type, native, nullable }) => ({ name, type, native, nullable })),
    key: relation.key,
    estimatedRows: relation.rows,
    estimatedBytes: relation.bytes,
    kind: KIND,
    encodings: ENCODINGS,
    own,
  }
}

async function describeQuery(wire: Wire, text: string): Promise<Shape> {
  const sql = innerQuery(text)
  const { fields } = await StatementRun.describe(wire, sql)
  if (!fields || fields.length === 0) {
    throw new Fault('INPUT_INVALID', { at: 'The statement in brackets returns no columns.', remedy: 'Write (select ...).' })
  }
  const names = fields.map((field) => field.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new Fault('COLUMN_MISMATCH', { at: `(select ...): column "${twice}" appears twice; give each a name with AS` })
  // `(sql)` must stand as a whole: a text that is valid only because it closes the bracket early is refused here.
  await StatementRun.describe(wire, `select * from (${sql}\n) as t`)
  const types = fields.map((_, i) => `format_type($${2 * i + 1}::oid, $${2 * i + 2}::int4)`).join(', ')
  const [natives] = (
    await StatementRun.one(
      wire,
      `select ${types}`,
      fields.flatMap(({ oid, typmod }) => [oid, typmod]),
    )
  ).rows
  const columns: Column[] = fields.map(({ name, oid, typmod }, i) => ({
    name,
    type: logicalType(oid, typmod),
    native: natives?.[i] ?? 'text',
    nullable: true,
  }))
  const own: SourceFacts = { is: 'query', sql }
  const title = sql.length > 120 ? `(${sql.slice(0, 117)}...)` : `(${sql})`
  return { title, columns, key: [], estimatedRows: null, estimatedBytes: null, kind: KIND, encodings: ENCODINGS, own }
}

function innerQuery(text: string): string {
  if (!text.endsWith(')')) throw new Fault('INPUT_INVALID', { at: 'A statement in brackets must end with its bracket.' })
  return text.slice(1, -1).replace(/[\s;]+$/, '')
}

function factsOf(shape: Shape): SourceFacts {
  return shape.own as SourceFacts
}

function fromOf(facts: SourceFacts): string {
  return facts.is === 'table' ? facts.sql : `(${facts.sql}\n) as t`
}

function copyOutSql(shape: Shape, part: Part, encoding: Encoding): string {
  const facts = factsOf(shape)
  const columns = shape.columns.map((column) => quoteName(column.name)).join(', ')
  const where = whereOf(part.own as Range)
  const format = encoding === 'pg-binary' ? 'binary' : encoding === 'pg-text' ? 'text' : 'csv'
  const rows =
    facts.is === 'table' && facts.plain && where === '' ? `${facts.sql} (${columns})` : `(select ${columns} from ${fromOf(facts)}${where})`
  return `copy ${rows} to stdout (format ${format})`
}
