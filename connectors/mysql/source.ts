import { Fault } from '@postern/protocol/fault.ts'
import type { Column, CopyOptions, Digest, DigestRequest, Encoding, Part, PartStream, Shape, Snapshot, Source } from '../copy-contract.ts'
import { withCopyOptions } from '../copy-options.ts'
import { digestQuery } from '../digest.ts'
import { Gate } from '../gate.ts'
import { readCell } from './cells.ts'
import { atOneMoment, describeQuery, describeTable, fromOf, type SourceFacts } from './describe.ts'
import { MysqlConfig } from './index.ts'
import { Moments } from './moments.ts'
import { parseTableName } from './names.ts'
import { findRelation } from './relation.ts'
import { refuseLong } from './row-length.ts'
import { RowWriter } from './row-writer.ts'
import { RowsOut, type RowsOutParts } from './rows-out.ts'
import { type Range, splitTable, whereOf } from './split.ts'
import { StatementRun } from './statement-run.ts'
import { narrowAbove } from './watermark.ts'
import type { Wire } from './wire.ts'
import { type Aim, beginRead, prepareSession, type Work } from './work.ts'

export class MysqlSource implements Source {
  readonly #work: Work
  readonly #config: MysqlConfig
  /** Readers hold their connection until their bytes are taken; the rest is left for writers, or a copy within one store would stand still. */
  readonly #readers: Gate
  readonly #moments: Moments

  constructor(work: Work, config: MysqlConfig) {
    this.#work = work
    this.#config = config
    this.#readers = new Gate(Math.max(1, Math.floor((config.maxConnections - 1) / 2)))
    this.#moments = new Moments(work, config.maxConnections)
  }

  /** What is held ends with the session. */
  close(): void {
    this.#moments.close()
  }

  describe(what: string, options: CopyOptions, signal: AbortSignal): Promise<Shape> {
    const text = what.trim()
    const aim: Aim = { doing: 'copy', about: text.slice(0, 200) }
    const how = withCopyOptions(MysqlConfig, this.#config, options, 'read')
    if (text.startsWith('(')) return this.#work.read(aim, signal, (wire) => describeQuery(wire, text, how))
    const name = parseTableName(text)
    const { database, place } = this.#work
    return this.#work.read(aim, signal, async (wire) => {
      const relation = await findRelation(wire, { ...name, database: name.database ?? database }, how)
      if (!relation || relation.columns.length === 0) throw new Fault('TABLE_MISSING', { at: `${text} at ${place}` })
      const shape = describeTable(relation, how)
      return how.consistent ? atOneMoment(wire, relation, shape, how) : shape
    })
  }

  /** Of a shape that says so. */
  hold(shape: Shape, signal: AbortSignal): Promise<Snapshot> {
    return this.#moments.take(shape, signal)
  }

  split(
    shape: Shape,
    options: { readonly wanted: number | null; readonly snapshot: string | null; readonly splitBy?: string },
    signal: AbortSignal,
  ): Promise<readonly Part[]> {
    return this.#reading(shape.title, options.snapshot, signal, (wire) => splitTable(wire, shape, factsOf(shape), options))
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
    if (encoding !== 'pg-text' && encoding !== 'csv') throw new Fault('COPY_UNSUPPORTED', { at: `${encoding} of ${shape.title}` })
    const aim: Aim = { doing: 'copy', about: `${shape.title}, ${part.name}` }
    const reader = snapshot === null ? await this.#ownMoment(aim, signal) : await this.#sharedMoment(snapshot, aim, signal)
    const facts = factsOf(shape)
    const cells = shape.columns.map((column) => readCell(column, facts))
    const writer = new RowWriter(
      cells.map(({ form }) => form),
      encoding,
    )
    const sql = `select ${cells.map((cell) => cell.sql).join(', ')} from ${fromOf(facts, whereOf(part.own as Range))}`
    const out = await RowsOut.start({ ...reader, sql, writer }, signal)
    return { bytes: out.bytes, rows: () => out.rows() }
  }

  async #ownMoment(aim: Aim, signal: AbortSignal): Promise<Reader> {
    const work = this.#work
    const leave = await this.#readers.enter(signal)
    try {
      const wire = await work.acquire(signal)
      await work.guard(wire, aim, signal, async () => {
        await prepareSession(wire)
        await beginRead(wire)
      })
      const then = (after: (wire: Wire) => void) => () => {
        leave()
        after(wire)
      }
      return {
        wire,
        fault: (cause) => work.fault(cause, aim),
        done: then((used) => work.release(used)),
        left: then((used) => work.stop(used)),
      }
    } catch (cause) {
      leave()
      throw cause
    }
  }

  async #sharedMoment(snapshot: string, aim: Aim, signal: AbortSignal): Promise<Reader> {
    const { wire, leave } = await this.#moments.enter(snapshot, signal)
    const left = () => {
      leave(false)
      this.#work.stop(wire)
    }
    return { wire, fault: (cause) => this.#moments.fault(cause, aim), done: () => leave(true), left }
  }

  digest(
    request: DigestRequest & { readonly shape: Shape; readonly part: Part | null; readonly snapshot: string | null },
    signal: AbortSignal,
  ): Promise<Digest> {
    const { shape, part, columns, checksum, snapshot } = request
    const facts = factsOf(shape)
    const from = fromOf(facts, part ? whereOf(part.own as Range) : '')
    return this.#reading(shape.title, snapshot, signal, (wire) => digestOf(wire, from, columns, checksum, facts))
  }

  #reading<Result>(about: string, snapshot: string | null, signal: AbortSignal, use: (wire: Wire) => Promise<Result>): Promise<Result> {
    const aim: Aim = { doing: 'copy', about }
    return snapshot === null ? this.#work.read(aim, signal, use) : this.#moments.read(snapshot, aim, signal, use)
  }
}

/** A session in the transaction in which a part is read. */
type Reader = Pick<RowsOutParts, 'wire' | 'fault' | 'done' | 'left'>

function factsOf(shape: Shape): SourceFacts {
  return shape.own as SourceFacts
}

export async function digestOf(
  wire: Wire,
  from: string,
  columns: readonly Column[],
  checksum: boolean,
  facts: Pick<SourceFacts, 'zeroDates'> = { zeroDates: 'refuse' },
): Promise<Digest> {
  const seen = facts.zeroDates === 'null' && checksum ? withoutZeroDates(from, columns, facts) : from
  const [row] = (await StatementRun.one(wire, digestQuery({ dialect: 'mysql', columns, from: seen, checksum }))).rows
  const sum = row?.[1] ?? null
  if (sum) refuseLong(sum)
  return { rows: Number(row?.[0] ?? 0), checksum: sum }
}

/** The rows as they were read. */
function withoutZeroDates(from: string, columns: readonly Column[], facts: Pick<SourceFacts, 'zeroDates'>): string {
  const cells = columns.map((column) => {
    const { sql } = readCell(column, facts)
    const name = `\`${column.name.replaceAll('`', '``')}\``
    return column.type.is === 'date' || column.type.is === 'timestamp' || column.type.is === 'timestamptz' ? `${sql} as ${name}` : name
  })
  return `(select ${cells.join(', ')} from ${from}) as seen`
}
