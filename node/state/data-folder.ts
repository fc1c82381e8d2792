import { existsSync } from 'node:fs'
import { chmod, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { fileFault, makeFolder, readWhole, removeTemporary, writeWhole } from './files.ts'
import { FolderLock } from './lock.ts'
import { NodeFile } from './node-file.ts'

/** Lies there while the program on this machine is being updated (`postern node upgrade`). */
const UPGRADING = 'upgrading'
/** What people put there: a certificate for the channel, secrets that stores refer to. */
const THEIRS = ['channel', 'secrets'] as const
/** Where the console is, and the secret of its passes (node/console). */
const CONSOLE = 'console.json'
const OURS = new Set(['node.json', 'vault', 'scratch', UPGRADING, CONSOLE, 'lost+found', ...THEIRS])

/** The node's folder, locked for this process. Everything in it is written by write-then-rename. */
export class DataFolder implements AsyncDisposable {
  readonly path: string
  readonly #lock: FolderLock
  #node: NodeFile | undefined
  #writing: Promise<void> = Promise.resolve()

  private constructor(path: string, lock: FolderLock, node: NodeFile | undefined) {
    this.path = path
    this.#lock = lock
    this.#node = node
  }

  static async open(path: string): Promise<DataFolder> {
    await makeFolder(path)
    const names = await readdir(path).catch((cause) => Promise.reject(fileFault(path, cause)))
    refuseForeign(path, names)
    const lock = await FolderLock.take(path)
    try {
      await chmod(path, 0o700).catch((cause) => Promise.reject(fileFault(path, cause)))
      const node = parseNodeFile(path, await readWhole(join(path, 'node.json')))
      const folder = new DataFolder(path, lock, node)
      await folder.#tidy()
      return folder
    } catch (cause) {
      await lock[Symbol.asyncDispose]()
      throw cause
    }
  }

  get scratch(): string {
    return join(this.path, 'scratch')
  }

  get vault(): string {
    return join(this.path, 'vault')
  }

  /** Looked at with each beat: who updates the program says so without a word to the process. */
  get upgrading(): boolean {
    return existsSync(join(this.path, UPGRADING))
  }

  get node(): NodeFile | undefined {
    return this.#node
  }

  /** The joined node; NODE_NOT_JOINED when there is none. */
  joined(): NodeFile {
    if (!this.#node) throw new Fault('NODE_NOT_JOINED', { at: `(${this.path})` })
    return this.#node
  }

  async create(node: NodeFile): Promise<void> {
    await this.#save(node)
  }

  /** Changes some fields, lastingly when this returns. */
  async update(change: Partial<NodeFile>): Promise<void> {
    await this.#save({ ...this.joined(), ...change })
  }

  /** Forgets all secrets of the gateway: its key, and the credentials of its stores. */
  async wipeVault(): Promise<void> {
    await rm(this.vault, { recursive: true, force: true }).catch((cause) => Promise.reject(fileFault(this.vault, cause)))
    await makeFolder(this.vault)
  }

  /** Takes away all that is a node's; what else lies there stays. The identity goes last, so that it can be tried again. */
  async destroy(): Promise<void> {
    await this.#writing
    for (const name of ['vault', 'scratch', UPGRADING, CONSOLE, 'node.json']) {
      const path = join(this.path, name)
      await rm(path, { recursive: true, force: true }).catch((cause) => Promise.reject(fileFault(path, cause)))
    }
    this.#node = undefined
    await rmdir(this.path).catch(() => undefined) // not empty, or not ours: it stays
  }

  /** Writes follow each other, so that the last one called is the one that stays. */
  #save(node: NodeFile): Promise<void> {
    this.#node = node
    const write = this.#writing.then(() => writeWhole(join(this.path, 'node.json'), `${JSON.stringify(node, null, 2)}\n`))
    this.#writing = write.catch(() => undefined)
    return write
  }

  async #tidy(): Promise<void> {
    await rm(this.scratch, { recursive: true, force: true }).catch((cause) => Promise.reject(fileFault(this.scratch, cause)))
    await makeFolder(this.scratch)
    await makeFolder(this.vault)
    await removeTemporary(this.path)
    await removeTemporary(this.vault)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing
    await this.#lock[Symbol.asyncDispose]()
  }
}

/** Also while the node runs: says, or says no more, that the program on this machine is being updated. */
export async function markUpgrading(path: string, upgrading: boolean): Promise<void> {
  if ((await readWhole(join(path, 'node.json'))) === undefined) throw new Fault('NODE_NOT_JOINED', { at: `(${path})` })
  const mark = join(path, UPGRADING)
  if (upgrading) await writeWhole(mark, '').catch((cause) => Promise.reject(fileFault(mark, cause)))
  else await rm(mark, { force: true })
}

/** Also while the node runs: who it is, and where its secrets lie. */
export async function readJoined(path: string): Promise<{ readonly node: NodeFile; readonly vault: string }> {
  const node = parseNodeFile(path, await readWhole(join(path, 'node.json')))
  if (!node) throw new Fault('NODE_NOT_JOINED', { at: `(${path})` })
  return { node, vault: join(path, 'vault') }
}

/** A folder that is neither empty nor a node's is not ours to write into, least of all a service's. */
function refuseForeign(path: string, names: readonly string[]): void {
  if (names.includes('node.json')) return
  const foreign = names.find((name) => !OURS.has(name) && !name.startsWith('.') && !name.endsWith('.tmp'))
  if (foreign) throw new Fault('DATA_FOLDER_FOREIGN', { at: `(${path} holds "${foreign}" and no node.json)` })
}

function parseNodeFile(path: string, text: string | undefined): NodeFile | undefined {
  if (text === undefined) return undefined
  try {
    return NodeFile.parse(JSON.parse(text))
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', {
      at: `${join(path, 'node.json')} cannot be read.`,
      remedy: 'Restore the file from a backup, or join the node again with an empty --data folder.',
      cause,
    })
  }
}
