import { createHash } from 'node:crypto'
import { realpath, rm } from 'node:fs/promises'
import { createServer, connect as dial, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { errorCode } from './files.ts'

/**
 * One process a data folder. The lock is a local socket that somebody listens on: the operating system lets go of it
 * however the process ends, where a file with a process id would stay behind (and in containers name a stranger).
 */
export class FolderLock implements AsyncDisposable {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async take(folder: string): Promise<FolderLock> {
    const address = await lockAddress(folder)
    const server = (await listen(address)) ?? (await reclaim(address))
    if (!server) throw new Fault('DATA_FOLDER_IN_USE', { at: `(${folder})` })
    server.unref()
    return new FolderLock(server)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

async function lockAddress(folder: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 32)
  if (process.platform === 'win32') return `\\\\.\\pipe\\postern-${hash}`
  if (process.platform === 'linux') return `\0postern-${hash}`
  return join(tmpdir(), `postern-${hash}.sock`)
}

/** Undefined when the address is taken. */
function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (cause) => (errorCode(cause) === 'EADDRINUSE' ? resolve(undefined) : reject(cause)))
    server.listen(address, () => resolve(server))
  })
}

/** A socket file outlives its process (macOS, BSD): one that nobody answers on is taken over. */
async function reclaim(address: string): Promise<Server | undefined> {
  if (process.platform === 'linux' || process.platform === 'win32') return undefined
  const answered = await new Promise<boolean>((resolve) => {
    const socket = dial(address)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => undefined).setTimeout(1_000, () => socket.destroy())
  })
  if (answered) return undefined
  await rm(address, { force: true })
  return listen(address)
}
