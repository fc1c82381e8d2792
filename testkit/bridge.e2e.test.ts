import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { CopyRig, story } from './copy-rig.ts'
import { TestNode } from './node.ts'
import { testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

/** Two gateways of one service: `demo` (n1, n2) writes, `far` (f1, f2) reads. The far nodes reach the service by a tap that keeps what passes. */
let cluster: Cluster
let tap: Tap
const far = new Map<string, TestNode>()
let farKey = ''

beforeAll(async () => {
  cluster = await Cluster.start({ nodes: ['n1', 'n2'] })
  tap = await Tap.to(Number(new URL(cluster.service.url).port))
  farKey = (await cluster.client.gateways.create({ name: 'far' })).key1
  for (const name of ['f1', 'f2']) await addFar(name)
}, 60_000)

afterAll(async () => {
  await Promise.all([...far.values()].map((node) => node[Symbol.asyncDispose]()))
  await cluster?.[Symbol.asyncDispose]()
  await tap?.[Symbol.asyncDispose]()
})

async function addFar(name: string): Promise<void> {
  far.set(name, await TestNode.start({ name, url: tap.url, key: farKey }))
  await waitFor(
    `${name} is online`,
    () => cluster.client.nodes.list('far'),
    (nodes) => nodes.some((node) => node.name === name && node.status === 'online'),
  )
}

/** A rig whose source belongs to the far gateway. */
async function farRig(options: Parameters<typeof CopyRig.make>[1] = {}): Promise<CopyRig> {
  return CopyRig.make(cluster, { ...options, sourceGateway: 'far' })
}

test('a table goes from a store of one gateway to one of another, in parts, under one snapshot, and proves it', async () => {
  await using rig = await farRig()

  const asked = { source: rig.names.source, sink: rig.names.target, from: 'orders', to: 'orders', parts: 4, verify: 'checksum' } as const
  const run = await cluster.ended((await cluster.client.copy(asked)).id)

  expect(run.status, story(run)).toBe('succeeded')
  expect(run.guarantee).toBe('exactly-once')
  expect(run.tasks.filter(({ kind }) => kind === 'part')).toHaveLength(4)
  expect(run.tasks.every(({ node }) => node === 'n1' || node === 'n2')).toBe(true)
  expect(run.verification).toMatchObject({ status: 'passed', sourceRows: rig.rows, targetRows: rig.rows })
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
}, 60_000)

test('what passes between the gateways cannot be read on the way', async () => {
  await using rig = await farRig({ rows: 500 })
  const marker = 'a very private remark of somebody'
  await rig.source.query(`update orders set customer = '${marker}'`)
  tap.forget()

  const run = await cluster.ended(
    (await cluster.client.copy({ source: rig.names.source, sink: rig.names.target, from: 'orders', to: 'orders' })).id,
  )

  expect(run.status, story(run)).toBe('succeeded')
  const [copied] = await rig.target.query(`select count(*)::int as rows from orders where customer = '${marker}'`)
  expect(copied).toEqual({ rows: 500 })
  expect(tap.bytes).toBeGreaterThan(500 * marker.length)
  expect(tap.saw(marker)).toBe(false)
  // The tap would have seen it: a query's answer passes unsealed where the link has no TLS.
  await (await cluster.client.query(rig.names.source, { sql: `select '${marker}' as remark` })).rows()
  expect(tap.saw(marker)).toBe(true)
}, 60_000)

test('files of one gateway go into a table of another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-far-'))
  await using target = await testDatabase()
  try {
    await writeFile(join(folder, 'people.csv'), 'id,name\n1,Ada\n2,Grace\n3,\n')
    await cluster.filesStore('far-files', folder, 'far')
    await cluster.postgresStore('near-target', target)

    const run = await cluster.ended(
      (await cluster.client.copy({ source: 'far-files', sink: 'near-target', from: 'people.csv', to: 'people' })).id,
    )

    expect(run.status, story(run)).toBe('succeeded')
    expect(await target.query('select * from people order by id')).toEqual([
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Grace' },
      { id: 3, name: null },
    ])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)

test('lines that cannot be read are told across the bridge, in their place, and left out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-far-'))
  const near = await mkdtemp(join(tmpdir(), 'postern-near-'))
  await using target = await testDatabase()
  try {
    const lines = Array.from({ length: 3_000 }, (_, i) => (i % 100 === 7 ? `${i}` : `${i},${i === 50 ? 'many' : i}`))
    await writeFile(join(folder, 'people.csv'), `id,age\n${lines.join('\n')}\n`)
    await cluster.filesStore('far-broken', folder, 'far')
    await cluster.filesStore('near-rejects', near)
    await cluster.postgresStore('near-skipping', target)
    await target.query('create table people (id int, age int)')

    const skipIncompatibleRows = { limit: 40, rejects: { store: 'near-rejects', path: 'rejects' } }
    const asked = { source: 'far-broken', sink: 'near-skipping', from: 'people.csv', to: 'people', skipIncompatibleRows } as const
    const run = await cluster.ended((await cluster.client.copy(asked)).id)

    expect(run, story(run)).toMatchObject({ status: 'succeeded', rowsRead: 3_000, rowsWritten: 2_969, rowsSkipped: 31 })
    const [name = ''] = (await readdir(join(near, 'rejects', `${run.id}.csv`))).filter((each) => each.startsWith('part-'))
    const rejects = await readFile(join(near, 'rejects', `${run.id}.csv`, name), 'utf8')
    expect(rejects).toContain(',"51","age","22P02",')
    expect(rejects).toContain(',"2908",,"ROW_INVALID","file people.csv, line 2909, column 2: 2 columns expected, 1 found.","2907"')
  } finally {
    for (const each of [folder, near]) await rm(each, { recursive: true, force: true })
  }
}, 60_000)

test('files of one gateway go as they are into a folder of another', async () => {
  const [there, here] = [await mkdtemp(join(tmpdir(), 'postern-far-')), await mkdtemp(join(tmpdir(), 'postern-near-'))]
  try {
    for (const name of ['a.csv', 'b.csv']) await writeFile(join(there, name), `id,name\n1,${name}\n`)
    await cluster.filesStore('far-folder', there, 'far')
    await cluster.filesStore('near-folder', here)

    const run = await cluster.ended(
      (await cluster.client.copy({ source: 'far-folder', sink: 'near-folder', from: '*.csv', to: 'got.csv/', verify: 'checksum' })).id,
    )

    expect(run.status, story(run)).toBe('succeeded')
    expect(run.lane).toBe('file')
    expect(await readFile(join(here, 'got.csv', 'b.csv'), 'utf8')).toBe('id,name\n1,b.csv\n')
  } finally {
    await Promise.all([there, here].map((folder) => rm(folder, { recursive: true, force: true })))
  }
}, 60_000)

test('a copy by watermark takes only what is new, also between gateways', async () => {
  await using rig = await farRig({ rows: 100 })
  const asked = { source: rig.names.source, sink: rig.names.target, from: 'orders', to: 'orders', watermark: 'id' } as const
  const copy = async () => await cluster.ended((await cluster.client.copy(asked)).id)
  const first = await copy()
  await rig.source.query(`insert into orders select 1000 + n, 'new', 1, now(), true, '{}' from generate_series(1, 7) n`)

  const second = await copy()

  expect([first.status, first.rowsWritten], story(first)).toEqual(['succeeded', 100])
  expect([second.status, second.rowsWritten], story(second)).toEqual(['succeeded', 7])
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
}, 60_000)

test('what the source says of a mistake reaches the person, and nothing is written', async () => {
  await using rig = await farRig({ rows: 10 })

  const run = await cluster.ended(
    (await cluster.client.copy({ source: rig.names.source, sink: rig.names.target, from: 'no_such_table', to: 'orders' })).id,
  )

  expect(run.status).toBe('failed')
  expect(run.fault).toMatchObject({ code: 'TABLE_MISSING', message: expect.stringContaining('no_such_table') })
}, 60_000)

test('kill -9 of the far node that holds the snapshot and reads: every row is there once', async () => {
  await using rig = await farRig({ rows: 40_000, bytesPerSecond: 1_000_000 })
  const asked = { source: rig.names.source, sink: rig.names.target, from: 'orders', to: 'orders', parts: 6 } as const
  const started = await cluster.startCopy(asked)

  await far.get('f1')?.kill()
  far.delete('f1')
  rig.link.heal()
  const run = await cluster.ended(started.id)

  expect(run.status, story(run)).toBe('succeeded')
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
}, 120_000)

/** A TCP pass-through that keeps what it sees. */
class Tap implements AsyncDisposable {
  readonly #server = createServer()
  readonly #sockets = new Set<Socket>()
  #seen: Buffer[] = []

  static async to(port: number): Promise<Tap> {
    const made = new Tap()
    made.#server.on('connection', (near) => {
      const away = connect({ port, host: '127.0.0.1' })
      for (const [from, to] of [
        [near, away],
        [away, near],
      ] as const) {
        made.#sockets.add(from)
        from.on('data', (chunk: Buffer) => made.#seen.push(chunk))
        from.on('error', () => undefined)
        from.once('close', () => {
          made.#sockets.delete(from)
          to.destroy()
        })
        from.pipe(to)
      }
    })
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve))
    return made
  }

  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  }

  get bytes(): number {
    return this.#seen.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  saw(text: string): boolean {
    return Buffer.concat(this.#seen).includes(text)
  }

  forget(): void {
    this.#seen = []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
