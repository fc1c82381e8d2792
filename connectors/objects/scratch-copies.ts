import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault } from '@postern/protocol/fault.ts'
import { abortFault, fileFault, stopIfAborted } from '../files/faults.ts'
import type { FoundFile, LocalFiles } from '../files/place.ts'
import { fewAtOnce } from '../files/publish.ts'

/** Objects that are fetched at a time. */
const FETCHES = 4
/** The most bytes in a step of a path on any file system that is in use. */
const STEP_BYTES = 200

interface Waiting {
  readonly bytes: number
  readonly go: () => void
}

/**
 * Objects copied into the node's scratch folder, for readers that need files. All that are there at a time stay below a bound: who
 * comes when it is reached waits until others have let go of theirs.
 */
export class ScratchCopies {
  readonly #folder: string
  readonly #most: number
  #used = 0
  readonly #waiting: Waiting[] = []

  constructor(folder: string, mostBytes: number) {
    this.#folder = folder
    this.#most = mostBytes
  }

  async of(files: readonly FoundFile[], read: (file: FoundFile) => Readable, signal: AbortSignal): Promise<LocalFiles> {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    await this.#take(bytes, signal)
    const folder = join(this.#folder, `objects-${randomUUID()}`)
    const free = async () => {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
      this.#give(bytes)
    }
    try {
      const paths = files.map(({ path }) => join(folder, ...path.split('/').map(stepOf)))
      await fewAtOnce([...files.entries()], FETCHES, ([i, file]) => fetchTo(paths[i] ?? folder, file, read, signal))
      let freed: Promise<void> | undefined
      return {
        paths,
        folder,
        [Symbol.asyncDispose]: () => {
          freed ??= free()
          return freed
        },
      }
    } catch (cause) {
      await free()
      stopIfAborted(signal)
      throw fileFault(cause, 'scratch folder of the node')
    }
  }

  async #take(bytes: number, signal: AbortSignal): Promise<void> {
    if (bytes > this.#most) {
      throw new Fault('INPUT_INVALID', {
        at: `The objects have ${megabytes(bytes)} MB together; ${megabytes(this.#most)} MB may be copied to the node at a time.`,
        remedy: 'Raise scratchMb of the store, or name fewer objects.',
      })
    }
    stopIfAborted(signal)
    if (this.#waiting.length === 0 && this.#used + bytes <= this.#most) {
      this.#used += bytes
      return
    }
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        const at = this.#waiting.indexOf(waiting)
        if (at >= 0) this.#waiting.splice(at, 1)
        reject(abortFault(signal))
      }
      const go = () => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
      const waiting: Waiting = { bytes, go }
      this.#waiting.push(waiting)
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  #give(bytes: number): void {
    this.#used -= bytes
    for (;;) {
      const [next] = this.#waiting
      if (!next || this.#used + next.bytes > this.#most) return
      this.#waiting.shift()
      this.#used += next.bytes
      next.go()
    }
  }
}

async function fetchTo(path: string, file: FoundFile, read: (file: FoundFile) => Readable, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  let got = 0
  const bytes = read(file)
  bytes.on('data', (chunk: Buffer) => {
    got += chunk.length
  })
  await pipeline(bytes, createWriteStream(path, { mode: 0o600 }), { signal })
  if (got !== file.bytes) {
    throw new Fault('STORE_LOST', { at: `${file.path}: ${got} bytes came of ${file.bytes}; it was changed, or the connection broke.` })
  }
}

/** The name of a step of a key as the node's file system takes it: DuckDB's messages and partitions go by it. */
function stepOf(step: string): string {
  const odd = process.platform === 'win32' && /[<>:"\\|?*]/.test(step)
  if (!odd && Buffer.byteLength(step) <= STEP_BYTES) return step
  const ending = /(?:\.[A-Za-z0-9]{1,8}){1,2}$/.exec(step)?.[0] ?? ''
  return `${createHash('sha256').update(step).digest('hex').slice(0, 32)}${ending}`
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6)
}
