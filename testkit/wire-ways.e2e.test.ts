/** The two ways of a session's bytes between service and node: a connection of its own, or the link where that does not pass. */
import { once } from 'node:events'
import { request } from 'node:http'
import { WebSocketOnlyProxy } from '@postern/node/testing/middleboxes.ts'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { FlakyLink } from './flaky-link.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let database: TestDatabase
let wire: FlakyLink

beforeAll(async () => {
  database = await testDatabase()
  cluster = await Cluster.start({
    nodes: ['n1'],
    urlOf: async (service) => {
      wire = await FlakyLink.to({ port: service.port })
      return `http://127.0.0.1:${wire.port}`
    },
  })
  await cluster.postgresStore('shop', database)
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await wire?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
})

async function signIn(to: Cluster): Promise<pg.Client> {
  const { token, postgresPort } = to.service
  const client = new pg.Client({
    host: '127.0.0.1',
    port: postgresPort,
    user: 'any',
    password: token,
    database: 'shop',
    ssl: { rejectUnauthorized: false },
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

test('a session has a connection of its own, and gives it back at its end', async () => {
  const client = await signIn(cluster)
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])

  expect(await cluster.client.sessions.list()).toMatchObject([{ way: 'own' }])
  const before = wire.connections
  await client.end()
  await waitFor(
    'it is closed',
    () => wire.connections,
    (count) => count < before,
  )
})

test('where its path swallows everything, a session that asks ends within 6 s', async () => {
  const client = await signIn(cluster)
  await client.query('select 1')
  const told = once(client, 'error')
  const since = performance.now()
  wire.halfOpen()
  const asked = client.query('select 2').catch((cause: unknown) => cause)
  await told
  const took = performance.now() - since
  wire.heal()

  expect(await asked).toMatchObject({ code: '08006' })
  expect(took).toBeLessThan(6_500)
  await cluster.allOnline()
})

test('where only WebSockets pass, a session goes over the link', async () => {
  const boxes: WebSocketOnlyProxy[] = []
  await using boxed = await Cluster.start({
    nodes: ['n1'],
    urlOf: async (service) => {
      const box = await WebSocketOnlyProxy.to(service.url)
      boxes.push(box)
      return box.url
    },
  })
  await boxed.postgresStore('shop', database)
  const client = await signIn(boxed)
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])

  expect(await boxed.client.sessions.list()).toMatchObject([{ way: 'link' }])
  expect(boxes[0]?.seen.filter((line) => line.includes('/node/data'))).toEqual([])
  await client.end()
  await Promise.all(boxes.map((box) => box[Symbol.asyncDispose]()))
})

test('nobody but a node with its proof gets in by the door of the data connections', async () => {
  const sent = request(`${cluster.service.url}/v1/node/data`, {
    headers: { connection: 'Upgrade', upgrade: 'postern-data', 'postern-ticket': 'x', authorization: `Bearer ${cluster.service.token}` },
  })
  sent.end()
  const [response] = (await once(sent, 'response')) as [{ readonly statusCode: number }]

  expect(response.statusCode).toBe(403)
})
