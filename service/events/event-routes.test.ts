import { once } from 'node:events'
import http from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import type { RunId } from '@postern/protocol/ids.ts'
import { afterEach, expect, test, vi } from 'vitest'
import { EventBus } from './event-bus.ts'
import { EventStreams } from './event-routes.ts'

const toClose: (() => void)[] = []
afterEach(() => {
  for (const close of toClose.splice(0).toReversed()) close()
})

async function listening(wanted: Parameters<EventStreams['serve']>[1] = {}, sees?: Parameters<EventStreams['serve']>[2]) {
  const bus = new EventBus()
  const streams = new EventStreams(bus)
  const server = http.createServer((_, response) => streams.serve(response, wanted, sees))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  toClose.push(() => server.close())
  const [response] = (await once(http.get({ port: (server.address() as AddressInfo).port, agent: false }), 'response')) as [
    http.IncomingMessage,
  ]
  response.on('error', () => undefined)
  toClose.push(() => response.destroy())
  return { bus, streams, response }
}

const run = (id: string) => ({ type: 'run', run: `run_${id}` as RunId, status: 'running' }) as const

test('an event arrives with its name, and those that were not asked for do not', async () => {
  const { bus, response } = await listening({ run: 'run_b' as RunId })
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })

  bus.publish(run('a'))
  bus.publish(run('b'))

  await vi.waitUntil(() => text.includes('run_b'))
  expect(text).toBe(': postern\n\nevent: run\ndata: {"type":"run","run":"run_b","status":"running"}\n\n')
})

test('a client that does not read is cut instead of filling the memory', async () => {
  const { bus, streams, response } = await listening()
  response.pause()

  await vi.waitUntil(() => {
    for (let n = 0; n < 5_000; n += 1) bus.publish(run('x'.repeat(100)))
    return streams.size === 0
  })

  expect(bus.heard).toBe(false)
})

test('one that may not listen any more is sent away within six seconds, though nothing happens', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  toClose.push(() => vi.useRealTimers())
  let may = true
  const { streams, response } = await listening({}, () => (may ? true : Promise.reject(new Error('not any more'))))
  response.resume()
  vi.advanceTimersByTime(6_000)
  expect(streams.size).toBe(1)

  may = false
  vi.advanceTimersByTime(6_000)

  await once(response, 'end')
})

test('nobody takes the places of all others', () => {
  const streams = new EventStreams(new EventBus())
  const open = (who: string) => {
    const raw = new http.ServerResponse(new http.IncomingMessage(new Socket()))
    toClose.push(() => raw.emit('close'))
    streams.serve(raw, {}, undefined, who)
  }
  for (let n = 0; n < 100; n += 1) open('eve')

  expect(() => open('eve')).toThrow(expect.objectContaining({ code: 'SESSIONS_AT_LIMIT' }))
  expect(() => open('ann')).not.toThrow()
})

test('a stop ends the streams', async () => {
  const { streams, response } = await listening()
  response.resume()

  await streams.stop()

  await once(response, 'end')
  await vi.waitUntil(() => streams.size === 0)
})
