import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { makeAuthKey } from '@postern/protocol/auth-key.ts'
import { testFolder } from '@postern/testkit/folder.ts'
import { freePort } from '@postern/testkit/free-port.ts'
import { TestService } from '@postern/testkit/service.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startNode } from '../node.ts'
import { joinNode } from './join.ts'

const base = { log: silentLog, clock: systemClock, random: systemRandom, environment: {} }
let service: TestService
beforeAll(async () => {
  service = await TestService.start()
})
afterAll(() => service[Symbol.asyncDispose]())

const gateway = (name: string) => service.client.gateways.create({ name })

test('the first node joins, makes the key of its gateway, and both show the same fingerprint', async () => {
  await using folder = await testFolder()
  const { key1 } = await gateway('first')

  const joined = await joinNode({ ...base, url: service.url, key: key1, name: 'a', data: join(folder.path, 'node') })

  const view = await service.client.gateways.get('first')
  expect(joined).toMatchObject({ name: 'a', gateway: 'first', fingerprint: view.fingerprint })
  expect(view.nodes.map(({ name }) => name)).toEqual(['a'])
})

test('joining again with the same folder is the same node, with either key', async () => {
  await using folder = await testFolder()
  const { key1, key2 } = await gateway('again')
  const options = { ...base, url: service.url, data: join(folder.path, 'node') }

  const first = await joinNode({ ...options, key: key1, name: 'a' })
  const second = await joinNode({ ...options, key: key2 })

  expect(second).toEqual(first)
})

test('a wrong key is refused and leaves no node behind', async () => {
  await using folder = await testFolder()
  const data = join(folder.path, 'node')

  const { text: unknown } = await makeAuthKey((count) => systemRandom.bytes(count))

  await expect(joinNode({ ...base, url: service.url, key: 'wrong', data })).rejects.toMatchObject({ code: 'KEY_INVALID' })
  await expect(joinNode({ ...base, url: service.url, key: unknown, data })).rejects.toMatchObject({ code: 'KEY_INVALID' })
  await expect(startNode({ ...base, data, channelPort: 0 })).rejects.toMatchObject({ code: 'NODE_NOT_JOINED' })
  expect(await readdir(data)).not.toContain('node.json')
})

test('an address where nobody answers, and one where something else does, are told apart', async () => {
  await using folder = await testFolder()
  const site = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'))
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const { text: key } = await makeAuthKey((count) => systemRandom.bytes(count))
  const options = { ...base, key, data: join(folder.path, 'node') }

  const nobody = joinNode({ ...options, url: `http://127.0.0.1:${await freePort()}` })
  await expect(nobody).rejects.toMatchObject({ code: 'SERVICE_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') })
  const other = joinNode({ ...options, url: `http://127.0.0.1:${(site.address() as AddressInfo).port}` })
  await expect(other).rejects.toMatchObject({ code: 'NOT_A_SERVICE' })
  await new Promise((resolve) => site.close(resolve))
})

test('a folder that holds a node of one gateway is not joined to another', async () => {
  await using folder = await testFolder()
  const [one, two] = [await gateway('one'), await gateway('two')]
  const options = { ...base, url: service.url, data: join(folder.path, 'node'), name: 'a' }
  await joinNode({ ...options, key: one.key1 })

  await expect(joinNode({ ...options, key: two.key1 })).rejects.toMatchObject({ code: 'NODE_ALREADY_JOINED' })

  expect((await service.client.gateways.get('two')).nodes).toEqual([])
})

test('a channel port that is taken is said before anything runs', async () => {
  await using folder = await testFolder()
  const { key1 } = await gateway('ports')
  const data = join(folder.path, 'node')
  await joinNode({ ...base, url: service.url, key: key1, name: 'a', data })
  const taken = Number(new URL(service.url).port)

  await expect(startNode({ ...base, data, channelPort: taken, channelHost: '127.0.0.1' })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
})

test('a node that was deleted from its gateway does not start, and says what to do', async () => {
  await using folder = await testFolder()
  const { key1 } = await gateway('deleting')
  const data = join(folder.path, 'node')
  await joinNode({ ...base, url: service.url, key: key1, name: 'a', data })
  await service.client.nodes.delete('deleting', 'a')

  await expect(startNode({ ...base, data, channelPort: 0 })).rejects.toMatchObject({ code: 'NODE_DELETED' })
})
