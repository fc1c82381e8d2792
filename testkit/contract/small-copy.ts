import type { Readable } from 'node:stream'
import type { Session } from '@postern/connectors/contract.ts'
import type { Encoding, Part, Shape, Target } from '@postern/connectors/copy-contract.ts'
import { expect } from 'vitest'
import { limit, required } from './suite.ts'

interface CopyOptions {
  readonly what: string
  readonly where: string
  readonly mode: 'append' | 'overwrite' | 'upsert'
  readonly key?: readonly string[]
  readonly encoding?: Encoding
  readonly verify?: 'none' | 'counts' | 'checksum'
}

let runs = 0

/** A small copy within one store, step by step, as the engine does it. */
export class SmallCopy {
  readonly run: string
  readonly where: string
  readonly #session: Session
  readonly #shape: Shape
  readonly #target: Target
  readonly #parts: readonly Part[]
  readonly #done: { part: number; task: string; commit: Awaited<ReturnType<SmallCopy['write']>> }[] = []

  private constructor(session: Session, made: { run: string; where: string; shape: Shape; target: Target; parts: readonly Part[] }) {
    this.#session = session
    this.run = made.run
    this.where = made.where
    this.#shape = made.shape
    this.#target = made.target
    this.#parts = made.parts
  }

  static async prepare(session: Session, options: CopyOptions): Promise<SmallCopy> {
    const { what, where, mode, key = [], verify = 'counts' } = options
    runs += 1
    const run = `run_${String(process.pid).padStart(10, '0')}${String(runs).padStart(10, '0')}`
    const source = required(session.source)
    const shape = await source.describe(what, {}, limit())
    const shared = sharedEncodings(session, shape, where)
    const first = options.encoding ?? required(shared[0])
    const encodings = [first, ...shared.filter((encoding) => encoding !== first)] as const
    const target = await required(session.sink).prepare({ run, shape, where, mode, key, encodings, verify }, limit())
    const again = await required(session.sink).prepare({ run, shape, where, mode, key, encodings, verify }, limit())
    expect(again).toEqual(target)
    expect(JSON.parse(JSON.stringify(target))).toEqual(target)
    const parts = await source.split(shape, { wanted: 1, snapshot: null }, limit())
    return new SmallCopy(session, { run, where, shape, target, parts })
  }

  async all(): Promise<void> {
    for (const index of this.#parts.keys()) await this.write(index, 1)
  }

  async write(part: number, attempt: number) {
    const request = { shape: this.#shape, part: required(this.#parts[part]), encoding: this.#target.encoding, snapshot: null }
    const stream = await required(this.#session.source).read(request, limit())
    try {
      return await this.writeBytes(part, attempt, stream.bytes)
    } finally {
      stream.bytes.destroy()
    }
  }

  async writeBytes(part: number, attempt: number, bytes: Readable) {
    const task = this.#task(part)
    const request = { target: this.#target, slot: { run: this.run, task, attempt }, part, bytes, agree: () => undefined }
    const commit = await required(this.#session.sink).write(request, limit())
    this.#done.push({ part, task, commit })
    return commit
  }

  committed(part: number) {
    return required(this.#session.sink).committed(this.#target, { run: this.run, task: this.#task(part), attempt: 9 }, limit())
  }

  digest(checksum: boolean) {
    return required(this.#session.sink).digest({ target: this.#target, run: this.run, columns: this.#target.columns, checksum }, limit())
  }

  async publish(): Promise<void> {
    await required(this.#session.sink).publish({ target: this.#target, run: this.run, parts: this.#done }, limit())
    const published = this.#session.sink?.published
    if (published) expect(await published.call(this.#session.sink, this.#target, this.run, limit())).toBe(true)
  }

  discard(): Promise<void> {
    return required(this.#session.sink).discard(this.#target, this.run, limit())
  }

  #task(part: number): string {
    return `tsk_${this.run.slice(4, 20)}${String(part).padStart(4, '0')}`
  }
}

export function sharedEncodings(session: Session, shape: Shape, where: string): readonly Encoding[] {
  const accepted = required(session.sink).accepts(shape, where)
  return accepted.filter((encoding) => shape.encodings.includes(encoding))
}
