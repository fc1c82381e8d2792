import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import type { Log } from '@postern/base/log.ts'
import { type ProgramName, program } from './binaries.ts'
import type { Place } from './place.ts'

export interface ProgramRun {
  readonly name: ProgramName
  readonly args: readonly string[]
  /** Of stdout and stderr; a number is an open file. */
  readonly output: 'pipe' | 'ignore' | number
  /** Is told where the program cannot be run at all. */
  readonly log: Log
}

/** A program of PostgreSQL, as the user that the place names. */
export function runProgram(place: Place, { name, args, output, log }: ProgramRun): ChildProcess {
  const env = {
    PATH: process.env['PATH'] ?? '',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(process.env['SystemRoot'] ? { SystemRoot: process.env['SystemRoot'] } : {}),
  }
  const child = spawn(program(place.binaries, name), args, {
    cwd: dirname(place.data),
    env,
    stdio: ['ignore', output, output],
    // A group of its own: Ctrl-C in the terminal must reach the service only, which then stops PostgreSQL last.
    detached: process.platform !== 'win32',
    windowsHide: true,
    ...(place.user ? { uid: place.user.uid, gid: place.user.gid } : {}),
  })
  child.on('error', (cause) => log.error({ err: cause, program: name }, 'program of PostgreSQL cannot be run'))
  return child
}
