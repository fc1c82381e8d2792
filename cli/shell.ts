/** What a command sees of the world outside: handed in, so that tests need no process. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { type Clock, systemClock } from '@postern/base/clock.ts'

type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number }

export interface Shell {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown }
  /** What a command answers, and nothing else. */
  readonly stdout: Terminal
  /** Progress, notes, faults. */
  readonly stderr: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the sign-in and the known gateways are kept. */
  readonly configFolder: string
  readonly clock: Clock
  /** Aborts with the first Ctrl-C. */
  readonly signal: AbortSignal
}

export function processShell(signal: AbortSignal): Shell {
  const { stdin, stdout, stderr, env } = process
  return { stdin, stdout, stderr, env, configFolder: configFolder(env), clock: systemClock, signal }
}

function configFolder(env: Shell['env']): string {
  const base = env['XDG_CONFIG_HOME'] || (process.platform === 'win32' ? env['APPDATA'] : undefined)
  return join(base || join(homedir(), '.config'), 'postern')
}
