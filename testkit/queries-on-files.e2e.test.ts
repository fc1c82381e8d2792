import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let lake: string

beforeAll(async () => {
  lake = await mkdtemp(join(tmpdir(), 'postern-lake-'))
  await mkdir(join(lake, 'sales'))
  await writeFile(join(lake, 'sales', '2023.csv'), 'id,amount\n1,10.5\n')
  await writeFile(join(lake, 'sales', '2024.csv'), 'id,amount\n2,20\n3,\n')
  cluster = await Cluster.start()
  await cluster.filesStore('lake', lake)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await rm(lake, { recursive: true, force: true })
})

const SALES = `select id, amount from 'sales/*.csv' order by id`

test('the command answers in all formats, with no credential anywhere', async () => {
  const run = async (format: string) => {
    const result = await cluster.cli(['query', 'lake', SALES, '--format', format])
    expect(result.code, result.stderr).toBe(0)
    return result.stdout
  }

  expect(JSON.parse(await run('json'))).toEqual([
    { id: 1, amount: 10.5 },
    { id: 2, amount: 20 },
    { id: 3, amount: null },
  ])
  expect((await run('ndjson')).split('\n')[0]).toBe('{"id":1,"amount":10.5}')
  expect((await run('csv')).split('\n').slice(0, 2)).toEqual(['id,amount', '1,10.5'])
})

test('Arrow arrives whole', async () => {
  const result = await cluster.client.query('lake', { sql: 'select n, n * 0.5 as half from range(100000) t(n)', format: 'arrow' })
  const chunks: Uint8Array[] = []
  for await (const bytes of result.bytes) chunks.push(bytes)
  const table = tableFromIPC(Buffer.concat(chunks))

  expect(table.numRows).toBe(100_000)
  expect(table.getChild('n')?.get(99_999)).toBe(99_999n)
})

test('what is wrong with a statement is said in one line, and stands in the log', async () => {
  const { client } = cluster

  await expect(client.query('lake', { sql: 'selekt 1' })).rejects.toMatchObject({ code: 'QUERY_FAILED' })
  await expect(client.query('lake', { sql: `from '/etc/passwd'` })).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  await expect(client.query('lake', { sql: `copy (select 1) to 'x.csv'`, mode: 'write' })).rejects.toMatchObject({
    code: 'QUERY_READ_ONLY',
  })
  const wrong = await cluster.cli(['query', 'lake', `from 'no.csv'`])
  expect(wrong.code).not.toBe(0)
  expect(wrong.stderr).toContain('no.csv')
  const result = await client.query('lake', { sql: SALES })
  expect(await result.rows()).toHaveLength(3)
  const view = await waitFor(
    'the query is over',
    () => client.queries.get(result.id),
    (seen) => seen.outcome !== 'running',
  )
  expect(view).toMatchObject({ outcome: 'succeeded', rows: 3 })
})

test('a client that leaves ends the statement: its place is free again', async () => {
  // Twice as many as both nodes take at a time.
  for (let n = 0; n < 32; n += 1) {
    const result = await cluster.client.query('lake', {
      sql: `select n, repeat('x', 1000) as filler from range(900000000) t(n)`,
      format: 'csv',
    })
    for await (const _ of result.bytes) break
  }
  const abort = new AbortController()
  const slow = `select sum(hash(a.range + b.range)) from range(1000000) a, range(1000000) b`
  const asked = cluster.client.query('lake', { sql: slow, signal: abort.signal }).catch(() => undefined)
  await sleep(500)
  abort.abort()
  await asked

  const engines = await enginePids()
  expect(engines.length).toBeGreaterThan(0)
  await waitFor(
    'the engines rest',
    async () => {
      const before = await Promise.all(engines.map(cpuTicks))
      await sleep(500)
      const after = await Promise.all(engines.map(cpuTicks))
      return after.reduce((sum, ticks, i) => sum + ticks - (before[i] ?? 0), 0)
    },
    (ticks) => ticks < 5,
  )
})

test('a client that does not read holds back the files, and nobody piles up memory', async () => {
  const result = await cluster.client.query('lake', {
    sql: `select n, repeat('x', 1000) as filler from range(20000000) t(n)`,
    format: 'ndjson',
  })
  const iterator = result.bytes[Symbol.asyncIterator]()
  await iterator.next()
  await sleep(2_000)
  const pids = [cluster.service.process.pid, ...[...cluster.nodes.values()].map(({ process }) => process.pid), ...(await enginePids())]

  const before = await Promise.all(pids.map(residentBytes))
  await sleep(3_000)
  const after = await Promise.all(pids.map(residentBytes))

  for (const [i, bytes] of after.entries()) expect(bytes - (before[i] ?? 0)).toBeLessThan(40_000_000)
  await iterator.return?.()
})

/** The query processes of the nodes. */
async function enginePids(): Promise<readonly number[]> {
  const found: number[] = []
  for (const { process } of cluster.nodes.values()) {
    const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    for (const pid of children.trim().split(' ').filter(Boolean)) {
      if ((await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes('query-process')) found.push(Number(pid))
    }
  }
  return found
}

async function cpuTicks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024
}
