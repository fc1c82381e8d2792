import type { Readable } from 'node:stream'
import type { PartWrite } from '../copy-contract.ts'
import { keepRows } from './keep-rows.ts'
import { jsonRefusal } from './ndjson-sql.ts'
import type { FilesParts } from './session.ts'
import type { TargetOwn } from './sink.ts'
import { triedBy } from './writer.ts'

/** The rows of a part that the files of the target take; the others are left out, where they may be. */
export function takenRows({ target, bytes, skip }: PartWrite, session: FilesParts, signal: AbortSignal): Readable {
  const { layout, exact = false } = target.own as TargetOwn
  const tried = skip && triedBy(layout, target.columns, exact)
  if (!skip || !tried) return bytes
  const json = layout.format === 'ndjson' || layout.format === 'json'
  const keep = { form: 'quoted', columns: target.columns, tried, ...(json && { why: jsonRefusal }) } as const
  return keepRows(bytes, { ...keep, left: (row) => skip.left(row) }, session, signal)
}
