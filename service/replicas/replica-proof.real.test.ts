import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { systemClock } from '@postern/base/clock.ts'
import { systemRandom } from '@postern/base/random.ts'
import { newId, ReplicaId } from '@postern/protocol/ids.ts'
import { LINK_PROTOCOL } from '@postern/protocol/link.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'
import { REPLICA_LINK_PATH } from './replica-news.ts'
import { makeReplicaKey, replicaProof } from './replica-proof.ts'

let service: LocalService
/** The replica that runs. */
let there: ReplicaId

beforeAll(async () => {
  service = await LocalService.start()
  const rows = await waitFor(
    'its row',
    () => service.database.query<{ id: string }>('select id from replica'),
    (found) => found.length === 1,
  )
  there = ReplicaId.parse(rows[0]?.id)
})
afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

const fresh = () => newId<ReplicaId>('rep', systemRandom.bytes)

/** 101, or the status of the refusal. */
async function knock(authorization: string): Promise<number> {
  const headers = { authorization, connection: 'Upgrade', upgrade: LINK_PROTOCOL }
  const asking: ClientRequest = request(service.url + REPLICA_LINK_PATH, { headers, agent: false })
  const answered = Promise.race([once(asking, 'upgrade'), once(asking, 'response')])
  asking.end()
  const [response] = (await answered) as [IncomingMessage]
  asking.destroy()
  return response.statusCode ?? 0
}

test('with a copy of the database nobody comes as a replica: neither by anything in it, nor by a key of his own', async () => {
  const tables = await service.database.query<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  )
  const copied = new Set<string>()
  for (const { name } of tables)
    for (const row of await service.database.query(`select * from ${name}`))
      for (const value of Object.values(row)) if (typeof value === 'string' && value !== '') copied.add(value)
  const own = makeReplicaKey()
  expect(copied).toContain(there)

  for (const value of copied)
    for (const secret of [Buffer.from(value), Buffer.from(value, 'base64url')]) {
      const made = new SignJWT({ url: 'http://127.0.0.1:1' }).setProtectedHeader({ alg: 'HS256' }).setIssuer(there).setAudience(there)
      if (secret.length > 0) expect(await knock(`PosternReplica ${await made.setExpirationTime('1m').sign(secret)}`)).toBe(403)
    }
  for (const from of [there, fresh()]) expect(await knock(await replicaProof(own, from, there, systemClock))).toBe(403)
})

test('a replica that has written its key into the database is let in at once; for another one, or as another one, it is not', async () => {
  const [key, id] = [makeReplicaKey(), fresh()]
  await service.database.query(`insert into replica (id, url, public_key) values ($1, 'http://127.0.0.1:1', $2)`, [id, key.publicKey])

  // Strangers may just have had the database asked.
  await waitFor('it is let in', async () => (await knock(await replicaProof(key, id, there, systemClock))) === 101)

  expect(await knock(await replicaProof(key, id, fresh(), systemClock))).toBe(403)
  expect(await knock(await replicaProof(makeReplicaKey(), id, there, systemClock))).toBe(403)
})

test.each(['', 'PosternReplica', 'PosternReplica x.y.z', 'Bearer x'])('%j is refused', async (authorization) => {
  expect(await knock(authorization)).toBe(403)
})
