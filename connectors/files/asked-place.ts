/**
 * Where the files of a query are, when they are not on this machine: the query process has neither the store's credential nor its
 * SDK. It asks the node, which looks, and copies what a statement reads into the one folder that DuckDB may read.
 */
import { Fault, type FaultJson } from '@postern/protocol/fault.ts'
import type { FoundFile, LocalFiles, PlaceEntry, PlaceView } from './place.ts'

/** What may be asked: the first of a call's arguments, the last one is the signal of whoever answers. */
const METHODS = ['file', 'names', 'match', 'text', 'local'] as const
type Method = (typeof METHODS)[number]

export interface PlaceQuestion {
  readonly type: 'ask'
  readonly slot: number
  readonly id: number
  readonly method: Method
  readonly args: readonly unknown[]
}

export interface PlaceAnswer {
  readonly type: 'told'
  readonly slot: number
  readonly id: number
  readonly value?: unknown
  readonly fault?: FaultJson
}

/** The process's side. */
export class AskedPlace implements PlaceView {
  readonly #slot: number
  readonly #send: (question: PlaceQuestion) => void
  readonly #open = new Map<number, { resolve(value: unknown): void; reject(cause: Fault): void }>()
  #next = 0

  constructor(slot: number, send: (question: PlaceQuestion) => void) {
    this.#slot = slot
    this.#send = send
  }

  file(path: string): Promise<FoundFile | undefined> {
    return this.#ask('file', path)
  }

  names(path: string): Promise<readonly PlaceEntry[] | undefined> {
    return this.#ask('names', path)
  }

  match(pattern: string, max: number): Promise<readonly FoundFile[]> {
    return this.#ask('match', pattern, max)
  }

  text(path: string): Promise<string | undefined> {
    return this.#ask('text', path)
  }

  /** They last until the statement ends. */
  async local(files: readonly FoundFile[]): Promise<LocalFiles> {
    return { paths: await this.#ask('local', files), [Symbol.asyncDispose]: async () => undefined }
  }

  told({ id, value, fault }: PlaceAnswer): void {
    const asked = this.#open.get(id)
    this.#open.delete(id)
    if (fault) asked?.reject(Fault.fromJson(fault))
    else asked?.resolve(value)
  }

  /** The statement was given up: nobody may wait any more. */
  giveUp(): void {
    for (const { reject } of this.#open.values()) reject(new Fault('CANCELLED'))
    this.#open.clear()
  }

  #ask<Value>(method: Method, ...args: readonly unknown[]): Promise<Value> {
    this.#next += 1
    const id = this.#next
    return new Promise<Value>((resolve, reject) => {
      this.#open.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#send({ type: 'ask', slot: this.#slot, id, method, args })
    })
  }
}

/** The node's side: answers for one statement, and keeps its copies. */
export class PlaceAnswerer implements AsyncDisposable {
  readonly #place: PlaceView
  readonly #stop = new AbortController()
  readonly #kept: LocalFiles[] = []
  readonly #working = new Set<Promise<void>>()

  constructor(place: PlaceView) {
    this.#place = place
  }

  answer(question: PlaceQuestion, send: (answer: PlaceAnswer) => void): void {
    const { slot, id } = question
    const work: Promise<void> = this.#value(question)
      .then(
        (value) => send({ type: 'told', slot, id, value }),
        (cause) => send({ type: 'told', slot, id, fault: Fault.from(cause).toJSON() }),
      )
      .finally(() => this.#working.delete(work))
    this.#working.add(work)
  }

  async #value({ method, args }: PlaceQuestion): Promise<unknown> {
    const { signal } = this.#stop
    const [first, second] = args
    switch (method) {
      case 'file':
      case 'names':
      case 'text':
        return this.#place[method](String(first), signal)
      case 'match':
        return this.#place.match(String(first), Number(second), signal)
      case 'local': {
        const local = await this.#place.local(first as readonly FoundFile[], signal)
        this.#kept.push(local)
        return local.paths
      }
      default:
        return method satisfies never
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Fault('CANCELLED'))
    await Promise.allSettled(this.#working)
    await Promise.allSettled(this.#kept.splice(0).map((local) => local[Symbol.asyncDispose]()))
  }
}
