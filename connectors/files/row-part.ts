/** Writes the rows of a part, and the record that makes them count. */
import { basename } from 'node:path'
import type { Commit, PartWrite } from '../copy-contract.ts'
import { stopIfAborted } from './faults.ts'
import { endingOf } from './formats.ts'
import { writePart } from './part-writer.ts'
import { partitionColumns } from './partition-folders.ts'
import { pieceName, spreadName } from './pieces.ts'
import type { HoldAt, Place } from './place.ts'
import { below, fewAtOnce, MOVES, publishedFile } from './publish.ts'
import type { FilesParts } from './session.ts'
import type { TargetOwn } from './sink.ts'
import { writeSpread } from './spread-writer.ts'
import { type CommitRecord, type OneFileRecord, type SpreadRecord, Staging } from './staging.ts'
import { takenRows } from './taken-rows.ts'
import type { Written } from './writer.ts'

/** What an attempt that failed leaves is taken away, also when its own time is up. */
const CLEAN_UP_MS = 30_000

type Slotted = Pick<CommitRecord, 'task' | 'part' | 'attempt' | 'file' | 'replaces'>
type Content = Omit<OneFileRecord, keyof Slotted | 'skipped' | 'files'> | Omit<SpreadRecord, keyof Slotted | 'skipped'>

/** A file of an attempt, until it counts. */
interface Made {
  readonly at: HoldAt
  readonly held: Written['held']
}

export async function writeRows(request: PartWrite, session: FilesParts, staging: Staging, signal: AbortSignal): Promise<Commit> {
  const { target, slot, part, agree, replaces, skip } = request
  const { layout } = target.own as TargetOwn
  const again = replaces && { replaces: [...replaces] }
  const file = staging.newFile(part, slot.attempt, endingOf(layout))
  const slotted: Slotted = { task: slot.task, part, attempt: slot.attempt, file, ...again }
  const made: Made[] = []
  let committing = false
  try {
    const content = await written(request, { slotted, session, staging, made }, signal)
    stopIfAborted(signal)
    agree(content.rows)
    await skip?.settle()
    committing = true
    const record: CommitRecord = { ...slotted, ...content, ...(skip && skip.count > 0 && { skipped: skip.count }) }
    await staging.commit(slot, record, signal)
    return commitOf(record)
  } catch (cause) {
    if (!committing || Staging.isRefusal(cause)) await drop(made, session.place, staging)
    throw cause
  }
}

interface Writing {
  readonly slotted: Slotted
  readonly session: FilesParts
  readonly staging: Staging
  readonly made: Made[]
}

async function written(request: PartWrite, { slotted, session, staging, made }: Writing, signal: AbortSignal): Promise<Content> {
  const { target, slot } = request
  const own = target.own as TargetOwn
  const { layout, form = {}, partitionBy } = own
  const { title, columns } = target
  const bytes = takenRows(request, session, signal)
  const parts = { title, layout, form, columns, bytes, unhashed: own.single }
  if (!partitionBy) {
    const staged = staging.pathOf(slotted.file)
    const final = own.holds && publishedFile(own, slot.run, slotted)
    const one = await writePart({ ...parts, path: staged, final }, session, signal)
    made.push({ at: { staged, final: final ?? staged }, held: one.held })
    return one
  }
  const place = (index: number, folder: string) => {
    const name = spreadName(folder, { own, run: slot.run }, slotted)
    return { staged: staging.pathOf(pieceName(slotted, index)), name, final: own.holds && below(own, name) }
  }
  const spread = await writeSpread(
    { ...parts, by: partitionColumns(columns, partitionBy), place },
    session,
    ({ staged, final }, { held }) => made.push({ at: { staged, final: final ?? staged }, held }),
    signal,
  )
  const sum = (of: 'rows' | 'bytes') => spread.reduce((total, file) => total + file[of], 0)
  return { rows: sum('rows'), bytes: sum('bytes'), spread }
}

/** What an attempt has written that does not count. */
async function drop(made: readonly Made[], place: Place, staging: Staging): Promise<void> {
  const late = AbortSignal.timeout(CLEAN_UP_MS)
  await fewAtOnce(made, MOVES, async ({ at, held }) => {
    if (held) await place.holding?.drop(at, held, late)
    else await staging.drop(basename(at.staged), late)
  })
}

export function commitOf({ rows, bytes, attempt, skipped }: Readonly<Commit>): Commit {
  return { rows, bytes, attempt, ...(skipped !== undefined && { skipped }) }
}
