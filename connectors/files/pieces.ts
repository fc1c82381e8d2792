/** The files of a part: one, or one for each folder that its rows went to. */
import type { HeldFile, HoldAt } from './place.ts'
import { below, finalName, type Named } from './publish.ts'
import type { TargetOwn } from './sink.ts'
import type { CommitRecord, Staging } from './staging.ts'

export interface Piece extends HoldAt {
  readonly part: number
  /** Below the target; as its path where that is one file. */
  readonly name: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
  readonly version?: string
  readonly held?: HeldFile | undefined
}

export interface PiecesBy {
  readonly staging: Staging
  readonly own: TargetOwn
  readonly run: string
}

export function piecesOf({ staging, own, run }: PiecesBy, record: CommitRecord): readonly Piece[] {
  const { part } = record
  if ('spread' in record) {
    return record.spread.map((file, i) => ({ ...file, part, staged: staging.pathOf(pieceName(record, i)), final: below(own, file.name) }))
  }
  const { rows, bytes, sha256, version, held } = record
  const name = own.single ? own.path : finalName(own, run, record)
  const final = own.single ? own.path : below(own, name)
  return [{ part, name, rows, bytes, sha256, ...(version !== undefined && { version }), held, staged: staging.pathOf(record.file), final }]
}

/** In staging, of the file at a place in `spread`. */
export function pieceName({ file }: Pick<CommitRecord, 'file'>, index: number): string {
  return `${file}.${index}`
}

/** Where the rows of a folder will lie. */
export function spreadName(folder: string, by: Omit<PiecesBy, 'staging'>, record: Named): string {
  return `${folder}/${finalName(by.own, by.run, record)}`
}
