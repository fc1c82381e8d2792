/** What object stores must hold beyond the contract, on an S3 server and on Azurite. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import type { StoreAccess } from '@postern/testkit/contract/rig.ts'
import { faultOf } from '@postern/testkit/fault-of.ts'
import { azurite, type ObjectServer, s3Server } from '@postern/testkit/object-store.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Commit, Target } from '../copy-contract.ts'
import type { Bucket } from './bucket.ts'
import type { ObjectSession } from './object-session.ts'
import { bucketOf, keysOf, sessionOf, soon } from './testing/object-rig.ts'
import { BLOCK_BYTES, readAll, runOf, SHAPE, slotOf, stagingOf } from './testing/sink-steps.ts'

/** A query needs a process of its own: one name is enough. */
const HARDEST = 'quote\'and"double'
let runs = 0

describe.each([
  ['S3', s3Server],
  ['Azure Blob Storage', azurite],
] as const)('%s', (vendor, start) => {
  let server: ObjectServer
  let bucket: Bucket
  let scratch: string
  /** Each session that reads starts a process. */
  let shared: ObjectSession | undefined
  const opened: ObjectSession[] = []
  const open = (more: Record<string, string | number> = {}): ObjectSession => {
    runs += 1
    const access: StoreAccess = { ...server.access, settings: { ...server.access.settings, prefix: `p${runs}`, ...more } }
    const session = sessionOf(access, scratch, BLOCK_BYTES)
    opened.push(session)
    return session
  }
  beforeAll(async () => {
    server = await start()
    bucket = bucketOf(server.access, BLOCK_BYTES)
    scratch = await mkdtemp(join(tmpdir(), 'postern-objects-'))
  })
  afterAll(async () => {
    for (const session of opened) await session[Symbol.asyncDispose]()
    bucket?.close()
    await server?.[Symbol.asyncDispose]()
    await rm(scratch, { recursive: true, force: true })
  })
  const put = (key: string, content: string) => bucket.upload(key, Readable.from([Buffer.from(content)]), 'test', soon())
  const prepare = (session: ObjectSession, where: string, mode: 'append' | 'overwrite' = 'append', run = `run_${runs}`) =>
    session.sink.prepare({ run, shape: SHAPE, where, mode, key: [], encodings: ['csv'], verify: 'checksum' }, soon())
  const write = (session: ObjectSession, target: Target, csv: string | Readable, part = 0, attempt = 1, signal = soon()) =>
    session.sink.write(
      {
        ...slotOf(target, part, attempt),
        part,
        bytes: typeof csv === 'string' ? Readable.from([Buffer.from(csv)]) : csv,
        agree: () => undefined,
      },
      signal,
    )
  const publish = (session: ObjectSession, target: Target, commits: readonly Commit[]) =>
    session.sink.publish(
      { target, run: runOf(target), parts: commits.map((commit, part) => ({ part, task: `tsk_${part}`, commit })) },
      soon(),
    )

  test('an upload of many blocks keeps every byte in order', async () => {
    const blocks = Array.from({ length: 100 }, (_, i) => Buffer.alloc(10_007, i))
    await bucket.upload('many/blocks', Readable.from(blocks), 'test', soon())

    const read = await bucket.get('many/blocks', {}, soon())
    expect((await buffer(read as Readable)).equals(Buffer.concat(blocks))).toBe(true)
  })

  test('an upload that is aborted, or whose source breaks, leaves nothing and is never seen', async () => {
    const abort = new AbortController()
    const source = new PassThrough()
    const uploaded = faultOf(bucket.upload('aborted/a', source, 'test', AbortSignal.any([abort.signal, soon()])))
    for (let i = 0; i < 40; i += 1) source.write(Buffer.alloc(10_000, i))
    await waitFor('a block has gone', () => source.readableLength < 400_000)

    abort.abort()
    source.destroy(new Error('the source broke'))

    expect((await uploaded).code).toBe('CANCELLED')
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(200_000)
        throw new Error('the source broke')
      })(),
    )
    await expect(bucket.upload('aborted/b', broken, 'test', soon())).rejects.toThrow()
    await bucket.dropUploads('aborted/', soon())
    expect(await keysOf(bucket, 'aborted/')).toEqual([])
  })

  test('what uploads left that were killed goes with the run', async () => {
    const session = open()
    const target = await prepare(session, 'killed.csv/')
    // As a node leaves it that is killed in the midst: blocks, and no end.
    const key = `p${runs}/${stagingOf(target)}/part-00000.a1-dead.csv`
    const never = new PassThrough({ highWaterMark: 1 })
    const left = bucket.upload(key, never, 'test', soon()).catch((cause) => cause)
    for (let i = 0; i < 12; i += 1) never.write(Buffer.alloc(BLOCK_BYTES))
    await waitFor('blocks have gone', () => never.readableLength + never.writableLength === 0)

    await session.sink.discard(target, runOf(target), soon())

    // Had it lived, its blocks would be gone under it.
    never.end('more')
    expect((await left).code).toBe('ATTEMPT_STALE')
    expect(await keysOf(bucket, `p${runs}/`)).toEqual([])
  })

  test('more than 10,000 objects are all found, page by page', { timeout: 180_000 }, async () => {
    const session = open()
    const prefix = `p${runs}/many/`
    const names = Array.from({ length: 10_050 }, (_, i) => `${prefix}${String(i).padStart(5, '0')}.csv`)
    const body = Buffer.from('id,name\n1,a\n')
    const signal = AbortSignal.timeout(170_000)
    if (vendor === 'S3') await putFiles(server, names, body)
    else await putAll(bucket, names, body, signal)

    const catalog = await session.browse('many/', signal)
    const found = await keysOf(bucket, prefix)
    const fault = await faultOf(session.source.describe('many/*.csv', {}, signal))

    expect(found).toHaveLength(10_050)
    expect([catalog.entries.length, catalog.truncated]).toEqual([10_000, true])
    expect(fault.code).toBe('INPUT_INVALID')
  })

  test.each(['a b', 'plus+and%20percent%', 'ünï/çödé 日本', HARDEST, 'hash#question?=', 'brackets[x]{y}*'])(
    'an object named %s is written, listed, read and queried',
    async (name) => {
      runs += 1
      shared ??= open({ prefix: 'shared' })
      const session = shared
      const before = await keysOf(bucket, 'shared/')
      const target = await prepare(session, `${name}.csv`)
      await publish(session, target, [await write(session, target, '1,a\n2,b\n')])

      expect((await keysOf(bucket, 'shared/')).filter((key) => !before.includes(key))).toEqual([`shared/${name}.csv`])
      const shape = await session.source.describe(`${name}.csv`, {}, soon())
      expect(await readAll(session, shape)).toBe('1,a\n2,b\n')
      if (name !== HARDEST) return
      const sql = `select count(*) as n from '${name.replaceAll("'", "''")}.csv'`
      expect(JSON.parse(await ask(session, sql))).toEqual([{ n: 2 }])
    },
  )

  test('an empty object is told as what it is, and a copy of no rows makes an object with a header', async () => {
    const session = open()
    await put(`p${runs}/empty.csv`, '')
    const target = await prepare(session, 'none.csv')
    await publish(session, target, [await write(session, target, '')])

    expect((await faultOf(session.source.describe('empty.csv', {}, soon()))).code).toBe('ROW_INVALID')
    expect((await session.source.describe('none.csv', {}, soon())).columns.map(({ name }) => name)).toEqual(['id', 'name'])
  })

  test('nothing outside of the prefix can be named', async () => {
    const session = open()
    await put('outside.csv', 'id\n1\n')
    const own = runs

    for (const path of ['../outside.csv', '/outside.csv', 'a/../../outside.csv']) {
      expect((await faultOf(session.source.describe(path, {}, soon()))).code, path).toBe('PATH_OUTSIDE')
      expect((await faultOf(session.browse(path, soon()))).code, path).toBe('PATH_OUTSIDE')
      expect((await faultOf(prepare(session, path))).code, path).toBe('PATH_OUTSIDE')
      expect((await faultOf(ask(session, `select * from '${path}'`))).code, path).toBe('PATH_OUTSIDE')
    }
    expect((await faultOf(ask(session, `select * from '${scratch}/x.csv'`))).code).toBe('PATH_OUTSIDE')
    expect(await keysOf(bucket, `p${own}/`)).toEqual([])
  })

  test('of two attempts at the same time one counts, and the loser leaves nothing', async () => {
    const session = open()
    const target = await prepare(session, 'two.parquet/')
    const outcomes = await Promise.allSettled([write(session, target, '1,a\n', 0, 1), write(session, target, '2,b\n', 0, 2)])

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const won = outcomes.find((one) => one.status === 'fulfilled') as PromiseFulfilledResult<Commit>
    expect((await keysOf(bucket, `p${runs}/${stagingOf(target)}/part-`)).length).toBe(1)
    await publish(session, target, [won.value])
    expect((await readAll(session, await session.source.describe('two.parquet/', {}, soon()))).split('\n')).toHaveLength(2)
  })

  test('staged rows are told as they were counted, and counted again where the object is not the one that was written', async () => {
    const session = open()
    const target = await prepare(session, 'counted.csv')
    const rows = async () =>
      (await session.sink.digest({ target, run: runOf(target), columns: SHAPE.columns, checksum: false }, soon())).rows
    await write(session, target, '1,a\n2,b\n3,c\n')
    expect(await rows()).toBe(3)
    const [staged = ''] = (await keysOf(bucket, `p${runs}/${stagingOf(target)}/part-00000`)).slice(0, 1)

    // Of the same size, and a row less.
    await put(staged, 'id,name\n1,a\n2,bbbbb\n')

    expect(await rows()).toBe(2)
  })

  test('an attempt that outlives its run commits nothing and leaves nothing', async () => {
    const session = open()
    const target = await prepare(session, 'late.csv')
    const bytes = new PassThrough()
    const late = faultOf(write(session, target, bytes))
    bytes.write('1,a\n')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await session.sink.discard(target, runOf(target), soon())

    bytes.end()

    expect((await late).code).toBe('ATTEMPT_STALE')
    expect(await keysOf(bucket, `p${runs}/`)).toEqual([])
  })

  test('a publish that was cut short is finished by the next one, and readers see nothing before', async () => {
    const session = open()
    const target = await prepare(session, 'cut.csv/')
    const commits = [await write(session, target, '1,a\n', 0), await write(session, target, '2,b\n', 1)]
    expect((await faultOf(session.source.describe('cut.csv/', {}, soon()))).code).toBe('FILE_MISSING')
    // As if it had been killed after the first part: copied, and the staged one not yet taken away.
    const [staged = ''] = (await keysOf(bucket, `p${runs}/${stagingOf(target)}/part-00000`)).slice(0, 1)
    const facts = await bucket.head(staged, soon())
    await bucket.copy(
      facts as NonNullable<typeof facts>,
      `p${runs}/cut.csv/part-00000-${runOf(target).replaceAll('_', '')}.csv`,
      { ifAbsent: true, mark: 'x' },
      soon(),
    )

    await publish(session, target, commits)
    await publish(session, target, commits)

    expect((await readAll(session, await session.source.describe('cut.csv/', {}, soon()))).split('\n').sort()).toEqual(['', '1,a', '2,b'])
    expect((await keysOf(bucket, `p${runs}/`)).filter((key) => key.includes('postern-'))).toEqual([])
  })

  test('a single object is replaced in one go, and append refuses where one is', async () => {
    const session = open()
    for (const [i, csv] of ['1,a\n', '2,b\n'].entries()) {
      const target = await prepare(session, 'one.csv', 'overwrite', `run_one${i}`)
      await publish(session, target, [await write(session, target, csv)])
    }

    expect(await readAll(session, await session.source.describe('one.csv', {}, soon()))).toBe('2,b\n')
    expect((await faultOf(prepare(session, 'one.csv'))).code).toBe('FILE_EXISTS')
    const other = await prepare(session, 'new.csv', 'append', 'run_other')
    const commit = await write(session, other, '3,c\n')
    await put(`p${runs}/new.csv`, 'made meanwhile')
    expect((await faultOf(publish(session, other, [commit]))).code).toBe('FILE_EXISTS')
  })

  test('an object that changes after it was planned fails the part', async () => {
    const session = open()
    await put(`p${runs}/changing.csv`, 'id,name\n1,a\n')
    const shape = await session.source.describe('changing.csv', {}, soon())
    await put(`p${runs}/changing.csv`, 'id,name\n9,z\n')

    expect((await faultOf(readAll(session, shape))).code).toBe('STORE_LOST')
  })

  test('scratch space is bounded, and given back', async () => {
    const session = open({ scratchMb: 1 })
    const rows = Array.from({ length: 60_000 }, (_, i) => `${i},${'x'.repeat(20)}\n`).join('')
    await put(`p${runs}/large.csv`, `id,name\n${rows}`)
    await put(`p${runs}/small.csv`, 'id,name\n1,a\n')

    expect((await faultOf(ask(session, `select count(*) from 'large.csv'`))).code).toBe('INPUT_INVALID')
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(session, `select count(*) as n from 'small.csv'`)))
    expect(answers.map((answer) => JSON.parse(answer))).toEqual(answers.map(() => [{ n: 1 }]))
    await waitFor(
      'the copies are gone',
      async () => (await readdir(scratch, { recursive: true })).filter((name) => name.includes('objects-')).length === 0,
    )
  })

  test('a wrong credential is named, and no secret is in the fault', async () => {
    const secrets = Object.fromEntries(
      Object.keys(server.access.secrets ?? {}).map((name) => [name, Buffer.from('a wrong secret').toString('base64')]),
    )
    const session = sessionOf({ ...server.access, secrets }, scratch)
    opened.push(session)
    const faults = [
      await faultOf(session.check(soon())),
      await faultOf(session.browse('', soon())),
      await faultOf(session.source.describe('a.csv', {}, soon())),
      await faultOf(prepare(session, 'a.csv')),
      await faultOf(ask(session, `select * from 'a.csv'`)),
    ]

    expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(['STORE_DENIED']))
    for (const fault of faults) {
      const all = `${JSON.stringify(fault)} ${fault.stack} ${String(fault.cause)}`
      for (const secret of Object.values(secrets)) expect(all).not.toContain(secret)
    }
  })
})

test('a server that ignores "only if absent" is found out, and said so; parts are still there once', async () => {
  await using server = await s3Server({ plain: true })
  const scratch = await mkdtemp(join(tmpdir(), 'postern-objects-'))
  await using session = sessionOf(server.access, scratch)
  const target = await session.sink.prepare(
    { run: 'run_plain', shape: SHAPE, where: 'plain.csv/', mode: 'append', key: [], encodings: ['csv'], verify: 'counts' },
    soon(),
  )
  const again = await session.sink.prepare(
    { run: 'run_plain', shape: SHAPE, where: 'plain.csv/', mode: 'append', key: [], encodings: ['csv'], verify: 'counts' },
    soon(),
  )
  const commit = await session.sink.write(
    { ...slotOf(target, 0, 1), part: 0, bytes: Readable.from([Buffer.from('1,a\n')]), agree: () => undefined },
    soon(),
  )
  const parts = [{ part: 0, task: 'tsk_0', commit }]
  await session.sink.publish({ target, run: 'run_plain', parts }, soon())

  expect(target.notes.join()).toContain('If-None-Match')
  expect(again).toEqual(target)
  expect(await readAll(session, await session.source.describe('plain.csv/', {}, soon()))).toBe('1,a\n')
  await rm(scratch, { recursive: true, force: true })
})

async function putAll(bucket: Bucket, keys: readonly string[], body: Buffer, signal: AbortSignal): Promise<void> {
  const queue = keys.values()
  const work = async () => {
    for (const key of queue) await bucket.put(key, body, false, signal)
  }
  await Promise.all(Array.from({ length: 16 }, work))
}

/** Where s3rver keeps its objects: ten times as fast as asking it to. */
async function putFiles({ folder }: ObjectServer, keys: readonly string[], body: Buffer): Promise<void> {
  for (const key of keys) {
    const path = join(folder, 'bucket', `${key}._S3rver_object`)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, body)
    await writeFile(`${path}.md5`, createHash('md5').update(body).digest('hex'))
    await writeFile(join(folder, 'bucket', `${key}._S3rver_metadata.json`), '{}')
  }
}

async function ask(session: ObjectSession, sql: string): Promise<string> {
  const answer = await session.query({ sql, params: [], mode: 'read', format: 'json' }, soon())
  return (await text(answer.bytes)).trim()
}
