/** Who runs a data folder: read from postmaster.pid, believed only after a look at the process itself. */
import { execFile } from 'node:child_process'
import { readFile, readlink, realpath, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '@postern/base/clock.ts'

const run = promisify(execFile)

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The pid in postmaster.pid; undefined when there is no such file or it says nothing. */
export async function recordedPid(data: string): Promise<number | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number.parseInt(text.split('\n')[0] ?? '', 10)
  return Number.isInteger(pid) && pid > 0 ? pid : undefined
}

/** True when the process is a PostgreSQL server of exactly this data folder: pids are used again, above all in containers. */
export async function isPostmasterOf(pid: number, data: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform === 'win32') {
    const { stdout } = await run('tasklist', ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH'], { timeout: 5_000 }).catch(() => ({
      stdout: '',
    }))
    return stdout.toLowerCase().includes('"postgres.exe"')
  }
  if (process.platform === 'linux') {
    // A postmaster's working folder is its data folder.
    const [exe, cwd, folder] = await Promise.all([
      readlink(`/proc/${pid}/exe`).catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
      realpath(data).catch(() => data),
    ])
    if (exe !== '') return basename(exe.replace(/ \(deleted\)$/, '')) === 'postgres' && cwd === folder
  }
  const { stdout } = await run('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { timeout: 5_000 }).catch(() => ({ stdout: '' }))
  return stdout.includes('postgres') && stdout.includes(data)
}

/** Waits until the process is gone; false when it is still there after `ms`. */
export async function gone(pid: number, ms: number, clock: Clock): Promise<boolean> {
  const until = clock.monotonic() + ms
  while (isAlive(pid)) {
    if (clock.monotonic() > until) return false
    await clock.sleep(20)
  }
  return true
}

/** Fast, then immediate, then hard. PostgreSQL recovers from all three. */
export async function stopPostmaster(pid: number, stop: (mode: 'fast' | 'immediate') => Promise<void>, clock: Clock): Promise<void> {
  await stop('fast')
  if (await gone(pid, 10_000, clock)) return
  await stop('immediate')
  if (await gone(pid, 5_000, clock)) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It went by itself in between.
  }
  await gone(pid, 5_000, clock)
}

/** Takes away a postmaster.pid whose pid now belongs to another program: PostgreSQL would refuse to start because of it. */
export async function clearStalePid(data: string): Promise<void> {
  const pid = await recordedPid(data)
  if (pid !== undefined && isAlive(pid) && !(await isPostmasterOf(pid, data))) await rm(join(data, 'postmaster.pid'), { force: true })
}
