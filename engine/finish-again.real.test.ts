/** A finish that is lost between the manifest and the end: the next one takes away what was replaced, and the room of the run. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { type OpenedStore, openStore, type TemporaryFolder, temporaryFolder } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

let from: TemporaryFolder
let to: TemporaryFolder
let shop: OpenedStore
let lake: OpenedStore
let engine: Engine

beforeAll(async () => {
  from = await temporaryFolder()
  to = await temporaryFolder()
  shop = await openStore('files', { path: from.path })
  lake = await openStore('files', { path: to.path })
  engine = engineOver({ shop, lake })
  await mkdir(join(from.path, 'deep', 'er'), { recursive: true })
  await writeFile(join(from.path, 'deep', 'rows.csv'), 'id,year\n1,2024\n2,2025\n3,2024\n')
  await writeFile(join(from.path, 'deep', 'er', 'other.bin'), 'bytes')
})

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]()
  for (const each of [shop, lake, from, to]) await each?.[Symbol.asyncDispose]()
})

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => relative(path, join(entry.parentPath, entry.name)))
}

const COPIES: readonly (readonly [string, ConstructorParameters<typeof Run>[0]])[] = [
  ['rows', { from: 'deep/rows.csv', to: 'rows.csv/' }],
  ['rows in folders by their values', { from: 'deep/rows.csv', to: 'spread.csv/', partitionBy: ['year'] }],
  ['files as they are', { from: 'deep/**', to: 'as-is/', read: { format: 'binary' } }],
]

test.each(COPIES)('%s', async (_, what) => {
  const target = join(to.path, what.to)
  const manifest = async () =>
    JSON.parse(await readFile(join(target, '_manifest.json'), 'utf8')) as { run: string; files: readonly { name: string }[] }
  await runAll(engine, new Run({ ...what, mode: 'overwrite' }))
  const old = (await manifest()).files.map(({ name }) => name)
  const run = new Run({ ...what, mode: 'overwrite' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  for (const index of run.tasks.keys()) run.moved(index, await engine.execute(run.part(index), ignore, never()))
  // What cannot be taken away ends the finish there, as a kill would.
  for (const name of old) await rm(join(target, name))
  for (const name of old) await mkdir(join(target, name, 'held'), { recursive: true })
  expectOutcome(await engine.execute(run.finish(), ignore, never()), 'failed')
  expect((await manifest()).run).toBe(run.id)
  for (const name of old) await rm(join(target, name), { recursive: true })
  for (const name of old) await writeFile(join(target, name), 'old')

  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  expect(finish.verification.status).toBe('passed')
  const { files } = await manifest()
  expect((await filesBelow(target)).sort()).toEqual(['_manifest.json', ...files.map(({ name }) => name)].sort())
  expect(files.some(({ name }) => old.includes(name))).toBe(false)
  expect((await readdir(to.path)).filter((name) => name.startsWith('.'))).toEqual([])
})
