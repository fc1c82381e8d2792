/** Parts of many blocks whose checksum nobody asks for: they go to where they will be, and are published without a copy. */
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { faultOf } from '@postern/testkit/fault-of.ts'
import { unfinished } from '@postern/testkit/object-reader.ts'
import { azurite } from '@postern/testkit/object-store.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Column, Commit, Prepare, Target } from '../copy-contract.ts'
import type { HeldUploads } from './bucket.ts'
import type { ObjectSession } from './object-session.ts'
import { bucketOf, keysOf, soon } from './testing/object-rig.ts'
import { countStaged, publish, readAll, runOf, SHAPE, stagingOf, prepare as stepPrepare, write } from './testing/sink-steps.ts'
import { BLOCK_BYTES, TestObjectStore, VENDORS } from './testing/test-object-store.ts'

describe.each(VENDORS)('%s, a part of many blocks whose checksum nobody asks for', (vendor, start) => {
  let store: TestObjectStore
  beforeAll(async () => {
    store = await TestObjectStore.start(start)
  })
  afterAll(() => store?.[Symbol.asyncDispose]())
  const rowsOf = (first: number, many: number, word = 'x') =>
    Array.from({ length: many }, (_, i) => `${first + i},${word.repeat(90)}\n`).join('')
  const LARGE = rowsOf(0, 4_000)
  const prepare = (session: ObjectSession, where: string, more: Partial<Prepare> = {}) =>
    stepPrepare(session, where, { verify: 'counts', ...more })
  const countedParts = async (session: ObjectSession, target: Target, parts: number) => {
    const asked = Array.from({ length: parts }, (_, part) => ({ part, task: `tsk_${part}` }))
    const digests = await session.sink.digestParts(
      { target, run: runOf(target), columns: SHAPE.columns, checksum: false, parts: asked },
      soon(),
    )
    return digests.map(({ rows }) => rows)
  }
  /** Keys under which blocks wait, as the server itself has them. */
  const uploads = async () => (await unfinished(store.server)).length
  const read = async (session: ObjectSession, where: string) =>
    (await readAll(session, await session.source.describe(where, {}, soon()))).split('\n').filter((line) => line !== '').length

  /** An attempt whose blocks are on the server, and that never ends by itself. */
  const stuck = async (session: ObjectSession, target: Target, attempt = 1) => {
    const bytes = new PassThrough({ highWaterMark: 1 })
    const left = faultOf(write(session, target, bytes, { attempt }))
    bytes.write(LARGE)
    await waitFor('blocks have gone', async () => (await uploads()) > 0 && bytes.readableLength + bytes.writableLength === 0)
    return { bytes, left }
  }

  test('goes to where it will be, is seen by nobody, and is published by another process without a copy', async () => {
    const [writer, publisher] = [store.open('held'), store.open('held')]
    const target = await prepare(writer, 'large.csv/')
    const commits = [await write(writer, target, LARGE), await write(writer, target, rowsOf(4_000, 3_000), { part: 1 })]

    expect((await store.keys('held/')).filter((key) => /part-[^/]*\.csv$/.test(key))).toEqual([])
    expect(await uploads()).toBe(2)
    expect(await countStaged(publisher, target)).toBe(7_000)
    expect(await countedParts(publisher, target, 2)).toEqual([4_000, 3_000])
    await publish(publisher, target, commits)
    await publish(writer, target, commits)

    expect(await read(publisher, 'large.csv/')).toBe(7_000)
    expect((await store.keys('held/')).filter((key) => key.includes('postern-'))).toEqual([])
    expect(await uploads()).toBe(0)
  })

  test('a publish that was killed after some parts is finished by the next one', async () => {
    const session = store.open('killed')
    const target = await prepare(session, 'large.csv/')
    const commits = [await write(session, target, LARGE), await write(session, target, LARGE, { part: 1 })]
    const only = { target, run: runOf(target) }
    // Part 1 is not there for a moment: the first publish ends after part 0.
    const record = `killed/${stagingOf(target)}/tsk_1.commit.json`
    const kept = await buffer((await store.bucket.get(record, {}, soon())) as Readable)
    await store.bucket.delete([record], soon())
    await expect(publish(session, target, commits)).rejects.toThrow()
    await store.bucket.put(record, kept, false, soon())
    expect((await store.keys('killed/large.csv/')).length).toBe(1)

    expect(await countStaged(session, target)).toBe(8_000)
    expect(await session.sink.published(only.target, only.run, soon())).toBe(false)
    await publish(session, target, commits)

    expect(await read(session, 'large.csv/')).toBe(8_000)
    expect(await uploads()).toBe(0)
  })

  test('a copy that was cut short while it was published can be discarded, with what waits and what was made', async () => {
    const session = store.open('cut')
    const target = await prepare(session, 'cut.csv/')
    const commits = [await write(session, target, LARGE), await write(session, target, LARGE, { part: 1 })]
    await store.bucket.delete([`cut/${stagingOf(target)}/tsk_1.commit.json`], soon())
    await expect(publish(session, target, commits)).rejects.toThrow()

    await session.sink.discard(target, runOf(target), soon())

    expect(await store.keys('cut/')).toEqual([])
    expect(await uploads()).toBe(0)
  })

  test('a single object replaces the one that is there in one go, and append refuses one that was made meanwhile', async () => {
    const session = store.open('one')
    await store.bucket.put('one/there.csv', Buffer.from('id,name\n1,a\n'), false, soon())
    const target = await prepare(session, 'there.csv', { mode: 'overwrite', run: 'run_over' })
    const commit = await write(session, target, LARGE)
    // Others may write to this name: blocks of Azure would be in their way.
    expect(await uploads()).toBe(vendor === 'S3' ? 1 : 0)
    expect(await read(session, 'there.csv')).toBe(1)
    await publish(session, target, [commit])
    await publish(session, target, [commit])

    const other = await prepare(session, 'new.csv', { run: 'run_new' })
    const lost = await write(session, other, LARGE)
    await store.bucket.put('one/new.csv', Buffer.from('id,name\n1,a\n'), false, soon())

    expect(await read(session, 'there.csv')).toBe(4_000)
    expect((await faultOf(publish(session, other, [lost]))).code).toBe('FILE_EXISTS')
    expect(await read(session, 'new.csv')).toBe(1)
    await session.sink.discard(other, runOf(other), soon())
    expect(await uploads()).toBe(0)
  })

  test('of two attempts one counts, the other leaves it alone', async () => {
    const session = store.open('two')
    const target = await prepare(session, 'two.csv/')
    const outcomes = await Promise.allSettled([
      write(session, target, LARGE, { attempt: 1 }),
      write(session, target, rowsOf(0, 4_000, 'y'), { attempt: 2 }),
    ])

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const won = outcomes.find((one) => one.status === 'fulfilled') as PromiseFulfilledResult<Commit>
    expect(await uploads()).toBe(1)
    await publish(session, target, [won.value])

    const rows = await readAll(session, await session.source.describe('two.csv/', {}, soon()))
    expect(rows).toBe(won.value.attempt === 1 ? LARGE : rowsOf(0, 4_000, 'y'))
    expect(await uploads()).toBe(0)
  })

  test('blocks of an attempt that was killed are nothing to the one that counts, and go with it', async () => {
    const session = store.open('again')
    const target = await prepare(session, 'again.csv/')
    const { bytes, left } = await stuck(session, target, 1)
    const commit = await write(session, target, LARGE, { attempt: 2 })

    expect(await countStaged(session, target)).toBe(4_000)
    await publish(session, target, [commit])

    expect(await read(session, 'again.csv/')).toBe(4_000)
    expect(await uploads()).toBe(0)
    // Had it lived.
    bytes.end(LARGE)
    expect(['ATTEMPT_STALE', 'COMMIT_LOST']).toContain((await left).code)
    expect(await read(session, 'again.csv/')).toBe(4_000)
  })

  test('a discarded run leaves none', async () => {
    const session = store.open('away')
    const target = await prepare(session, 'away.csv/')
    await write(session, target, LARGE)
    expect(await uploads()).toBe(1)

    await session.sink.discard(target, runOf(target), soon())

    expect(await uploads()).toBe(0)
    expect(await store.keys('away/')).toEqual([])
  })

  test('blocks of a node that was killed while it wrote go with the run', async () => {
    const session = store.open('dead')
    const target = await prepare(session, 'dead.csv/')
    const { bytes, left } = await stuck(session, target)

    await session.sink.discard(target, runOf(target), soon())

    expect(await uploads()).toBe(0)
    // Had it lived: its upload has gone under it.
    bytes.end(LARGE)
    expect((await left).code).toBe('ATTEMPT_STALE')
    expect(await store.keys('dead/')).toEqual([])
    expect(await uploads()).toBe(0)
  })

  test('one that the store has dropped meanwhile is found out before anything is published, and can be written again', async () => {
    const session = store.open('dropped')
    const target = await prepare(session, 'dropped.csv/')
    const commits = [await write(session, target, LARGE), await write(session, target, '1,a\n', { part: 1 })]
    // As a rule of the bucket does it with uploads that are days old, and Azure with blocks after a week.
    await store.bucket.dropUploads('dropped/dropped.csv/', soon())

    expect(await countStaged(session, target)).toBe(1)
    expect(await countedParts(session, target, 2)).toEqual([0, 1])
    expect((await faultOf(publish(session, target, commits))).code).toBe('ATTEMPT_STALE')
    const slot = { run: runOf(target), task: 'tsk_again', attempt: 1 }
    const again = await session.sink.write(
      { target, slot, part: 0, bytes: Readable.from([Buffer.from(LARGE)]), agree: () => undefined, replaces: ['tsk_0'] },
      soon(),
    )
    expect(await countStaged(session, target)).toBe(4_001)
    await session.sink.publish(
      {
        target,
        run: runOf(target),
        parts: [
          { part: 0, task: 'tsk_again', commit: again },
          { part: 1, task: 'tsk_1', commit: commits[1] as Commit },
        ],
      },
      soon(),
    )

    expect(await read(session, 'dropped.csv/')).toBe(4_001)
  })

  test('rows in folders by their values: each folder has an upload of its own, and all are published, or taken away, together', async () => {
    const session = store.open('folders')
    const columns = [...SHAPE.columns, { ...(SHAPE.columns[0] as Column), name: 'year' }]
    const more = { shape: { ...SHAPE, columns }, partitionBy: ['year'] }
    const rows = LARGE.replaceAll('\n', ',2025\n') + LARGE.replaceAll('\n', ',2026\n')
    const away = await prepare(session, 'away.csv/', { run: 'run_away', ...more })
    await write(session, away, rows)
    expect(await uploads()).toBe(2)
    await session.sink.discard(away, 'run_away', soon())
    expect(await uploads()).toBe(0)

    const target = await prepare(session, 'folders.csv/', { run: 'run_folders', ...more })
    const commit = await write(session, target, rows)
    expect(await countStaged(session, target)).toBe(8_000)
    await publish(session, target, [commit])

    expect(await read(session, 'folders.csv/')).toBe(8_000)
    expect((await store.keys('folders/')).map((key) => key.replace(/part-.*/, 'part'))).toEqual([
      'folders/folders.csv/_manifest.json',
      'folders/folders.csv/year=2025/part',
      'folders/folders.csv/year=2026/part',
    ])
    expect(await uploads()).toBe(0)
  })

  test('an upload is completed once, by whoever asks; and not where there is another object', async () => {
    const held = store.bucket.held as HeldUploads
    const hold = async (key: string, mark: string) => {
      const to = { key, small: `room/${mark}`, mark, begun: async () => undefined }
      return (await held.hold(to, Readable.from([Buffer.from(LARGE)]), soon())).held ?? { id: '', tags: [] }
    }
    const [mine, other] = [await hold('once/a.csv', 'mine'), await hold('once/b.csv', 'other')]
    const end = { ifAbsent: true, mark: 'mine' }

    expect(await held.isHeld('once/a.csv', mine, soon())).toBe(true)
    expect(await held.complete('once/a.csv', mine, end, soon())).toBe('made')
    expect(await held.isHeld('once/a.csv', mine, soon())).toBe(false)
    expect(await held.complete('once/a.csv', mine, end, soon())).toBe('made')
    expect(await held.complete('once/a.csv', other, { ifAbsent: true, mark: 'other' }, soon())).toBe('taken')
    expect(await held.complete('once/none.csv', mine, end, soon())).toBe('gone')
    await held.abort('once/a.csv', mine.id)
    await held.abort('once/b.csv', other.id)
    expect(await store.keys('once/')).toEqual(['once/a.csv'])
    expect(await uploads()).toBe(0)
  })
})

test('blocks of Azure are taken away also where a process was killed in the midst of it', async () => {
  await using server = await azurite()
  const bucket = bucketOf(server.access, BLOCK_BYTES)
  // Between the empty blob and its end.
  await bucket.upload('half/part-00000-x.csv', Readable.from([]), 'dropped', soon())

  await bucket.held?.abort('half/part-00000-x.csv', 'any')

  expect(await keysOf(bucket)).toEqual([])
  bucket.close()
})
