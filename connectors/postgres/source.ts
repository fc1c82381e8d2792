import { Fault } from '@postern/protocol/fault.ts'
import type { Column, CopyOptions, Digest, DigestRequest, Encoding, Part, PartStream, Shape, Snapshot, Source } from '../copy-contract.ts'
import { digestQuery } from '../digest.ts'
import { Gate } from '../gate.ts'
import { CopyOut } from './copy-out.ts'
import { parseTableName } from './names.ts'
import { type Relation, relationOf, relationQuestions, tableMissing } from './relation.ts'
import { beginRead, causeUnder, exportSnapshot } from './snapshot.ts'
import { copyOutSql, factsOf, fromOf, type SourceFacts } from './source-facts.ts'
import { cutOf, splitTable, whole } from './split.ts'
import { StatementRun } from './statement-run.ts'
import { logicalType } from './types.ts'
import { narrowAbove } from './watermark.ts'
import type { Wire } from './wire.ts'
import { type Aim, COMMIT, type Work } from './work.ts'

const KIND = 'postgres'
const ENCODINGS: readonly Encoding[] = ['pg-binary', 'pg-text', 'csv']

type SplitOptions = Parameters<Source['split']>[1]

export class PostgresSource implements Source {
  readonly #work: Work
  /** Readers hold their connection until their bytes are taken; the rest is left for writers, or a copy within one store would stand still. */
  readonly #readers: Gate

  constructor(work: Work, maxConnections: number) {
    this.#work = work
    this.#readers = new Gate(Math.max(1, Math.floor((maxConnections - 1) / 2)))
  }

  async describe(what: string, _options: CopyOptions, signal: AbortSignal): Promise<Shape> {
    const aim: Aim = { doing: 'copy', about: what.trim().slice(0, 200) }
    const text = what.trim()
    if (text.startsWith('(')) return await this.#work.read(aim, signal, (wire) => describeQuery(wire, text))
    const relation = relationOf(await this.#work.ask(aim, signal, relationQuestions(parseTableName(text))))
    if (!relation || !['r', 'p', 'v', 'm', 'f'].includes(relation.kind)) throw tableMissing(text, this.#work.place)
    return describeTable(relation)
  }

  snapshot(signal: AbortSignal): Promise<Snapshot> {
    return exportSnapshot(this.#work, signal)
  }

  async split(shape: Shape, { wanted, snapshot, splitBy }: SplitOptions, signal: AbortSignal): Promise<readonly Part[]> {
    const cut = cutOf(shape, { wanted, splitBy })
    if (cut.parts <= 1) return whole(shape)
    return await this.#reading(shape.title, snapshot, signal, (wire) => splitTable(wire, shape, factsOf(shape), cut))
  }

  above(
    request: { readonly shape: Shape; readonly column: string; readonly from: string | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<{ readonly shape: Shape; readonly to: string | null }> {
    const { shape, column, from, snapshot } = request
    return this.#reading(shape.title, snapshot, signal, (wire) => narrowAbove(wire, shape, column, from))
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
    await work.guard(wire, aim, signal, async () => beginRead(wire, snapshot))
    const done = () => {
      leave()
      work.run(async () =>
        work.release(
          wire,
          await StatementRun.all(wire, [COMMIT]).then(
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
    const fault = (cause: unknown) => work.fault(causeUnder(wire, snapshot, cause), aim)
    const out = await CopyOut.start({ wire, sql, fault, done, left }, signal)
    return { bytes: out.bytes, rows: () => out.rows() }
  }

  async digest(
    request: DigestRequest & { readonly shape: Shape; readonly part: Part | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<Digest> {
    const { shape, part, snapshot, columns, checksum } = request
    const sql = digestQuery({ dialect: 'postgres', columns, from: fromOf(factsOf(shape), part), checksum })
    // Of parts there are many at a time.
    const leave = part ? await this.#readers.enter(signal) : () => undefined
    try {
      return await this.#under(shape.title, snapshot, signal, async (wire) => {
        const [[row] = []] = await StatementRun.each(wire, [{ sql }, COMMIT])
        return { rows: Number(row?.[0] ?? 0), checksum: row?.[1] ?? null }
      })
    } finally {
      leave()
    }
  }

  #reading<Result>(about: string, snapshot: string | null, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    return this.#under(about, snapshot, signal, async (wire) => {
      const used = await use(wire)
      await StatementRun.all(wire, [COMMIT])
      return used
    })
  }

  /** `use` ends with the commit. */
  async #under<Result>(about: string, snapshot: string | null, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    const work = this.#work
    const wire = await work.acquire(signal)
    const result = await work.guard(wire, { doing: 'copy', about }, signal, async () => {
      beginRead(wire, snapshot)
      return await use(wire).catch((cause: unknown) => {
        throw causeUnder(wire, snapshot, cause)
      })
    })
    work.release(wire, true)
    return result
  }
}

function describeTable(relation: Relation): Shape {
  const { columns, kind } = relation
  const plain = (kind === 'r' || kind === 'm') && !relation.hasChildren && columns.every((column) => !column.generated)
  const own: SourceFacts = {
    is: 'table',
    sql: relation.sql,
    oid: relation.oid,
    kind,
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
