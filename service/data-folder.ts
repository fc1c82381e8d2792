/** The service's data folder: one service at a time, and nobody else's folder. */
import { readFileSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Clock } from '@postern/base/clock.ts'
import type { Component } from '@postern/base/lifecycle.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import { isAlive } from './db/embedded/postmaster.ts'

const Holder = z.object({ pid: z.int().positive(), born: z.string(), id: z.string() })
type Holder = z.infer<typeof Holder>

/** Two that take over a dead one's lock at the same moment see each other's after so long. */
const SETTLE_MS = 60
/** Folders that this process holds: a second service in it has the same pid. */
const held = new Set<string>()

export interface DataFolderParts {
  readonly path: string
  readonly clock: Clock
  readonly random: Random
}

export class DataFolder implements Component {
  readonly name = 'data-folder'
  readonly path: string
  readonly #parts: DataFolderParts
  #holder: Holder | undefined

  constructor(parts: DataFolderParts) {
    this.#parts = parts
    this.path = resolve(parts.path)
  }

  file(name: string): string {
    return join(this.path, name)
  }

  async start(): Promise<void> {
    try {
      // Others may pass through (the database's own user must), but neither list nor read.
      await mkdir(this.path, { recursive: true, mode: 0o711 })
      if (await stat(this.file('node.json')).catch(() => undefined))
        throw new Fault('DATA_FOLDER_FOREIGN', { at: `${this.path} holds a node.` })
      await this.#lock()
    } catch (cause) {
      throw folderFault(cause, this.path)
    }
  }

  async stop(): Promise<void> {
    const holder = this.#holder
    this.#holder = undefined
    if (!holder) return
    held.delete(this.path)
    const now = await this.#read()
    if (now?.id === holder.id) await rm(this.#lockFile, { force: true })
  }

  get #lockFile(): string {
    return this.file('service.lock')
  }

  async #lock(): Promise<void> {
    const { clock, random } = this.#parts
    if (held.has(this.path)) throw new Fault('DATA_FOLDER_IN_USE', { at: `${this.path} (by this process)` })
    const mine: Holder = { pid: process.pid, born: bornAt(process.pid), id: Buffer.from(random.bytes(9)).toString('base64url') }
    const file = `${this.#lockFile}.${mine.id}`
    await writeFile(file, JSON.stringify(mine), { mode: 0o600 })
    try {
      const other = await this.#read()
      if (other && isSame(other)) throw inUse(this.path, other.pid)
      if (other || (await exists(this.#lockFile))) await rename(file, this.#lockFile)
      else await link(file, this.#lockFile).catch(() => undefined)
      await clock.sleep(SETTLE_MS)
      const now = await this.#read()
      if (now?.id !== mine.id) throw inUse(this.path, now?.pid ?? 0)
    } finally {
      await rm(file, { force: true })
    }
    held.add(this.path)
    this.#holder = mine
  }

  async #read(): Promise<Holder | undefined> {
    const text = await readFile(this.#lockFile, 'utf8').catch(() => '')
    try {
      return Holder.parse(JSON.parse(text))
    } catch {
      return undefined // none, or cut short by a crash
    }
  }
}

/** Alive, and not another process that was given the same number: in containers a service is always number 1. */
function isSame(holder: Holder): boolean {
  if (holder.pid === process.pid) return false
  if (!isAlive(holder.pid)) return false
  const born = bornAt(holder.pid)
  return born === '' || holder.born === '' || born === holder.born
}

/** When the process began, in ticks since the machine did; empty where the system does not say it so. */
function bornAt(pid: number): string {
  if (process.platform !== 'linux') return ''
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // The name, in brackets, may hold spaces: fields are counted behind it. Start time is field 22.
    return `${boot}/${text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`
  } catch {
    return ''
  }
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined
const inUse = (path: string, pid: number) => new Fault('DATA_FOLDER_IN_USE', { at: `${path} (process ${pid})`, details: { pid } })

function folderFault(cause: unknown, path: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return new Fault('FILE_DENIED', { at: path, cause })
  if (code === 'ENOSPC') return new Fault('DISK_FULL', { at: path, cause })
  if (code === 'ENOTDIR' || code === 'EEXIST') return new Fault('CONFIG_INVALID', { at: `--data ${path} is no folder.`, cause })
  return cause
}
