import { readFile, stat } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { systemClock } from '@postern/base/clock.ts'
import { systemRandom } from '@postern/base/random.ts'
import { LogLines, NodeFacts, PeerTests, SessionAnswer } from '@postern/protocol/console-api.ts'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalNode } from '../testing/local-node.ts'
import { readConsoleFile } from './console-file.ts'
import { makePass, type PassKind } from './console-pass.ts'

let service: TestService
let node: LocalNode
let other: LocalNode

beforeAll(async () => {
  service = await TestService.start()
  const { key1: key } = await service.client.gateways.create({ name: 'demo' })
  node = await LocalNode.start({ url: service.url, key, name: 'one' })
  other = await LocalNode.start({ url: service.url, key, name: 'two' })
})
afterAll(async () => {
  await other?.[Symbol.asyncDispose]()
  await node?.[Symbol.asyncDispose]()
  await service?.[Symbol.asyncDispose]()
})

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  const file = await readConsoleFile(node.data)
  return new Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string; readonly json: unknown }>(
    (resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: file?.port, path, method, headers, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.once('end', () => {
          const json: unknown = response.headers['content-type'] === 'application/json' ? JSON.parse(text) : undefined
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
        })
      })
      sent.once('error', reject)
      sent.end(method === 'POST' ? body : undefined)
    },
  )
}

async function pass(kind: PassKind, now = systemClock.now()): Promise<string> {
  const file = await readConsoleFile(node.data)
  return makePass({ kind, secret: file?.secret ?? '', nonce: systemRandom.bytes(16), now })
}

const json = { 'content-type': 'application/json' }
const bearer = (text: string) => ({ authorization: `Bearer ${text}` })

test('status is for whoever is on the machine, and says what the node knows of itself', async () => {
  const seen = await waitFor(
    'a peer that is reached',
    async () => NodeFacts.parse((await ask('/status')).json),
    (facts) => facts.recoveryKey !== null && facts.peers.some(({ online, channel }) => online && channel),
  )

  expect(seen).toMatchObject({
    name: 'one',
    gateway: 'demo',
    installedVersion: seen.version,
    link: { state: 'up' },
    service: { fault: null },
    proxy: { setting: null, environment: null, used: '' },
    recoveryKey: false,
    channel: { encryption: 'mutual', certificate: { from: 'service' } },
    process: { pid: process.pid, data: node.data },
  })
  expect(Date.parse(seen.channel.certificate?.validUntil ?? '')).toBeGreaterThan(Date.now())
})

test('what passes are made with is for the owner of the data folder only', async () => {
  expect((await stat(join(node.data, 'console.json'))).mode & 0o777).toBe(0o600)
})

test('logs, stores and what changes the node want a pass', async () => {
  for (const [method, path] of [
    ['GET', '/api/logs'],
    ['GET', '/api/stores'],
    ['GET', '/api/bundle'],
    ['POST', '/api/stop'],
    ['POST', '/api/restart'],
    ['POST', '/api/switch'],
    ['POST', '/api/peers/test'],
  ] as const) {
    expect(await ask(path, { method, headers: json, body: '{}' }), path).toMatchObject({ status: 403, json: { code: 'CONSOLE_DENIED' } })
    const old = bearer(await pass('session', Date.now() - 13 * 3_600_000))
    expect(await ask(path, { method, headers: { ...json, ...old }, body: '{}' }), path).toMatchObject({ status: 403 })
    const code = bearer(await pass('code'))
    expect(await ask(path, { method, headers: { ...json, ...code }, body: '{}' }), path).toMatchObject({ status: 403 })
  }
})

test('a code opens the page once', async () => {
  const body = JSON.stringify({ code: await pass('code') })
  const opened = await ask('/api/session', { method: 'POST', headers: json, body })
  const { session } = SessionAnswer.parse(opened.json)

  expect(LogLines.parse((await ask('/api/logs', { headers: bearer(session) })).json)).toMatchObject({ lost: false })
  expect(await ask('/api/session', { method: 'POST', headers: json, body })).toMatchObject({ status: 403 })
  const call = JSON.stringify({ code: await pass('call') })
  expect(await ask('/api/session', { method: 'POST', headers: json, body: call })).toMatchObject({ status: 403 })
})

test('neither a name that points here nor a page of another site gets an answer', async () => {
  const own = bearer(await pass('call'))

  expect(await ask('/status', { headers: { host: 'evil.example:8051' } })).toMatchObject({ status: 404 })
  expect(await ask('/', { headers: { host: '127.0.0.1.evil.example' } })).toMatchObject({ status: 404 })
  expect(await ask('/status', { headers: { origin: 'http://evil.example' } })).toMatchObject({ status: 403 })
  expect(await ask('/status', { headers: { origin: 'http://127.0.0.1:1' } })).toMatchObject({ status: 403 })
  expect(await ask('/api/logs', { headers: { ...own, 'sec-fetch-site': 'cross-site' } })).toMatchObject({ status: 403 })
  expect(await ask('/api/stop', { method: 'POST', headers: { ...own, 'content-type': 'text/plain' }, body: '{}' })).toMatchObject({
    status: 400,
  })
  expect(await ask('/api/stop', { method: 'GET', headers: own })).toMatchObject({ status: 404 })
  const { headers } = await ask('/')
  expect(headers['content-security-policy']).toMatch(/^default-src 'self';.*frame-ancestors 'none'/)
  expect(headers['access-control-allow-origin']).toBeUndefined()
})

test('what is too large, no JSON, or asks for a file elsewhere is refused', async () => {
  const own = { ...json, ...bearer(await pass('call')) }

  expect(await ask('/api/switch', { method: 'POST', headers: own, body: 'x'.repeat(20_000) })).toMatchObject({ status: 400 })
  expect(await ask('/api/switch', { method: 'POST', headers: own, body: '{' })).toMatchObject({ json: { code: 'INPUT_INVALID' } })
  expect(await ask('/api/switch', { method: 'POST', headers: own, body: '{"url":"http://x","key":"nonsense"}' })).toMatchObject({
    json: { code: 'KEY_INVALID' },
  })
  for (const path of ['/assets/../index.html', '/assets/..%2f..%2fpackage.json', '/node.json', '/assets/'])
    expect((await ask(path)).status, path).toBe(404)
})

test('every peer is called when somebody asks, and one that is gone is told apart', async () => {
  const test = async () =>
    PeerTests.parse(
      (await ask('/api/peers/test', { method: 'POST', headers: { ...json, ...bearer(await pass('call')) }, body: '{}' })).json,
    ).peers
  expect(await test()).toMatchObject([{ name: 'two', fault: null, address: expect.stringMatching(/:\d+$/) }])

  await other.stop()
  expect(await test()).toMatchObject([{ name: 'two', fault: { code: 'CHANNEL_BROKEN' } }])
  await other.restart()
})

test('callers that show no pass keep nobody out', async () => {
  const file = await readConsoleFile(node.data)
  const { connect } = await import('node:net')
  const silent = Array.from({ length: 60 }, () => connect(file?.port ?? 0, '127.0.0.1').on('error', () => undefined))

  const answered = await ask('/api/logs', { headers: bearer(await pass('call')) })
  for (const socket of silent) socket.destroy()

  expect(answered.status).toBe(200)
})

test('the secret of the passes stays over a restart, and with it the sessions of open pages', async () => {
  const session = await pass('session')
  const before = await readFile(join(node.data, 'console.json'), 'utf8')
  await node.restart()

  expect((await ask('/api/logs', { headers: bearer(session) })).status).toBe(200)
  expect(await readFile(join(node.data, 'console.json'), 'utf8')).toBe(before)
})
