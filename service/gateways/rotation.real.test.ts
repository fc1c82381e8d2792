/** The switch to a new gateway key: all of it or nothing. On a real database, with a node that says what the test wants. */
import { randomBytes } from 'node:crypto'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { RecoverySeal, RotationFacts, RotationSwitched } from '@postern/protocol/node-api.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BareNode } from '../testing/bare-node.ts'
import { LocalService } from '../testing/local-service.ts'

let service: LocalService
let made = 0

const call = <T>(method: string, path: string, body?: unknown) => service.call<T>(method, path, body)
const newKey = () => randomBytes(32).toString('base64url')
const sealed = (mark: string) => `${'A'.repeat(43)}.${mark}`

beforeAll(async () => {
  service = await LocalService.start()
})
afterAll(() => service?.[Symbol.asyncDispose]())

const storeBody = (name: string, gateway: string, mark: string, sealedTo?: string) => ({
  name,
  gateway,
  kind: 'postgres',
  settings: { host: 'db', port: 5432, database: 'x', user: 'u' },
  sealed: sealed(mark),
  secrets: ['password'],
  ...(sealedTo === undefined ? {} : { sealedTo }),
})

/** A gateway whose key one node has made, with two stores that have a credential. */
async function gateway() {
  made += 1
  const name = `rotating-${made}`
  const { body } = await call<{ key1: string }>('POST', '/v1/gateways', { name })
  const node = new BareNode(service.url, 'one')
  await node.join(body.key1)
  const key = newKey()
  await node.call('POST', SERVICE_PATHS.gatewayKey, { publicKey: key })
  for (const store of ['a', 'b']) await call('POST', '/v1/stores', storeBody(`${name}-${store}`, name, 'old'))
  const facts = async () => (await node.call<RotationFacts>('GET', SERVICE_PATHS.rotation)).body
  const anew = (read: RotationFacts, mark: string) => read.stores.map(({ id, version }) => ({ id, version, sealed: sealed(mark) }))
  return { name, node, key, facts, anew }
}

const shown = async (name: string) => (await call<GatewayView>('GET', `/v1/gateways/${name}`)).body
const credentials = (name: string) =>
  service.database.query<{ sealed: string; version: number }>(
    `select sealed, version from store where gateway_id = (select id from gateway where name = $1) order by name`,
    [name],
  )

test('key, credentials and recovery key change together', async () => {
  const { name, node, key, facts, anew } = await gateway()
  const seal = (publicKey: string): RecoverySeal => ({ publicKey, recoveryKey: newKey(), stamp: newKey(), sealed: sealed('r') })
  const recovery = seal(key)
  expect((await node.call('POST', SERVICE_PATHS.recovery, recovery)).status).toBe(204)
  const read = await facts()
  const to = newKey()

  const next = { ...recovery, publicKey: to, sealed: sealed('next') }
  const { body } = await node.call<RotationSwitched>('POST', SERVICE_PATHS.rotation, {
    from: key,
    to,
    stores: anew(read, 'new'),
    recovery: next,
  })

  expect(body).toEqual({ switched: true, changed: [] })
  expect((await shown(name)).publicKey).toBe(to)
  expect(await credentials(name)).toEqual([
    { sealed: sealed('new'), version: 2 },
    { sealed: sealed('new'), version: 2 },
  ])
  expect((await node.call<RecoverySeal>('GET', SERVICE_PATHS.recovery)).body).toEqual(next)
  // Who was a moment late with an answer of before: nothing of it is taken.
  const again = await node.call('POST', SERVICE_PATHS.rotation, { from: key, to: newKey(), stores: anew(read, 'x'), recovery: null })
  expect(again.body.code).toBe('GATEWAY_KEY_ROTATED')
  expect((await node.call('POST', SERVICE_PATHS.recovery, seal(key))).body.code).toBe('GATEWAY_KEY_ROTATED')
})

test('a credential that was saved, added or taken away meanwhile is named, and nothing is changed', async () => {
  const { name, node, key, facts, anew } = await gateway()
  const read = await facts()
  await call('PATCH', `/v1/stores/${name}-a`, { sealed: sealed('saved'), secrets: ['password'] })
  await call('POST', '/v1/stores', storeBody(`${name}-c`, name, 'added'))
  await call('DELETE', `/v1/stores/${name}-b`)

  const body = { from: key, to: newKey(), stores: anew(read, 'new'), recovery: null }
  const answer = await node.call<RotationSwitched>('POST', SERVICE_PATHS.rotation, body)

  expect([answer.body.switched, answer.body.changed.length]).toEqual([false, 3])
  expect((await shown(name)).publicKey).toBe(key)
  expect((await credentials(name)).map((row) => row.sealed)).toEqual([sealed('saved'), sealed('added')])
})

test('a credential that was sealed to the key of before is refused, not kept unreadable', async () => {
  const { name, node, key, facts, anew } = await gateway()
  const to = newKey()
  await node.call('POST', SERVICE_PATHS.rotation, { from: key, to, stores: anew(await facts(), 'new'), recovery: null })

  const late = await call<object>('PATCH', `/v1/stores/${name}-a`, { sealed: sealed('late'), secrets: ['password'], sealedTo: key })
  const added = await call<object>('POST', '/v1/stores', storeBody(`${name}-late`, name, 'late', key))
  const right = await call<object>('POST', '/v1/stores', storeBody(`${name}-right`, name, 'right', to))

  expect([late.body.code, added.body.code, right.status]).toEqual(['GATEWAY_KEY_ROTATED', 'GATEWAY_KEY_ROTATED', 201])
  expect((await credentials(name)).map((row) => row.sealed)).toEqual([sealed('new'), sealed('new'), sealed('right')])
})

test('credentials that are saved all the time and a rotation do not lock each other out', async () => {
  const { name, node, key, facts, anew } = await gateway()
  const saving = Array.from({ length: 20 }, (_, n) =>
    call('PATCH', `/v1/stores/${name}-${n % 2 ? 'a' : 'b'}`, { sealed: sealed(`s${n}`), secrets: ['password'] }),
  )
  const rotating = Array.from({ length: 10 }, async () => {
    const body = { from: key, to: newKey(), stores: anew(await facts(), 'new'), recovery: null }
    return await node.call<RotationSwitched>('POST', SERVICE_PATHS.rotation, body)
  })

  const answers = [...(await Promise.all(saving)), ...(await Promise.all(rotating))]

  // Taken, not switched, or too late: never a deadlock.
  expect(answers.filter(({ status }) => status >= 500)).toEqual([])
})

test('without nodes the key stays for as long as there is a recovery key', async () => {
  const { name, node, key } = await gateway()
  await node.call('POST', SERVICE_PATHS.recovery, { publicKey: key, recoveryKey: newKey(), stamp: newKey(), sealed: sealed('r') })
  await call('DELETE', `/v1/gateways/${name}/nodes/one`)
  expect(await shown(name)).toMatchObject({ publicKey: key, recoveryKeyAt: expect.any(String) })

  const gone = await call('DELETE', `/v1/gateways/${name}/recovery-key`)

  expect(gone.status).toBe(204)
  expect(await shown(name)).toMatchObject({ publicKey: null, recoveryKeyAt: null })
  expect((await call('DELETE', `/v1/gateways/${name}/recovery-key`)).body).toMatchObject({ code: 'RECOVERY_KEY_MISSING' })
})
