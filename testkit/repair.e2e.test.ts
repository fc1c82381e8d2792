/** `postern run repair` on real processes: of a copy that was right once, only the part that differs now moves again. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { CopyRig, story } from './copy-rig.ts'
import { type TestFolder, testFolder } from './folder.ts'

const PARTS = 4
let cluster: Cluster
let folder: TestFolder
let rig: CopyRig

beforeAll(async () => {
  folder = await testFolder()
  cluster = await Cluster.start()
  rig = await CopyRig.make(cluster, { rows: 8_000 })
  await cluster.filesStore('lake', folder.path)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await rig?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

async function run(words: readonly string[]): Promise<RunView> {
  const done = await cluster.cli([...words, '--json'])
  expect(done.code, done.stderr).toBe(0)
  const view = done.json<RunView>()
  expect(view, story(view)).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } })
  return view
}

const copy = (sink: string, to: string, more: readonly string[] = []) =>
  run(['copy', rig.names.source, sink, '--from', 'orders', '--to', to, '--parts', String(PARTS), '--verify', 'checksum', ...more])

const attemptsOf = ({ tasks }: RunView) => tasks.filter(({ kind }) => kind === 'part').map(({ name, attempts }) => [name, attempts.length])

/** The parts as they were, untouched, and the one that came again. */
function movedAgain(before: RunView, after: RunView): string[] {
  const old = attemptsOf(before)
  expect(attemptsOf(after).slice(0, old.length)).toEqual(old)
  return attemptsOf(after)
    .slice(old.length)
    .map(([name]) => String(name))
}

test('a table in which somebody has changed, deleted and added rows', async () => {
  await rig.target.query(
    'create table orders (id bigint primary key, customer text, amount numeric(12,2), placed timestamptz, paid boolean, note jsonb)',
  )
  const before = await copy(rig.names.target, 'orders')
  await rig.target.query(`update orders set customer = 'somebody else' where id = 5000; delete from orders where id = 5001`)
  expect(await CopyRig.fingerprint(rig.target)).not.toEqual(await CopyRig.fingerprint(rig.source))

  const after = await run(['run', 'repair', before.id])

  const again = movedAgain(before, after)
  expect(again).toHaveLength(1)
  const [, from, to] = /^id (\d+) to (\d+) \(again\)$/.exec(again[0] ?? '') ?? []
  expect(Number(from) <= 5_000 && Number(to) >= 5_001, again[0]).toBe(true)
  expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
  expect(after.notes.join('\n')).toContain('Copied again, because they differ')
})

test.each(['csv', 'parquet'])('a folder of .%s with a file that is damaged', async (ending) => {
  const to = `orders.${ending}`
  const before = await copy('lake', `${to}/`)
  const files = (await readdir(join(folder.path, to))).filter((name) => name.startsWith('part-'))
  const contents = new Map(await Promise.all(files.map(async (name) => [name, await readFile(join(folder.path, to, name))] as const)))
  const [broken = ''] = files
  const good = contents.get(broken) ?? Buffer.alloc(0)
  await writeFile(
    join(folder.path, to, broken),
    ending === 'csv' ? good.toString().replace('customer 2', 'customer X') : good.subarray(0, good.length - 100),
  )

  const after = await run(['run', 'repair', before.id])

  expect(movedAgain(before, after)).toHaveLength(1)
  const now = (await readdir(join(folder.path, to))).filter((name) => name.startsWith('part-'))
  expect(now).toHaveLength(files.length)
  expect(now).not.toContain(broken)
  for (const name of now) {
    const was = contents.get(name) ?? (ending === 'csv' ? good : undefined)
    if (was) expect(lines(await readFile(join(folder.path, to, name)))).toEqual(lines(was))
  }
  await rig.target.query(`drop table if exists again; create table again (like orders)`)
  await run(['copy', 'lake', rig.names.target, '--from', `${to}/`, '--to', 'again'])
  expect(await CopyRig.fingerprint(rig.target, 'again')).toEqual(await CopyRig.fingerprint(rig.source))
})

const lines = (bytes: Buffer) => bytes.toString('latin1').split('\n').toSorted()

test('what is right stays as it is, and what cannot be repaired is said', async () => {
  const before = await copy(rig.names.target, 'orders_2')
  const after = await run(['run', 'repair', before.id])
  expect(movedAgain(before, after)).toEqual([])
  expect(after.notes.join('\n')).toContain('No part differs by itself.')

  const words = ['--from', 'orders', '--to', 'orders_2', '--mode', 'overwrite', '--verify', 'none', '--json']
  const unverified = (await cluster.cli(['copy', rig.names.source, rig.names.target, ...words])).json<RunView>()
  const refused = await cluster.cli(['run', 'repair', unverified.id])
  expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringContaining('not verified')])
  expect((await cluster.client.runs.get(unverified.id)).status).toBe('succeeded')
})

test.each(['overwrite', 'upsert'])('of a table that was published by %s only the part that was changed since moves again', async (mode) => {
  const before = await copy(rig.names.target, `published_${mode}`, ['--mode', mode, '--key', 'id'])
  await rig.target.query(`update published_${mode} set customer = 'changed' where id = 5; delete from published_${mode} where id = 6`)

  const after = await run(['run', 'repair', before.id])

  expect(movedAgain(before, after)).toHaveLength(1)
  expect(after).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } })
  expect(await CopyRig.fingerprint(rig.target, `published_${mode}`)).toEqual(await CopyRig.fingerprint(rig.source))
})
