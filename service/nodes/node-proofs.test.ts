import { generateKeyPairSync } from 'node:crypto'
import { Fault } from '@postern/protocol/fault.ts'
import { type NodeId, newId } from '@postern/protocol/ids.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { SeededRandom } from '@postern/testkit/seeded-random.ts'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { NodeProofs } from './node-proofs.ts'

const random = new SeededRandom(1)
const fresh = () => newId<NodeId>('nod', (count) => random.bytes(count))
const { privateKey, publicKey } = generateKeyPairSync('ed25519')

function proofs() {
  const clock = new HandClock()
  const here = fresh()
  const asked = { count: 0 }
  const node = { id: here, identity: publicKey.export({ format: 'jwk' }).x ?? '' }
  const nodes = {
    get: (id: NodeId) => (id === here ? (node as never) : undefined),
    refresh: async () => {
      asked.count += 1
    },
  }
  const made = new NodeProofs({ nodes, wasDeleted: async () => false, clock })
  const knock = async (id: NodeId, address: string) => {
    const claims = { htm: 'GET', htu: '/v1/node/x', bh: '', iat: Math.floor(clock.now() / 1_000) }
    // Whose it is counts before the signature.
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'EdDSA' })}.${part({ ...claims, iss: id })}.x`
    const token = id === here ? await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).setIssuer(id).sign(privateKey) : unsigned
    return await made.verify(`PosternNode ${token}`, 'GET', '/v1/node/x', address).then(
      ({ nodeId }) => nodeId,
      (cause: unknown) => Fault.from(cause).code,
    )
  }
  return { clock, here, asked, knock }
}

test('who names nodes that there are not is not looked up again and again; others, and nodes that are known, come in', async () => {
  const { clock, here, asked, knock } = proofs()
  for (let n = 0; n < 600; n += 1) expect(await knock(fresh(), '203.0.113.9')).toBe('NODE_UNKNOWN')
  const before = asked.count

  expect(await knock(fresh(), '203.0.113.9')).toBe('TOO_MANY_TRIES')
  expect(asked.count).toBe(before)
  expect(await knock(here, '203.0.113.9')).toBe(here)
  expect(await knock(fresh(), '198.51.100.1')).toBe('NODE_UNKNOWN')

  await clock.advance(61_000)
  expect(await knock(fresh(), '203.0.113.9')).toBe('NODE_UNKNOWN')
})
