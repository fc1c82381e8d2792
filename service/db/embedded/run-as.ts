import { execFile } from 'node:child_process'
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '@postern/protocol/fault.ts'

const run = promisify(execFile)

/** The user that PostgreSQL runs as where this process is root, which PostgreSQL refuses to be. */
export interface RunAs {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Undefined: as the user of this process. */
export async function whoRuns(candidates: readonly string[] = ['postgres', '_postgres', 'nobody']): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of candidates) {
    const ids = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]).catch(() => undefined)
    const [uid, gid] = ids?.map(({ stdout }) => Number(stdout.trim())) ?? []
    if (uid && gid !== undefined && Number.isInteger(uid) && Number.isInteger(gid)) return { name, uid, gid }
  }
  throw new Fault('DATABASE_UNREACHABLE', {
    at: 'PostgreSQL does not run as root, and there is no user postgres or nobody to run it as.',
    remedy: 'Start the service as another user, or use your own PostgreSQL with --database-url.',
  })
}

/** The first folder on the way to `path` (itself included) that this user may not pass through; undefined when there is none. */
export async function barrier(path: string, user: RunAs): Promise<string | undefined> {
  const real = await realpath(path)
  const way: string[] = []
  for (let folder = real; ; folder = dirname(folder)) {
    way.unshift(folder)
    if (dirname(folder) === folder) break
  }
  for (const folder of way) {
    const { uid, gid, mode } = await stat(folder)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return folder
  }
  return undefined
}
