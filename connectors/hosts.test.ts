/** No connector connects to what the node denies: not at first, not by a name, not after a redirect. */
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { HostGuard } from '@postern/base/host-guard.ts'
import { Secret, silentLog } from '@postern/base/log.ts'
import { expect, test } from 'vitest'
import { CONNECTORS } from './registry.ts'

const DENIED = '169.254.169.254'
const secret = (value: string) => new Secret(value)
const key = secret(Buffer.from('key').toString('base64'))

interface Rig {
  readonly settings: (host: string) => Record<string, string | number>
  readonly secrets: Readonly<Record<string, Secret>>
}

const RIGS: Readonly<Record<string, Rig>> = {
  postgres: { settings: (host) => ({ host, database: 'd', user: 'u' }), secrets: { password: secret('p') } },
  mysql: { settings: (host) => ({ host, database: 'd', user: 'u' }), secrets: { password: secret('p') } },
  s3: {
    settings: (host) => ({ endpoint: `http://${host}`, bucket: 'b-u-c', accessKeyId: 'k' }),
    secrets: { secretAccessKey: secret('s') },
  },
  'azure-blob': {
    settings: (host) => ({ endpoint: `http://${host}/account`, account: 'account', container: 'c-o-n' }),
    secrets: { accountKey: key },
  },
}
const hosts = new HostGuard({
  resolve: (_name, _options, done) => setImmediate(() => done(null, [{ address: DENIED, family: 4 }])),
})

async function checked(kind: string, host: string): Promise<unknown> {
  const connector = CONNECTORS.get(kind)
  const rig = RIGS[kind]
  if (!connector || !rig) throw new Error(`no ${kind}`)
  const settings = connector.config.parse(rig.settings(host)) as Record<string, string | number | boolean>
  await using session = await connector.open({ settings, secrets: rig.secrets, log: silentLog, scratch: tmpdir(), hosts })
  return await session.check(AbortSignal.timeout(9_000)).catch((cause: unknown) => cause)
}

test('every kind that has a host is in this test', () => {
  const reaching = [...CONNECTORS.values()].filter(({ config }) => 'host' in config.shape || 'endpoint' in config.shape)

  expect(reaching.map(({ kind }) => kind).sort()).toEqual(Object.keys(RIGS).sort())
})

test.each(Object.keys(RIGS))('%s does not connect to an address that is denied', async (kind) => {
  await expect(checked(kind, DENIED)).resolves.toMatchObject({ code: 'HOST_DENIED' })
})

test.each(Object.keys(RIGS))('%s does not connect to a name that leads to one', async (kind) => {
  await expect(checked(kind, 'innocent.example')).resolves.toMatchObject({ code: 'HOST_DENIED' })
})

test('a connection string leads nowhere else than an endpoint', async () => {
  const azure = CONNECTORS.get('azure-blob')
  const connectionString = secret(
    `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=${key.reveal()};BlobEndpoint=http://${DENIED}/account;`,
  )
  await using session = await azure?.open({
    settings: { container: 'c-o-n' },
    secrets: { connectionString },
    log: silentLog,
    scratch: tmpdir(),
    hosts,
  })

  await expect(session?.check(AbortSignal.timeout(9_000))).rejects.toMatchObject({ code: 'HOST_DENIED' })
})

test.each(['s3', 'azure-blob'])('%s does not follow a redirect to an address that is denied', async (kind) => {
  const server = createServer((_, response) => response.writeHead(307, { location: `http://${DENIED}/latest/meta-data` }).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  const refused = await checked(kind, `127.0.0.1:${port}`)
  server.close()
  server.closeAllConnections()

  // The SDK of S3 follows no redirect at all.
  expect(['HOST_DENIED', 'STORE_DENIED']).toContain((refused as { code?: string }).code)
})
