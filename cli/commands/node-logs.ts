/** `postern node logs`: the lines of the node that runs on this machine. */
import { writeFile } from 'node:fs/promises'
import { LogLines } from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { NodeConsole } from '../api/node-console.ts'
import { note, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

export interface LogFlags {
  readonly data: string
  readonly follow?: boolean
  readonly export?: string
}

const FOLLOW_MS = 500

export async function logs({ data, follow, export: file }: LogFlags, shell: Shell): Promise<void> {
  const node = await NodeConsole.of(data, shell)
  if (file !== undefined) return exportBundle(await node.download(CONSOLE_PATHS.bundle), file, shell)
  const page = await linesAfter(node, undefined)
  print(page, shell)
  if (follow) await goOn(page, data, shell)
}

/** Until Ctrl-C: over restarts too, when somebody looks most closely. */
async function goOn(from: LogLines, data: string, shell: Shell): Promise<never> {
  let seen = from
  let away = false
  for (;;) {
    await shell.clock.sleep(FOLLOW_MS, shell.signal)
    const page = await linesIfAny(seen, data, shell)
    if (!page && !away) note(shell, 'The node does not run. Its lines go on when it runs again; Ctrl-C ends.')
    away = !page
    if (!page) continue
    if (page.ring === seen.ring && page.lost) note(shell, 'Lines are missing here: they came faster than they were read.')
    print(page, shell)
    seen = page
  }
}

/** Undefined while no node runs. Where its console is, is read again each time: a restart can change it. */
async function linesIfAny(seen: LogLines, data: string, shell: Shell): Promise<LogLines | undefined> {
  try {
    return await linesAfter(await NodeConsole.of(data, shell), seen)
  } catch (cause) {
    if (Fault.from(cause).code === 'NODE_NOT_RUNNING') return undefined
    throw cause
  }
}

function linesAfter(node: NodeConsole, seen: LogLines | undefined): Promise<LogLines> {
  const query = seen ? `?${new URLSearchParams({ after: String(seen.last), ring: seen.ring })}` : ''
  return node.ask({ path: `${CONSOLE_PATHS.logs}${query}`, answer: LogLines })
}

function print({ lines }: LogLines, shell: Shell): void {
  if (lines.length > 0) printLines(shell, ...lines.map(({ text }) => text))
}

/** For its owner only, and never over what is there. */
async function exportBundle(bytes: Buffer, file: string, shell: Shell): Promise<void> {
  await writeFile(file, bytes, { mode: 0o600, flag: 'wx' }).catch((cause: unknown) => {
    throw new Fault('CONFIG_INVALID', { at: `${file} cannot be written: it is there already, or its folder is not.`, cause })
  })
  printLines(shell, `Wrote ${file} (${bytes.length} bytes). It holds no secrets; look it over before you send it: tar -tzf ${file}`)
}
