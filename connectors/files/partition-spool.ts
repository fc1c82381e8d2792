/** Rows of the `csv` encoding put aside by the values of some of their columns, in a file of the scratch folder each. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Fault } from '@postern/protocol/fault.ts'
import type { Column } from '../copy-contract.ts'
import { rowBatches } from '../rows/row-batches.ts'
import { fileFault, stopIfAborted } from './faults.ts'
import { partitionFolder } from './partition-folders.ts'

/** Of one part: so many folders at most, a file each. Memory: so much for each of them, and a batch of rows. No file is kept open. */
export const PARTITIONS = { most: 1_000, bufferBytes: 32 << 10, batchBytes: 1 << 20 } as const

const QUOTE = 0x22
const COMMA = 0x2c
const NEW_LINE = 0x0a

interface Bin {
  readonly folder: string
  readonly path: string
  rows: number
  full: Buffer[]
  buffer: Buffer
  used: number
}

export interface Partition {
  /** `year=2026/month=1` */
  readonly folder: string
  readonly rows: number
  /** The rows, without the columns that the folder stands for. */
  open(): Readable
}

export class PartitionSpool implements AsyncDisposable {
  readonly #folder: string
  readonly #columns: readonly Column[]
  /** Places of the columns that make the folders, in the order of the folders. */
  readonly #by: readonly number[]
  readonly #kept: readonly number[]
  readonly #bins = new Map<string, Bin>()
  /** By the values as they are spelled: the same value may be quoted or not. */
  readonly #known = new Map<string, Bin>()
  readonly #starts: Int32Array
  readonly #ends: Int32Array

  constructor(scratch: string, columns: readonly Column[], by: readonly Column[]) {
    this.#folder = join(scratch, `partitions-${randomUUID()}`)
    this.#columns = columns
    this.#by = by.map((column) => columns.indexOf(column))
    this.#kept = columns.map((_, i) => i).filter((i) => !this.#by.includes(i))
    this.#starts = new Int32Array(columns.length)
    this.#ends = new Int32Array(columns.length)
  }

  /** All rows; those that cannot lie in a folder fail it, as does one folder too many. */
  async fill(rows: Readable, signal: AbortSignal): Promise<void> {
    const limits = { bytes: PARTITIONS.batchBytes, rows: Number.MAX_SAFE_INTEGER }
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      for await (const { bytes, first } of rowBatches(rows, 'quoted', limits)) {
        stopIfAborted(signal)
        this.#take(bytes, first)
        for (const bin of this.#bins.values()) if (bin.full.length > 0) await this.#flush(bin)
      }
      for (const bin of this.#bins.values()) {
        bin.full.push(bin.buffer.subarray(0, bin.used))
        bin.buffer = Buffer.alloc(0)
        bin.used = 0
        await this.#flush(bin)
      }
    } catch (cause) {
      rows.destroy()
      stopIfAborted(signal)
      throw fileFault(cause, 'scratch folder of the node')
    }
  }

  get partitions(): readonly Partition[] {
    const list = [...this.#bins.values()].map(({ folder, rows, path }) => ({ folder, rows, open: () => createReadStream(path) }))
    return list.toSorted((a, b) => (a.folder < b.folder ? -1 : 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  async #flush(bin: Bin): Promise<void> {
    await appendFile(bin.path, Buffer.concat(bin.full), { mode: 0o600 })
    bin.full = []
  }

  /** Whole rows. */
  #take(bytes: Buffer, first: number): void {
    let [row, cell, start, quoted] = [first, 0, 0, false]
    for (let i = 0; i < bytes.length; i += 1) {
      const byte = bytes[i]
      if (byte === QUOTE) quoted = !quoted
      else if (!quoted && (byte === COMMA || byte === NEW_LINE)) {
        if (cell >= this.#columns.length) throw this.#torn(row)
        this.#starts[cell] = start
        this.#ends[cell] = i
        start = i + 1
        cell += 1
        if (byte === COMMA) continue
        if (cell < this.#columns.length) throw this.#torn(row)
        this.#put(bytes, row)
        row += 1
        cell = 0
      }
    }
    if (start < bytes.length || cell > 0) throw this.#torn(row)
  }

  #put(bytes: Buffer, row: number): void {
    const spelled = this.#by.map((i) => bytes.toString('latin1', this.#starts[i], this.#ends[i])).join(',')
    let bin = this.#known.get(spelled)
    if (!bin) {
      bin = this.#binOf(bytes, row)
      // One folder may be spelled in several ways, quoted or not: so many are remembered, the others are looked up by their folder again.
      if (this.#known.size < PARTITIONS.most * 4) this.#known.set(spelled, bin)
    }
    bin.rows += 1
    const size = this.#kept.reduce((sum, i) => sum + this.#length(i) + 1, 0)
    if (bin.used + size > bin.buffer.length) {
      if (bin.used > 0) bin.full.push(bin.buffer.subarray(0, bin.used))
      bin.buffer = Buffer.allocUnsafe(Math.max(PARTITIONS.bufferBytes, size))
      bin.used = 0
    }
    for (const i of this.#kept) {
      bytes.copy(bin.buffer, bin.used, this.#starts[i], this.#ends[i])
      bin.used += this.#length(i)
      bin.buffer[bin.used++] = COMMA
    }
    bin.buffer[bin.used - 1] = NEW_LINE
  }

  #length(cell: number): number {
    return (this.#ends[cell] ?? 0) - (this.#starts[cell] ?? 0)
  }

  #binOf(bytes: Buffer, row: number): Bin {
    const folder = this.#by.map((i) => this.#step(bytes.subarray(this.#starts[i], this.#ends[i]), i, row)).join('/')
    const there = this.#bins.get(folder)
    if (there) return there
    if (this.#bins.size >= PARTITIONS.most) {
      throw new Fault('INPUT_INVALID', {
        at: `partitionBy: the rows of one part belong into more than ${PARTITIONS.most} folders.`,
        remedy: 'Partition by fewer columns, or by such that have fewer values; or cut the copy by them (--split-by, --parts).',
      })
    }
    const path = join(this.#folder, `${this.#bins.size}.csv`)
    const bin: Bin = { folder, path, rows: 0, full: [], buffer: Buffer.alloc(0), used: 0 }
    this.#bins.set(folder, bin)
    return bin
  }

  #step(cell: Buffer, column: number, row: number): string {
    const by = this.#columns[column]
    if (!by) throw new Fault('INTERNAL', { at: 'a partition without a column' })
    const text = cell.toString()
    const value = text === '' ? null : text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text
    return partitionFolder(by, value, row)
  }

  #torn(row: number): Fault {
    return new Fault('ROW_INVALID', { at: `row ${row}: it has not ${this.#columns.length} values.` })
  }
}
