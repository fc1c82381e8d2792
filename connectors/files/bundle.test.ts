import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Fault } from '@postern/protocol/fault.ts'
import { describe, expect, test } from 'vitest'
import { type BundleFile, packBundle, unpackBundle } from './bundle.ts'

const soon = () => AbortSignal.timeout(10_000)

async function* filesOf(files: Readonly<Record<string, Buffer>>, lies: Partial<BundleFile> = {}): AsyncIterable<BundleFile> {
  for (const [path, content] of Object.entries(files)) {
    yield {
      path,
      bytes: content.length,
      open: () => Readable.from(content.length > 0 ? [content] : []),
      check: async () => undefined,
      ...lies,
    }
  }
}

async function unpack(stream: Readable) {
  const taken: Record<string, Buffer> = {}
  const take = async ({ path }: { readonly path: string }, bytes: Readable) => {
    taken[path] = await buffer(bytes)
  }
  const files = await unpackBundle(stream, take, soon())
  return { taken, files }
}

const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (cause: unknown) => (cause instanceof Fault ? cause.code : String(cause)),
  )

const FILES = {
  'a.bin': Buffer.from([0, 1, 2]),
  'deep/er/b.txt': Buffer.alloc(700_000, 'x'),
  empty: Buffer.alloc(0),
  'ünï 🚪.csv': Buffer.from('1\n'),
}

describe('files as one stream', () => {
  test.each([1_000, 65_536, 10_000_000])('come out as they went in, in chunks of %d bytes', async (size) => {
    let sent = 0
    const all = await buffer(packBundle(filesOf(FILES), () => (sent += 1)))
    const cut = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => Buffer.from(all.subarray(i * size, (i + 1) * size)))

    const { taken, files } = await unpack(Readable.from(cut))

    expect(taken).toEqual(FILES)
    expect(sent).toBe(4)
    expect(files.map(({ path, bytes }) => [path, bytes])).toEqual(Object.entries(FILES).map(([path, content]) => [path, content.length]))
    expect(files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true)
  })

  test('fail when one is longer or shorter than it was, or has changed meanwhile', async () => {
    for (const lies of [{ bytes: 2 }, { bytes: 4 }, { check: () => Promise.reject(new Fault('ROW_INVALID')) }]) {
      expect(await faultOf(unpack(packBundle(filesOf({ a: Buffer.from('abc') }, lies), () => undefined)))).toBe('ROW_INVALID')
    }
  })

  test('fail when a bit is turned, the end is missing, or more follows', async () => {
    const all = await buffer(packBundle(filesOf(FILES), () => undefined))
    const turned = Buffer.from(all)
    turned[400_000] = 0

    expect(await faultOf(unpack(Readable.from([turned])))).toBe('VERIFICATION_FAILED')
    expect(await faultOf(unpack(Readable.from([all.subarray(0, -4)])))).toBe('STORE_LOST')
    expect(await faultOf(unpack(Readable.from([Buffer.concat([all, all])])))).toBe('STORE_LOST')
  })

  test.each(['../a', '/a', 'a/../../b', '.hidden', 'a/_b', 'a\\b', 'a//b'])('with the name %s are refused', async (path) => {
    expect(await faultOf(unpack(packBundle(filesOf({ [path]: Buffer.from('x') }), () => undefined)))).toBe('PATH_OUTSIDE')
  })
})
