/** A sink with a defect planted in it, around a sink that has none: verification must find it. Works on text encodings. */
import { PassThrough, Readable } from 'node:stream'
import type { Commit, Digest, Prepare, Sink, Slot, Target } from '@postern/connectors/copy-contract.ts'

/** Whole rows in, whole rows out. */
export type Spoil = (rows: readonly string[]) => readonly string[]

export const DEFECTS = {
  'drops the last row': (rows) => rows.slice(0, -1),
  'writes a row twice': (rows) => [...rows, ...rows.slice(0, 1)],
  'swaps two columns': (rows) => rows.map((row) => cells(row, ([first = '', second = '', ...rest]) => [second, first, ...rest])),
  'cuts off text': (rows) =>
    rows.map((row) => cells(row, (each) => each.map((cell, at) => (at === each.length - 1 ? cell.slice(0, -1) : cell)))),
  'writes one row in place of another': (rows) => rows.map((row, at) => (at === 1 ? (rows[0] ?? row) : row)),
} as const satisfies Record<string, Spoil>

function cells(row: string, change: (cells: readonly string[]) => readonly string[]): string {
  const by = row.includes('\t') ? '\t' : ','
  return change(row.split(by)).join(by)
}

export interface SpoiledSinkParts {
  readonly inner: Sink
  readonly spoil: Spoil
  /** Says that it wrote as many rows as it was given: then only the digests can tell. */
  readonly lies: boolean
}

export class SpoiledSink implements Sink {
  readonly digestParts?: NonNullable<Sink['digestParts']>
  readonly tellsApart: NonNullable<Sink['tellsApart']>
  readonly refuseRepair: NonNullable<Sink['refuseRepair']>
  readonly #parts: SpoiledSinkParts
  constructor(parts: SpoiledSinkParts) {
    this.#parts = parts
    const { inner } = parts
    this.tellsApart = (target, apart) => inner.tellsApart?.(target, apart) ?? true
    this.refuseRepair = (target) => inner.refuseRepair?.(target)
    if (inner.digestParts) this.digestParts = (request, signal) => inner.digestParts?.(request, signal) ?? Promise.resolve([])
  }

  accepts(...given: Parameters<Sink['accepts']>) {
    return this.#parts.inner.accepts(...given).filter((encoding) => encoding !== 'pg-binary')
  }

  prepare(request: Prepare, signal: AbortSignal): Promise<Target> {
    return this.#parts.inner.prepare(request, signal)
  }

  committed(target: Target, slot: Slot, signal: AbortSignal): Promise<Commit | undefined> {
    return this.#parts.inner.committed(target, slot, signal)
  }

  async write(request: Parameters<Sink['write']>[0], signal: AbortSignal): Promise<Commit> {
    const { inner, spoil, lies } = this.#parts
    let text = ''
    for await (const chunk of request.bytes) text += chunk
    const given = text.split('\n').slice(0, -1)
    const written = Readable.from([
      Buffer.from(
        spoil(given)
          .map((row) => `${row}\n`)
          .join(''),
      ),
    ])
    const agree = lies ? () => request.agree(given.length) : request.agree
    const commit = await inner.write({ ...request, bytes: written.pipe(new PassThrough()), agree }, signal)
    return lies ? { ...commit, rows: given.length } : commit
  }

  digest(request: Parameters<Sink['digest']>[0], signal: AbortSignal): Promise<Digest> {
    return this.#parts.inner.digest(request, signal)
  }

  publish(request: Parameters<Sink['publish']>[0], signal: AbortSignal): Promise<void> {
    return this.#parts.inner.publish(request, signal)
  }

  async published(target: Target, run: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#parts.inner.published?.(target, run, signal)) ?? false
  }

  discard(target: Target, run: string, signal: AbortSignal): Promise<void> {
    return this.#parts.inner.discard(target, run, signal)
  }
}
