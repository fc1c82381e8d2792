import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { type OpenedStore, openStore, type TemporaryFolder, temporaryFolder } from './testing/real-stores.ts'
import { engineOver, expectOutcome, ignore, never, Run, runAll } from './testing/rig.ts'

let from: TemporaryFolder
let to: TemporaryFolder
let lake: OpenedStore
let attic: OpenedStore
let engine: Engine

beforeAll(async () => {
  from = await temporaryFolder()
  to = await temporaryFolder()
  lake = await openStore('files', { path: from.path })
  attic = await openStore('files', { path: to.path })
  engine = engineOver({ lake, attic })
})

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]()
  for (const open of [lake, attic, from, to]) await open?.[Symbol.asyncDispose]()
})

const ends = { source: 'lake', sink: 'attic', verify: 'checksum' } as const
const BINARY = { read: { format: 'binary' } } as const

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(from.path, path)), { recursive: true })
  await writeFile(join(from.path, path), content)
}

/** Path and hash of each file below, hidden ones and the manifest left out. */
async function tree(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const at = join(entry.parentPath, entry.name).slice(path.length + 1)
    if (entry.isFile() && !/(^|\/)[._]/.test(at))
      found[at] = createHash('sha256')
        .update(await readFile(join(path, at)))
        .digest('hex')
  }
  return found
}

test('a tree of files is copied with its names and every byte, and verified by both ends', async () => {
  for (let i = 0; i < 300; i += 1) await put(`docs/a/${i % 7}/file ${i}.bin`, randomBytes(i))
  await put('docs/large.iso', randomBytes(3_000_000))
  await put('docs/ünï 🚪/x.tar.gz', 'not really')
  await put('docs/empty', '')
  await put('docs/.hidden', 'no')
  const run = new Run({ ...ends, ...BINARY, from: 'docs/**', to: 'copy/', parts: 3 })

  const { finish } = await runAll(engine, run)

  expect(run.plan?.lane).toBe('file')
  expect(run.plan?.parts.length).toBeGreaterThanOrEqual(3)
  expect(finish.verification).toMatchObject({ status: 'passed', sourceRows: 303, targetRows: 303 })
  expect(finish.verification.sourceChecksum).toBe(finish.verification.targetChecksum)
  expect(await tree(join(to.path, 'copy'))).toEqual(await tree(join(from.path, 'docs')))
  const manifest = JSON.parse(await readFile(join(to.path, 'copy/_manifest.json'), 'utf8'))
  expect(manifest).toMatchObject({ format: 'binary', rows: null, columns: [] })
  expect(manifest.files.length).toBe(303)
})

test('CSV into CSV is not read, whatever is in it, and reads as before', async () => {
  await put('broken/one.csv', 'a,b\n1,"never closed\n')
  await put('broken/two.csv', 'completely,different\n')
  const run = new Run({ ...ends, from: 'broken/', to: 'broken.csv/' })

  const { finish } = await runAll(engine, run)

  expect([run.plan?.lane, finish.verification.status]).toEqual(['file', 'passed'])
  expect(await tree(join(to.path, 'broken.csv'))).toEqual(await tree(join(from.path, 'broken')))
})

test('another compression, format or dialect is not as it is', async () => {
  await put('few/one.csv', 'a,b\n1,x\n')
  for (const copy of [
    { to: 'few.csv.gz/' },
    { to: 'few.parquet/' },
    { to: 'few2.csv/', write: { asIs: 'no' } },
    { to: 'few3.csv/', write: { delimiter: ';' } },
  ]) {
    const run = new Run({ ...ends, from: 'few/', ...copy })
    run.planned(await engine.execute(run.order('plan'), ignore, never()))
    expect(run.plan?.lane).toBe('columnar')
  }
})

test('an overwrite leaves only the new files, and gives one of the same name another', async () => {
  await put('old/a.bin', 'old a')
  await put('old/deep/b.bin', 'old b')
  await put('new/a.bin', 'new a')
  await put('new/c.bin', 'new c')
  await runAll(engine, new Run({ ...ends, ...BINARY, from: 'old/**', to: 'swap/' }))

  const { finish } = await runAll(engine, new Run({ ...ends, ...BINARY, from: 'new/**', to: 'swap/', mode: 'overwrite' }))

  const names = Object.keys(await tree(join(to.path, 'swap'))).toSorted()
  expect(finish.verification.status).toBe('passed')
  expect(names).toEqual([expect.stringMatching(/^a-[0-9a-z]{12}\.bin$/), 'c.bin'])
})

test('a file that changes after the plan fails its part, and nothing of it is there', async () => {
  await put('moving/a.bin', 'as planned')
  await put('moving/b.bin', 'as planned')
  const run = new Run({ ...ends, ...BINARY, from: 'moving/', to: 'moved/' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  await put('moving/b.bin', 'as changed')
  await utimes(join(from.path, 'moving/b.bin'), 1, 1)

  const outcome = expectOutcome(await engine.execute(run.part(0), ignore, never()), 'failed')
  await engine.execute(run.order('cleanup'), ignore, never())

  expect(outcome.fault).toMatchObject({ code: 'ROW_INVALID', message: expect.stringContaining('b.bin: it has changed') })
  expect(await readdir(to.path)).not.toContain('moved')
  expect((await readdir(to.path)).filter((name) => name.includes('moved'))).toEqual([])
})

test('an attempt that comes again finds what the first committed, and a folder that has files is not appended to', async () => {
  await put('once/a.bin', 'a')
  const run = new Run({ ...ends, ...BINARY, from: 'once/', to: 'once/' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  run.moved(0, await engine.execute(run.part(0), ignore, never()))
  const again = expectOutcome(await engine.execute(run.part(0, 2), ignore, never()), 'moved')
  await engine.execute(run.finish(), ignore, never())
  const twice = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')
  const more = new Run({ ...ends, ...BINARY, from: 'once/', to: 'once/' })

  expect(again.result).toMatchObject({ already: true, commit: { rows: 1, attempt: 1 } })
  expect(twice.finish.verification.status).toBe('passed')
  expect(expectOutcome(await engine.execute(more.order('plan'), ignore, never()), 'failed').fault.code).toBe('FILE_EXISTS')
})

test('a file that is damaged in staging is found by the checksum', async () => {
  await put('hurt/a.bin', 'as it was')
  const run = new Run({ ...ends, ...BINARY, from: 'hurt/', to: 'hurt/' })
  run.planned(await engine.execute(run.order('plan'), ignore, never()))
  run.moved(0, await engine.execute(run.part(0), ignore, never()))
  const staging = (await readdir(to.path)).find((name) => name.startsWith('.hurt')) ?? ''
  const [file] = (await readdir(join(to.path, staging))).filter((name) => name.endsWith('.0'))
  await writeFile(join(to.path, staging, file ?? ''), 'as it is!')

  const { finish } = expectOutcome(await engine.execute(run.finish(), ignore, never()), 'finished')

  expect(finish.verification.status).toBe('failed')
})

test('one file becomes one file, under the name that is asked for', async () => {
  await put('one.pdf', 'pdf')
  const { finish } = await runAll(engine, new Run({ ...ends, ...BINARY, from: 'one.pdf', to: 'two.pdf' }))

  expect(finish.verification.status).toBe('passed')
  expect(await readFile(join(to.path, 'two.pdf'), 'utf8')).toBe('pdf')
})
