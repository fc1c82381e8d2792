/** The number of rows that a run has staged in an object store, without reading them again. */
import { isAsIs } from './as-is-sink.ts'
import { readManifest } from './manifest.ts'
import { type Piece, piecesOf } from './pieces.ts'
import { fewAtOnce, MOVES } from './publish.ts'
import { isHeld, type WrittenBy } from './written.ts'

/**
 * What the records say, for rows are counted as they are written and each block is sent with its MD5; if the store has each file still,
 * of that size and that version: what it gave when the last byte was there; or each block of what is held back, with its tag. Undefined where a single file is not so, or its place knows
 * no versions: then they must be read.
 */
export async function rowsAsCommitted({ place, staging, own, run }: WrittenBy, signal: AbortSignal): Promise<number | undefined> {
  if (place.writable || own.asIs) return undefined
  // Of a run that is published already, what is staged is only what was written again.
  if (!own.single && (await readManifest(place, own.path, own.where, signal))?.run === run) return undefined
  const records = await staging.records(signal)
  const asWritten = async (piece: Piece) => {
    const { staged, bytes, version, held } = piece
    if (held) return isHeld(place, piece, signal)
    const found = version === undefined ? undefined : await place.file(staged, signal)
    return found !== undefined && found.bytes === bytes && found.version === version
  }
  if (records.length === 0 || records.some(isAsIs)) return undefined
  const pieces = records.flatMap((record) => piecesOf({ staging, own, run }, record))
  const same = await fewAtOnce(pieces, MOVES, asWritten)
  return same.every(Boolean) ? records.reduce((sum, { rows }) => sum + rows, 0) : undefined
}
