import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, constants, createReadStream, createWriteStream, openSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough, type Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { systemClock } from '@postern/base/clock.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { DuckAnswer } from './duck.ts'
import { abortFault, errnoOf, fileFault, stopIfAborted } from './faults.ts'

/** Runs a statement that reads, or writes, the file at `path`. */
export type Statement = (path: string, signal: AbortSignal) => Promise<DuckAnswer>

/** Where rows come from, and what they pass through on the way. */
export type Rows = readonly [Readable, ...Transform[]]

/** DuckDB opens its end within so long of its start; how often that is looked at. */
const LIMITS = { openMs: 30_000, lookMs: 2, letGoMs: 20, bufferBytes: 1 << 20 } as const

/**
 * A named pipe where the system has them. The node's ends are non-blocking and go through its event loop: as files they would
 * each hold a thread of the pool. Undefined (Windows, or no `mkfifo`): the caller spools through a file instead.
 */
async function makePipe(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', path], { timeout: 5_000 })
    return true
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return false
    throw new Fault('INTERNAL', { at: 'mkfifo failed', cause })
  }
}

async function withPath<T>(scratch: string, work: (path: string) => Promise<T>): Promise<T> {
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  const path = join(scratch, `pipe-${randomUUID()}`)
  try {
    return await work(path)
  } finally {
    await rm(path, { force: true })
  }
}

export interface PipeOptions {
  readonly scratch: string
  /** Tests switch pipes off to take the way of systems without them. */
  readonly pipes?: boolean | undefined
}

/**
 * Gives rows to a statement as a file. Settles when both have ended; what failed first decides the error. The end of the
 * pipe is never taken for the end of the rows: when `rows` fail, this fails, whatever DuckDB made of it.
 */
export function feed(rows: Rows, options: PipeOptions, statement: Statement, signal: AbortSignal): Promise<DuckAnswer> {
  return withPath(options.scratch, async (path) => {
    try {
      if (options.pipes !== false && (await makePipe(path))) return await feedPipe(rows, path, statement, signal)
      await pipeline([...rows, createWriteStream(path, { mode: 0o600 })], { signal })
      return await statement(path, signal)
    } catch (cause) {
      rows[0].destroy()
      stopIfAborted(signal)
      throw fileFault(cause, 'scratch folder of the node')
    }
  })
}

async function feedPipe(rows: Rows, path: string, statement: Statement, signal: AbortSignal): Promise<DuckAnswer> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const first: { error?: { readonly cause: unknown } } = {}
  const failed = (cause: unknown) => {
    first.error ??= { cause }
    stop.abort(cause)
  }
  const answer = statement(path, either)
  const ended = answer.then(() => true, failed)
  const send = async () => {
    const socket = new Socket({ fd: await openForWriting(path, either), readable: false, writable: true })
    // A statement that fails closes its end: its own fault says why, "EPIPE" does not.
    await pipeline([...rows, socket], { signal: either }).catch(async (cause) => {
      if (errnoOf(cause) === 'EPIPE') await ended
      throw cause
    })
  }
  await send().catch(failed)
  if (first.error) await letGo(path, constants.O_WRONLY, ended)
  await ended
  if (first.error) {
    stopIfAborted(signal)
    throw first.error.cause
  }
  return answer
}

/**
 * A statement that still waits for somebody to open the other end of its pipe would wait for ever, and no interrupt reaches it there:
 * after some seconds its engine would be killed, with all that runs in it. So the end is opened for it until it has ended.
 */
async function letGo(path: string, end: number, ended: Promise<unknown>): Promise<void> {
  const state = { ended: false }
  const over = ended.then(() => {
    state.ended = true
  })
  while (!state.ended) {
    try {
      closeSync(openSync(path, end | constants.O_NONBLOCK))
    } catch {
      // Nobody waits there, or not yet.
    }
    await Promise.race([over, systemClock.sleep(LIMITS.letGoMs)])
  }
}

/** Opening for writing fails until there is a reader, so that no byte is written before DuckDB is there to read it. */
async function openForWriting(path: string, signal: AbortSignal): Promise<number> {
  const until = systemClock.monotonic() + LIMITS.openMs
  for (;;) {
    stopIfAborted(signal)
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch (cause) {
      if (errnoOf(cause) !== 'ENXIO') throw cause
      if (systemClock.monotonic() > until) throw new Fault('INTERNAL', { at: 'DuckDB did not open its pipe' })
    }
    await systemClock.sleep(LIMITS.lookMs, signal)
  }
}

/** What a statement writes, as a stream; `rows` is known once it has ended. Destroying it ends the statement. */
export interface Drained {
  readonly bytes: Readable
  rows(): number
}

export async function drain(options: PipeOptions, statement: Statement, signal: AbortSignal): Promise<Drained> {
  await mkdir(options.scratch, { recursive: true, mode: 0o700 })
  const path = join(options.scratch, `pipe-${randomUUID()}`)
  const out = new PassThrough({ highWaterMark: LIMITS.bufferBytes })
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  let rows = 0
  // Whoever reads sees the error; before anyone does it must not end the process.
  out.on('error', () => undefined)
  const abort = () => out.destroy(abortFault(signal))
  signal.addEventListener('abort', abort, { once: true })
  out.once('close', () => {
    signal.removeEventListener('abort', abort)
    stop.abort(new Fault('CANCELLED'))
  })
  if (signal.aborted) abort()
  const piped = options.pipes !== false && (await makePipe(path))
  const work = piped ? drainPipe(path, out, statement, either) : drainSpool(path, out, statement, either)
  work
    .then((answer) => {
      rows = answer.changed
      out.end()
    })
    .catch((cause) => out.destroy(signal.aborted ? abortFault(signal) : fileFault(cause, 'scratch folder of the node')))
    .finally(() => rm(path, { force: true }))
    .catch(() => undefined)
  return { bytes: out, rows: () => rows }
}

async function drainPipe(path: string, out: PassThrough, statement: Statement, signal: AbortSignal): Promise<DuckAnswer> {
  const socket = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false })
  // Held open until the statement has succeeded: so the end of the stream is the end of the rows, never that of a failure.
  const keeper = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  const moved = pipeline(socket, out, { end: false })
  const answer = statement(path, signal).finally(() => closeSync(keeper))
  const written = answer.catch((cause) => {
    socket.destroy()
    throw cause
  })
  const over = written.then(
    () => undefined,
    () => undefined,
  )
  // A reader that left closes the pipe, so that a statement that waits for room in it fails at once; one that has not opened it yet is let in for that.
  const read = moved.catch(async (cause) => {
    await letGo(path, constants.O_RDONLY, over)
    throw cause
  })
  const ended = await Promise.allSettled([written, read])
  for (const { status, ...rest } of ended) if (status === 'rejected' && 'reason' in rest) throw rest.reason
  return answer
}

async function drainSpool(path: string, out: PassThrough, statement: Statement, signal: AbortSignal): Promise<DuckAnswer> {
  const answer = await statement(path, signal)
  await pipeline(createReadStream(path), out, { end: false })
  return answer
}
