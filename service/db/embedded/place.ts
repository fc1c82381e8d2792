/** Where the database lies and as whom it runs: decided at the first start, kept in DIR/postgres.json. */
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@postern/base/log.ts'
import { z } from 'zod'
import { type Binaries, copyBinaries, locateBinaries } from './binaries.ts'
import { barrier, type RunAs, whoRuns } from './run-as.ts'

/** Reached by every user; used only where the data folder itself is not. */
const ELSEWHERE = '/var/lib/postern'

const Pointer = z.object({ data: z.string().min(1), port: z.int().min(1).max(65_535).nullable(), note: z.string().optional() })
type Pointer = z.infer<typeof Pointer>

export interface Place {
  /** PostgreSQL's data folder. Its parent belongs to the user it runs as, or lets this user through. */
  readonly data: string
  readonly binaries: Binaries
  readonly user: RunAs | undefined
  readonly port: number | null
  /** Why it lies where it lies, for whoever opens DIR/postgres.json. */
  readonly note: string
}

const pointerFile = (folder: string) => join(folder, 'postgres.json')

export async function readPointer(folder: string): Promise<Pointer | undefined> {
  const text = await readFile(pointerFile(folder), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return Pointer.parse(JSON.parse(text))
  } catch {
    return undefined // cut short by a crash of long ago: the place is found again by the same rules
  }
}

export async function writePointer(folder: string, pointer: Pointer): Promise<void> {
  const half = `${pointerFile(folder)}.part`
  await writeFile(half, `${JSON.stringify(pointer, null, 2)}\n`, { mode: 0o600 })
  await rename(half, pointerFile(folder))
}

export async function findPlace(folder: string, log: Log): Promise<Place> {
  const shipped = locateBinaries()
  const user = await whoRuns()
  const pointer = await readPointer(folder)
  const port = pointer?.port ?? null
  if (!user) return { data: pointer?.data ?? join(folder, 'postgres'), binaries: shipped, user, port, note: '' }

  const programsBlocked = await barrier(join(shipped.root, 'bin'), user)
  if (programsBlocked) await mkdir(ELSEWHERE, { recursive: true, mode: 0o755 })
  const binaries = programsBlocked ? await copyBinaries(shipped, ELSEWHERE) : shipped
  const known = pointer && (await stat(pointer.data).catch(() => undefined))
  if (pointer && known) return { data: pointer.data, binaries, user, port, note: pointer.note ?? '' }

  const blocked = await openWay(folder, user)
  if (!blocked) return { data: join(folder, 'postgres'), binaries, user, port, note: `PostgreSQL runs as ${user.name}` }
  const data = join(await unusedFolder(nameOf(await realpath(folder))), 'postgres')
  const note = `PostgreSQL runs as ${user.name}, who cannot pass ${blocked}: its data is kept here instead`
  await mkdir(join(data, '..'), { recursive: true, mode: 0o711 })
  await writePointer(folder, { data, port, note })
  log.info({ data, user: user.name, blocked }, 'database kept outside the data folder')
  return { data, binaries, user, port, note }
}

/** A folder that was deleted and made anew has no password for what it once kept: it begins afresh, beside that. */
async function unusedFolder(name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const folder = join(ELSEWHERE, number === 1 ? name : `${name}-${number}`)
    if (!(await stat(folder).catch(() => undefined))) return folder
  }
}

/** What still bars the user from the folder after it was opened for passing through (not for listing or reading). */
async function openWay(folder: string, user: RunAs): Promise<string | undefined> {
  const blocked = await barrier(folder, user)
  if (blocked === undefined || blocked !== (await realpath(folder))) return blocked
  const { mode } = await stat(folder)
  await chmod(folder, (mode & 0o7777) | 0o011)
  return await barrier(folder, user)
}

const nameOf = (path: string) => createHash('sha256').update(path).digest('hex').slice(0, 16)
