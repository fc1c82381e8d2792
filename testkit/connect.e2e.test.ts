/** `postern connect`: a local port that leads to the store, in the store's own protocol. */
import { once } from 'node:events'
import { createServer, connect as dial, type Server } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PosternProcess } from './process.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let database: TestDatabase
let echo: Server
let opened: PosternProcess
let port: number

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start()
  await cluster.postgresStore('shop', database)
  await cluster.filesStore('lake', '/tmp')
  // Not PostgreSQL at all: what passes is bytes.
  echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => undefined).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  await cluster.postgresStore('echo', database, { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 })
  opened = new PosternProcess(['connect', 'shop'], { env: cluster.service.env })
  port = Number((await opened.start()).split(':')[1])
})

afterAll(async () => {
  await opened?.[Symbol.asyncDispose]()
  echo?.close()
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

async function signIn(application = 'app'): Promise<pg.Client> {
  const { user, password, name } = database
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: name, application_name: application })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

test("clients sign in to the store itself, with the store's own password", async () => {
  const client = await signIn()

  expect((await client.query('select current_database() as name')).rows).toEqual([{ name: database.name }])
  const sessions = await cluster.client.sessions.list()
  expect(sessions).toMatchObject([{ kind: 'connect', store: 'shop', application: 'postern' }])
  await client.end()
  await waitFor(
    'it is gone',
    () => cluster.client.sessions.list(),
    (seen) => seen.length === 0,
  )
})

test('each connection is balanced by the policy of the gateway', async () => {
  await cluster.cli(['gateway', 'set', 'demo', 'policy=round-robin'])
  const clients = [await signIn(), await signIn()]
  const nodes = (await cluster.client.sessions.list()).map(({ node }) => node)

  expect(nodes.toSorted()).toEqual(['n1', 'n2'])
  await Promise.all(clients.map((client) => client.end()))
})

test('any bytes pass both ways, and an end is passed as an end', async () => {
  await using other = new PosternProcess(['connect', 'echo'], { env: cluster.service.env })
  const socket = dial({ host: '127.0.0.1', port: Number((await other.start()).split(':')[1]), allowHalfOpen: true })
  const sent = Buffer.alloc(8_000_000, 'abcdefghijk')
  socket.end(sent)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)

  expect(Buffer.concat(chunks).equals(sent)).toBe(true)
})

test('a WebSocket does where a raw upgrade does not pass', async () => {
  const url = `${cluster.service.url.replace('http', 'ws')}/v1/stores/echo/connect`
  const socket = new WebSocket(url, 'postern-tcp', { headers: { authorization: `Bearer ${cluster.service.token}` } })
  await once(socket, 'open')
  const heard = once(socket, 'message')
  socket.send(Buffer.from('hello'))

  expect(String((await heard)[0])).toBe('hello')
  socket.close()
  await once(socket, 'close')
})

test('what cannot be connected is refused before a port is opened', async () => {
  const refused = async (args: readonly string[]) => (await cluster.cli(['connect', ...args])).stderr

  expect(await refused(['lake'])).toContain('This store has no host and port to connect to.')
  expect(await refused(['nix'])).toContain('There is no such store.')
  expect(await refused(['shop', '--port', String(port)])).toContain('The port is in use by another program.')
})

test('it needs a permission of its own', async () => {
  const response = await fetch(`${cluster.service.url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'looker', role: 'reader' }),
  })
  const { token } = (await response.json()) as { token: string }
  const socket = new WebSocket(`${cluster.service.url.replace('http', 'ws')}/v1/stores/shop/connect`, 'postern-tcp', {
    headers: { authorization: `Bearer ${token}` },
  })
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { readonly statusCode: number }]

  expect(answer.statusCode).toBe(403)
  socket.on('error', () => undefined).terminate()
})

test('when its node dies the connection breaks, and the next one is served by the other node', async () => {
  const client = await signIn()
  const [session] = await cluster.client.sessions.list()
  const broke = new Promise((resolve) => client.once('end', () => resolve('broken')))
  await cluster.node(session?.node ?? '').kill()
  expect(await broke).toBe('broken')
  const next = await signIn()

  expect((await next.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await next.end()
})
