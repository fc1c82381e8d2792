/** Replicas that reach each other by HTTPS, and nodes that reach them where only WebSockets pass. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WebSocketOnlyProxy } from '@postern/node/testing/middleboxes.ts'
import { selfSigned } from '@postern/service/testing/self-signed.ts'
import { afterEach, expect, test } from 'vitest'
import { testFolder } from './folder.ts'
import { ReplicaSet } from './replica-set.ts'
import { waitFor } from './wait-for.ts'

const known = process.env['NODE_TLS_REJECT_UNAUTHORIZED']

afterEach(() => {
  if (known === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = known
})

interface LinkUp {
  readonly transport: string
  readonly replica: string
}

const linksOf = (set: ReplicaSet, node: number): LinkUp[] =>
  (set.nodes[node]?.process.log ?? '')
    .split('\n')
    .filter((line) => line.includes('"link is up"'))
    .map((line) => JSON.parse(line) as LinkUp)

test('replicas with TLS reach each other by it, and so do their nodes; each holds the certificate against what it trusts', async () => {
  await using folder = await testFolder()
  const { cert, key } = await selfSigned()
  const tls = { certFile: join(folder.path, 'cert.pem'), keyFile: join(folder.path, 'key.pem') }
  await writeFile(tls.certFile, cert)
  await writeFile(tls.keyFile, key)
  // The test itself does not look; all processes do.
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  const env = { NODE_EXTRA_CA_CERTS: tls.certFile, NODE_TLS_REJECT_UNAUTHORIZED: '1' }
  await using set = await ReplicaSet.start({ replicas: 2, nodes: ['n1'], service: { tls, env } })

  await waitFor(
    'the node has links to both',
    () => new Set(linksOf(set, 0).map(({ replica }) => replica)).size,
    (size) => size === 2,
    { timeoutMs: 40_000 },
  )
  for (const replica of [0, 1]) {
    expect(set.services[replica]?.process.log).toMatch(/"url":"https:[^"]*".*"replica is linked"/)
    expect(await (await set.clientOf(replica).query('shop', { sql: 'select 1 as one' })).rows()).toEqual([{ one: 1 }])
  }
}, 120_000)

test('where only WebSockets pass, both links of a node are WebSockets, to two replicas', async () => {
  await using stack = new AsyncDisposableStack()
  await using set = await ReplicaSet.start({
    replicas: 2,
    nodes: ['n1'],
    urlOf: async (balancer) => stack.use(await WebSocketOnlyProxy.to(balancer.url)).url,
  })

  const links = await waitFor(
    'there are two',
    () => linksOf(set, 0),
    (seen) => new Set(seen.map(({ replica }) => replica)).size === 2,
    { timeoutMs: 40_000 },
  )

  expect(new Set(links.map(({ transport }) => transport))).toEqual(new Set(['websocket']))
  for (const replica of [0, 1]) expect((await set.clientOf(replica).nodes.get('demo', 'n1')).linkTransport).toBe('websocket')
  await set.services[0]?.kill()
  expect(await (await set.clientOf(1).query('shop', { sql: 'select 1 as one' })).rows()).toEqual([{ one: 1 }])
}, 120_000)
