/** kill -9 of all nodes while rows go to folders by their values: in the midst of a part, and of the finish. Every row is there once, and nothing is left. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CopyRequest, RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CELL, compareRows, NOTHING_WRONG, type Rows } from './chaos/row-checker.ts'
import { Cluster } from './cluster.ts'
import { story } from './copy-rig.ts'
import { FlakyLink } from './flaky-link.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { objectBytes, objectKeys, unfinished } from './object-reader.ts'
import { type ObjectServer, s3Server } from './object-store.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

const ROWS = 4_000
const YEARS = 40
/** A part takes a second or two. */
const BYTES_PER_SECOND = 250_000
const WAIT_MS = 60_000
const MANIFEST = '_manifest.json'

let cluster: Cluster
let database: TestDatabase
let link: FlakyLink
let folder: TestFolder

beforeAll(async () => {
  folder = await testFolder()
  cluster = await Cluster.start()
  database = await testDatabase()
  link = await FlakyLink.to(database)
  await database.query(`create table visits (id int primary key, year int, filler text);
    insert into visits select n, 2000 + n % ${YEARS}, repeat(md5(n::text), 3) from generate_series(1, ${ROWS}) n; analyze visits`)
  await cluster.postgresStore('shop', database, link)
  await cluster.filesStore('lake', folder.path)
}, 120_000)

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  for (const each of [link, database, folder]) await each?.[Symbol.asyncDispose]()
})

interface Manifest {
  readonly run: string
  readonly files: readonly { readonly name: string }[]
}

const copyTo = (sink: string): CopyRequest => {
  return { source: 'shop', sink, from: 'visits', to: 'visits.csv/', parts: 2, mode: 'overwrite', partitionBy: ['year'] }
}

async function killAll(): Promise<void> {
  await Promise.all([...cluster.nodes.values()].map((node) => node.kill()))
}

async function restart(): Promise<void> {
  for (const node of cluster.nodes.values()) await node.restart()
}

const seen = (run: string, what: string, is: (view: RunView) => boolean) =>
  waitFor(what, () => cluster.client.runs.get(run), is, { timeoutMs: WAIT_MS, everyMs: 20 })

const running = (kind: string) => (view: RunView) => view.tasks.some((task) => task.kind === kind && task.status === 'running')
const partsDone = ({ tasks }: RunView) => tasks.filter((task) => task.kind === 'part' && task.status === 'succeeded').length

async function rightIn(
  run: RunView,
  target: { readonly manifest: Manifest; readonly read: (name: string) => Promise<Buffer> },
): Promise<void> {
  expect(run, `${story(run)}\n${cluster.warnings}`).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } })
  expect(target.manifest).toMatchObject({ run: run.id })
  expect(target.manifest.files).toHaveLength(YEARS * 2)
  const found = await Promise.all(target.manifest.files.map(async ({ name }) => rowsOf(name, String(await target.read(name)))))
  const source = await database.query<{ row: string }>(`select concat_ws('${CELL}', id, year, filler) as row from visits`)
  expect(
    compareRows(
      source.map(({ row }) => row),
      found.flat(),
    ),
  ).toEqual(NOTHING_WRONG)
}

function rowsOf(name: string, text: string): Rows {
  const year = /^year=(\d+)\//.exec(name)?.[1] ?? ''
  const [, ...lines] = text.trimEnd().split('\n')
  return lines.map((line) => line.split(',').toSpliced(1, 0, year).join(CELL))
}

/** The same server, as it is reached through the link. */
function behind({ endpoint, access }: ObjectServer, { host, port }: FlakyLink): ObjectServer['access'] {
  const through = Object.assign(new URL(endpoint), { hostname: host, port: String(port) })
  return { ...access, settings: { ...access.settings, endpoint: through.origin } }
}

const listed = ({ files }: Manifest, before = '') => [MANIFEST, ...files.map(({ name }) => name)].map((name) => before + name).sort()

test('a folder: struck in a part and again in the finish, while it replaces an earlier copy', { timeout: 180_000 }, async () => {
  const target = join(folder.path, 'visits.csv')
  const manifest = async () => JSON.parse(await readFile(join(target, MANIFEST), 'utf8')) as Manifest
  const first = await cluster.ended((await cluster.client.copy(copyTo('lake'))).id)
  await rightIn(first, { manifest: await manifest(), read: (name) => readFile(join(target, name)) })

  link.slow(BYTES_PER_SECOND)
  const { id } = await cluster.client.copy({ ...copyTo('lake'), parallel: 1 })
  await seen(id, 'one part is done, the other is read', (view) => partsDone(view) === 1 && running('part')(view))
  await killAll()
  link.heal()
  expect((await manifest()).run).toBe(first.id)
  await restart()
  const news = async () => (await readdir(join(target, 'year=2000'))).filter((name) => !first.id.endsWith(name.slice(11, 23))).length
  await waitFor('the finish moves files', news, (count) => count > 0, { timeoutMs: WAIT_MS, everyMs: 2 })
  await killAll()
  await restart()
  const run = await cluster.ended(id)

  await rightIn(run, { manifest: await manifest(), read: (name) => readFile(join(target, name)) })
  const entries = await readdir(folder.path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  expect(files.map((path) => path.slice(target.length + 1)).sort()).toEqual(listed(await manifest()))
  expect((await readdir(folder.path)).sort()).toEqual(['visits.csv'])
  const scratch = await Promise.all([...cluster.nodes.values()].map((node) => readdir(join(node.data, 'scratch'), { recursive: true })))
  expect(scratch.flat().filter((name) => name.includes('part'))).toEqual([])
})

test('objects: struck when some are published and others not', { timeout: 180_000 }, async () => {
  await using server: ObjectServer = await s3Server()
  await using slow = await FlakyLink.to({ port: Number(new URL(server.endpoint).port) })
  await cluster.allOnline()
  await cluster.store('cloud', 's3', behind(server, slow))
  const published = async () => (await objectKeys(server)).filter((key) => /^visits\.csv\/(?:year=|_)/.test(key))

  const { id } = await cluster.client.copy(copyTo('cloud'))
  await seen(id, 'both parts are done', (view) => partsDone(view) === 2)
  slow.delay(30)
  await waitFor('some objects are published', published, (keys) => keys.length > 0, { timeoutMs: WAIT_MS, everyMs: 5 })
  slow.stall()
  await killAll()
  const midway = (await published()).length
  slow.heal()
  await restart()
  const run = await cluster.ended(id)

  expect(midway, 'the manifest at least is not there yet').toBeLessThan(YEARS * 2 + 1)
  const manifest = JSON.parse(String(await objectBytes(server, `visits.csv/${MANIFEST}`))) as Manifest
  await rightIn(run, { manifest, read: (name) => objectBytes(server, `visits.csv/${name}`) })
  expect((await objectKeys(server)).toSorted()).toEqual(listed(manifest, 'visits.csv/'))
  expect(await unfinished(server)).toEqual([])
})
