/** A store in memory that implements the contract: for tests of the engine where no server is needed. Cells are text without commas. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Abilities, Session } from '@postern/connectors/contract.ts'
import type {
  Column,
  Commit,
  Digest,
  DigestRequest,
  Encoding,
  Part,
  PartStream,
  PartWrite,
  Prepare,
  Shape,
  Sink,
  Slot,
  Snapshot,
  Source,
  Target,
} from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'

export type MemoryRow = readonly string[]
type Tables = ReadonlyMap<string, readonly MemoryRow[]>

export class MemoryStore implements Session {
  readonly can: Abilities = { source: { snapshot: true }, sink: { modes: ['append', 'overwrite'], exactlyOnce: true } }
  readonly tables = new Map<string, readonly MemoryRow[]>()
  readonly snapshots = new Map<string, Tables>()
  readonly source: Source = new MemorySource(this)
  readonly sink: Sink = new MemorySink(this)
  #snapshotCount = 0

  async check() {
    return { server: 'memory' }
  }

  async browse(path: string) {
    return { path, entries: [], truncated: false }
  }

  takeSnapshot(): Snapshot {
    this.#snapshotCount += 1
    const id = `snapshot-${this.#snapshotCount}`
    this.snapshots.set(id, new Map(this.tables))
    return {
      id,
      [Symbol.asyncDispose]: async () => {
        this.snapshots.delete(id)
      },
    }
  }

  rows(table: string, snapshot: string | null): readonly MemoryRow[] {
    const tables = snapshot === null ? this.tables : this.snapshots.get(snapshot)
    if (!tables) throw new Fault('SNAPSHOT_LOST', { at: `${snapshot}` })
    const rows = tables.get(table)
    if (!rows) throw new Fault('TABLE_MISSING', { at: table })
    return rows
  }

  async [Symbol.asyncDispose]() {}
}

class MemorySource implements Source {
  readonly #store: MemoryStore
  constructor(store: MemoryStore) {
    this.#store = store
  }

  async describe(what: string): Promise<Shape> {
    const rows = this.#store.rows(what, null)
    const columns = (rows[0] ?? []).map((_, index): Column => {
      return { name: `c${index}`, type: { is: 'text' }, native: 'text', nullable: false }
    })
    const size = { estimatedRows: rows.length, estimatedBytes: rows.length * 20 }
    return { title: what, columns, key: [], ...size, kind: 'memory', encodings: ['csv'], own: { table: what } }
  }

  async snapshot(): Promise<Snapshot> {
    return this.#store.takeSnapshot()
  }

  async split(shape: Shape, options: { wanted: number | null; snapshot: string | null }): Promise<readonly Part[]> {
    const rows = this.#store.rows(tableOf(shape), options.snapshot).length
    const count = Math.max(1, Math.min(options.wanted ?? 1, rows))
    const bounds = Array.from({ length: count + 1 }, (_, index) => Math.round((rows * index) / count))
    return bounds.slice(1).map((to, index) => {
      const from = bounds[index] ?? 0
      // The last part is open: rows may come while nobody looks.
      return { name: `rows ${from}…${to}`, estimatedRows: to - from, own: { from, to: index + 1 === count ? null : to } }
    })
  }

  async read(request: { shape: Shape; part: Part; snapshot: string | null }, signal: AbortSignal): Promise<PartStream> {
    const rows = this.#part(request)
    let sent = 0
    async function* lines() {
      for (const row of rows) {
        // Lets an abort in between: a real source waits for its server here.
        if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
        signal.throwIfAborted()
        sent += 1
        yield Buffer.from(`${row.join(',')}\n`)
      }
    }
    return { bytes: Readable.from(lines(), { objectMode: false }), rows: () => sent }
  }

  async digest(request: DigestRequest & { shape: Shape; part: Part | null; snapshot: string | null }): Promise<Digest> {
    const { shape, part, snapshot } = request
    return digestOf(part ? this.#part({ shape, part, snapshot }) : this.#store.rows(tableOf(shape), snapshot), request.checksum)
  }

  #part({ shape, part, snapshot }: { shape: Shape; part: Part; snapshot: string | null }): readonly MemoryRow[] {
    const { from, to } = part.own as { from: number; to: number | null }
    return this.#store.rows(tableOf(shape), snapshot).slice(from, to ?? undefined)
  }
}

class MemorySink implements Sink {
  readonly #store: MemoryStore
  readonly #staged = new Map<string, { commit: Commit; rows: readonly MemoryRow[] }>()
  readonly #published = new Set<string>()
  constructor(store: MemoryStore) {
    this.#store = store
  }

  accepts(): readonly Encoding[] {
    return ['pg-binary', 'csv']
  }

  async prepare(request: Prepare): Promise<Target> {
    const own = { table: request.where, mode: request.mode }
    return {
      title: request.where,
      encoding: request.encodings[0],
      columns: request.shape.columns,
      single: request.where.endsWith('.one'),
      notes: [],
      own,
    }
  }

  async committed(_target: Target, slot: Slot): Promise<Commit | undefined> {
    return this.#staged.get(`${slot.run}/${slot.task}`)?.commit
  }

  async write(request: PartWrite, signal: AbortSignal): Promise<Commit> {
    let text = ''
    for await (const chunk of request.bytes) text += chunk
    signal.throwIfAborted()
    const rows = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(','))
    const name = `${request.slot.run}/${request.slot.task}`
    if (this.#staged.has(name)) throw new Fault('COMMIT_LOST', { at: name })
    request.agree(rows.length)
    const commit = { rows: rows.length, bytes: text.length, attempt: request.slot.attempt }
    this.#staged.set(name, { commit, rows })
    return commit
  }

  async digest(request: DigestRequest & { run: string }): Promise<Digest> {
    return digestOf(this.#rowsOf(request.run), request.checksum)
  }

  async publish({ target, run }: { target: Target; run: string }): Promise<void> {
    if (this.#published.has(run)) return
    const { table, mode } = target.own as { table: string; mode: string }
    const before = mode === 'append' ? (this.#store.tables.get(table) ?? []) : []
    this.#store.tables.set(table, [...before, ...this.#rowsOf(run)])
    this.#published.add(run)
    this.#forget(run)
  }

  async published(_target: Target, run: string): Promise<boolean> {
    return this.#published.has(run)
  }

  async discard(_target: Target, run: string): Promise<void> {
    this.#forget(run)
  }

  #rowsOf(run: string): readonly MemoryRow[] {
    return [...this.#staged].filter(([name]) => name.startsWith(run)).flatMap(([, { rows }]) => rows)
  }

  #forget(run: string): void {
    for (const name of this.#staged.keys()) if (name.startsWith(run)) this.#staged.delete(name)
  }
}

function tableOf(shape: Shape): string {
  return (shape.own as { table: string }).table
}

function digestOf(rows: readonly MemoryRow[], checksum: boolean): Digest {
  let sum = 0n
  if (checksum) for (const row of rows) sum += BigInt(`0x${createHash('md5').update(row.join(',')).digest('hex').slice(0, 15)}`)
  return { rows: rows.length, checksum: checksum ? `${sum}` : null }
}
