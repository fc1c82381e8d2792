/** Writes a part into folders by the values of its rows: they are put aside folder by folder first, and each folder's are then written as any part is. */
import { Fault } from '@postern/protocol/fault.ts'
import { writePart } from './part-writer.ts'
import type { PartitionColumns } from './partition-folders.ts'
import { PartitionSpool } from './partition-spool.ts'
import { fewAtOnce } from './publish.ts'
import type { FilesParts } from './session.ts'
import type { SpreadRecord } from './staging.ts'
import type { WriteParts, Written } from './writer.ts'

/** Files that are written at a time: each may hold some blocks of an upload in memory. */
const WRITES = 2

export interface SpreadParts extends Omit<WriteParts, 'path' | 'final'> {
  readonly by: PartitionColumns
  /** Of the file at a place, in that folder. */
  readonly place: (index: number, folder: string) => SpreadPlace
}

export interface SpreadPlace {
  readonly staged: string
  /** Below the target. */
  readonly name: string
  readonly final?: string | undefined
}

export type Spread = SpreadRecord['spread']

/** `done` is told each file as soon as it is there: when this fails, they are still to be taken away. */
export async function writeSpread(
  parts: SpreadParts,
  session: FilesParts,
  done: (place: SpreadPlace, written: Written) => void,
  signal: AbortSignal,
): Promise<Spread> {
  const { by, place, columns, bytes, ...form } = parts
  await using spool = new PartitionSpool(session.scratch, columns, by)
  await spool.fill(bytes, signal)
  const kept = columns.filter((column) => !by.includes(column))
  return await fewAtOnce([...spool.partitions.entries()], WRITES, async ([index, { folder, rows, open }]) => {
    const to = place(index, folder)
    const written = await writePart({ ...form, path: to.staged, final: to.final, columns: kept, bytes: open() }, session, signal)
    done(to, written)
    if (written.rows === rows) return { name: to.name, ...written }
    throw new Fault('ROW_INVALID', { at: `${parts.title}, ${folder}: ${rows} rows came and ${written.rows} were written.` })
  })
}
