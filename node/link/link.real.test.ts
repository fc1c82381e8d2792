import { FlakyLink } from '@postern/testkit/flaky-link.ts'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalNode } from '../testing/local-node.ts'
import { ConnectProxy, WebSocketOnlyProxy } from '../testing/middleboxes.ts'

let service: TestService
beforeAll(async () => {
  service = await TestService.start()
})
afterAll(() => service[Symbol.asyncDispose]())

const online = async (gateway: string, node: string) => {
  const view = await waitFor(
    `${gateway}/${node} is online`,
    () => service.client.nodes.get(gateway, node),
    ({ status, linkTransport }) => status === 'online' && linkTransport !== null,
  )
  return view.linkTransport
}

test('a node links by a raw upgrade', async () => {
  const { key1: key } = await service.client.gateways.create({ name: 'raw' })
  await using _node = await LocalNode.start({ url: service.url, key, name: 'a' })

  expect(await online('raw', 'a')).toBe('raw')
})

test('where only WebSockets pass, a node links by one, and dials so at once the next time', async () => {
  await using box = await WebSocketOnlyProxy.to(service.url)
  const { key1: key } = await service.client.gateways.create({ name: 'boxed' })
  await using node = await LocalNode.start({ url: box.url, key, name: 'a' })
  expect(await online('boxed', 'a')).toBe('websocket')
  const plain = () => box.seen.filter((line) => line === 'GET /v1/node/link').length
  expect(plain()).toBe(1)

  await node.restart()

  await waitFor('the link', async () => (await node.status()).link.state === 'up')
  expect(plain()).toBe(1)
})

test('a node goes out through a proxy that wants a password', async () => {
  await using proxy = await ConnectProxy.open('user:pass word')
  const { key1: key } = await service.client.gateways.create({ name: 'proxied' })
  const environment = { http_proxy: proxy.url.replace('//', '//user:pass%20word@') }
  await using _node = await LocalNode.start({ url: service.url, key, name: 'a', environment })

  expect(await online('proxied', 'a')).toBe('raw')
  expect(new Set(proxy.seen)).toEqual(new Set([`CONNECT ${new URL(service.url).host}`]))
})

test('a proxy that refuses is named', async () => {
  await using proxy = await ConnectProxy.open('user:right')
  const { key1: key } = await service.client.gateways.create({ name: 'refused' })
  const environment = { http_proxy: proxy.url.replace('//', '//user:wrong@') }

  const joining = LocalNode.start({ url: service.url, key, name: 'a', environment })

  await expect(joining).rejects.toMatchObject({ code: 'SERVICE_UNREACHABLE', message: expect.stringMatching(/proxy .* answered 407/) })
})

test('a central proxy that is wrong does not cut a node off', async () => {
  const { key1: key } = await service.client.gateways.create({ name: 'central', settings: { proxyUrl: 'http://127.0.0.1:9' } })
  await using node = await LocalNode.start({ url: service.url, key, name: 'a' })
  await online('central', 'a')

  await node.restart()

  expect(await online('central', 'a')).toBe('raw')
})

test('a link that is silently dead is found in under 5 s, and made anew', async () => {
  await using wire = await FlakyLink.to({ port: service.port })
  const { key1: key } = await service.client.gateways.create({ name: 'silent' })
  await using node = await LocalNode.start({ url: `http://127.0.0.1:${wire.port}`, key, name: 'a' })
  await waitFor('the link', async () => (await node.status()).link.state === 'up')

  const since = performance.now()
  wire.halfOpen()
  await waitFor('the loss to be seen', async () => (await node.status()).link.state !== 'up', Boolean, { timeoutMs: 8_000 })
  const took = performance.now() - since
  wire.heal()

  expect(took).toBeLessThan(5_500) // 4.5 s by its own limits, and a loaded machine
  await waitFor('a new link', async () => (await node.status()).link.state === 'up', Boolean, { timeoutMs: 20_000 })
})

test('a node that stops says goodbye: it is offline at once, not after silence', async () => {
  const { key1: key } = await service.client.gateways.create({ name: 'bye' })
  await using node = await LocalNode.start({ url: service.url, key, name: 'a' })
  await online('bye', 'a')

  await node.stop()

  const view = await service.client.nodes.get('bye', 'a')
  expect(view.status).not.toBe('online')
})
