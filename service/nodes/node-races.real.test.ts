/** What several people and nodes do to the same gateway in the same moment: somebody comes first, and nobody is told of an error of ours. */
import { randomBytes } from 'node:crypto'
import { silentLog } from '@postern/base/log.ts'
import type { NodeId } from '@postern/protocol/ids.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import type { RotationFacts } from '@postern/protocol/node-api.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Database } from '../db/database.ts'
import { BareNode, beatOf } from '../testing/bare-node.ts'
import { LocalService } from '../testing/local-service.ts'
import type { Answer } from '../testing/send.ts'
import { NodeRepository } from './node-repository.ts'

let service: LocalService

const call = <T>(method: string, path: string, body?: unknown) => service.call<T>(method, path, body)

const newKey = () => randomBytes(32).toString('base64url')
const sealed = (mark: string) => `${'A'.repeat(43)}.${mark}`

beforeAll(async () => {
  service = await LocalService.start()
})

afterAll(() => service?.[Symbol.asyncDispose]())

/** Does all of it at the same time, each again and again; returns what was said other than yes, with how it was said. */
async function atOnce(rounds: number, works: readonly (() => Promise<Answer<unknown>>)[]): Promise<ReadonlySet<string>> {
  const said = new Set<string>()
  const unceasing = async (work: () => Promise<Answer<unknown>>) => {
    for (let round = 0; round < rounds; round += 1) {
      const { status, body } = await work()
      if (status >= 300) said.add(body.code === 'CHANGED_MEANWHILE' ? `${body.code}: ${body.detail}` : (body.code ?? String(status)))
    }
  }
  await Promise.all(works.map(unceasing))
  return said
}

test('a node that joins again and again while it is deleted is a node or none, and its gateway keeps its key as long as it has nodes', {
  timeout: 120_000,
}, async () => {
  const { body } = await call<{ key1: string }>('POST', '/v1/gateways', { name: 'comes-and-goes' })
  const [one, two] = [new BareNode(service.url, 'one'), new BareNode(service.url, 'two')]
  const at = (node: string) => `/v1/gateways/comes-and-goes/nodes/${node}`

  const said = await atOnce(25, [
    () => one.join(body.key1),
    () => two.join(body.key1),
    () => call('DELETE', at('one')),
    () => call('DELETE', at('two')),
    () => one.beat(),
    () => two.call('POST', SERVICE_PATHS.gatewayKey, { publicKey: newKey() }),
    () => call('PATCH', at('two'), { name: 'one' }),
    () => call('PATCH', at('one'), { name: 'two' }),
  ])

  const known = ['NODE_UNKNOWN', 'NODE_DELETED', 'NODE_PROOF_INVALID', 'NODE_NAME_TAKEN']
  expect([...said].filter((code) => !known.includes(code))).toEqual([])
  for (const name of ['one', 'two']) await call('DELETE', at(name))
  expect((await one.join(body.key1)).status).toBe(200)
  expect((await one.beat()).status).toBe(200)
})

test('keys are rotated, recovery keys made and forgotten, stores changed, and nodes come and go, all at once', {
  timeout: 120_000,
}, async () => {
  const name = 'busy'
  const { body } = await call<{ key1: string }>('POST', '/v1/gateways', { name })
  const [node, other] = [new BareNode(service.url, 'stays'), new BareNode(service.url, 'comes')]
  await node.join(body.key1)
  await node.call('POST', SERVICE_PATHS.gatewayKey, { publicKey: newKey() })
  const store = (of: string) => ({
    name: `busy-${of}`,
    gateway: name,
    kind: 'postgres',
    settings: { host: 'db', port: 5432, database: 'x', user: 'u' },
    sealed: sealed(of),
    secrets: ['password'],
  })
  for (const of of ['a', 'b', 'c']) await call('POST', '/v1/stores', store(of))
  const facts = async () => (await node.call<RotationFacts>('GET', SERVICE_PATHS.rotation)).body
  const rotate = async () => {
    const { publicKey: from, stores } = await facts()
    const anew = stores.map(({ id, version }) => ({ id, version, sealed: sealed('anew') }))
    return node.call('POST', SERVICE_PATHS.rotation, { from, to: newKey(), stores: anew, recovery: null })
  }
  const recover = async () => {
    const { publicKey } = await facts()
    return node.call('POST', SERVICE_PATHS.recovery, { publicKey, recoveryKey: newKey(), stamp: newKey(), sealed: sealed('r') })
  }

  const said = await atOnce(15, [
    rotate,
    recover,
    recover,
    () => call('DELETE', `/v1/gateways/${name}/recovery-key`),
    () => call('PATCH', '/v1/stores/busy-a', { sealed: sealed('b'), secrets: ['password'] }),
    () => call('PATCH', '/v1/stores/busy-b', { limits: { maxRows: 7 }, nodeLabels: { site: 'x' } }),
    () => call('DELETE', '/v1/stores/busy-c'),
    () => call('POST', '/v1/stores', store('c')),
    () => call('POST', `/v1/gateways/${name}/keys/2`),
    () => other.join(body.key1),
    () => call('DELETE', `/v1/gateways/${name}/nodes/comes`),
    () => call('PATCH', `/v1/gateways/${name}`, { settings: { queryConcurrency: 7 } }),
  ])

  const known = ['GATEWAY_KEY_ROTATED', 'RECOVERY_KEY_MISSING', 'STORE_UNKNOWN', 'STORE_EXISTS', 'NODE_UNKNOWN']
  expect([...said].filter((code) => !known.includes(code))).toEqual([])
})

test('two replicas that write the beats of the same nodes do not wait for each other', { timeout: 120_000 }, async () => {
  const { body } = await call<{ key1: string }>('POST', '/v1/gateways', { name: 'many' })
  const nodes = Array.from({ length: 12 }, (_, index) => new BareNode(service.url, `n${index}`))
  for (const node of nodes) expect((await node.join(body.key1)).status).toBe(200)
  const own = new Database({ target: () => ({ connectionString: service.database.url }), log: silentLog })
  const repository = new NodeRepository(own.db)
  const beats = nodes.map(({ id, bootId }) => [id as NodeId, beatOf(bootId)] as const)

  const both = async (rows: typeof beats) => {
    for (let round = 0; round < 50; round += 1) expect(await repository.keepBeats(rows)).toHaveLength(nodes.length)
  }

  await Promise.all([both(beats), both(beats.toReversed()), both(beats), both(beats.toReversed())]).finally(() => own.stop())
})

test('a gateway that is deleted while it is given keys, nodes, stores and roles takes them or is unknown', {
  timeout: 120_000,
}, async () => {
  await call('POST', '/v1/groups', { name: 'crowd' })
  const key = async () => (await call<{ key1: string }>('POST', '/v1/gateways', { name: 'brief' })).body.key1
  let last = await key()
  const store = { name: 'brief-store', gateway: 'brief', kind: 'files', settings: { path: '/srv/brief' } }
  const make = async () => {
    const answer = await call<{ key1: string }>('POST', '/v1/gateways', { name: 'brief' })
    if (answer.status === 201) last = answer.body.key1
    return answer
  }

  const said = await atOnce(40, [
    make,
    () => call('DELETE', '/v1/gateways/brief'),
    () => call('DELETE', '/v1/gateways/brief'),
    () => call('POST', '/v1/gateways/brief/keys/1'),
    () => call('POST', '/v1/stores', store),
    () => call('DELETE', '/v1/stores/brief-store'),
    () => call('POST', '/v1/grants', { to: 'group/crowd', role: 'reader', on: 'gateway/brief' }),
    () => call('POST', '/v1/grants', { to: 'group/crowd', role: 'reader', on: 'store/brief-store' }),
    () => new BareNode(service.url, 'one').join(last),
    () => call('DELETE', '/v1/gateways/brief/nodes/one'),
  ])

  const known = ['GATEWAY_EXISTS', 'GATEWAY_UNKNOWN', 'GATEWAY_IN_USE', 'STORE_UNKNOWN', 'STORE_EXISTS', 'GRANT_UNKNOWN', 'NODE_UNKNOWN']
  known.push('NODE_NAME_TAKEN', 'KEY_INVALID', 'TOO_MANY_TRIES')
  expect([...said].filter((code) => !known.includes(code))).toEqual([])
})
