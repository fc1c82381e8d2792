import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { chmod, mkdir, readdir, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { Fault } from '@postern/protocol/fault.ts'
import { faultOf } from '@postern/testkit/fault-of.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { describe, expect, test } from 'vitest'
import type { Target } from '../copy-contract.ts'
import { column, shapeOf, soon, TestStore } from './testing/test-store.ts'

function mount(path: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'ignore' })
}

/** Not in most containers, nor as a plain user. */
function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const path = mkdtempSync(join(tmpdir(), 'postern-mount-'))
  try {
    mount(path)
    execFileSync('umount', [path])
    return true
  } catch {
    return false
  } finally {
    rmdirSync(path)
  }
}

const SHAPE = shapeOf([column('id', 'int32'), column('name', 'text')])

/** The message is one line and shows nothing of the rows. */
function expectLine(fault: Fault, code: string, ...parts: readonly string[]): void {
  expect(fault.code).toBe(code)
  for (const part of parts) expect(fault.message).toContain(part)
  expect(fault.message).not.toMatch(/\n|secret|\bat .*:\d+:\d+/)
}

describe('a broken file is named by file, line and column, in one line', () => {
  const good = Array.from({ length: 30_000 }, (_, i) => `${i},secret${i},2024-01-01\n`).join('')
  const broken: readonly (readonly [string, string | Uint8Array, readonly string[]])[] = [
    [
      'few.csv',
      `id,name,day\n${good}7,secret\n8,secret,2024-01-01\n`,
      ['file few.csv', 'line 30002', 'column 3', '3 columns expected, 2 found'],
    ],
    ['many.csv', `id,name,day\n1,secret,2024-01-01\n2,secret,2024-01-01,9\n`, ['file many.csv', 'line 3', 'column 4']],
    ['quote.csv', `id,name,day\n1,secret,2024-01-01\n2,"secret,2024-01-01\n`, ['file quote.csv', 'line 3', 'a quoted value has no end']],
    ['latin.csv', Buffer.from('id,name\n1,a\n2,secret\xe9\n', 'latin1'), ['file latin.csv', 'line 3', 'not UTF-8']],
    ['empty.csv', '', ['file empty.csv', 'line 1', 'empty']],
    ['bad.csv.gz', gzipSync(`id,name\n${good}`).subarray(0, 20_000), ['bad.csv.gz']],
    ['bad.csv.zst', 'no zstd at all', ['bad.csv.zst', 'zstd']],
    ['bad.tsv.zst', zstdCompressSync('id\tname\n1\n'), ['file bad.tsv.zst', 'line 2', 'column 2']],
    ['bad.ndjson', '{"a":1}\n{"a":"secret"\n', ['file bad.ndjson', 'line 2']],
    ['array.ndjson', '[1]\n', ['file array.ndjson', 'line 1', 'not an object']],
    ['bad.parquet', 'PAR1 but not really, this is text', ['bad.parquet']],
  ]
  test.each(broken)('%s', async (name, content, parts) => {
    await using store = await TestStore.open()
    await store.put(name, content)

    expectLine(await faultOf(store.session.source.describe(name, {}, soon())), 'ROW_INVALID', ...parts)
  })

  test('a line that breaks after the plan was made fails the read, not the process', async () => {
    await using store = await TestStore.open()
    await store.put('late.csv', 'id,n\n1,2\n')
    const { source } = store.session
    const shape = await source.describe('late.csv', {}, soon())
    const [part] = await source.split(shape, { wanted: 1 })
    await store.put('late.csv', `id,n\n${'1,2\n'.repeat(50_000)}x,secret\n`)
    if (!part) throw new Error('no part')

    const { bytes } = await source.read({ shape, part }, soon())

    expectLine(await faultOf(drained(bytes)), 'ROW_INVALID', 'file late.csv', 'line 50002', 'column id')
  })
})

async function drained(bytes: Readable): Promise<number> {
  let length = 0
  for await (const chunk of bytes) length += chunk.length
  return length
}

describe('no path leads out of the folder', () => {
  test.each(['../x.csv', 'a/../../x.csv', '/etc/passwd', 'link/passwd', 'link/', 'link/*.csv', '../*.csv', 'a\0b.csv'])(
    '%s',
    async (path) => {
      await using store = await TestStore.open({ format: 'csv' })
      await symlink('/etc', join(store.path, 'link'))

      const read = await faultOf(store.session.source.describe(path, {}, soon()))
      const write = await faultOf(store.prepare(SHAPE, path))
      const browse = await faultOf(store.session.browse(path, soon()))

      expect(read.code).toBe('PATH_OUTSIDE')
      expect([write.code, browse.code]).toEqual(['PATH_OUTSIDE', 'PATH_OUTSIDE'])
      expect(await readdir(store.path)).toEqual(['link'])
    },
  )
})

test('what cannot be meant is refused with a way out', async () => {
  await using store = await TestStore.open()
  await store.put('some/a.csv', 'a\n1\n')
  await store.put('some/b.tsv', 'a\n1\n')
  await store.put('x.txt', 'a\n1\n')
  await store.put('one/a.csv', 'a,b\n1,2\n')
  await store.put('one/b.csv', 'b,a\n1,2\n')
  const describeFault = async (what: string) => (await faultOf(store.session.source.describe(what, {}, soon()))).code
  const prepareFault = (where: string, mode: 'append' | 'overwrite' = 'append') => faultOf(store.prepare(SHAPE, where, { mode }))

  expect(await describeFault('(select 1)')).toBe('COPY_UNSUPPORTED')
  expect(await describeFault('some/')).toBe('FORMAT_UNKNOWN')
  expect(await describeFault('x.txt')).toBe('FORMAT_UNKNOWN')
  expect(await describeFault('no/*.csv')).toBe('FILE_MISSING')
  expect(await describeFault('one/')).toBe('COLUMN_MISMATCH')
  expect((await prepareFault('orders/')).remedy).toContain('orders.parquet/')
  expect((await prepareFault('orders.xlsx')).code).toBe('FORMAT_UNKNOWN')
  expect((await prepareFault('some')).code).toBe('FORMAT_UNKNOWN')
  expect((await prepareFault('some/a.csv')).code).toBe('FILE_EXISTS')
  expect((await prepareFault('one/', 'overwrite')).code).toBe('FORMAT_UNKNOWN')
  expect((await prepareFault('x.txt/a.csv')).code).toMatch(/FILE_MISSING|FILE_EXISTS/)
  const upsert = { run: 'r', shape: SHAPE, where: 'a.csv', mode: 'upsert', key: ['id'], encodings: ['csv'], verify: 'none' } as const
  expect((await faultOf(store.session.sink.prepare(upsert, soon()))).code).toBe('COPY_UNSUPPORTED')
  const alike = shapeOf([column('a', 'text'), column('A', 'text')])
  expect((await faultOf(store.prepare(alike, 'a.parquet'))).code).toBe('COLUMN_MISMATCH')
})

test.skipIf(process.getuid?.() === 0)('a folder that the process may not write is told as such, and nothing is left', async () => {
  await using store = await TestStore.open()
  await mkdir(join(store.path, 'locked'))
  await chmod(join(store.path, 'locked'), 0o500)

  expect((await faultOf(store.prepare(SHAPE, 'locked/a.csv'))).code).toBe('FILE_DENIED')
})

describe.skipIf(!mayMount())('a full disk (needs to be root and to mount a tmpfs)', () => {
  test.each(['a.csv', 'a.csv.gz', 'a.parquet', 'a.ndjson', 'a.tsv.zst'])(
    '%s: the fault says so and nothing half-written stays',
    async (where) => {
      await using store = await TestStore.open()
      mount(store.path)
      try {
        const target = await store.prepare(SHAPE, where)
        const random = () => Math.random().toString(36)
        const rows = Readable.from(
          (function* () {
            for (let i = 0; i < 120; i += 1) yield Buffer.from(`${i},${Array.from({ length: 5_000 }, random).join('')}\n`)
          })(),
        )

        const fault = await faultOf(store.write(target, rows))

        expectLine(fault, 'DISK_FULL', where)
        expect((await store.names()).filter((name) => name.includes('part-'))).toEqual([])
      } finally {
        await store.session[Symbol.asyncDispose]()
        execFileSync('umount', [store.path])
      }
    },
  )
})

describe.each(['a.csv', 'a.csv.zst', 'a.parquet', 'a.ndjson.gz', 'a.tsv'])('%s: a write that does not come to its end', (where) => {
  const partsLeft = async (store: TestStore) => (await store.names()).filter((name) => name.includes('part-') || name.includes('commit'))

  test('leaves nothing when it is aborted in the middle', async () => {
    await using store = await TestStore.open()
    const target = await store.prepare(SHAPE, where)
    const { bytes, abort, write } = stalled(store, target)

    abort.abort()

    expect((await faultOf(write)).code).toBe('CANCELLED')
    expect(bytes.destroyed).toBe(true)
    expect(await partsLeft(store)).toEqual([])
    expect(await pipesLeft(store)).toEqual([])
    expect((await store.write(target, '1,a\n', 0, 'run_a', 2)).rows).toBe(1)
  })

  test('leaves nothing when the source breaks, or ends without an end', async () => {
    await using store = await TestStore.open()
    const target = await store.prepare(SHAPE, where)
    const broken = stalled(store, target)
    const closed = stalled(store, target)

    const faults = [faultOf(broken.write), faultOf(closed.write)]

    broken.bytes.destroy(new Error('broken'))
    closed.bytes.destroy()

    expect((await Promise.all(faults)).map(({ code }) => code)).toEqual(['INTERNAL', 'STORE_LOST'])
    expect(await partsLeft(store)).toEqual([])
    expect(await pipesLeft(store)).toEqual([])
  })

  test('leaves nothing when a row is not of its type, and says which', async () => {
    await using store = await TestStore.open()
    const target = await store.prepare(SHAPE, where)

    const outcome = await store.write(target, `${'1,a\n'.repeat(1_000)}2,"secret`).then(
      () => undefined,
      (cause) => cause,
    )

    expectLine(outcome, 'ROW_INVALID')
    expect(await partsLeft(store)).toEqual([])
  })
})

/** A write that has taken some rows and waits for more. */
function stalled(store: TestStore, target: Target) {
  const bytes = new PassThrough()
  const abort = new AbortController()
  bytes.write('1,a\n'.repeat(100_000))
  const slot = { run: 'run_a', task: 'tsk_0', attempt: 1 }
  const write = store.session.sink.write({ target, slot, part: 0, bytes, agree: () => undefined }, abort.signal)
  return { bytes, abort, write }
}

async function pipesLeft(store: TestStore): Promise<readonly string[]> {
  const all = await readdir(store.scratch, { recursive: true }).catch(() => [])
  return all.filter((name) => name.includes('pipe-'))
}

test('a value that is not of the type of its column is named by row and column', async () => {
  await using store = await TestStore.open()
  const target = await store.prepare(SHAPE, 'a.parquet')

  expectLine(await faultOf(store.write(target, '1,a\nx,secret\n')), 'ROW_INVALID', 'row 2', 'column id', 'INTEGER')
})

test('a file engine that dies fails what ran in it, and the next use starts another', async () => {
  await using store = await TestStore.open()
  const target = await store.prepare(SHAPE, 'a.parquet')
  const { bytes, write } = stalled(store, target)
  const failed = faultOf(write)
  const [child] = await waitFor('the file engine runs', enginesOfThisProcess, (pids) => pids.length > 0)

  process.kill(Number(child), 'SIGKILL')

  const fault = await failed
  expect(fault.code).toBe('STORE_LOST')
  expect(fault.canPass).toBe(true)
  expect(bytes.destroyed).toBe(true)
  expect((await store.write(target, '1,a\n', 0, 'run_a', 2)).rows).toBe(1)
})

/** Process ids of the DuckDB processes of this one. */
async function enginesOfThisProcess(): Promise<readonly string[]> {
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line.includes('duck-process.ts')).map((line) => line.trim().split(' ', 1)[0] ?? '')
}
