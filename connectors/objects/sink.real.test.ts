/** What is written counts once and as a whole, or not at all: attempts that race, come late, or are cut short. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { faultOf } from '@postern/testkit/fault-of.ts'
import { s3Server } from '@postern/testkit/object-store.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Commit } from '../copy-contract.ts'
import { sessionOf, soon } from './testing/object-rig.ts'
import { countStaged, prepare, publish, readAll, runOf, stagingOf, write } from './testing/sink-steps.ts'
import { BLOCK_BYTES, TestObjectStore, VENDORS } from './testing/test-object-store.ts'

describe.each(VENDORS)('%s', (_vendor, start) => {
  let store: TestObjectStore
  beforeAll(async () => {
    store = await TestObjectStore.start(start)
  })
  afterAll(() => store?.[Symbol.asyncDispose]())

  test('what uploads left that were killed goes with the run', async () => {
    const session = store.open('killed')
    const target = await prepare(session, 'killed.csv/')
    // As a node leaves it that is killed in the midst: blocks, and no end.
    const key = `killed/${stagingOf(target)}/part-00000.a1-dead.csv`
    const never = new PassThrough({ highWaterMark: 1 })
    const left = store.bucket.upload(key, never, 'test', soon()).catch((cause) => cause)
    for (let i = 0; i < 12; i += 1) never.write(Buffer.alloc(BLOCK_BYTES))
    await waitFor('blocks have gone', () => never.readableLength + never.writableLength === 0)

    await session.sink.discard(target, runOf(target), soon())

    // Had it lived, its blocks would be gone under it.
    never.end('more')
    expect((await left).code).toBe('ATTEMPT_STALE')
    expect(await store.keys('killed/')).toEqual([])
  })

  test('of two attempts at the same time one counts, and the loser leaves nothing', async () => {
    const session = store.open('two')
    const target = await prepare(session, 'two.parquet/')
    const outcomes = await Promise.allSettled([
      write(session, target, '1,a\n', { attempt: 1 }),
      write(session, target, '2,b\n', { attempt: 2 }),
    ])

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const won = outcomes.find((one) => one.status === 'fulfilled') as PromiseFulfilledResult<Commit>
    expect((await store.keys(`two/${stagingOf(target)}/part-`)).length).toBe(1)
    await publish(session, target, [won.value])
    expect((await readAll(session, await session.source.describe('two.parquet/', {}, soon()))).split('\n')).toHaveLength(2)
  })

  test('staged rows are told as they were counted, and counted again where the object is not the one that was written', async () => {
    const session = store.open('counted')
    const target = await prepare(session, 'counted.csv')
    await write(session, target, '1,a\n2,b\n3,c\n')
    expect(await countStaged(session, target)).toBe(3)
    const [staged = ''] = (await store.keys(`counted/${stagingOf(target)}/part-00000`)).slice(0, 1)

    // Of the same size, and a row less.
    await store.put(staged, 'id,name\n1,a\n2,bbbbb\n')

    expect(await countStaged(session, target)).toBe(2)
  })

  test('an attempt that outlives its run commits nothing and leaves nothing', async () => {
    const session = store.open('late')
    const target = await prepare(session, 'late.csv')
    const bytes = new PassThrough()
    const late = faultOf(write(session, target, bytes))
    bytes.write('1,a\n')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await session.sink.discard(target, runOf(target), soon())

    bytes.end()

    expect((await late).code).toBe('ATTEMPT_STALE')
    expect(await store.keys('late/')).toEqual([])
  })

  test('a publish that was cut short is finished by the next one, and readers see nothing before', async () => {
    const session = store.open('cut')
    const target = await prepare(session, 'cut.csv/')
    const commits = [await write(session, target, '1,a\n'), await write(session, target, '2,b\n', { part: 1 })]
    expect((await faultOf(session.source.describe('cut.csv/', {}, soon()))).code).toBe('FILE_MISSING')
    // As if it had been killed after the first part: copied, and the staged one not yet taken away.
    const [staged = ''] = (await store.keys(`cut/${stagingOf(target)}/part-00000`)).slice(0, 1)
    const facts = await store.bucket.head(staged, soon())
    await store.bucket.copy(
      facts as NonNullable<typeof facts>,
      `cut/cut.csv/part-00000-${runOf(target).replaceAll('_', '')}.csv`,
      { ifAbsent: true, mark: 'x' },
      soon(),
    )

    await publish(session, target, commits)
    await publish(session, target, commits)

    expect((await readAll(session, await session.source.describe('cut.csv/', {}, soon()))).split('\n').sort()).toEqual(['', '1,a', '2,b'])
    expect((await store.keys('cut/')).filter((key) => key.includes('postern-'))).toEqual([])
  })

  test('a single object is replaced in one go, and append refuses where one is', async () => {
    const session = store.open('one')
    for (const [i, csv] of ['1,a\n', '2,b\n'].entries()) {
      const target = await prepare(session, 'one.csv', { mode: 'overwrite', run: `run_one${i}` })
      await publish(session, target, [await write(session, target, csv)])
    }

    expect(await readAll(session, await session.source.describe('one.csv', {}, soon()))).toBe('2,b\n')
    expect((await faultOf(prepare(session, 'one.csv'))).code).toBe('FILE_EXISTS')
    const other = await prepare(session, 'new.csv', { run: 'run_other' })
    const commit = await write(session, other, '3,c\n')
    await store.put('one/new.csv', 'made meanwhile')
    expect((await faultOf(publish(session, other, [commit]))).code).toBe('FILE_EXISTS')
  })
})

test('a server that ignores "only if absent" is found out, and said so; parts are still there once', async () => {
  await using server = await s3Server({ plain: true })
  const scratch = await mkdtemp(join(tmpdir(), 'postern-objects-'))
  await using session = sessionOf(server.access, scratch)
  const target = await prepare(session, 'plain.csv/', { verify: 'counts' })
  const again = await prepare(session, 'plain.csv/', { verify: 'counts' })
  await publish(session, target, [await write(session, target, '1,a\n')])

  expect(target.notes.join()).toContain('If-None-Match')
  expect(again).toEqual(target)
  expect(await readAll(session, await session.source.describe('plain.csv/', {}, soon()))).toBe('1,a\n')
  await rm(scratch, { recursive: true, force: true })
})
