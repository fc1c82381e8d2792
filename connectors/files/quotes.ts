import { Fault } from '@postern/protocol/fault.ts'
import { openText, textFault } from './csv-head.ts'
import { stopIfAborted } from './faults.ts'
import type { Input } from './inputs.ts'

const QUOTE = 0x22
const LINE = 0x0a

/**
 * Fails when a quoted value at the end of a file has no end: the file was cut. DuckDB says so when it reads in parallel, but
 * reading by itself it drops the last row without a word (1.5.6), so it is looked for here.
 */
export async function refuseCutFiles(files: readonly (Input & { readonly absolute: string })[], signal: AbortSignal): Promise<void> {
  for (const file of files) {
    if (await isCut(file, signal)) throw await cutFault(file, signal)
  }
}

/** In well-formed CSV quotes come in pairs. */
async function isCut(file: Input & { readonly absolute: string }, signal: AbortSignal): Promise<boolean> {
  let odd = false
  for await (const chunk of chunksOf(file, signal)) {
    for (let at = chunk.indexOf(QUOTE); at >= 0; at = chunk.indexOf(QUOTE, at + 1)) odd = !odd
  }
  return odd
}

/** Names the line in which the last value begins. */
async function cutFault(file: Input & { readonly absolute: string }, signal: AbortSignal): Promise<Fault> {
  let quoted = false
  let line = 1
  let opened = 1
  for await (const chunk of chunksOf(file, signal)) {
    for (const byte of chunk) {
      if (byte === LINE) line += 1
      if (byte !== QUOTE) continue
      quoted = !quoted
      if (quoted) opened = line
    }
  }
  return new Fault('ROW_INVALID', { at: `file ${file.path}, line ${opened}: a quoted value has no end.` })
}

async function* chunksOf(file: Input & { readonly absolute: string }, signal: AbortSignal): AsyncIterable<Buffer> {
  try {
    for await (const chunk of openText(file.absolute, file.layout)) {
      stopIfAborted(signal)
      yield chunk as Buffer
    }
  } catch (cause) {
    throw textFault(cause, file.path, file.layout)
  }
}
