import type { Readable } from 'node:stream'
import type { PartWrite } from '../copy-contract.ts'
import { keepRows } from './keep-rows.ts'
import type { FilesParts } from './session.ts'
import type { TargetOwn } from './sink.ts'
import { triedBy } from './writer.ts'

/** The rows of a part that the files of the target take; the others are left out, where they may be. */
export function takenRows({ target, bytes, skip }: PartWrite, session: FilesParts, signal: AbortSignal): Readable {
  const { layout, exact = false } = target.own as TargetOwn
  const tried = skip && triedBy(layout, target.columns, exact)
  if (!skip || !tried) return bytes
  return keepRows(bytes, { form: 'quoted', columns: target.columns, tried, left: (row) => skip.left(row) }, session, signal)
}
