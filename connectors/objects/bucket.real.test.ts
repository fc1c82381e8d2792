/** What is asked of the bucket itself: uploads that are whole or not there, and lists of any length. */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { faultOf } from '@postern/testkit/fault-of.ts'
import type { ObjectServer } from '@postern/testkit/object-store.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bucket } from './bucket.ts'
import { soon } from './testing/object-rig.ts'
import { TestObjectStore, VENDORS } from './testing/test-object-store.ts'

describe.each(VENDORS)('%s', (vendor, start) => {
  let store: TestObjectStore
  beforeAll(async () => {
    store = await TestObjectStore.start(start)
  })
  afterAll(() => store?.[Symbol.asyncDispose]())

  test('an upload of many blocks keeps every byte in order', async () => {
    const blocks = Array.from({ length: 100 }, (_, i) => Buffer.alloc(10_007, i))
    await store.bucket.upload('many/blocks', Readable.from(blocks), 'test', soon())

    const read = await store.bucket.get('many/blocks', {}, soon())
    expect((await buffer(read as Readable)).equals(Buffer.concat(blocks))).toBe(true)
  })

  test('an upload that is aborted, or whose source breaks, leaves nothing and is never seen', async () => {
    const abort = new AbortController()
    const source = new PassThrough()
    const uploaded = faultOf(store.bucket.upload('aborted/a', source, 'test', AbortSignal.any([abort.signal, soon()])))
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
    await expect(store.bucket.upload('aborted/b', broken, 'test', soon())).rejects.toThrow()
    await store.bucket.dropUploads('aborted/', soon())
    expect(await store.keys('aborted/')).toEqual([])
  })

  // Azurite takes ten thousand requests for it, on a machine that is shared.
  test('more than 10,000 objects are all found, page by page', { timeout: 420_000 }, async () => {
    const session = store.open('pages')
    const prefix = 'pages/many/'
    const names = Array.from({ length: 10_050 }, (_, i) => `${prefix}${String(i).padStart(5, '0')}.csv`)
    const body = Buffer.from('id,name\n1,a\n')
    const signal = AbortSignal.timeout(400_000)
    if (vendor === 'S3') await putFiles(store.server, names, body)
    else await putAll(store.bucket, names, body, signal)

    const catalog = await session.browse('many/', signal)
    const found = await store.keys(prefix)
    const fault = await faultOf(session.source.describe('many/*.csv', {}, signal))

    expect(found).toHaveLength(10_050)
    expect([catalog.entries.length, catalog.truncated]).toEqual([10_000, true])
    expect(fault.code).toBe('INPUT_INVALID')
  })
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
