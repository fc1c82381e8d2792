/** 10,000 bodies that nobody means, for the two doors that take one from strangers: the join and the sign-in. */
import { Agent, request } from 'node:http'
import { openAuthKey } from '@postern/protocol/auth-key.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCsr } from '../testing/csr.ts'
import { FakeNode } from '../testing/fake-node.ts'
import { body, text } from '../testing/fuzz-garbage.ts'
import { expectProblem, type FuzzedService, fuzz, fuzzedService } from '../testing/fuzz-rig.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 20 })
let fuzzed: FuzzedService
let key: string

beforeAll(async () => {
  fuzzed = await fuzzedService()
  key = (await fuzzed.service.api<{ key1: string }>('POST', '/v1/gateways', { name: 'demo' })).key1
})

afterAll(async () => {
  agent.destroy()
  await fuzzed?.service[Symbol.asyncDispose]()
})

interface Sent {
  readonly bytes: Buffer
  readonly type: string
}

const type = fc.constantFrom(
  ...Array<string>(8).fill('application/json'),
  'application/json; charset=utf-16',
  'text/plain',
  'multipart/form-data; boundary=x',
  '',
)

function post(path: string, { bytes, type: contentType }: Sent): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': bytes.length, ...(contentType === '' ? {} : { 'content-type': contentType }) }
    const sent = request(fuzzed.service.url + path, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      response.once('error', reject)
    })
    sent.once('error', reject)
    sent.end(bytes)
  })
}

test('the join survives 10,000 malformed requests with a key that is right, and takes the next good one', async () => {
  const { joinProof } = (await openAuthKey(key)) ?? { joinProof: '' }
  const identity = Buffer.alloc(32, 7).toString('base64url')
  const whole = { protocol: 1, name: 'n1', version: '0.1.0', identity, gatewayId: undefined }
  const csr = await makeCsr()
  const sent = fc.record({
    bytes: body(whole),
    type,
    csr: fc.oneof({ weight: 1, arbitrary: fc.constant(csr) }, { weight: 5, arbitrary: text }),
  })

  await fuzz(fuzzed, sent, async ({ bytes, type: contentType, csr: asked }) => {
    // The key is put in here: wrong ones would be refused before anything else is looked at.
    const before = bytes.toString('utf8')
    const right = `{"key":${JSON.stringify(joinProof)},"csr":${JSON.stringify(asked)},`
    const answer = await post(SERVICE_PATHS.join, {
      bytes: before.startsWith('{"') ? Buffer.from(right + before.slice(1)) : bytes,
      type: contentType,
    })
    // Some of them are as good as any.
    if (answer.status !== 200) expectProblem(answer.status, answer.text)
  })

  expect((await FakeNode.join(fuzzed.service.url, key, 'good')).name).toBe('good')
}, 180_000)

test('a join whose certificate request is none leaves nothing behind', async () => {
  const { joinProof } = (await openAuthKey(key)) ?? { joinProof: '' }
  const identity = Buffer.alloc(32, 9).toString('base64url')
  const bytes = Buffer.from(JSON.stringify({ protocol: 1, key: joinProof, name: 'halved', version: '0', identity, csr: 'no request' }))

  const { status, text: said } = await post(SERVICE_PATHS.join, { bytes, type: 'application/json' })

  expect([status, said]).toEqual([400, expect.stringContaining('csr')])
  const { items } = await fuzzed.service.api<{ items: { name: string }[] }>('GET', '/v1/gateways/demo/nodes')
  expect(items.map(({ name }) => name)).not.toContain('halved')
})

test('the sign-in survives 10,000 malformed requests', async () => {
  const sent = fc.record({ bytes: body({ name: 'ann', password: 'x', newPassword: undefined, as: 'neither' }), type })

  await fuzz(fuzzed, sent, async (one) => {
    const answer = await post('/v1/sign-in', one)
    expectProblem(answer.status, answer.text)
  })
}, 180_000)

test.each(['a\0b', 'a\ud800b'])('a text that no database keeps (%j) is the fault of who sent it', async (version) => {
  const { joinProof } = (await openAuthKey(key)) ?? { joinProof: '' }
  const identity = Buffer.alloc(32, 5).toString('base64url')
  const sent = { protocol: 1, key: joinProof, name: 'nul', version, identity, csr: await makeCsr() }

  const { status, text: said } = await post(SERVICE_PATHS.join, { bytes: Buffer.from(JSON.stringify(sent)), type: 'application/json' })

  expect([status, said]).toEqual([400, expect.stringContaining('INPUT_INVALID')])
})
