/** Looks into a store by way of nodes that go away. */
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { expect, test } from 'vitest'
import { queryRig, refuse } from '../testing/query-rig.ts'

test('a look that a node leaves unanswered is taken by the next one, unless a node was named; what a node does answer counts', async () => {
  const { service, node, second } = await queryRig(2)
  await using _ = service
  const catalog = { path: 'public', entries: [], truncated: false }
  const look = (query = '') => service.fetch('GET', `/v1/stores/shop/catalog?path=public${query}`)
  const tested = (body?: object) => service.api<{ ok: boolean; node: string }>('POST', '/v1/stores/shop/test', body ?? {})
  node.handlers[NODE_PATHS.browseStore] = (stream) => stream.close(2)
  node.handlers[NODE_PATHS.testStore] = (stream) => stream.close(2)
  second.handlers[NODE_PATHS.browseStore] = (stream) => {
    stream.respond({ ':status': 200 })
    stream.end(JSON.stringify(catalog))
  }
  second.handlers[NODE_PATHS.testStore] = (stream) => {
    stream.respond({ ':status': 200 })
    stream.end(JSON.stringify({ ok: true, durationMs: 3 }))
  }

  expect(await (await look()).json()).toEqual(catalog)
  expect(await tested()).toMatchObject({ ok: true, node: 'b' })
  expect(await (await look('&node=a')).json()).toMatchObject({ code: 'NODE_OFFLINE' })
  expect(await tested({ node: 'a' })).toMatchObject({ ok: false, node: 'a', fault: { code: 'NODE_OFFLINE' } })

  node.handlers[NODE_PATHS.browseStore] = refuse(new Fault('STORE_UNREACHABLE', { at: 'db:5432' }))
  expect(await (await look()).json()).toMatchObject({ code: 'STORE_UNREACHABLE' })
})
