/** What the source has: for `verify`. */
import type { Column, Digest } from '@postern/connectors/copy-contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { sumOf } from './digests.ts'
import type { MovedCopy, MovedPart } from './verify.ts'

/** When the source was counted: at the moment that all parts show, or now, when it may have changed. */
type Moment = 'read' | 'now'

export interface SourceDigest {
  readonly digest: Digest
  readonly moment: Moment
  readonly notes: readonly string[]
}

interface Wanted {
  readonly columns: readonly Column[]
  readonly checksum: boolean
}

const TWO_MOMENTS = 'Parts were read under two snapshots, so the source was digested as it is now.'
const GONE = 'The snapshot of the source is gone, so the source was digested as it is now.'

/** All of it in one go. */
export async function digestSource(moved: MovedCopy, wanted: Wanted, signal: AbortSignal): Promise<SourceDigest> {
  const { pair, context, parts } = moved
  const all = { part: null, parts: parts.map(({ spec }) => spec.part), encoding: context.target.encoding }
  const digest = (snapshot: string | null) => pair.source.digest({ ...wanted, ...all, shape: context.shape, snapshot }, signal)
  if (context.snapshot === null) return { digest: await digest(null), moment: 'read', notes: [] }
  const { id } = context.snapshot
  if (otherMoments(parts, id)) return { digest: await digest(null), moment: 'now', notes: [TWO_MOMENTS] }
  return await underSnapshot(id, digest)
}

async function underSnapshot(id: string, digest: (snapshot: string | null) => Promise<Digest>): Promise<SourceDigest> {
  try {
    return { digest: await digest(id), moment: 'read', notes: [] }
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== 'SNAPSHOT_LOST') throw cause
    return { digest: await digest(null), moment: 'now', notes: [GONE] }
  }
}

function otherMoments(parts: readonly MovedPart[], id: string): boolean {
  return parts.some(({ result }) => result.snapshot !== null && result.snapshot !== id)
}

export interface PartsOfSource {
  readonly parts: readonly Digest[]
  /** Counted over the whole source; null when it shows another moment than the parts, so that it proves nothing. */
  readonly whole: number | null
  readonly notes: readonly string[]
}

/** Each part as it was when it was read; what no attempt could digest then is digested here. */
export async function partsOfSource(moved: MovedCopy, wanted: Wanted, signal: AbortSignal): Promise<PartsOfSource> {
  const { pair, context, parts } = moved
  const notes = new Set<string>()
  const digests: Digest[] = []
  for (const { spec, result } of parts) {
    const known = wanted.checksum ? result.source : result.rowsRead === null ? null : { rows: result.rowsRead, checksum: null }
    if (known) {
      digests.push(known)
      continue
    }
    const digest = (snapshot: string | null) =>
      pair.source.digest({ ...wanted, shape: context.shape, part: spec.part, snapshot, encoding: context.target.encoding }, signal)
    const found = context.snapshot ? await underSnapshot(context.snapshot.id, digest) : { digest: await digest(null), notes: [] }
    digests.push(found.digest)
    for (const note of found.notes) notes.add(note)
  }
  const whole = await countWhole(moved, sumOf(digests).rows, signal)
  return { parts: digests, whole: whole.rows, notes: [...notes, ...whole.notes] }
}

/** That no row lies outside of all parts. One part is the whole. */
async function countWhole(moved: MovedCopy, rowsOfParts: number, signal: AbortSignal) {
  const { context, parts } = moved
  if (parts.length === 1) return { rows: rowsOfParts, notes: [] }
  if (context.snapshot && otherMoments(parts, context.snapshot.id)) {
    return { rows: null, notes: ['Parts were read under two snapshots: each was compared with the source as it was when it was read.'] }
  }
  const { digest, moment } = await digestSource(moved, { columns: [], checksum: false }, signal)
  return moment === 'read'
    ? { rows: digest.rows, notes: [] }
    : { rows: null, notes: ['The snapshot of the source is gone: each part was compared with the source as it was when it was read.'] }
}
