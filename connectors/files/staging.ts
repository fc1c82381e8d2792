import { randomUUID } from 'node:crypto'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import type { Slot } from '../copy-contract.ts'
import type { Place } from './place.ts'

/** Where the bytes of a file are under its final name, seen by nobody yet. */
const HeldSchema = z.object({ id: z.string(), tags: z.array(z.string()).readonly() })

const Slotted = z.object({
  task: z.string(),
  part: z.int().nonnegative(),
  attempt: z.int(),
  /** Name of the data file in the staging folder; where there are several, what their names begin with. */
  file: z.string().regex(/^part-[^/\\]*$/),
  rows: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  /** Rows left out. */
  skipped: z.int().positive().exactOptional(),
  /** Tasks whose records count no more once this one is there. They stay, so that a late attempt of theirs still loses. */
  replaces: z.array(z.string()).optional(),
})

const FileFacts = z.object({
  /** Empty where nobody asks for it. */
  sha256: z.string(),
  /** As its place told it when it was written. */
  version: z.string().exactOptional(),
})

const OneFile = Slotted.extend({
  ...FileFacts.shape,
  held: HeldSchema.optional(),
  /** Where files were copied as they are: path below the target, bytes, and SHA-256 of each. */
  files: z.array(z.tuple([z.string(), z.int().nonnegative(), z.string()])).optional(),
})

/** Rows that went to folders by their values: the files, by their paths below the target, each with facts of its own. */
const Spread = Slotted.extend({
  spread: z
    .array(
      z.object({
        name: z.string(),
        rows: z.int().nonnegative(),
        bytes: z.int().nonnegative(),
        ...FileFacts.shape,
        held: HeldSchema.exactOptional(),
      }),
    )
    .readonly(),
})

const RecordSchema = z.union([Spread, OneFile])
export type OneFileRecord = z.output<typeof OneFile>
export type SpreadRecord = z.output<typeof Spread>
/** A commit record: it is there or not, and names the files that count. */
export type CommitRecord = OneFileRecord | SpreadRecord

const RECORD = '.commit.json'

/**
 * The hidden folder beside the target where a run's parts wait for publishing. Each attempt writes a file of its own; what
 * makes it count is the commit record of its task, made where there is none: a second attempt and a zombie lose, whenever they come.
 */
export class Staging {
  readonly path: string
  readonly title: string
  readonly #place: Place

  constructor(place: Place, path: string, title: string) {
    this.#place = place
    this.path = path
    this.title = title
  }

  create(signal: AbortSignal): Promise<{ readonly exclusive: boolean }> {
    return this.#place.makeRoom(this.path, signal)
  }

  exists(signal: AbortSignal): Promise<boolean> {
    return this.#place.hasRoom(this.path, signal)
  }

  /** A name that no other attempt has, nor an earlier start of this one. */
  newFile(part: number, attempt: number, ending: string): string {
    return `${partName(part)}.a${attempt}-${randomUUID().slice(0, 8)}${ending}`
  }

  pathOf(file: string): string {
    return `${this.path}/${file}`
  }

  async record(task: string, signal: AbortSignal): Promise<CommitRecord | undefined> {
    const text = await this.#place.text(this.#recordPath(task), signal)
    // A torn record is none: it can only be one of a file system without links.
    const parsed = RecordSchema.safeParse(text === undefined ? undefined : json(text))
    return parsed.success && parsed.data.task === task ? parsed.data : undefined
  }

  /** Those that count. */
  async records(signal: AbortSignal): Promise<readonly CommitRecord[]> {
    const records: CommitRecord[] = []
    for (const { name } of (await this.#place.names(this.path, signal)) ?? []) {
      if (!name.endsWith(RECORD)) continue
      const record = await this.record(decodeURIComponent(name.slice(0, -RECORD.length)), signal)
      if (record) records.push(record)
    }
    const replaced = new Set(records.flatMap(({ replaces = [] }) => replaces))
    return records.filter(({ task }) => !replaced.has(task)).toSorted((a, b) => a.part - b.part)
  }

  /** All or nothing, once for each task. */
  async commit(slot: Slot, record: CommitRecord, signal: AbortSignal): Promise<void> {
    const path = this.#recordPath(slot.task)
    const text = JSON.stringify(record)
    if (!(await this.#place.putNew(path, text, signal))) {
      const there = await this.record(slot.task, signal)
      // Ours, of a request whose answer was lost and that was sent again.
      if (there && there.file !== record.file) {
        throw new Fault('COMMIT_LOST', { at: this.title, details: { task: slot.task, attempt: slot.attempt } })
      }
      if (!there) await this.#place.put(path, text, signal)
    }
    // A run that was published or discarded meanwhile has no use for it, and nobody would ever take it away.
    if (await this.exists(signal)) return
    await this.#place.clearRoom(this.path, signal)
    throw staleFault(this.title)
  }

  /** A file of an attempt that lost. */
  async drop(file: string, signal: AbortSignal): Promise<void> {
    await this.#place.remove(this.pathOf(file), signal).catch(() => undefined)
  }

  /** False when it failed so that it is not known whether the record is there: what it would name must stay then. */
  static isRefusal(cause: unknown): boolean {
    return cause instanceof Fault && (cause.code === 'COMMIT_LOST' || cause.code === 'ATTEMPT_STALE')
  }

  async remove(signal: AbortSignal): Promise<void> {
    await this.#place.clearRoom(this.path, signal)
  }

  #recordPath(task: string): string {
    return `${this.path}/${encodeURIComponent(task)}${RECORD}`
  }
}

export function partName(part: number): string {
  return `part-${String(part).padStart(5, '0')}`
}

export function staleFault(title: string): Fault {
  return new Fault('ATTEMPT_STALE', { at: `${title}: the run was published or discarded.` })
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
