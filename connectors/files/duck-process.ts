/**
 * DuckDB in a process of its own, driven over Node's IPC by duck.ts. Apart from the node for three reasons: each statement
 * holds a thread of libuv's pool while it waits for a pipe, and the node has only four of those; its memory goes back to the
 * system when the process ends; and what hangs or crashes in it can be killed without the node.
 */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { DuckReply, DuckRequest } from './duck.ts'

const started = new Set<number>()
const running = new Map<number, DuckDBConnection>()
/** Statements to be ended. DuckDB forgets an interrupt that comes before it has begun: it is told again until it has ended. */
const ending = new Map<number, NodeJS.Timeout>()
const AGAIN_MS = 25
let instance: Promise<DuckDBInstance> | undefined

async function start(options: Record<string, string>, statements: readonly string[]): Promise<DuckDBInstance> {
  const database = await DuckDBInstance.create(':memory:', options)
  const connection = await database.connect()
  for (const statement of statements) await connection.run(statement)
  connection.closeSync()
  return database
}

async function run(id: number, sql: string): Promise<void> {
  started.add(id)
  let connection: DuckDBConnection | undefined
  try {
    if (!instance) throw new Error('not started')
    connection = await (await instance).connect()
    if (ending.has(id)) throw new Error('interrupted')
    running.set(id, connection)
    const result = await connection.run(sql)
    reply({ id, changed: result.rowsChanged, rows: (await result.getRowsJson()) as unknown[][] })
  } catch (cause) {
    reply({ id, error: cause instanceof Error ? cause.message : String(cause) })
  } finally {
    running.delete(id)
    clearInterval(ending.get(id))
    ending.delete(id)
    started.delete(id)
    connection?.closeSync()
  }
}

function interrupt(id: number): void {
  if (!started.has(id)) return
  running.get(id)?.interrupt()
  ending.set(
    id,
    setInterval(() => running.get(id)?.interrupt(), AGAIN_MS),
  )
}

function reply(message: DuckReply): void {
  // The callback takes the error of a parent that is gone; "disconnect" ends this process then.
  process.send?.(message, undefined, undefined, () => undefined)
}

process.on('message', (message: DuckRequest) => {
  if (message.type === 'start') instance = start(message.options, message.statements)
  else if (message.type === 'run') void run(message.id, message.sql)
  else interrupt(message.id)
})
// exit() would wait for threads that are blocked on a pipe.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
