/** Doors and hosts on real processes: what is refused, by whom, and what an administrator can allow. */
import { once } from 'node:events'
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { TestNode } from './node.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let folder: TestFolder

beforeAll(async () => {
  folder = await testFolder()
  cluster = await Cluster.start({ nodes: ['n1'] })
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

test('beyond loopback the service starts with TLS, or when it is told that something in front speaks it', async () => {
  const words = ['service', 'start', '--data', join(folder.path, 'open'), '--host', '0.0.0.0', '--port', '0']

  const refused = await cluster.cli(words)

  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--allow-plain-http')])
  // Told so it goes on, to the next thing that is wrong.
  const further = await cluster.cli([...words, '--allow-plain-http', '--database-url', 'nonsense'])
  expect([further.code, further.stderr]).toEqual([2, expect.stringContaining('--database-url')])
})

test('a store at an address of a cloud’s metadata is refused by the node, also by `postern connect`', async () => {
  const set = (host: string) => ['--set', `host=${host}`, '--set', 'database=d', '--set', 'user=u']
  for (const [name, host] of [
    ['metadata', '169.254.169.254'],
    ['spelled', '2852039166'],
    ['mapped', '::ffff:169.254.169.254'],
    ['named', 'metadata.google.internal'],
  ] as const) {
    const made = await cluster.cli(['store', 'create', name, '--gateway', 'demo', '--kind', 'postgres', ...set(host)])
    expect(made.code, made.stderr).toBe(0)

    const tested = await cluster.cli(['store', 'test', name])

    expect([tested.code, tested.stderr]).toEqual([4, expect.stringContaining('does not connect to this address')])
  }
  const upgraded = await raw(
    `GET /v1/stores/metadata/connect HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: postern-tcp\r\nauthorization: Bearer ${cluster.service.token}\r\n\r\n`,
  )
  expect(upgraded).not.toMatch(/^HTTP\/1\.1 101/)
})

test('who runs a node may allow an address there, and nobody else', async () => {
  const { key2 } = await cluster.client.gateways.regenerateKey(cluster.gateway, 2)
  await using node = await TestNode.start({
    name: 'allowing',
    url: cluster.service.url,
    key: key2 ?? '',
    args: ['--allow-host', '169.254.99.0/24'],
  })
  await waitFor(
    'the node is online',
    () => cluster.client.nodes.get('demo', node.name),
    ({ status }) => status === 'online',
  )
  const set = ['--set', 'host=169.254.99.1', '--set', 'database=d', '--set', 'user=u']
  expect((await cluster.cli(['store', 'create', 'allowed', '--gateway', 'demo', '--kind', 'postgres', ...set])).code).toBe(0)

  const there = await cluster.client.stores.test('allowed', { node: 'allowing' })
  const elsewhere = await cluster.client.stores.test('allowed', { node: 'n1' })

  expect([there.fault?.code, elsewhere.fault?.code]).toEqual(['STORE_UNREACHABLE', 'HOST_DENIED'])
  await cluster.client.nodes.delete('demo', 'allowing')
})

test('a connection on which headers come a byte at a time is ended; meanwhile others are served', async () => {
  const socket = connect(cluster.service.port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  const began = performance.now()
  const drip = setInterval(() => socket.writable && socket.write('X'), 500)
  socket.write('GET /healthz HTTP/1.1\r\n')

  const [answer] = (await once(socket, 'data')) as [Buffer]
  clearInterval(drip)

  expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /)
  expect(performance.now() - began).toBeLessThan(40_000)
  expect((await fetch(`${cluster.service.url}/healthz`)).status).toBe(200)
  socket.destroy()
})

test('three bytes of a handshake of the wire, and no more, hold nothing up', async () => {
  const half = connect(cluster.service.postgresPort, '127.0.0.1').on('error', () => undefined)
  await once(half, 'connect')
  half.write(Buffer.from([0, 0, 0]))

  const began = performance.now()
  for (let n = 0; n < 5; n += 1) expect((await fetch(`${cluster.service.url}/healthz`)).status).toBe(200)

  expect(performance.now() - began).toBeLessThan(10_000)
  half.destroy()
})

test('a folder that is swapped for a link while it is read gives nothing from outside', async () => {
  const [lake, outside] = [join(folder.path, 'lake'), join(folder.path, 'outside')]
  for (const path of [join(lake, 'a'), outside]) await mkdir(path, { recursive: true })
  await writeFile(join(lake, 'a', 'x.csv'), 'n\n1\n')
  await writeFile(join(outside, 'x.csv'), 'n\nsecret\n')
  await symlink(outside, join(lake, 'link'))
  await cluster.filesStore('lake', lake)
  const ask = (path: string) => cluster.cli(['query', 'lake', `select * from '${path}'`])

  for (const path of ['link/x.csv', '../outside/x.csv', `${outside}/x.csv`, 'a/../../outside/x.csv', '*/x.csv']) {
    const { stdout, stderr } = await ask(path)
    expect(stdout + stderr, path).not.toContain('secret')
  }
  await rename(join(lake, 'a'), join(lake, 'b'))
  await symlink(outside, join(lake, 'a'))
  const swapped = await ask('a/x.csv')
  expect([swapped.code, swapped.stdout]).toEqual([4, ''])
}, 240_000)

async function raw(request: string): Promise<string> {
  const socket: Socket = connect(cluster.service.port, '127.0.0.1').on('error', () => undefined)
  socket.write(request)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString()
}
