/**
 * DuckDB for queries, in a process of its own, driven by query-engine.ts: commands by Node's IPC, rows by one pipe a slot, so that a
 * reader that is slow holds back its own statement and no other. Apart from the process of copies (duck-process.ts): this one
 * sees the store's folder only, and a statement that takes all memory ends no copy.
 */
import { Socket } from 'node:net'
import { type DuckDBConnection, DuckDBInstance, type DuckDBVarCharVector } from '@duckdb/node-api'
import { Fault } from '@postern/protocol/fault.ts'
import { type RowEncoder, TextRows } from '../formats/encoder.ts'
import { encoderMaker } from '../formats/formats.ts'
import { AskedPlace } from './asked-place.ts'
import { Folder } from './folder.ts'
import type { QueryCommand, QueryStart } from './query-engine.ts'
import { queryFault } from './query-faults.ts'
import { END, type FrameEnd, frameHead, ROWS } from './query-frames.ts'
import { QueryPaths } from './query-paths.ts'
import { MARK, openQuery, type QueryRows } from './query-statement.ts'
import { literal } from './sql.ts'

type Run = Extract<QueryCommand, { type: 'run' }>

/** DuckDB forgets an interrupt that comes before it has begun: it is told again until it has ended. */
const AGAIN_MS = 25
/** stdin, stdout, stderr and IPC come first. */
const FIRST_SLOT_FD = 4

interface Job {
  readonly abort: AbortController
  connection: DuckDBConnection | undefined
  /** Where the files are, when the node must be asked. */
  readonly asked: AskedPlace | undefined
  /** Wakes who waits for room in the pipe. */
  wake: () => void
}

const jobs = new Map<number, Job>()
const sockets = new Map<number, Socket>()
let started: { readonly start: QueryStart; readonly database: Promise<DuckDBInstance> } | undefined

async function open(start: QueryStart): Promise<DuckDBInstance> {
  const database = await DuckDBInstance.create(':memory:', { ...start.options })
  const connection = await database.connect()
  const statements = [
    `set global TimeZone = 'UTC'`,
    `set allowed_directories = [${literal(start.folder.endsWith('/') ? start.folder : `${start.folder}/`)}]`,
    'set enable_external_access = false',
    'set lock_configuration = true',
  ]
  for (const statement of statements) await connection.run(statement)
  connection.closeSync()
  return database
}

async function run(command: Run): Promise<void> {
  const { slot } = command
  const asked = started?.start.asks
    ? new AskedPlace(slot, (question) => process.send?.(question, undefined, undefined, () => undefined))
    : undefined
  const job: Job = { abort: new AbortController(), connection: undefined, asked, wake: () => undefined }
  jobs.set(command.slot, job)
  let again: NodeJS.Timeout | undefined
  job.abort.signal.addEventListener('abort', () => {
    job.wake()
    asked?.giveUp()
    job.connection?.interrupt()
    again = setInterval(() => job.connection?.interrupt(), AGAIN_MS)
  })
  let rows = 0
  let end: FrameEnd = {}
  try {
    if (!started) throw new Fault('INTERNAL', { at: 'the query process was not started' })
    job.connection = await (await started.database).connect()
    rows = await answer(job, command, started.start)
  } catch (cause) {
    end = { fault: job.abort.signal.aborted ? new Fault('CANCELLED').toJSON() : queryFault(cause).toJSON() }
  }
  clearInterval(again)
  await close(job.connection)
  jobs.delete(command.slot)
  const bytes = Buffer.from(JSON.stringify(end))
  sockets.get(command.slot)?.write(Buffer.concat([frameHead(END, bytes.length, rows), bytes]))
}

/** The next statement on a connection ends a stream that was not read to its end, and gives its memory back. */
async function close(connection: DuckDBConnection | undefined): Promise<void> {
  await connection?.run('select 1').catch(() => undefined)
  connection?.closeSync()
}

async function answer(job: Job, command: Run, start: QueryStart): Promise<number> {
  const { connection } = job
  const socket = sockets.get(command.slot)
  if (!connection || !socket) throw new Fault('INTERNAL', { at: `no slot ${command.slot}` })
  const { signal } = job.abort
  const makeEncoder = await encoderMaker(command.format)
  const paths = new QueryPaths(job.asked ?? new Folder(start.folder), { maxFiles: start.maxFiles, format: start.format }, signal)
  const query = await openQuery(connection, command, paths)
  const encoder = makeEncoder(query.columns)
  const rows = await pump(query, { encoder, job, socket })
  encoder.end()
  await send(encoder, rows, { job, socket })
  return rows
}

interface Pump {
  readonly encoder: RowEncoder
  readonly job: Job
  readonly socket: Socket
}

async function pump({ columns, result, broken }: QueryRows, { encoder, job, socket }: Pump): Promise<number> {
  const text = new TextRows(encoder, columns.length)
  const cells: (string | null)[] = new Array(columns.length).fill(null)
  let rows = 0
  for (;;) {
    const chunk = await result.fetchChunk()
    job.abort.signal.throwIfAborted()
    const count = chunk?.rowCount ?? 0
    if (!chunk || count === 0) return await broken()
    const marked = (chunk.getColumnVector(columns.length) as DuckDBVarCharVector).getItem(count - 1) === MARK
    const last = marked ? count - 1 : count
    const vectors = cells.map((_, i) => chunk.getColumnVector(i) as DuckDBVarCharVector)
    for (let row = 0; row < last; row += 1) {
      for (let i = 0; i < cells.length; i += 1) cells[i] = vectors[i]?.getItem(row) ?? null
      text.row(cells)
    }
    rows += last
    if (marked) return rows
    await send(encoder, rows, { job, socket })
  }
}

/** Settles when there is room for more. */
async function send(encoder: RowEncoder, rows: number, { job, socket }: Pick<Pump, 'job' | 'socket'>): Promise<void> {
  const bytes = encoder.out.take()
  if (!bytes) return
  socket.write(frameHead(ROWS, bytes.length, rows))
  if (socket.write(bytes) || job.abort.signal.aborted) return
  await new Promise<void>((resolve) => {
    job.wake = resolve
    socket.once('drain', resolve)
  })
}

process.on('message', (command: QueryCommand) => {
  if (command.type === 'start') {
    started = { start: command, database: open(command) }
    started.database.catch(() => undefined)
    for (let slot = 0; slot < command.slots; slot += 1) {
      const socket = new Socket({ fd: FIRST_SLOT_FD + slot })
      socket.on('error', () => undefined)
      sockets.set(slot, socket)
    }
  } else if (command.type === 'run') void run(command)
  else if (command.type === 'told') jobs.get(command.slot)?.asked?.told(command)
  else jobs.get(command.slot)?.abort.abort()
})
// exit() would wait for threads that hold a statement.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
