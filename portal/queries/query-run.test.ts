import { Fault } from '@postern/protocol/fault.ts'
import { expect, test } from 'vitest'
import { type Answering, type Ask, type Asked, QueryRun, type RunState } from './query-run.ts'

const asked: Asked = { store: 'shop', sql: 'select 1', params: [], mode: 'read', as: 'table' }
const encode = (text: string) => new TextEncoder().encode(text)

function answering(chunks: readonly string[]): Answering {
  return {
    id: 'qry_1',
    node: 'berlin',
    bytes: (async function* () {
      for (const chunk of chunks) yield encode(chunk)
    })(),
  }
}

/** Ends when it is told to by the signal, as a hung statement. */
const forever: Ask = (_asked, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

const endOf = (state: RunState) => (state.at === 'idle' ? undefined : state)

test('rows are gathered, with the node and the id', async () => {
  const run = new QueryRun(
    async () => answering(['{"n":1}\n{"n"', ':2}\n']),
    () => 0,
  )
  const seen: string[] = []
  run.subscribe(() => seen.push(run.state().at))

  await run.run(asked)

  expect(endOf(run.state())).toMatchObject({
    at: 'succeeded',
    id: 'qry_1',
    node: 'berlin',
    columns: ['n'],
    rows: [{ n: 1 }, { n: 2 }],
    bytes: 16,
  })
  expect(seen[0]).toBe('running')
  expect(seen.at(-1)).toBe('succeeded')
})

test('a file is whole or not there', async () => {
  const run = new QueryRun(
    async () => answering(['a,b\n', '1,2\n']),
    () => 0,
  )

  await run.run({ ...asked, as: 'csv' })

  expect(await endOf(run.state())?.file?.text()).toBe('a,b\n1,2\n')
})

test('a fault keeps the id by which the log explains it', async () => {
  const run = new QueryRun(
    async () => {
      throw new Fault('QUERY_FAILED', { details: { query: 'qry_9' } })
    },
    () => 0,
  )

  await run.run(asked)

  expect(endOf(run.state())).toMatchObject({ at: 'failed', id: 'qry_9' })
})

test('what is cancelled ends as cancelled', async () => {
  const run = new QueryRun(forever, () => 0)
  const ended = run.run(asked)

  run.cancel()
  await ended

  expect(run.state().at).toBe('cancelled')
})

test('a statement that another one replaced says nothing more', async () => {
  let turn = 0
  const run = new QueryRun(
    (one, signal) => (turn++ === 0 ? forever(one, signal) : Promise.resolve(answering(['{"n":7}\n']))),
    () => 0,
  )
  const first = run.run(asked)

  await run.run({ ...asked, sql: 'select 7' })
  await first

  expect(endOf(run.state())).toMatchObject({ at: 'succeeded', rows: [{ n: 7 }], asked: { sql: 'select 7' } })
})
