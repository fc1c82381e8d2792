/** The demo's folder, `.demo` in the clone: empty at the start of each demo. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { systemClock } from '@postern/base/clock.ts'
import { readPointer } from '@postern/service/db/embedded/place.ts'
import { gone, isPostmasterOf, recordedPid } from '@postern/service/db/embedded/postmaster.ts'
import { commandOf, endLeftovers } from './processes.ts'

/** Folders in it that hold a PostgreSQL. */
const DATABASES = ['private-database', 'service']

/** Takes the folder for this process and empties it. Fails when another demo uses it. */
export async function takeFolder(folder: string): Promise<void> {
  const other = pidOf(folder)
  if (other !== undefined && other !== process.pid && commandOf(other).includes('demo.ts'))
    throw new Error(`Another demo runs here (process ${other}). End it with Ctrl-C first.`)
  endLeftovers(folder)
  for (const name of DATABASES) await removeDatabase(join(folder, name))
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  writeFileSync(join(folder, 'demo.pid'), `${process.pid}\n`)
}

/** What was copied and the logs stay to be looked at; the databases, which are large, go. */
export async function leaveFolder(folder: string): Promise<void> {
  for (const name of DATABASES) {
    await removeDatabase(join(folder, name))
    rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  rmSync(join(folder, 'demo.pid'), { force: true })
  rmSync(join(folder, 'pids'), { force: true })
}

/** As root, PostgreSQL's data may lie outside of the folder (where its user can reach it): it goes too. */
async function removeDatabase(folder: string): Promise<void> {
  const pointer = await readPointer(folder)
  const data = pointer?.data ?? join(folder, 'postgres')
  const pid = await recordedPid(data)
  if (pid !== undefined && (await isPostmasterOf(pid, data))) {
    process.kill(pid, 'SIGQUIT')
    await gone(pid, 10_000, systemClock)
  }
  if (pointer && !pointer.data.startsWith(folder)) rmSync(dirname(pointer.data), { recursive: true, force: true })
}

/** `wanted`, or any free port when another program has it. */
export function portOr(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EADDRINUSE' || wanted === 0) reject(cause)
      else portOr(0).then(resolve, reject)
    })
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : wanted))
    })
  })
}

function pidOf(folder: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(folder, 'demo.pid'), 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}
