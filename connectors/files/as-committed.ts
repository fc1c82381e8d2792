/** The number of rows that a run has staged in an object store, without reading them again. */
import { isAsIs } from './as-is-sink.ts'
import { readManifest } from './manifest.ts'
import { fewAtOnce, MOVES, publishedFile } from './publish.ts'
import type { CommitRecord } from './staging.ts'
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
  const asWritten = async (record: CommitRecord) => {
    const { file, bytes, version, held } = record
    if (held) return isHeld(place, { staged: staging.pathOf(file), final: publishedFile(own, run, record) }, record, signal)
    const found = version === undefined ? undefined : await place.file(staging.pathOf(file), signal)
    return found !== undefined && found.bytes === bytes && found.version === version
  }
  if (records.length === 0 || records.some(isAsIs)) return undefined
  const same = await fewAtOnce(records, MOVES, asWritten)
  return same.every(Boolean) ? records.reduce((sum, { rows }) => sum + rows, 0) : undefined
}
