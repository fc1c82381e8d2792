import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { Client } from '@postern/client/client.ts'
import type { QueryOptions, QueryResult } from '@postern/client/query.ts'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { connect } from '../api/connect.ts'
import { count, duration } from '../output/format.ts'
import { note } from '../output/print.ts'
import { queryStory } from '../output/query-text.ts'
import { RowTable } from '../output/row-table.ts'
import type { Shell } from '../shell.ts'
import type { QueryFlags } from './query.ts'

export async function runQuery(store: string, sql: string, flags: QueryFlags, shell: Shell): Promise<void> {
  const format = flags.format ?? (flags.json ? 'json' : 'table')
  const statement = sql === '-' ? await readAll(shell) : sql
  const { client } = await connect(shell)
  const started = shell.clock.monotonic()
  const result = await ask(client, shell, flags, {
    store,
    sql: statement,
    params: [...flags.param],
    mode: flags.write ? 'write' : 'read',
    format: format === 'table' ? 'ndjson' : format,
    signal: shell.signal,
    ...(flags.maxRows === undefined ? {} : { maxRows: flags.maxRows }),
    ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
  })
  try {
    if (format === 'table') {
      const rows = await printRows(result, shell)
      note(
        shell,
        `(${count(rows)} ${rows === 1 ? 'row' : 'rows'} by node ${result.node} in ${duration(shell.clock.monotonic() - started)})`,
      )
    } else {
      await pass(result.bytes, shell)
      if (format === 'json' && shell.stdout.isTTY) shell.stdout.write('\n')
    }
  } catch (thrown) {
    throw await better(thrown, result, client)
  } finally {
    if (flags.explain) await explain(client, result.id, shell, flags.json === true)
  }
}

/** A query that was refused is explained too: that is when one wants to know. */
async function ask(
  client: Client,
  shell: Shell,
  flags: QueryFlags,
  query: QueryOptions & { readonly store: string },
): Promise<QueryResult> {
  const { store, ...options } = query
  try {
    return await client.query(store, options)
  } catch (thrown) {
    const id = thrown instanceof Fault ? thrown.details['query'] : undefined
    if (flags.explain && typeof id === 'string') await explain(client, id, shell, flags.json === true)
    throw thrown
  }
}

/** As fast as stdout takes it, and no faster: a slow reader holds back the database. */
async function pass(bytes: AsyncIterable<Uint8Array>, shell: Shell): Promise<void> {
  const { stdout, signal } = shell
  for await (const chunk of bytes) {
    if (!stdout.write(chunk)) await once(stdout, 'drain', { signal })
  }
}

async function printRows(result: QueryResult, shell: Shell): Promise<number> {
  const table = new RowTable()
  const decoder = new TextDecoder()
  let buffered = ''
  for await (const chunk of result.bytes) {
    buffered += decoder.decode(chunk, { stream: true })
    const lines = buffered.split('\n')
    buffered = lines.pop() ?? ''
    for (const line of lines) table.add(line)
    await write(table.take(), shell)
  }
  if (buffered !== '') table.add(buffered)
  await write(table.end(), shell)
  return table.rows
}

async function write(text: string, shell: Shell): Promise<void> {
  if (text !== '' && !shell.stdout.write(text)) await once(shell.stdout, 'drain', { signal: shell.signal })
}

/** A result that broke off says only that; the service knows why. */
async function better(thrown: unknown, result: QueryResult, client: Client): Promise<unknown> {
  if (!(thrown instanceof Fault) || thrown.code !== 'STORE_LOST') return thrown
  const view = await settled(client, result.id)
  if (!view?.fault) return thrown
  thrown.message = `The result broke off: ${view.fault}`
  return thrown
}

async function explain(client: Client, id: string, shell: Shell, json: boolean): Promise<void> {
  const view = await settled(client, id)
  if (!view) return note(shell, `The service does not know query ${id} any more.`)
  if (json) return note(shell, JSON.stringify({ explain: view }))
  for (const line of queryStory(view)) note(shell, line)
}

/** The record is written when the last byte has gone out: that can be a moment after we have read it. */
async function settled(client: Client, id: string): Promise<QueryView | undefined> {
  const signal = AbortSignal.timeout(3_000)
  for (let wait = 20; ; wait *= 2) {
    const view = await client.queries.get(id, signal).catch(() => undefined)
    if ((view && view.outcome !== 'running') || wait > 1_000) return view
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

async function readAll(shell: Shell): Promise<string> {
  let text = ''
  const ended = finished(shell.stdin, { writable: false, signal: shell.signal })
  shell.stdin.setEncoding('utf8')
  shell.stdin.on('data', (chunk: string) => {
    text += chunk
  })
  await ended
  return text
}
