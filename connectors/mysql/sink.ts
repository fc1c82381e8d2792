import type {
  Commit,
  CopyOptions,
  Digest,
  DigestRequest,
  Encoding,
  Expected,
  PartWrite,
  Prepare,
  Shape,
  Sink,
  Slot,
  Target,
} from '../copy-contract.ts'
import { factsOf, type TargetFacts } from './facts.ts'
import { loadRows, RowWarning } from './load-rows.ts'
import { loadSql } from './load-sql.ts'
import { parseTableName, quoteTable } from './names.ts'
import { type PartRows, partDigests, refuseRepair, tableOf, takeOut, tellsApart } from './part-rows.ts'
import { prepareTarget } from './prepare.ts'
import { dropAsides, exists, publishRun } from './publish.ts'
import { type ByKey, isPublished, makeAside, putRight, putRightBy } from './published.ts'
import { commitLost, committedPart, committedRows, forgetRun, recordCommit, recordedRun, recordsOf } from './record.ts'
import { findRelation } from './relation.ts'
import { digestOf } from './source.ts'
import { StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'
import { type Aim, prepareSession, type Work } from './work.ts'

export class MysqlSink implements Sink {
  readonly #work: Work

  constructor(work: Work) {
    this.#work = work
  }

  accepts(_shape: Shape, where: string): readonly Encoding[] {
    parseTableName(where)
    return ['pg-text', 'csv']
  }

  expects(where: string, _options: CopyOptions, signal: AbortSignal): Promise<Expected> {
    const name = parseTableName(where)
    const { database } = this.#work
    return this.#work.read(aimOf(where), signal, async (wire) => {
      const found = await findRelation(wire, { ...name, database: name.database ?? database }, { tinyint1: 'bool' })
      return found
        ? { columns: found.columns.map(({ name: column, type, native, nullable }) => ({ name: column, type, native, nullable })) }
        : {}
    })
  }

  prepare(request: Prepare, signal: AbortSignal): Promise<Target> {
    return this.#work.session(aimOf(request.where), signal, (wire) => prepareTarget(wire, request, this.#work.database))
  }

  committed(target: Target, slot: Slot, signal: AbortSignal): Promise<Commit | undefined> {
    const records = recordsOf(factsOf(target).database)
    return this.#work.read(aimOf(target.title), signal, (wire) => committedPart(wire, records, slot))
  }

  async write(request: PartWrite, signal: AbortSignal): Promise<Commit> {
    const { target, slot, bytes, agree, skip, replaces } = request
    // LoadIn hears a failure even if it came before; until then it must not end the process.
    bytes.on('error', () => undefined)
    const work = this.#work
    const facts = factsOf(target)
    const wire = await work.acquire(signal)
    const commit = await work.guard(wire, aimOf(target.title), signal, async () => {
      await prepareSession(wire)
      const again = replaces && (await publishedAs(wire, target, slot.run))
      const aside = again && (await makeAside(wire, facts, again))
      await StatementRun.one(wire, 'start transaction read write')
      const records = recordsOf(facts.database)
      const published = again !== undefined
      if (replaces) await takeOut(wire, records, { target, run: slot.run, tasks: replaces, extent: request.extent, published })
      const sql = loadSql(aside ?? tableOf(facts), {
        from: facts.from,
        into: target.columns,
        mariadb: wire.isMariadb,
        hexText: facts.hexText,
        replace: replaces !== undefined && facts.staging === null,
      })
      const loaded = await loadRows(wire, sql, request).catch(async (cause: unknown) => {
        if (!(cause instanceof RowWarning)) throw cause
        // Keys that are there twice may be those of another attempt, which was first.
        throw (await committedPart(wire, records, slot)) ? commitLost(slot, cause.fault(target.title)) : cause.fault(target.title)
      })
      if (again && aside) await putRight(wire, target, aside, again)
      agree(loaded.rows)
      await skip?.settle()
      const skipped = skip?.count ?? 0
      const done: Commit = { ...loaded, attempt: slot.attempt, ...(skipped > 0 && { skipped }) }
      await recordCommit(wire, records, slot, done)
      await StatementRun.one(wire, 'commit')
      return done
    })
    work.release(wire)
    return commit
  }

  digest(request: DigestRequest & { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<Digest> {
    const { target, run, columns, checksum } = request
    const facts = factsOf(target)
    const records = recordsOf(facts.database)
    return this.#work.read(aimOf(target.title), signal, async (wire) => {
      const gone = facts.staging !== null && (await isPublished(wire, facts, run))
      if (gone || (facts.mode === 'append' && !checksum)) return { rows: await committedRows(wire, records, run), checksum: null }
      const now = await digestOf(wire, tableOf(facts), columns, checksum)
      return facts.staging === null && checksum ? added(facts, now) : now
    })
  }

  tellsApart(target: Target, parts: readonly PartRows[]): boolean {
    return tellsApart(target, parts)
  }

  digestParts(
    request: DigestRequest & { readonly target: Target; readonly run: string; readonly parts: readonly PartRows[] },
    signal: AbortSignal,
  ): Promise<readonly Digest[]> {
    const { target, run } = request
    const facts = factsOf(target)
    return this.#work.read(aimOf(target.title), signal, async (wire) => {
      const table = (await publishedAs(wire, target, run)) ? quoteTable(facts) : tableOf(facts)
      return await partDigests(wire, { ...request, table })
    })
  }

  refuseRepair(target: Target): void {
    refuseRepair(target)
  }

  published(target: Target, run: string, signal: AbortSignal): Promise<boolean> {
    return this.#work.read(aimOf(target.title), signal, (wire) => isPublished(wire, factsOf(target), run))
  }

  publish(request: { readonly target: Target; readonly run: string }, signal: AbortSignal): Promise<void> {
    const { target, run } = request
    return this.#work.session(aimOf(target.title), signal, (wire) => publishRun(wire, { target, facts: factsOf(target), run }))
  }

  /** Rows that were appended are in the table for good, so their records stay: a run that goes on must know of them. */
  discard(target: Target, run: string, signal: AbortSignal): Promise<void> {
    const facts = factsOf(target)
    const records = recordsOf(facts.database)
    return this.#work.session(aimOf(target.title), signal, async (wire) => {
      const record = await recordedRun(wire, records, run)
      // Also what publishing left that was cut short after the table had been swapped.
      if (facts.staging !== null) await dropAsides(wire, facts, run)
      if (!record || record.published) return
      const rows = await committedRows(wire, records, run)
      if (facts.created && (facts.staging !== null || rows === 0)) await dropIfEmpty(wire, facts)
      if (facts.staging !== null || rows === 0) await forgetRun(wire, records, run)
    })
  }
}

/** Undefined of rows that are where they were written: they were appended, or are not published yet. */
async function publishedAs(wire: Wire, target: Target, run: string): Promise<ByKey | undefined> {
  const facts = factsOf(target)
  return facts.staging !== null && (await isPublished(wire, facts, run)) ? await putRightBy(wire, target) : undefined
}

async function dropIfEmpty(wire: Wire, facts: TargetFacts): Promise<void> {
  if (!(await exists(wire, facts.database, facts.table))) return
  const table = quoteTable(facts)
  const [row] = (await StatementRun.one(wire, `select 1 from ${table} limit 1`)).rows
  if (!row) await StatementRun.one(wire, `drop table ${table}`)
}

function aimOf(title: string): Aim {
  return { doing: 'copy', about: title }
}

function added({ baseline }: TargetFacts, now: Digest): Digest {
  if (!baseline) return now
  const sum = BigInt(now.checksum ?? '0') - BigInt(baseline.checksum ?? '0')
  return { rows: now.rows - baseline.rows, checksum: String(sum) }
}
