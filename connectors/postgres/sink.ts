import type { Clock } from '@postern/base/clock.ts'
import type {
  Commit,
  CopyOptions,
  Digest,
  DigestRequest,
  Encoding,
  Expected,
  Extent,
  PartWrite,
  Prepare,
  Shape,
  Sink,
  Slot,
  Target,
} from '../copy-contract.ts'
import { quoteName } from '../digest.ts'
import { copyRows } from './copy-rows.ts'
import { parseTableName, quoteTable } from './names.ts'
import { added, partDigests } from './part-digests.ts'
import { digestOf, prepareTarget, type TargetFacts } from './prepare.ts'
import { publishRun } from './publish.ts'
import { type PublishedRun, publishedDigests } from './published.ts'
import {
  commitOf,
  commitQuestion,
  committedRows,
  committedRowsQuestion,
  forgetRun,
  recordCommit,
  recordedRun,
  recordOf,
  recordQuestion,
} from './record.ts'
import { relationOf, relationQuestions } from './relation.ts'
import { StatementRun } from './statement-run.ts'
import type { Aim, Work } from './work.ts'

const FORMAT = { 'pg-binary': 'binary', 'pg-text': 'text', csv: 'csv', 'csv-raw': 'csv', file: 'csv' } as const satisfies Record<
  Encoding,
  string
>

/** Runs of long ago are forgotten by the first that prepares, and then so often. */
const SWEEP_MS = 3_600_000

export class PostgresSink implements Sink {
  readonly #work: Work
  readonly #clock: Clock
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(work: Work, clock: Clock) {
    this.#work = work
    this.#clock = clock
  }

  accepts(shape: Shape, where: string): readonly Encoding[] {
    parseTableName(where)
    return shape.kind === 'postgres' ? ['pg-binary', 'pg-text', 'csv'] : ['pg-text', 'csv-raw', 'csv']
  }

  async expects(where: string, _options: CopyOptions, signal: AbortSignal): Promise<Expected> {
    const found = relationOf(await this.#work.ask(aimOf(where), signal, relationQuestions(parseTableName(where))))
    if (!found) return {}
    return { columns: found.columns.map(({ name, type, native, nullable }) => ({ name, type, native, nullable })) }
  }

  async prepare(request: Prepare, signal: AbortSignal): Promise<Target> {
    const now = this.#clock.monotonic()
    const sweep = now - this.#sweptAt >= SWEEP_MS
    const target = await this.#work.write(aimOf(request.where), signal, (wire) => prepareTarget(wire, request, sweep))
    if (sweep) this.#sweptAt = now
    return target
  }

  async committed(target: Target, slot: Slot, signal: AbortSignal): Promise<Commit | undefined> {
    const [record = []] = await this.#work.ask(aimOf(target.title), signal, [commitQuestion(slot)])
    return commitOf(record)
  }

  async write(request: PartWrite, signal: AbortSignal): Promise<Commit> {
    const { target, slot, bytes, agree, skip } = request
    // CopyIn hears a failure even if it came before; until then it must not end the process.
    bytes.on('error', () => undefined)
    const work = this.#work
    const columns = target.columns.map((column) => quoteName(column.name)).join(', ')
    const into = { table: tableOf(factsOf(target)), columns, format: FORMAT[target.encoding] }
    const wire = await work.acquire(signal)
    const commit = await work.guard(wire, aimOf(target.title), signal, async () => {
      work.beginWrite(wire)
      const published = request.replaces ? await publishedRun(wire, target, slot.run) : undefined
      const where = published ? { ...into, table: quoteTable(published.facts) } : into
      const { rows, bytes: size } = await copyRows(wire, where, request, published)
      agree(rows)
      await skip?.settle()
      const skipped = skip?.count ?? 0
      const done: Commit = { rows, bytes: size, attempt: slot.attempt, ...(skipped > 0 && { skipped }) }
      await recordCommit(wire, slot, done)
      return done
    })
    work.release(wire, true)
    return commit
  }

  async digest(request: DigestRequest & { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<Digest> {
    const { target, run, columns, checksum } = request
    const facts = factsOf(target)
    if (facts.staging === null && !checksum) {
      const [[row] = []] = await this.#work.ask(aimOf(target.title), signal, [committedRowsQuestion(run)])
      return { rows: Number(row?.[0] ?? 0), checksum: null }
    }
    return await this.#work.read(aimOf(target.title), signal, async (wire) => {
      const table = tableOf(facts)
      if (facts.staging !== null) {
        const gone = (await recordedRun(wire, run))?.published === true
        return gone ? { rows: await committedRows(wire, run), checksum: null } : await digestOf(wire, table, columns, checksum)
      }
      return added([...(await partDigests(wire, { table, run, columns, checksum })).values()], checksum)
    })
  }

  digestParts(
    request: DigestRequest & {
      readonly target: Target
      readonly run: string
      readonly parts: readonly { readonly task: string; readonly again: boolean; readonly extent?: Extent }[]
    },
    signal: AbortSignal,
  ): Promise<readonly Digest[]> {
    const { target, run, columns, checksum, parts } = request
    const table = tableOf(factsOf(target))
    return this.#work.read(aimOf(target.title), signal, async (wire) => {
      const published = await publishedRun(wire, target, run)
      if (published) return publishedDigests(wire, published, request)
      const digests = await partDigests(wire, { table, run, columns, checksum })
      return parts.map(({ task }) => digests.get(task) ?? added([], checksum))
    })
  }

  async published(target: Target, run: string, signal: AbortSignal): Promise<boolean> {
    const [record = []] = await this.#work.ask(aimOf(target.title), signal, [recordQuestion(run)])
    return recordOf(record)?.published === true
  }

  publish(request: { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<void> {
    const { target, run } = request
    return publishRun(this.#work, { aim: aimOf(target.title), target, facts: factsOf(target), run }, signal)
  }

  /** Rows that were appended are in the table for good, so their records stay: a run that goes on must know of them. */
  discard(target: Target, run: string, signal: AbortSignal): Promise<void> {
    const facts = factsOf(target)
    return this.#work.write(aimOf(target.title), signal, async (wire) => {
      const record = await recordedRun(wire, run)
      if (!record || record.published) return
      if (facts.staging !== null) await StatementRun.one(wire, `drop table if exists ${tableOf(facts)}`)
      const rows = await committedRows(wire, run)
      if (facts.staging !== null || rows === 0) await forgetRun(wire, run)
      if (facts.created && (facts.staging !== null || rows === 0)) await dropIfEmpty(wire, facts)
    })
  }
}

type Wire = Parameters<typeof digestOf>[0]

/** Undefined of rows that are where they were written: they were appended, or are not published yet. */
async function publishedRun(wire: Wire, target: Target, run: string): Promise<PublishedRun | undefined> {
  const facts = factsOf(target)
  const record = facts.staging === null ? undefined : await recordedRun(wire, run)
  return record?.published ? { target, facts, run, writer: record.writer } : undefined
}

async function dropIfEmpty(wire: Wire, facts: TargetFacts): Promise<void> {
  const table = quoteTable({ schema: facts.schema, table: facts.table })
  const [there] = (await StatementRun.one(wire, 'select to_regclass($1) is not null', [table])).rows
  if (there?.[0] !== 't') return
  const [row] = (await StatementRun.one(wire, `select exists (select from ${table})`)).rows
  if (row?.[0] === 'f') await StatementRun.one(wire, `drop table ${table}`)
}

function aimOf(title: string): Aim {
  return { doing: 'copy', about: title }
}

export function factsOf(target: Target): TargetFacts {
  return target.own as TargetFacts
}

/** Where parts are written. */
function tableOf({ schema, table, staging }: TargetFacts): string {
  return quoteTable({ schema, table: staging ?? table })
}
