import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@postern/base/random.ts'
import { newId } from '@postern/protocol/ids.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataFolder } from './data-folder.ts'
import type { NodeFile } from './node-file.ts'

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'postern-node-'))
})
afterEach(() => rm(path, { recursive: true }))

const node: NodeFile = {
  format: 1,
  url: 'http://127.0.0.1:7400/',
  nodeId: newId('nod', systemRandom.bytes),
  name: 'a',
  gatewayId: newId('gw', systemRandom.bytes),
  gateway: 'demo',
  identity: 'x',
  secret: 'y',
  channel: { privateKey: 'k', certificate: 'c', authority: 'a' },
  transport: null,
  proxyUrl: '',
}

test('what was written is there again, for its owner only', async () => {
  {
    await using folder = await DataFolder.open(path)
    await folder.create(node)
    await Promise.all([folder.update({ transport: 'raw' }), folder.update({ name: 'b' })])
  }

  await using again = await DataFolder.open(path)
  expect(again.joined()).toEqual({ ...node, transport: 'raw', name: 'b' })
  if (process.platform !== 'win32') expect((await stat(join(path, 'node.json'))).mode & 0o777).toBe(0o600)
})

test.skipIf(process.platform === 'win32')('it is for its owner only, the folders made on the way to it are not', async () => {
  await using _folder = await DataFolder.open(join(path, 'between', 'node'))

  expect((await stat(join(path, 'between', 'node'))).mode & 0o777).toBe(0o700)
  expect((await stat(join(path, 'between'))).mode & 0o011).toBe(0o011)
})

test('a folder that is in use is refused, and free again after it', async () => {
  const folder = await DataFolder.open(path)

  await expect(DataFolder.open(path)).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' })
  await folder[Symbol.asyncDispose]()
  await (await DataFolder.open(path))[Symbol.asyncDispose]()
})

test("a service's folder, or any other with things in it, is not touched", async () => {
  await writeFile(join(path, 'admin-token'), 'x')

  await expect(DataFolder.open(path)).rejects.toMatchObject({
    code: 'DATA_FOLDER_FOREIGN',
    message: expect.stringContaining('admin-token'),
  })
  expect(await readdir(path)).toEqual(['admin-token'])
})

test('a write that was cut short, and scratch of the last process, are swept away', async () => {
  await mkdir(join(path, 'scratch'))
  await writeFile(join(path, 'scratch', 'spool'), 'x')
  await writeFile(join(path, 'node.json.1.tmp'), '{"half')

  await using folder = await DataFolder.open(path)

  expect((await readdir(path)).toSorted()).toEqual(['scratch', 'vault'])
  expect(await readdir(folder.scratch)).toEqual([])
  expect(() => folder.joined()).toThrow(expect.objectContaining({ code: 'NODE_NOT_JOINED' }))
})

test('a file that is not readable says so in one line', async () => {
  await writeFile(join(path, 'node.json'), '{')

  await expect(DataFolder.open(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('node.json') })
})
