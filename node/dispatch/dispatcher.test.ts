import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import { type NodeId, newId, type RunId, type TaskId } from '@postern/protocol/ids.ts'
import { HandClock } from '@postern/testkit/hand-clock.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Dialler } from '../calls/dialler.ts'
import { ServiceClient } from '../calls/service-client.ts'
import { Peers } from '../channel/peers.ts'
import { mutualClient } from '../testing/mutual-client.ts'
import { Worker } from '../work/worker.ts'
import { Dispatcher } from './dispatcher.ts'

const self = newId<NodeId>('nod', systemRandom.bytes)
const clock = new HandClock()

/** What came in, and pulls that are held open. */
let calls: { readonly path: string; readonly body: Record<string, unknown> }[]
let pulls: { answer(orders: readonly unknown[]): void; readonly closed: () => boolean }[]
let server: Server
let parts: { readonly dispatcher: Dispatcher; readonly worker: Worker; close(): Promise<void> }

beforeEach(async () => {
  calls = []
  pulls = []
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk) => {
      text += String(chunk)
    })
    request.on('end', () => {
      calls.push({ path: request.url ?? '', body: JSON.parse(text || '{}') })
      if (request.url !== '/v1/node/pull') return response.writeHead(204).end()
      let closed = false
      response.on('close', () => {
        closed = true
      })
      pulls.push({
        answer: (orders) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ orders })),
        closed: () => closed,
      })
      return undefined
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const target = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const service = new ServiceClient({ dialler: new Dialler({ target, environment: {}, proxyUrl: () => '' }), clock })
  const base = { clock, random: systemRandom, log: silentLog, service }
  const channel = mutualClient({
    gatewayId: newId('gw', systemRandom.bytes),
    credentials: () => ({ privateKey: '', certificate: '', authority: '' }),
  })
  const worker = new Worker({ ...base, loadEngine: () => Promise.reject(new Error('no engine here')) })
  const dispatcher = new Dispatcher({ ...base, self, channel, worker, peers: new Peers({ self, channel, clock }) })
  worker.limit = 2
  await dispatcher.start()
  parts = {
    dispatcher,
    worker,
    close: async () => {
      await dispatcher.stop()
      const stopping = worker.stop()
      await clock.advance(10_000)
      await stopping
      service.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
})
afterEach(() => parts.close())

const hold = (epoch: number, ms: number) => parts.dispatcher.hold({ epoch, until: clock.monotonic() + ms })

test('without the lease nothing is pulled', async () => {
  await clock.advance(5_000)

  expect(calls).toEqual([])
  expect(parts.dispatcher.leading).toBe(false)
})

test('with the lease as many tasks are asked for as there are free slots', async () => {
  hold(3, 4_500)
  await waitFor('a pull', () => pulls.length === 1)

  expect(calls[0]).toEqual({ path: '/v1/node/pull', body: { epoch: 3, max: 2, free: [{ node: self, slots: 2 }] } })
})

test('a lease that no beat renews ends by itself, and with it the pull that is open', async () => {
  hold(3, 4_500)
  await waitFor('a pull', () => pulls.length === 1)
  await clock.advance(4_400)
  expect(parts.dispatcher.leading).toBe(true)

  await clock.advance(200)

  expect(parts.dispatcher.leading).toBe(false)
  await waitFor('the pull to end', () => pulls[0]?.closed() === true)
  await clock.advance(5_000)
  expect(pulls).toHaveLength(1)
})

test('a lease that beats renew keeps its pull open', async () => {
  hold(3, 4_500)
  await waitFor('a pull', () => pulls.length === 1)
  for (let beat = 0; beat < 8; beat += 1) {
    await clock.advance(1_000)
    hold(3, 4_500)
  }

  expect(pulls[0]?.closed()).toBe(false)
  expect(parts.dispatcher.leading).toBe(true)
})

test('a lease that another has now ends the pull at once', async () => {
  hold(3, 4_500)
  await waitFor('a pull', () => pulls.length === 1)

  parts.dispatcher.hold(undefined)

  await waitFor('the pull to end', () => pulls[0]?.closed() === true)
})

test('an order that no worker takes is given back', async () => {
  hold(3, 4_500)
  await waitFor('a pull', () => pulls.length === 1)
  parts.worker.limit = 0
  const task = newId<TaskId>('tsk', systemRandom.bytes)
  const store = { id: newId('sto', systemRandom.bytes), name: 'shop', version: 1 }
  const order = {
    run: newId<RunId>('run', systemRandom.bytes),
    task,
    attempt: 1,
    epoch: 3,
    kind: 'part',
    copy: { source: 'shop', sink: 'lake', from: 'orders', to: 'orders/' },
    source: store,
    sink: store,
    spec: null,
    context: null,
  }

  pulls[0]?.answer([order])

  const given = await waitFor(
    'the order to come back',
    () => calls.find(({ path }) => path.endsWith('/finished')),
    (call) => call !== undefined,
  )
  expect(given).toMatchObject({ path: `/v1/node/tasks/${task}/attempts/1/finished`, body: { outcome: 'returned', epoch: 3 } })
})
